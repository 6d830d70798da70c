"""Head office as a return asks it for a sale of another till: one short question, and no second try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import HeadOfficeGoneError, WireError
from pos_loyalty.store.sold import SoldSale
from sync.client import HttpHeadOffice
from sync.hub_client import HttpHub
from sync.wire import SaleQuestion, read_sale

WAIT_S: Final = 3.0
"""A person waits at the till: an answer that takes longer is none."""


class HeadOfficeSales:
    """Asks over a connection of its own, made for each question: returns are rare. ``token()``: as it is now."""

    def __init__(self, url: str, till: str, token: Callable[[], str]) -> None:
        self._url = url
        self._till = till
        self._token = token

    def sold(self, name: SaleName | FiscalSign) -> SoldSale | None:
        """The sale with all returns that head office holds. Raises HeadOfficeGoneError, WireError, ConfigError."""
        client = HttpHeadOffice(self._url, self._till, self._token(), WAIT_S, whole_factor=1)
        try:
            question = question_of(name)
            return read_sale(client.sale(question), question)
        finally:
            client.close()


class HubSales:
    """Head office and the store's hub together: each may know what the other has not heard yet."""

    def __init__(self, office: HeadOfficeSales, hub: Callable[[], HttpHub]) -> None:
        self._office = office
        self._hub = hub

    def sold(self, name: SaleName | FiscalSign) -> SoldSale | None:
        """The sale with all returns that either knows. Raises HeadOfficeGoneError when neither answers."""
        near = far = gone = None
        try:
            client = self._hub()
            try:
                question = question_of(name)
                near = read_sale(client.sale(question), question)
            finally:
                client.close()
        except (HeadOfficeGoneError, WireError) as error:
            gone = error
        try:
            far = self._office.sold(name)
        except (HeadOfficeGoneError, WireError):
            if gone is not None or near is None:
                raise
        return joined(far, near)


def joined(far: SoldSale | None, near: SoldSale | None) -> SoldSale | None:
    """What head office knows of a sale, with the returns that only the hub has heard of."""
    if far is None or near is None:
        return far or near
    known = {(one.till, one.return_id) for one in far.returns}
    fresh = tuple(one for one in near.returns if (one.till, one.return_id) not in known)
    newer = near if far.state == "authorised" else far
    return replace(newer, returns=far.returns + fresh)


def question_of(name: SaleName | FiscalSign) -> SaleQuestion:
    """The question for a sale."""
    if isinstance(name, SaleName):
        return SaleQuestion(till=name.till, sale_id=name.sale_id)
    return SaleQuestion(fn=name.fn, i=name.fd, fp=name.fp)
