"""Granting rights: (store, question, now) → answer. Rule: only what is free is granted, and what is granted is free no more.

Free is what a lot holds less what all tills hold of it, and they hold a grant from the moment it is given. So no loss, doubling,
delay or restart on the way lets two tills redeem one point. A head office that was restored from a backup does not know what it
gave since: it grants nothing until every till has said hello, which a till does with its whole log sent. Tills that were enrolled
after the backup it knows by the mark; without one, a person says that there are no others.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final, NamedTuple

from msgspec import UNSET, Meta, UnsetType

from pos_loyalty.clock import NewId
from pos_loyalty.engine.coupons import spelled
from pos_loyalty.engine.gift_ledger import gift_account
from pos_loyalty.errors import WireError
from pos_loyalty.store.coupon_rights import line_of
from pos_loyalty.store.right_facts import GrantFact, RightLine
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Points, Value
from sync.identity import Holder
from sync.rights import GIVEN_MAX, GRANTS_MAX, LOGS_MAX, HeldBack, Income, LogKnown, RightsAnswer, RightsRequest, Want
from sync.server import enrol
from sync.server.calls import LOTS_MAX, Calls
from sync.server.chains import held_for
from sync.server.ledger_store import LedgerStore
from sync.server.right_store import UNKNOWN, FreeGift

FULL_BP: Final = 10_000
LINES_MAX: Final = 5_000
FORGOTTEN_MAX: Final = 1_000
"""Epochs of head office's own log that a restore may have forgotten."""


class RightTerms(Value):
    """How much of a member's points their store holds, and for how long a grant may be used while the till is cut off."""

    share_bp: Annotated[int, Meta(ge=0, le=FULL_BP)] = 8_000
    lease_days: Annotated[int, Meta(ge=1, le=365)] = 30


class Granting(NamedTuple):
    """``calls``: cards and codes that somebody asks for, which whoever holds them should give back."""

    terms: RightTerms
    calls: Calls


def answer(
    store: LedgerStore, holder: Holder, asked: RightsRequest, grants: Granting, new_id: NewId, now: datetime
) -> RightsAnswer:
    """What the till gets, durably noted when this returns; the same grants again until it says that it took them."""
    terms, calls = grants
    with store.write():
        enrol.check_epoch(store, holder.till, holder.epoch)
        _check_seen(store, asked.seen)
        here = look_back(store, asked.seen, (UNKNOWN,), now)
        held_back: HeldBack = _held_back(store, holder, asked.head)
        lines: tuple[RightLine, ...] = ()
        cards: tuple[FreeGift, ...] = ()
        is_hello = held_back != "log" and _knows(asked.seen, here)
        if asked.seen is not None and is_hello and not held_back:
            store.rights.note_told(holder.till, holder.epoch, asked.seen)
        if not _is_all_evened(store, holder.till if is_hello else None, now) and not held_back:
            held_back = "hello"
        if not held_back:
            lines = _free_lines(store, holder, asked.wants, terms, now)
            cards = _free_cards(store, asked.gifts)
            lines += tuple(_gift_line(free) for free in cards)
            codes = dict.fromkeys(map(spelled, asked.coupons))
            lines += tuple(line_of(code) for code in codes if store.rights.is_code_free(code, now))
            lots = [store.rights.gift_lot(mark) for mark in asked.gifts] + [line_of(code).lot_id for code in codes]
            calls.asked(holder.till, [lot for lot in lots if lot], [line.lot_id for line in lines], now)
        if lines:
            grant = GrantFact(
                grant_id=new_id().hex,
                till=holder.till,
                epoch=holder.epoch,
                lease_until=now + timedelta(days=terms.lease_days),
                lines=lines,
                cards=tuple(free.word for free in cards),
            )
            store.rights.book(grant, now)
        return RightsAnswer(
            ask_id=asked.ask_id,
            head=store.rights.own_head(),
            server_time=now,
            grants=store.rights.on_their_way(holder.till, holder.epoch, GRANTS_MAX),
            back=() if held_back else _surplus(store, holder, asked.wants, now) + _called(store, holder, calls, now),
            held_back=held_back,
            income=_income(store, holder, asked.logs),
        )


def _income(store: LedgerStore, hub: Holder, logs: Sequence[LogKnown]) -> tuple[Income, ...] | UnsetType:
    """What these logs gave back to a hub that it does not know, no more than a page; the rest with its next question.

    A hub whose file was put back may know nothing of a log that gave it something back: then it names other logs alone.
    """
    told: list[Income] = []
    room = LINES_MAX
    named = {(log.till, log.epoch) for log in logs}
    gave = store.rights.gave_back(hub.till, hub.epoch, LOGS_MAX) if 0 < len(logs) < LOGS_MAX else ()
    forgotten = [LogKnown(till=till, epoch=epoch, seq=0) for till, epoch in gave if (till, epoch) not in named]
    for log in (*logs, *forgotten)[:LOGS_MAX]:
        found = store.rights.given_back(hub.till, hub.epoch, log, GIVEN_MAX) if room > 0 else None
        if found is not None:
            told.append(found)
            room -= sum(len(fact.lines) for fact in found.given)
    return tuple(told) or UNSET


def look_back(store: LedgerStore, seen: Place | None, others: Sequence[str], now: datetime) -> Place:
    """Somebody was told of a fact of head office's own log. One that is not there says that head office was restored.

    ``seen``: None where nobody was told; ``others``: tills to wait for besides those that are known here. Answers the end of its
    own log.
    """
    here = store.rights.own_head()
    if seen is None or seen == here:
        return here
    if seen.epoch > here.epoch or (seen.epoch == here.epoch and not store.rights.is_own(seen)):
        store.rights.begin_anew(max(seen.epoch, here.epoch) + 1, others, now)
        return store.rights.own_head()
    return here


def _check_seen(store: LedgerStore, seen: Place | None) -> None:
    """Each restore is one epoch, and few are forgotten. Raises WireError.

    Gone on in the last epoch of all, head office's own log could be told to nobody any more.
    """
    if seen is None or seen.epoch <= FORGOTTEN_MAX:
        return
    epoch = store.rights.own_head().epoch
    if seen.epoch > epoch + FORGOTTEN_MAX:
        raise WireError(f"it was told of epoch {seen.epoch} of head office's log, which is in epoch {epoch}")


def _knows(seen: Place | None, here: Place) -> bool:
    """Whether who asks was told of this epoch of head office's own log: a question of before may come late, and its till took
    more since."""
    return seen is not None and seen.epoch == here.epoch


def _is_all_evened(store: LedgerStore, said_hello: str | None, now: datetime) -> bool:
    """Whether rights may be granted: all said hello since a restore, and what waited for that is evened out, a part at a time."""
    if store.rights.is_waiting():
        if said_hello is None:
            return False
        store.rights.heard_hello(said_hello)
        if store.rights.is_waiting():
            return False
    if not store.rights.is_to_even():
        return True
    store.touch(store.rights.even_out_again(now))
    return not store.rights.is_to_even()


def _held_back(store: LedgerStore, holder: Holder, head: Place) -> HeldBack:
    """Whether the till may get anything: all of its log is here, and nothing is wrong with it."""
    hold = held_for(store, holder.till, holder.epoch)
    if hold is not None and hold.frozen is not None and hold.epoch == holder.epoch:
        return "frozen"
    return "" if (hold.applied_seq if hold else 0) >= head.seq else "log"


def _free_lines(
    store: LedgerStore, holder: Holder, wants: tuple[Want, ...], terms: RightTerms, now: datetime
) -> tuple[RightLine, ...]:
    lines: dict[str, RightLine] = {}
    for want in wants:
        share = FULL_BP if want.much == "all" else _share_bp(store, holder, want, terms, now)
        if not share:
            continue
        lots = store.rights.lots(want.member_id, now)
        held = store.rights.held(holder.till, holder.epoch, tuple(lot.lot_id for lot in lots), now)
        for lot in lots:
            free = lot.centi - store.rights.held_by_all(lot.lot_id)
            centi = min(free, lot.centi * share // FULL_BP - held.get(lot.lot_id, 0))
            if centi > 0 and lot.lot_id not in lines and len(lines) < LINES_MAX:
                lines[lot.lot_id] = RightLine(lot_id=lot.lot_id, member_id=want.member_id, centi=Points(centi))
    return tuple(lines.values())


def _free_cards(store: LedgerStore, marks: Sequence[str]) -> tuple[FreeGift, ...]:
    """Each card once: its id and its code's hash name the same."""
    found = (store.rights.gift(mark) for mark in marks)
    return tuple({free.word.card_id: free for free in found if free is not None}.values())


def _gift_line(free: FreeGift) -> RightLine:
    card_id = free.word.card_id
    return RightLine(lot_id=gift_account(card_id), member_id=card_id, centi=Points(free.minor))


def _share_bp(store: LedgerStore, holder: Holder, want: Want, terms: RightTerms, now: datetime) -> int:
    """The part of this till in what the member's home store holds, the whole of it for the store's hub; nothing elsewhere. All
    that is left of one who went over into another goes to the till that asks first, which carries it over; a hub cannot."""
    if store.rights.is_merged(want.member_id):
        return 0 if want.much == "store" else FULL_BP
    place = _store_of(store, holder)
    if place is None or store.rights.home(want.member_id, now) != place:
        return 0
    if want.much == "store":
        return terms.share_bp
    return terms.share_bp // max(1, store.rights.holders_at(place))


def _surplus(store: LedgerStore, holder: Holder, wants: tuple[Want, ...], now: datetime) -> tuple[RightLine, ...]:
    """What the till holds of members who are at home elsewhere; a hub, of those who went over into others too."""
    place, lines = _store_of(store, holder), []
    for want in wants:
        home = store.rights.home(want.member_id, now)
        is_merged = store.rights.is_merged(want.member_id)
        if want.much == "all" or (is_merged and want.much == "home"):
            continue
        if not is_merged and home in (None, place):
            continue
        lots = store.rights.lots(want.member_id, now)
        held = store.rights.held(holder.till, holder.epoch, tuple(lot.lot_id for lot in lots), now)
        lines += [
            RightLine(lot_id=lot_id, member_id=want.member_id, centi=Points(centi)) for lot_id, centi in held.items() if centi > 0
        ]
    return tuple(lines[: LINES_MAX - LOTS_MAX])


def _called(store: LedgerStore, holder: Holder, calls: Calls, now: datetime) -> tuple[RightLine, ...]:
    """What this till holds of cards and codes that are asked for elsewhere; a hub, what the tills of its store hold too: it calls
    that from them, for they do not ask here."""
    lots = calls.by_others(holder.till, now)
    held = store.rights.held(holder.till, holder.epoch, lots, now)
    missing = [lot for lot in lots if lot not in held]
    if missing and store.rights.is_hub(holder.till):
        held = {**held, **_held_in_store(store, holder, missing)}
    return tuple(RightLine(lot_id=lot, member_id=lot.partition(":")[2], centi=Points(centi)) for lot, centi in held.items())


def _held_in_store(store: LedgerStore, hub: Holder, lots: Sequence[str]) -> dict[str, int]:
    place, found = _store_of(store, hub), dict[str, int]()
    for lot in lots:
        for (till, epoch), centi in store.rights.holders(lot).items():
            if place is not None and _store_of(store, Holder(till=till, epoch=epoch)) == place:
                found[lot] = centi
    return found


def _store_of(store: LedgerStore, holder: Holder) -> str | None:
    key = store.keys.key(holder.till, holder.epoch)
    return None if key is None else key.store
