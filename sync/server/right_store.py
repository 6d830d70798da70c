"""What granting rights asks of head office's store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from pos_loyalty.engine.model import Entry, Lot
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.right_facts import GiftCardWord, GrantFact
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Value
from sync.rights import Income, LogKnown

UNKNOWN: Final = ""
"""In the place of a till's name: tills that head office forgot and nobody named, until a person says that there are none."""


class FreeGift(Value):
    """A gift card that may pay, and what of its money no till holds; more than nothing."""

    word: GiftCardWord
    minor: int


class RightStore(Protocol):
    """Everything is called inside the ledger store's ``write``."""

    def own_head(self) -> Place:
        """The end of head office's own log."""

    def is_own(self, place: Place) -> bool:
        """Whether head office's own log holds exactly this fact."""

    def begin_anew(self, epoch: int, others: Sequence[str], now: datetime) -> None:
        """Head office was restored, or a person gave up who may have been a hub: its own log goes on in this epoch, and every
        till is waited for, and these others."""

    def heard_hello(self, till: str) -> None:
        """All of this till's log is here, or a person let go of it: it is waited for no longer."""

    def is_waiting(self) -> bool:
        """Whether some till has not said hello since the restore. Tills that were let go are not waited for."""

    def note_told(self, till: str, epoch: int, seen: Place) -> None:
        """This machine said hello, with all of its log here; ``seen``: the newest fact of head office's own log that it knew."""

    def told_at(self, till: str, epoch: int) -> tuple[int, int] | None:
        """Epoch and number of the newest fact of head office's that it knew of when it did; None for never."""

    def said_at(self, till: str, epoch: int) -> tuple[int, int]:
        """Epoch and number of head office's fact that said last what its key is; of a key that is known."""

    def has_hub(self, store: str) -> bool:
        """Whether a till of that store ever asked as its hub."""

    def note_answer(self, till: str, version: int, now: datetime) -> None:
        """A till, which asked, is told all up to this version; the answer may be lost."""

    def note_knows(self, till: str, since: int, now: datetime) -> None:
        """A till of which all of the log is here has all up to this version: so it was told what an answer told that went no
        further, and where that is the newest version, all there is now."""

    def forget_knows(self, till: str) -> None:
        """Another machine is the till: what the one before was told it may not have."""

    def note_hub(self, till: str, waiting: int) -> None:
        """A hub, which asked, keeps so many facts of its tills that head office has not confirmed."""

    def is_hub(self, till: str) -> bool:
        """Whether, by the logs, it gave rights out of its own, got some back, or set out to."""

    def named_hub(self, till: str) -> tuple[int, str] | None:
        """Epoch and store of a hub whose key is not known here, by the logs of tills that name it; None when none does."""

    def waits_for(self) -> tuple[str, ...]:
        """Those tills, by name; UNKNOWN first."""

    def has_tills(self) -> bool:
        """Whether any till was ever heard of."""

    def lets_wait(self, till: str) -> bool:
        """Whether a fact of this till that takes what is not there may wait for logs of others that were not heard since
        the restore; each time is counted, and not for ever."""

    def awaits(self, till: str) -> bool:
        """Whether another log may wait for this till's, by which a hub got what it gave; each time is counted, and not for ever
        while this till's log does not move on."""

    def has_no_more(self, till: str) -> None:
        """All that this till wrote is here: what waited for more of its log waits no longer, until it has all here once more."""

    def came(self, till: str) -> None:
        """More of this till's log is here."""

    def is_too_much(self, grant: GrantFact) -> bool:
        """Whether a grant that is not known here gives more than tills do not hold, by what was heard."""

    def lots(self, member_id: str, now: datetime) -> tuple[Lot, ...]:
        """Lots of a member that hold something and have not ended, soonest to expire first."""

    def held_by_all(self, lot_id: str) -> int:
        """What all tills hold of a lot."""

    def held(self, till: str, epoch: int, lot_ids: Sequence[str], now: datetime) -> dict[str, int]:
        """What one till holds, by lot."""

    def holders(self, lot_id: str) -> Mapping[tuple[str, int], int]:
        """What each holds of a lot, by till and epoch, where it is more than nothing."""

    def held_in_all(self, till: str, epoch: int) -> int:
        """What one till holds, of all lots together."""

    def leases_end(self, till: str, epoch: int) -> datetime | None:
        """When the last of its grants that it has not closed ends; None without one."""

    def is_merged(self, member_id: str) -> bool:
        """Whether a member went over into another."""

    def gift(self, mark: str) -> FreeGift | None:
        """A gift card of which something is free, by its id or its code's hash."""

    def gift_lot(self, mark: str) -> str | None:
        """The account of the card of a mark, where it may pay."""

    def is_code_free(self, code: str, now: datetime) -> bool:
        """Whether a unique code, in its one spelling, is good, taken by no sale and held by no till."""

    def home(self, member_id: str, now: datetime) -> str | None:
        """The store that the member visits most, or where they were enrolled; None when nobody knows."""

    def holders_at(self, store: str) -> int:
        """How many tills of a store share its part."""

    def book(self, grant: GrantFact, now: datetime) -> None:
        """Append the grant to head office's own log."""

    def gave_back(self, hub: str, hub_epoch: int, limit: int) -> list[tuple[str, int]]:
        """The logs (till, epoch) of a hub's store that ever gave it something back, the newest epochs first."""

    def given_back(self, hub: str, hub_epoch: int, after: LogKnown, limit: int) -> Income | None:
        """What a log gave back to a hub after a fact, no more than so many facts of it. None when that is nothing, unless so many
        facts followed that who asks had better not ask about them again, or the log ends here before what that one heard."""

    def on_their_way(self, till: str, epoch: int, limit: int) -> tuple[GrantFact, ...]:
        """Grants that the till has not said it took."""

    def know_again(self, fact: Fact, now: datetime) -> tuple[str, ...]:
        """Book lots that the fact names and that a head office which was restored forgot; answers whose they are."""

    def even_out(self, facts: Sequence[Fact], also: Iterable[str], now: datetime) -> tuple[str, ...]:
        """Book whose points pay, where these facts and another till's returns bear on each other, as far as no till holds what
        is taken; answers whose points moved. ``also``: members whose lots are known again."""

    def is_to_even(self) -> bool:
        """Whether something of that was put off until nobody is waited for."""

    def even_out_again(self, now: datetime) -> tuple[str, ...]:
        """The same for a part of what was put off, and for members to whom it was done since the restore."""

    def even_out_lots(self, lots: Iterable[str], now: datetime) -> tuple[str, ...]:
        """The same for these lots, of which more may be free than before."""

    def even_out_ended(self, since: datetime, now: datetime) -> tuple[str, ...]:
        """The same for members to whom it was done before and of whose lots one ended between."""

    def settle_ended(self, ended: Mapping[str, Sequence[Lot]], now: datetime) -> tuple[str, ...]:
        """Lots that ended, by member, settle what was owed while they lived; answers whose points moved."""

    def make_room(self, doubled: Sequence[tuple[Entry, Entry]], now: datetime) -> bool:
        """Take back what head office gave to lots that paid and a till gives too; answers whether anything was booked."""
