"""What the till is asked and what it answers about returns. These values are its HTTP bodies too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, field

from pos_loyalty.engine.model import LINES_MAX, MARKS_MAX, Centi, Id, Label, Money, Tender, Text
from pos_loyalty.engine.returns import ReturnedLine
from pos_loyalty.store.fiscal import Fiscal
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.ids import SaleId
from pos_loyalty.values import Minor, Points, Thousandths, Value


class LineBack(Value):
    """So much of a line of the sale comes back. Units that are told apart are named by ``units``, from 0, or by ``marks``."""

    line_id: Id
    quantity_milli: Thousandths = field(name="quantity")
    units: Annotated[tuple[int, ...], Meta(max_length=MARKS_MAX)] = ()
    marks: Annotated[tuple[Text, ...], Meta(max_length=MARKS_MAX)] = ()


class UnsoldLine(Value):
    """Goods that come back without a receipt. ``price_minor``: for a unit or kilogram, at most this is refunded."""

    line_id: Id
    sku: Id
    quantity_milli: Thousandths = field(name="quantity")
    price_minor: Money
    name: Text = ""


class ReturnRequest(Value):
    """Goods come back. The sale is named by ``sale_id`` (and ``sale_till`` when it is another's) or by the ``receipt``'s code.

    ``all``: everything that is left of the sale, without ``lines``. ``goods``: without a receipt, where the programme allows it;
    then ``member_id`` and ``take_back_centi`` may say whose points are taken back, and how many. ``approval``: the word of
    a senior. ``tenders`` make the refund exactly; without them it goes back as the sale was paid.
    """

    return_id: SaleId
    sale_id: SaleId | None = None
    sale_till: Id | None = None
    receipt: Annotated[str, Meta(max_length=512)] = ""
    lines: Annotated[tuple[LineBack, ...], Meta(max_length=LINES_MAX)] = ()
    all: bool = False
    goods: Annotated[tuple[UnsoldLine, ...], Meta(max_length=LINES_MAX)] = ()
    member_id: Id | None = None
    take_back_centi: Centi = Points(0)
    cashier: Label = ""
    reason: Text = ""
    approval: Approval | None = None
    tenders: Annotated[tuple[Tender, ...], Meta(max_length=32)] = ()
    fiscal: Fiscal | None = None


class ReturnAnswer(Value):
    """A stored return. ``lines`` carry the positions of the refund's fiscal receipt; they make the refund with ``charged_minor``
    and ``unpaid_minor``.

    Points are those of the sale's own member: given back to their lots, taken back, and of these how many are owed now.
    """

    return_id: str
    sale_till: str
    sale_id: str
    """Both are empty without a receipt."""
    receipt_no: str
    at: datetime
    refund_minor: Minor
    charged_minor: Minor
    """For gifts that stay though their goods came back; below nothing where an earlier charge went back."""
    tenders: tuple[Tender, ...]
    lines: tuple[ReturnedLine, ...]
    restored_centi: Points
    taken_back_centi: Points
    owed_centi: Points
    """Of what was taken back here, how much the member had not got."""
    member_id: str | None
    owed_in_all_centi: Points
    balance_centi: Points | None
    """The member's points after this, as known here; None without a member."""
    is_last: bool
    """Nothing of the sale is kept any more."""
    withdrawn: tuple[str, ...] = ()
    """Codes of coupons that the sale issued and that are good no more; ask for the papers."""
    withdrawn_used: tuple[str, ...] = ()
    """Of these, the ones that were used before: what they gave stays."""
    unpaid_minor: Minor = Minor(0)
    """What of the price of these goods was never paid: nobody gets it back."""


class LineLeft(Value):
    """A line of a sale, and how much of it may still come back. ``paid_minor``: what was paid for all of it."""

    line_id: str
    sku: str
    name: str
    measure: Literal["piece", "weight"]
    quantity_milli: Thousandths = field(name="quantity")
    left_milli: Thousandths = field(name="left")
    paid_minor: Minor
    marks: tuple[str, ...]


class WouldReturn(Value):
    """What a return would do if it were made now, as the answer to it would tell. ``rest_minor``: what no gift card takes.

    ``tenders`` is empty while a person has to say how ``rest_minor`` is paid out. ``balance_centi``: before the return.
    """

    refund_minor: Minor
    charged_minor: Minor
    tenders: tuple[Tender, ...]
    rest_minor: Minor
    restored_centi: Points
    taken_back_centi: Points
    owed_centi: Points
    balance_centi: Points | None
    is_last: bool
    withdrawn: tuple[str, ...] = ()
    withdrawn_used: tuple[str, ...] = ()
    unpaid_minor: Minor = Minor(0)


class ReturnPreview(Value):
    """A sale that goods may come back of. Nothing is written. ``would`` is null while no goods are named.

    Without a receipt ``sale_id`` is empty and ``lines`` are the goods as they are priced. ``approval``: why a senior must
    approve; empty when nobody need.
    """

    sale_till: str
    sale_id: str
    state: Literal["authorised", "completed", "cancelled", "reversed"]
    receipt_no: str
    sold_at: datetime | None
    member_id: str | None
    due_minor: Minor
    tenders: tuple[Tender, ...]
    lines: tuple[LineLeft, ...]
    approval: str
    would: WouldReturn | None = None
