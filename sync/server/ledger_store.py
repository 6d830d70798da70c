"""What head office's steps ask of a store, as a Protocol of few calls, so that another database can take SQLite's place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from msgspec import field

from pos_loyalty.clock import Reading
from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.engine.receipt_code import FiscalSign, SaleName
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.follow import Doubt
from pos_loyalty.store.publications import Publication
from pos_loyalty.store.sold import SaleFound
from pos_loyalty.store.tier_due import Page as TierPage
from pos_loyalty.values import Value
from sync.server.key_store import KeyStore
from sync.server.right_store import RightStore
from sync.server.truth_store import TruthStore
from sync.wire import CouponChange, MemberChange, ProgrammeBody

MemberState = Literal["active", "blocked", "erased", "merged"]


class TillHold(Value):
    """How much of a till's log is held. ``frozen``: why nothing more is taken from it; None when all is well."""

    till: str
    epoch: int
    applied_seq: int
    applied_hash: bytes
    frozen: str | None = None


class LotHold(Value):
    """A lot as head office has it."""

    lot_id: str
    member_id: str
    amount_centi: int
    centi: int


class Known(Value):
    """All that a fact may contradict.

    ``lent_centi``: by lot, what suspense gave for the sale that this fact is about, below nothing where it got more: goods
    of it came back at another till before it came. ``card_holder``: whose the enrolled card is already. ``sale_state`` is of
    the sale that the fact begins, ends or takes goods back of; None when there is none yet.
    """

    is_id_taken: bool
    member_state: MemberState | None
    lots: dict[str, LotHold]
    sale_state: str | None
    lent_centi: dict[str, int]
    card_holder: str | None
    is_member_taken: bool
    others: dict[str, MemberState | None] = field(default_factory=dict)
    """Members whom only entries of the fact name: those who brought a friend."""
    gifts: dict[tuple[str, str], int] = field(default_factory=dict)
    """What gift cards hold, by account and unit: those that the entries name."""
    owed_centi: dict[str, int] = field(default_factory=dict)
    """What members owe of whom the fact settles something, or whose debt goes over to another."""
    lost_centi: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """By lot, what left it when it ended, to which accounts: of lots from which goods may take points back."""
    doubts: tuple[Doubt, ...] = ()
    """What else a person should see."""


class Case(Value):
    """A contradiction for a person to look at. ``reason`` is a constant; ``detail`` a sentence without personal data."""

    seq: int
    reason: str
    detail: str


class Posting(Value):
    """A fact as head office books it.

    ``entries`` are the fact's own, where lots allow; ``moves_sale`` and ``adds_member`` say what else is written.
    """

    fact: Fact
    payload: bytes
    prev_hash: bytes
    hash: bytes
    entries: tuple[Entry, ...]
    cases: tuple[Case, ...]
    moves_sale: bool
    adds_member: bool
    adds_card: bool
    doubled: tuple[tuple[Entry, Entry], ...] = ()
    """What a lot was to give to one that paid and has no room for it: what it took, and what it gave."""


class CouponAt(Value):
    """A changed coupon with the version of its change."""

    version: int
    coupon: CouponChange


class LedgerStore(Protocol):
    """Head office's tables. Everything but ``close`` is called inside ``write``."""

    @property
    def keys(self) -> KeyStore:
        """Who signs for which till."""

    @property
    def rights(self) -> RightStore:
        """Which till may redeem what by itself."""

    @property
    def truth(self) -> TruthStore:
        """What is recomputed, what contradicts, what was in force before."""

    def write(self, till: str | None = None) -> AbstractContextManager[None]:
        """One durable transaction: all or nothing, on disk when it ends. Nobody else writes to the log of ``till`` meanwhile.

        Raises StoreError.
        """

    def till(self, till: str) -> TillHold | None:
        """What is held of a till's log; None for one never heard of."""

    def hash_at(self, till: str, epoch: int, seq: int) -> bytes | None:
        """The hash of a fact that is held."""

    def hlc_at(self, till: str, epoch: int, seq: int) -> int | None:
        """The logical clock of a fact that is held."""

    def last_of(self, till: str, epoch: int) -> TillHold | None:
        """The last fact that is held of one epoch; None when there is none."""

    def is_held(self, till: str, seq: int, hash: bytes) -> bool:
        """Whether a fact of this number and hash is held, in any epoch of the till."""

    def expect(self, facts: Sequence[Fact]) -> None:
        """These facts of one till come next, in this order: a store may read ahead what they touch."""

    def known(self, fact: Fact) -> Known:
        """What the fact may contradict."""

    def keep_key(self, fact: Fact, member_key: bytes) -> None:
        """Keep the data key that came for the member of a fact, before it is asked what is known. Not of an erased member."""

    def add(self, posting: Posting) -> None:
        """Book a fact. Raises WireError when no table can hold it."""

    def sold(self, name: SaleName | FiscalSign) -> SaleFound:
        """A sale of any till with all its returns, which may be here before it, for a till that takes goods of it back."""

    def hold(self, hold: TillHold, now: datetime) -> None:
        """Note what is held of a till's log, or that it is frozen."""

    def touch(self, member_ids: Sequence[str]) -> None:
        """Give these members new versions, each its own, in this order. Unknown ones are passed over."""

    def version(self) -> int:
        """The newest version given; 0 at first."""

    def mark(self, version: int) -> str | None:
        """The mark of a version given; None for 0. Versions given since the database was last opened bear a mark of their own, so
        that a version is told from one of the same number that was lost when a backup was put in place."""

    def changed(self, since: int, limit: int) -> tuple[MemberChange, ...]:
        """Members of a version above ``since``, by rising version, at most ``limit``, whole."""

    def with_tiers(self, members: Sequence[MemberChange], now: datetime) -> tuple[MemberChange, ...]:
        """The same members with what counts towards their tiers now."""

    def changed_coupons(self, since: int, limit: int) -> tuple[CouponAt, ...]:
        """Coupons of a version above ``since``, by rising version, at most ``limit``. They are numbered with the members."""

    def publications(self) -> tuple[Publication, ...]:
        """All that was published, by number."""

    def programme(self, sha: bytes) -> ProgrammeBody:
        """A published programme; number, date and signature are not told."""

    def programme_in_force(self, now: datetime) -> ProgrammeBody | None:
        """The one that counts at an instant."""

    def add_programme(self, programme: ProgrammeBody, now: datetime, effective_from: datetime | None = None) -> None:
        """Publish, an older one again too; None for at once. The one in force again, at once, changes nothing.

        Raises ConflictError when that version has another body.
        """

    def add_members(self, members: Sequence[MemberChange], now: datetime) -> None:
        """Import members with cards and opening lots. Members that are there stay as they are."""

    def asked(self, till: str, now: datetime | None) -> None:
        """Note that a till asked, and that all of its log is here; ``now`` is None where that is not so: it is waited for."""

    def all_asked_by(self) -> datetime | None:
        """When the most silent till last asked; None without tills. One that is lost is no till."""

    def forget_later(self, latest: datetime) -> None:
        """Tills that asked after that did so while this clock ran ahead: when is not known."""

    def expired(self, until: datetime, after: Lot | None, lots_max: int) -> dict[str, tuple[Lot, ...]]:
        """Lots with points in them that expired by ``until``, by member: so many of those that ended after one, in that order."""

    def post_expired(self, member_id: str, entries: tuple[Entry, ...], now: datetime) -> None:
        """Append a fact of head office's own log."""

    def is_time_sure(self, clocks: Reading) -> bool:
        """Note head office's own clocks; answers whether what expires by them may be booked for ever."""

    def move_tiers(self, after: str, now: datetime) -> TierPage:
        """Book the moves between tiers that are due for the next members after an id, as facts of head office's own log."""

    def close(self) -> None:
        """Let go of the database."""
