"""Head office and the hub as a return asks them about a sale: one short question to each, and no second try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.errors import HeadOfficeGoneError, WireError
from pos_loyalty.store.sold import NOTHING, SaleFound, joined
from sync.client import HttpHeadOffice
from sync.hub_client import HttpHub
from sync.wire import Reply, SaleQuestion, read_sale

WAIT_S: Final = 3.0
"""A person waits at the till: an answer that takes longer is none."""


class HeadOfficeSales:
    """Asks over a connection of its own, made for each question: returns are rare. ``token()``: as it is now."""

    def __init__(self, url: str, till: str, token: Callable[[], str]) -> None:
        self._url = url
        self._till = till
        self._token = token

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        """The sale with all returns that head office holds. Raises HeadOfficeGoneError, WireError, ConfigError."""
        client = HttpHeadOffice(self._url, self._till, self._token(), WAIT_S, whole_factor=1)
        try:
            return asked(client.sale, name)
        finally:
            client.close()

    def after(self, name: SaleName, *, is_line_up: bool) -> SaleFound:
        """What came after a sale, while head office answers. Raises ConfigError."""
        return heard(lambda: self.sold(name)) if is_line_up else NOTHING


class HubSales:
    """Head office and the store's hub together: each may know what the other has not heard yet."""

    def __init__(self, office: HeadOfficeSales, hub: Callable[[], HttpHub]) -> None:
        self._office = office
        self._hub = hub

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        """The sale with all that either knows. Raises HeadOfficeGoneError when neither tells of it and head office is silent."""
        near = _heard(lambda: self._near(name))
        try:
            far = self._office.sold(name)
        except (HeadOfficeGoneError, WireError):
            if near.sale is None:
                raise
            return near
        if near.sale is None and isinstance(name, FiscalSign) and far.sale is not None:
            named = SaleName(till=far.sale.till, sale_id=far.sale.sale_id)
            near = heard(lambda: self._near(named))
        return joined(far, near)

    def after(self, name: SaleName, *, is_line_up: bool) -> SaleFound:
        """What came after a sale: the hub is asked however long head office has been silent. Raises ConfigError."""
        return joined(self._office.after(name, is_line_up=is_line_up), heard(lambda: self._near(name)))

    def _near(self, name: SaleName | FiscalSign) -> SaleFound:
        client = self._hub()
        try:
            return asked(client.sale, name)
        finally:
            client.close()


def asked(ask: Callable[[SaleQuestion], Reply], name: SaleName | FiscalSign) -> SaleFound:
    """The answer to a question for a sale. Who is of the version before refuses it, and is asked as then."""
    question = question_of(name)
    try:
        return read_sale(ask(question), question)
    except WireError:
        before = replace(question, after="")
        return read_sale(ask(before), before)


def heard(ask: Callable[[], SaleFound]) -> SaleFound:
    """What came after a sale alone, from somebody who may be silent."""
    return _heard(ask).after


def question_of(name: SaleName | FiscalSign) -> SaleQuestion:
    """The question for a sale and all that came after it."""
    if isinstance(name, SaleName):
        return SaleQuestion(till=name.till, sale_id=name.sale_id, after="all")
    return SaleQuestion(fn=name.fn, i=name.fd, fp=name.fp, after="all")


def _heard(ask: Callable[[], SaleFound]) -> SaleFound:
    try:
        return ask()
    except (HeadOfficeGoneError, WireError):
        return NOTHING
