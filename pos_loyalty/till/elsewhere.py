"""Sales of other tills, as far as a return has to know them: asked of head office, the one verb that waits for the network."""

from __future__ import annotations

from typing import Protocol

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.store.sold import NOTHING, SaleFound


class Elsewhere(Protocol):
    """Head office and the store's hub, as far as a return asks them."""

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        """The sale with all returns that they hold.

        Raises HeadOfficeGoneError when no answer comes in time, WireError for one that cannot be read.
        """

    def after(self, name: SaleName, *, is_line_up: bool) -> SaleFound:
        """What came after a sale that is known, as far as somebody answers. Head office is asked while the line is up alone."""


class Nowhere:
    """A till that stands alone."""

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        """Nobody can be asked."""
        raise HeadOfficeGoneError("this till has no head office")

    def after(self, name: SaleName, *, is_line_up: bool) -> SaleFound:
        """Nobody tells of anything."""
        return NOTHING
