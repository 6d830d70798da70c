"""What the hub tells a till: head office's changes as it was told them, then members whom the store's other tills moved since.

Rule: head office's word comes with its own version and mark, so a till may ask on at either. What the hub cannot vouch for it
leaves to head office (``is_behind``), and tells only what its tills did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from pos_loyalty.store import member_words, members, outbox, relay, relay_income, snapshot_state, sold_facts
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import GENESIS, Fact
from pos_loyalty.store.relay import Kept
from pos_loyalty.store.sold import NOTHING, SaleFound
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import decode, encode
from sync import marks, programme_list
from sync.hub import codes as code_view
from sync.hub import keeping, view
from sync.hub.view import LotSum
from sync.identity import Credential
from sync.server.sqlite_members import change_of
from sync.wire import (
    COUPONS_MAX,
    MEMBERS_MAX,
    Changes,
    ChangesRequest,
    CouponChange,
    HubPlace,
    MemberChange,
    ProgrammeBody,
    Relayed,
    SaleQuestion,
    TierChange,
)

CODES_MAX: Final = 1_000
LIFE: Final = "life"
PROGRAMMES: Final = "programmes"
CODES: Final = "codes"
ALL: Final = b"all"
"""All codes of head office are kept: it told of them from its first version on."""
PAST: Final = "past"
PAST_MAX: Final = 1_000
"""The newest marks under which head office told before it told everything anew: a till that names one was told before that."""
CUT_AFTER_S: Final = 60
"""A hub that did not hear head office for so long tells a new till all; before that head office itself is quicker."""
ALONE_AFTER_S: Final = 600
"""A till that asks from the beginning for so long cannot reach head office, whatever the hub's own line."""


class Line(NamedTuple):
    """``silent_s``: for how long the hub did not hear head office, None for never; ``vain_s``: for how long this till asks from
    the beginning."""

    silent_s: int | None
    vain_s: int = 0


def note_page(relay_db: Connection, page: Changes) -> None:
    """Before a page of head office's is applied to the hub's own file: how far its figures count the tills' logs.

    Then no member is told with a fact counted twice: at worst without it, until the page is applied and tells of them again.
    """
    if not isinstance(page.holds, UnsetType):
        keeping.note_holds(relay_db, [(hold.till, hold.place) for hold in page.holds])
    with write(relay_db):
        if not isinstance(page.holds, UnsetType):
            relay.put_word(relay_db, keeping.LET_GO, encode(page.let_go or ()))
        if isinstance(page.holds, UnsetType) and page.members:
            relay.put_word(relay_db, keeping.UNSURE, b"told")
        if _is_of_another_past(relay_db, page):
            past = [*_past(relay_db), *relay.forget_marks(relay_db)][-PAST_MAX:]
            relay.put_word(relay_db, PAST, encode(past))
        if page.anew or page.since == 0:
            relay.forget_coupons(relay_db)
            relay.put_word(relay_db, CODES, ALL)
        relay.put_coupons(relay_db, page.version, [(coupon.code, encode(coupon)) for coupon in page.coupons])
        if page.programmes is not None:
            relay.put_word(relay_db, PROGRAMMES, encode(page.programmes))
        if page.mark is not None:
            relay.put_mark(relay_db, page.version, page.mark)


def _is_of_another_past(relay_db: Connection, page: Changes) -> bool:
    """Whether a page does not lead on from what head office told before. After a snapshot of one that was put back the version
    alone may be the same."""
    newest = relay.last_version(relay_db) or 0
    if page.anew or page.since != newest:
        return True
    return 0 < marks.epoch_of(relay.mark_for(relay_db, newest)) < marks.epoch_of(page.mark)


def changes(db: Connection, relay_db: Connection, asker: Credential, asked: ChangesRequest, now: datetime, line: Line) -> Changes:
    """A page for a till: what head office changed since it asked, as far as the hub was told; then what the others did."""
    till = asker.till
    kept = relay.kept(relay_db, till)
    if kept is not None and kept.newest_epoch < asker.epoch:
        kept = _of_new_machine(relay_db, kept, asker)
        if kept is None:
            return _only_programmes(relay_db, asked, now, line.silent_s)
    safe = keeping.as_told_to(kept, asker).safe if kept else None
    own = outbox.state(db)
    version, mark = asked.since, asked.mark
    is_settled = _is_settled(db, relay_db, own)
    is_empty = asked.since == own.pulled_version == 0
    is_past = is_of_the_past(relay_db, asked)
    is_first = (is_past or (asked.since == 0 and mark is None)) and _may_tell_all(relay_db, line)
    is_known = is_settled and (is_empty or is_first or (mark is not None and relay.has_mark(relay_db, asked.since, mark)))
    is_ahead = asked.since > own.pulled_version and mark == own.pulled_mark
    # Head office was put back and told this till so: its words from before and since cannot be told apart by their versions.
    is_before = not is_past and 0 < marks.epoch_of(own.pulled_mark) < marks.epoch_of(mark)
    hub_place, told = _place_of(relay_db, asked.hub), list[str]()
    coupons, codes = list[CouponChange](), list[CouponChange]()
    if is_known:
        told, coupons, version = _since(db, relay_db, 0 if is_past else asked.since, own.pulled_version)
        mark = relay.mark_for(relay_db, version) or mark
    is_complete = not (told or coupons)
    if is_complete and is_settled and not is_before:
        others = _others(relay_db, hub_place.n, till)
        is_complete, told = others.is_all, others.members
        codes = _codes(relay_db, others.codes)
        hub_place = replace(hub_place, n=others.n)
    as_of = _as_of(kept)
    return Changes(
        since=asked.since,
        as_of_seq=as_of.seq,
        as_of_hash=as_of.hash,
        version=version,
        mark=mark,
        complete=is_complete,
        server_time=now,
        members=tuple(_told(db, relay_db, member_id) for member_id in told),
        coupons=(*coupons, *codes) if is_known else (),
        codes=UNSET if is_known or not codes else tuple(codes),
        programmes=_programmes(relay_db, asked.programmes),
        anew=True if is_past and is_known else UNSET,
        relayed=Relayed(safe=safe, silent_s=line.silent_s, kept_seq=_kept_seq(db, relay_db, till, kept)),
        hub=hub_place,
        is_behind=is_settled and not is_known and not is_ahead,
    )


def _is_settled(db: Connection, relay_db: Connection, own: outbox.SyncState) -> bool:
    """Whether the hub's own file holds what head office told last, and how far that counts the tills' logs is known. Not so while
    it takes in a snapshot, nor before the first page after, nor while head office did not know whose hub asked."""
    if relay.word(relay_db, keeping.UNSURE) or snapshot_state.is_begun(db):
        return False
    if own.pulled_version != (relay.last_version(relay_db) or 0):
        return False
    return own.pulled_mark is None or relay.has_mark(relay_db, own.pulled_version, own.pulled_mark)


def is_of_the_past(relay_db: Connection, asked: ChangesRequest) -> bool:
    """Whether head office told the till last before it told the hub everything anew."""
    if asked.mark is None or relay.has_mark(relay_db, asked.since, asked.mark):
        return False
    return asked.mark in _past(relay_db)


def _past(relay_db: Connection) -> list[str]:
    told = relay.word(relay_db, PAST)
    return decode(told, list[str]) if told else []


def _may_tell_all(relay_db: Connection, line: Line) -> bool:
    """Whether a till that has nothing is told everything here: the line is cut, or the till's own, and all codes are kept."""
    is_cut = line.silent_s is not None and line.silent_s > CUT_AFTER_S
    return (is_cut or line.vain_s > ALONE_AFTER_S) and relay.word(relay_db, CODES) == ALL


def sold(relay_db: Connection, question: SaleQuestion) -> SaleFound:
    """A sale of a till of this store with the returns that the hub keeps; of one that head office has to tell, these alone."""
    if question.sale_id:
        till, sale_id = question.till, question.sale_id
    else:
        found = relay.sale_of_fiscal(relay_db, question.name)  # type: ignore[arg-type]  # no sale id: a fiscal sign
        if found is None:
            return NOTHING
        till, sale_id = found
    return sold_facts.found_of(till, sale_id, relay.sale_facts(relay_db, till, sale_id))


def _of_new_machine(relay_db: Connection, kept: Kept, asker: Credential) -> Kept | None:
    """What the hub keeps of a machine that was enrolled since the log that is here: as far as its log is the same.

    None where that cannot be told: head office can.
    """
    place, here = asker.continues, _as_of(kept)
    if place is None:
        return replace(kept, epoch=asker.epoch, seq=0, hash=GENESIS)
    if place.epoch != here.epoch:
        return None
    if here.seq < place.seq:
        return replace(kept, epoch=here.epoch, seq=here.seq, hash=bytes.fromhex(here.hash))
    ours = here.hash if here.seq == place.seq else _hash_at(relay_db, asker.till, place)
    if ours not in (None, place.hash):
        return None
    return replace(kept, epoch=asker.epoch, seq=place.seq, hash=bytes.fromhex(place.hash))


def _hash_at(relay_db: Connection, till: str, place: Place) -> str | None:
    found = relay.hash_at(relay_db, till, place.epoch, place.seq)
    return None if found is None else found.hex()


def _only_programmes(relay_db: Connection, asked: ChangesRequest, now: datetime, silent_s: int | None) -> Changes:
    """A machine whose log the hub cannot place sells by the rules, and hears the rest from head office."""
    return Changes(
        since=asked.since,
        as_of_seq=0,
        as_of_hash=GENESIS.hex(),
        version=asked.since,
        mark=asked.mark,
        complete=True,
        server_time=now,
        programmes=_programmes(relay_db, asked.programmes),
        relayed=Relayed(safe=None, silent_s=silent_s),
        hub=_place_of(relay_db, asked.hub),
        is_behind=True,
    )


class Others(NamedTuple):
    """What the other tills did up to fact ``n``; ``is_all``: there is no more to tell."""

    members: list[str]
    codes: list[str]
    n: int
    is_all: bool


def _others(relay_db: Connection, after: int, till: str) -> Others:
    """Members and codes that facts of other tills after a number are about. A page that is full ends before its last fact, which
    may be about more of them. Who is told anew from now on is told with the next page."""
    newest = relay.newest(relay_db)
    rows = relay.members_since(relay_db, after, till, MEMBERS_MAX)
    codes = relay.codes_since(relay_db, after, till, CODES_MAX)
    ends = [_end_of(full) for full, most in ((rows, MEMBERS_MAX), (codes, CODES_MAX)) if len(full) == most]
    return Others([name for name, _ in rows], [code for code, _ in codes], min(ends, default=newest), not ends)


def _end_of(full: Sequence[tuple[str, int]]) -> int:
    """Where a full page ends. A fact that fills it alone, as no sale does, is not waited for: the page would never end."""
    last = full[-1][1]
    return last if full[0][1] == last else last - 1


def _codes(relay_db: Connection, codes: Sequence[str]) -> list[CouponChange]:
    """Codes by head office's word, with what the store's tills did that it does not count."""
    counted = _counted(relay_db)
    told = []
    for code in codes:
        body = relay.coupon(relay_db, code)
        facts = [fact for fact in relay.facts_of_code(relay_db, code) if not _is_counted(fact, counted.get(fact.till))]
        word = None if body is None else decode(body, CouponChange)
        told.append(code_view.with_facts(word, code, facts, lambda till, sale: _authorised(relay_db, till, sale)))
    return [one for one in told if one is not None]


def _counted(relay_db: Connection) -> dict[str, Place | None]:
    """How far head office's figures count each till's log."""
    return {one.till: one.counted for one in relay.all_kept(relay_db)}


def _since(db: Connection, relay_db: Connection, since: int, newest: int) -> tuple[list[str], list[CouponChange], int]:
    """Members and codes after a version, and the version up to which these are all. Codes of one version came in one page, so
    at least those of the first one fit."""
    told = [one for one in members.changed_since(db, since, MEMBERS_MAX) if one.version <= newest]
    end = told[-1].version if len(told) == MEMBERS_MAX else newest
    end = relay.coupons_end(relay_db, since, end, COUPONS_MAX)
    codes = [decode(body, CouponChange) for body in relay.coupons_between(relay_db, since, end)]
    return [one.member_id for one in told if one.version <= end], codes, end


def _told(db: Connection, relay_db: Connection, member_id: str) -> MemberChange:
    """A member by head office's word, with what their store's tills did that it does not count."""
    word = member_words.told(db, member_id)
    told = view.fresh(member_id) if word is None else _change(decode(word, members.PulledMember))
    facts, counted = list(relay.facts_about(relay_db, member_id)), _counted(relay_db)
    lots = view.begun(member_id, facts) | _lots(db, member_id)
    uncounted = [fact for fact in facts if not _is_counted(fact, counted.get(fact.till))]
    begun = {(fact.till, fact.sale.sale_id): fact for fact in reversed(facts) if fact.sale is not None}

    def authorised(till: str, sale_id: str) -> Fact | None:
        """Mostly among the facts at hand: a member who is here often has many."""
        return begun.get((till, sale_id)) or _authorised(relay_db, till, sale_id)

    return view.with_facts(told, lots, uncounted, authorised)


def _is_counted(fact: Fact, place: Place | None) -> bool:
    return place is not None and (fact.epoch, fact.seq) <= (place.epoch, place.seq)


def _authorised(relay_db: Connection, till: str, sale_id: str) -> Fact | None:
    return next((fact for fact in relay.sale_facts(relay_db, till, sale_id) if fact.sale is not None), None)


def _lots(db: Connection, member_id: str) -> dict[str, LotSum]:
    return {
        lot_id: LotSum(amount_centi=amount, centi=0, usable_from=usable_from, expires_at=expires_at)
        for lot_id, amount, usable_from, expires_at in relay.empty_lots(db, member_id)
    }


def _change(word: members.PulledMember) -> MemberChange:
    """Head office's word, as it was told."""
    told, tier = change_of(word), word.tier_word
    if tier is None:
        return told
    said = TierChange(
        biz_day=tier.biz_day,
        since=tier.since,
        until=tier.until,
        is_warned=tier.is_warned,
        frozen_until=tier.frozen_until,
        have=tier.have,
        clock=tier.clock,
    )
    return replace(told, tier_word=said)


def _place_of(relay_db: Connection, asked: HubPlace | UnsetType) -> HubPlace:
    """Where a till is in what the hub told; from the start when that was another hub, or this one with another file."""
    life = relay.life(relay_db)
    return asked if asked and asked.life == life else HubPlace(life=life, n=0)


def _kept_seq(db: Connection, relay_db: Connection, till: str, kept: Kept | None) -> int | None:
    """From where on the hub needs the till's log: what was given back to it may stand there. All of it where neither the hub
    keeps any nor head office, by its last word: what the till once sent here was lost with the hub."""
    known = relay_income.known_from(db, till)
    if kept is None and relay.last_version(relay_db) is not None:
        return 0
    if kept is None:
        return None if known is None else known[1]
    return kept.seq if known is None or kept.hash is not None else min(kept.seq, known[1])


def _as_of(kept: Kept | None) -> Place:
    """Up to which of its own facts a till's figures count: what is kept here, or what head office counts, if that is more."""
    if kept is None:
        return Place(epoch=1, seq=0, hash=GENESIS.hex())
    counted = kept.counted
    if counted is not None and (counted.epoch, counted.seq) >= (kept.epoch, kept.seq):
        return counted
    return Place(epoch=kept.epoch, seq=kept.seq, hash=(kept.hash or GENESIS).hex())


def _programmes(relay_db: Connection, digest: str | None) -> tuple[ProgrammeBody, ...] | None:
    """Head office's signed list as it came, unless the till has it."""
    kept = relay.word(relay_db, PROGRAMMES)
    told: Sequence[ProgrammeBody] = () if kept is None else decode(kept, tuple[ProgrammeBody, ...])
    return None if programme_list.digest_of(told) in (None, digest) else tuple(told)
