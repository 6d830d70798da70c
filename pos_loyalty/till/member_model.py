"""What the till is asked about a member besides points, and what it answers. These values are its HTTP bodies too."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from pos_loyalty.engine.model import DayOfYear, Id, Label, Text
from pos_loyalty.store.member_facts import Purpose
from pos_loyalty.store.profiles import PhoneState
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import CardNumber, Phone
from pos_loyalty.till.sender import CodeState
from pos_loyalty.values import DAY_OF_YEAR_PATTERN, Value

NAMED_DAY_PATTERN = DAY_OF_YEAR_PATTERN.replace("^", "^(?:[0-9]{4}-)?", 1)
Named = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]


class GiveConsent(Value, tag_field="change", tag="consent"):
    """A consent given or withdrawn. Without ``text_version`` it is to the text that the till's config names."""

    purpose: Purpose
    given: bool
    text_version: Label | None = None
    channel: Label = "till"


class SetName(Value, tag_field="change", tag="name"):
    """The person's name; empty takes it away."""

    name: Text


class SetPhone(Value, tag_field="change", tag="phone"):
    """Another phone, not verified yet; null takes it away."""

    phone: Phone | None


class SetAttribute(Value, tag_field="change", tag="attribute"):
    """An attribute of the profile that rules may ask for; null takes it away."""

    name: Named
    value: Text | None


class SetDate(Value, tag_field="change", tag="date"):
    """A named date: ``MM-DD``, or ``YYYY-MM-DD`` where the year matters; null takes it away."""

    name: Named
    day: Annotated[str, Meta(pattern=NAMED_DAY_PATTERN)] | None


class SetBirthday(Value, tag_field="change", tag="birthday"):
    """The birthday. One that stands is changed by a person's word only: see ``by``."""

    birthday: DayOfYear | None


class SetState(Value, tag_field="change", tag="state"):
    """Block a member, or let them act again; by a person's word."""

    state: Literal["active", "blocked"]


class SetSource(Value, tag_field="change", tag="source"):
    """Where the member comes from."""

    origin: Label = ""
    drive: Label = ""


class MakeReferralCode(Value, tag_field="change", tag="referral_code"):
    """The member's own code for friends: this one, or one that the till makes."""

    code: Annotated[str, Meta(pattern="^[A-Z0-9]{4,16}$")] | None = None


Wish = GiveConsent | SetName | SetPhone | SetAttribute | SetDate | SetBirthday | SetState | SetSource | MakeReferralCode


class ChangeRequest(Value):
    """Changes to one member, all or none. ``by``: who in the shop answers for it, where a person's word is asked for.

    The reason stands in the log for ever: it names nobody.
    """

    changes: Annotated[tuple[Wish, ...], Meta(min_length=1, max_length=32)]
    cashier: Label = ""
    by: Approval | None = None
    reason: Text = ""


class LetInRequest(Value):
    """A blocked member may act again, found by a card that ``identify`` refuses. ``by``: who in the shop answers for it."""

    card: CardNumber
    by: Approval
    cashier: Label = ""
    reason: Text = ""


class CardRequest(Value):
    """Cards of one member: a new one, or one made at once; one that was lost, one that was found. All or none.

    ``by``: who in the shop answers for it, needed for a card that was found.
    """

    card: CardNumber | None = None
    new_card: bool = False
    lost: CardNumber | None = None
    found: CardNumber | None = None
    cashier: Label = ""
    by: Approval | None = None
    reason: Text = ""


class CardShown(Value):
    """A card, masked."""

    card: str
    state: Literal["active", "lost"]


class ProfileAnswer(Value):
    """A member as far as the shop may show: nothing that names the person."""

    member_id: str
    state: Literal["active", "blocked", "merged", "erased"]
    phone: PhoneState
    consents: tuple[Purpose, ...]
    cards: tuple[CardShown, ...]
    referral_code: str | None
    has_birthday: bool
    made_card: str | None = None
    """Whole: the number of a card that was made just now."""


class CodeRequest(Value):
    """Send a code to the member's phone. ``phone`` when this till does not hold it: it must be the member's."""

    phone: Phone | None = None


class CodeAnswer(Value):
    """Where the code is. It goes out beside the till's work, so ``sending`` is the usual first word: ask again."""

    member_id: Id
    state: CodeState
    phone: PhoneState
    expires_at: datetime | None
    tries_left: int


class VerifyRequest(Value):
    """The code that the person read out."""

    code: Annotated[str, Meta(pattern="^[0-9]{4,12}$")]
    cashier: Label = ""


class EraseRequest(Value):
    """Erase a member for ever. ``by``: the senior who answers for it. The reason stays in the log: it names nobody."""

    by: Approval
    reason: Text = ""


class EraseAnswer(Value):
    """``is_clean`` false: the journal still holds what was erased, as another process reads it or the disk fails; erase again."""

    member_id: str
    is_clean: bool


class Person(Value):
    """What names a member, opened. It is shown to who may see it and stored nowhere."""

    name: str
    phone: str
    attributes: dict[str, str]
    dates: dict[str, str]


class Held(Value):
    """All that is held on a member here. ``tables``: every row that names them, by table."""

    member_id: str
    state: str
    person: Person | None
    """None when no key is here: they were enrolled elsewhere, or erased."""
    tables: dict[str, tuple[dict[str, Any], ...]]
