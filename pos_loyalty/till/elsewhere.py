"""Sales of other tills, as far as a return has to know them: asked of head office, the one verb that waits for the network."""

from __future__ import annotations

from typing import Protocol

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.store.sold import SoldSale


class Elsewhere(Protocol):
    """Head office, as far as a return asks it."""

    def sold(self, name: SaleName | FiscalSign) -> SoldSale | None:
        """The sale with all returns that head office holds; None when it holds no such sale.

        Raises HeadOfficeGoneError when no answer comes in time, WireError for one that cannot be read.
        """


class Nowhere:
    """A till that stands alone."""

    def sold(self, name: SaleName | FiscalSign) -> SoldSale | None:
        """Nobody can be asked."""
        raise HeadOfficeGoneError("this till has no head office")
