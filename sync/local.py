"""The till's side of sync in its own file: what a batch is made of, and what a reply changes. One transaction for each reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from pos_loyalty import log
from pos_loyalty.clock import Reading, new_id, to_ms
from pos_loyalty.store import (
    coupon_words,
    epochs,
    follow,
    member_words,
    members,
    outbox,
    right_asking,
    rule_stops,
    seal,
    tiers,
    trusted_time,
)
from pos_loyalty.store.db import Connection, scrub, write
from pos_loyalty.store.decision_facts import RuleStopFact, StoreStop
from pos_loyalty.store.facts import FactKind, fact_of
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import GiveBackFact
from pos_loyalty.store.till_facts import PublicKey
from pos_loyalty.values import Value, encode
from sync import programme_list, protocols, pull, push
from sync.identity import Signer
from sync.wire import Changes, ChangesRequest, CouponChange, MemberChange, Peer

KEYED_MARKS: Final = (b'"kind":"member.enrolled"', b'"kind":"member.changed"')


SILENT_MAX_S: Final = 10 * 365 * 86_400
OFFICE_IS_THERE_S: Final = 3_600
"""A hub that heard head office so lately has a line to it."""


def nothing_unbrought(till: str, epoch: int) -> int:
    """Who keeps no other's log."""
    return 0


class Here(Value):
    """This till: its name, what it signs with, and the master key under which its file keeps members' data keys."""

    till: str
    master_key: bytes
    signer: Signer
    head_office_key: PublicKey
    """Whose word on programmes and snapshots counts."""
    is_hub: bool = False
    """It is a store's hub, and asks how far the logs of its tills count."""
    unbrought: Callable[[str, int], int] = nothing_unbrought
    """At a hub: up to which fact of a log (till, epoch) it has what it is still to bring to head office; 0 for none of it."""

    def peer(self, protocol: int) -> Peer:
        """How this till presents itself."""
        build = protocols.build_in(protocol)
        return Peer(till=self.till, build=build, epoch=self.signer.credential.epoch, protocol=protocol)


def begin_log(db: Connection, here: Here, now: datetime) -> None:
    """A hub's log begins with a word that gives nothing back: a head office that was restored from a backup of before its
    enrolment knows it again by its log, as any till, and it sells nothing."""
    with write(db):
        if epochs.place_of(db).seq == 0:
            draft = Draft(id=new_id(), kind="rights.returned", store=here.signer.credential.store, body=GiveBackFact())
            follow.book(db, draft, now)


def begin_push(db: Connection, cap: int, now: datetime) -> push.PushState:
    """Sending, from what the file says that head office holds."""
    return push.begin(outbox.state(db).acked_seq, cap, now)


def begin_pull(db: Connection, now: datetime) -> pull.PullState:
    """Fetching, from what the file says that we have."""
    state = outbox.state(db)
    return pull.begin(state.pulled_version, state.pulled_mark, now)


def head_seq(db: Connection) -> int:
    """The number of the last fact of our own log."""
    return epochs.place_of(db).seq


def next_batch(db: Connection, here: Here, state: push.PushState, now: datetime) -> push.PushStep:
    """The next batch, or none when all is sent or it is not yet time."""
    rows = outbox.since(db, state.seq, state.batch_max)
    return push.outgoing(state, rows, here.peer(state.protocol), here.signer, _keys(db, here, rows), now)


def next_question(db: Connection, here: Here, state: pull.PullState, now: datetime, waiting: int | None = None) -> pull.PullStep:
    """The next question for changes, or none when it is not yet time. ``waiting``: of a hub, what it keeps for head office.

    From where the file stands: a till with a hub hears by two roads, and a page that is asked from before what the other road
    told would set words of before in the place of those since.
    """
    if not pull.is_due(state, now):
        return pull.PullStep(state=state)
    peer, filed = here.peer(state.protocol), outbox.state(db)
    question = ChangesRequest(
        peer=peer,
        since=filed.pulled_version,
        mark=filed.pulled_mark,
        programmes=programme_list.digest_here(db),
        head=UNSET if peer.protocol == protocols.PROTOCOL_BEFORE else head_seq(db),
        hub=state.hub or UNSET,
        is_hub=True if here.is_hub else UNSET,
        waiting=UNSET if waiting is None else waiting,
    )
    asked = replace(state, since=question.since, mark=question.mark)
    return pull.PullStep(state=asked, send=encode(question))


def asks_on(db: Connection, state: pull.PullState, now: datetime) -> pull.PullState:
    """What comes after the page that was just applied: from the beginning, if that showed that another hub tells us now."""
    if state.since > 0 and outbox.state(db).pulled_version == 0:
        return replace(begin_pull(db, now), protocol=state.protocol)
    return state


def keep_ack(db: Connection, held: push.Held) -> None:
    """Note durably how much head office holds. Raises LogForkError when that is not on our chain."""
    with write(db):
        outbox.acked(db, held.seq, held.hash)


def apply_changes(db: Connection, here: Here, changes: Changes, now: datetime, clocks: Reading | None = None) -> None:
    """Apply one page whole or not at all. Own facts after ``as_of_seq`` stay on top of what head office says.

    Head office counts as heard only with the last page: until then balances here may be old. Raises LogForkError when head office
    speaks of another log than ours. ``clocks``: head office's time is kept as trusted time as of this reading.
    """
    pulled = tuple(pulled_of(member) for member in changes.members)
    if changes.relayed and not changes.anew:
        newest = outbox.state(db).pulled_version  # a member of a later one is of a past that head office has forgotten
        known = {member.member_id: member_words.version_of(db, member.member_id) for member in pulled}
        pulled = tuple(member for member in pulled if not member.version < known[member.member_id] <= newest)
    listed = programme_list.checked(changes.programmes or (), here.head_office_key)
    with write(db):
        _keep_safe(db, changes)
        if pulled:
            members.put_pulled(db, pulled, as_of_seq=changes.as_of_seq)
        if changes.coupons:
            coupon_words.put_words(db, [known_of(coupon) for coupon in changes.coupons])
        if changes.codes:
            coupon_words.add_to_words(db, [known_of(coupon) for coupon in changes.codes])
        programme_list.put(db, listed, now)
        if _is_of_another_hub(db, changes):
            outbox.pulled(db, 0, None)
        else:
            outbox.pulled(db, changes.version, changes.mark)
        for told in changes.stops or ():
            hear_stop(db, told, here.signer.credential.store, now)
        if changes.since == 0:
            right_asking.ask_anew(db)
        if changes.complete:
            _note_heard(db, changes, now)
        if clocks is not None and not changes.relayed:
            trusted_time.heard(db, changes.server_time, clocks)
    if any(member.state == "erased" for member in pulled):
        scrub(db)


def hear_time(db: Connection, server_time: datetime, clocks: Reading) -> None:
    """Head office itself said what the time is, beside a page."""
    with write(db):
        trusted_time.heard(db, server_time, clocks)


def hear_stop(db: Connection, told: StoreStop, store: str, now: datetime) -> None:
    """A rule was stopped, or let act again, for all tills of the store: that is a fact of this till too. Inside ``write()``."""
    if rule_stops.is_news(db, told):
        kind: FactKind = "rule.stopped" if told.is_stopped else "rule.resumed"
        said = RuleStopFact(rule=told.rule, by=told.by, reason=told.reason, is_wide=True, word=told.word)
        follow.book(db, Draft(id=new_id(), kind=kind, store=store, body=said, after=told.word.hlc), now)
        log.info(kind, rule=told.rule, by=told.by, heard_from=told.word.till)


def _keep_safe(db: Connection, changes: Changes) -> None:
    """What head office holds: of a hub's page only what head office told the hub."""
    if not changes.relayed:
        outbox.acked(db, changes.as_of_seq, bytes.fromhex(changes.as_of_hash))
    elif changes.relayed.safe is not None:
        outbox.acked(db, changes.relayed.safe.seq, bytes.fromhex(changes.relayed.safe.hash))


def _is_of_another_hub(db: Connection, changes: Changes) -> bool:
    """Whether another hub, or one that lost what it kept, tells us now: what the one before told of other tills may be nowhere
    any more, and then nobody tells anew of those whom it was about. Head office tells all, once it is there to be asked."""
    if not (changes.relayed and changes.hub):
        return False
    before, silent_s = outbox.hub_life(db), changes.relayed.silent_s
    if before == changes.hub.life or (before is not None and (silent_s is None or silent_s > OFFICE_IS_THERE_S)):
        return False
    outbox.put_hub_life(db, changes.hub.life)
    return before is not None


def _note_heard(db: Connection, changes: Changes, now: datetime) -> None:
    """By a hub we hear head office as long ago as the hub did."""
    if not changes.relayed:
        outbox.heard(db, now)
    elif changes.relayed.silent_s is not None:
        outbox.heard(db, now - timedelta(seconds=min(changes.relayed.silent_s, SILENT_MAX_S)))


def keep_trouble(db: Connection, trouble: str | None) -> None:
    """Note what a person has to mend, or that there is nothing, so that the till can tell."""
    if outbox.state(db).trouble != trouble:
        with write(db):
            outbox.troubled(db, trouble)


def _keys(db: Connection, here: Here, rows: Sequence[outbox.Row]) -> dict[str, bytes]:
    """Data keys of the members enrolled or changed in these rows: what was sealed here opens with them."""
    keys = {}
    for row in rows:
        if not any(mark in row.payload for mark in KEYED_MARKS):
            continue
        fact = fact_of(row.payload)
        about = fact.enrolment or fact.change
        if about is not None and (sealed := members.sealed_key(db, about.member_id)) is not None:
            keys[about.member_id] = seal.open_key(about.member_id, sealed, here.master_key.hex())
    return keys


def pulled_of(member: MemberChange) -> members.PulledMember:
    """The member as the file keeps them."""
    return members.PulledMember(
        member_id=member.member_id,
        version=member.version,
        state=member.state,
        merged_into=member.merged_into,
        tier=member.tier,
        segments=member.segments,
        birthday=member.birthday,
        birthday_set_ms=_ms(member.birthday_set_at),
        referred_by=member.referred_by,
        joined_ms=_ms(member.joined_at),
        sales_count=member.sales.count,
        spent_minor=member.sales.spent_minor,
        owed_centi=member.owed_centi,
        staff=member.staff,
        phone_index=member.phone_index,
        phone_verified=member.phone_verified,
        referral_code=member.referral_code,
        cards=tuple(members.PulledCard(number=card.number, state=card.state) for card in member.cards),
        lots=tuple(
            members.PulledLot(
                lot_id=lot.lot_id,
                amount_centi=lot.amount_centi,
                remaining_centi=lot.centi,
                usable_from_ms=_ms(lot.usable_from) or 0,
                expires_at_ms=_ms(lot.expires_at),
            )
            for lot in member.lots
        ),
        tier_word=_word(member),
    )


def _word(member: MemberChange) -> tiers.TierWord:
    """A head office whose programme moves nobody still says which tier it is."""
    told = member.tier_word
    if told is None:
        return tiers.TierWord(tier=member.tier, biz_day=0)
    return tiers.TierWord(
        tier=member.tier,
        biz_day=told.biz_day,
        since=told.since,
        until=told.until,
        is_warned=told.is_warned,
        frozen_until=told.frozen_until,
        have=told.have,
        clock=told.clock,
    )


def known_of(coupon: CouponChange) -> coupon_words.KnownCoupon:
    """The code as the file keeps it."""
    return coupon_words.KnownCoupon(
        code=coupon.code,
        series=coupon.series,
        is_live=coupon.is_live,
        is_ours=False,
        usable_from=coupon.usable_from,
        expires_at=coupon.expires_at,
        taken_till=coupon.taken_till,
        taken_sale=coupon.taken_sale,
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)
