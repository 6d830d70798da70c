"""The fourteen invariants of docs/testing.md, by name and in words of their own: in the midst, and when all is calm."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import ExitStack
from hashlib import sha256
from typing import TYPE_CHECKING

from pos_loyalty.store.db import Connection, meta
from pos_loyalty.store.verify import verify
from sync.wire import COMPRESSED_BYTES_MAX, HEADER_BYTES_MAX
from tests.simulation import hub_laws, kind_laws, policies
from tests.simulation.books import Books, Told, fold, read
from tests.simulation.chronicle import OFFICE, Row, rows_of

if TYPE_CHECKING:
    from tests.simulation.world import World

ALLOWED = {
    "owed.settled_twice", "lot.overfilled", "return.unknown_sale", "return.not_completed", "return.differs",
    "return.more_than_sold", "sale.contradicted", "sale.reversed_after_returns", "lot.ended", "given_back.twice",
}  # fmt: skip
"""Cases of tills that were cut off: two settled one debt, took goods back of one sale, gave the same back, or ended a sale that
was let go; goods took points back of a lot whose end was booked."""
OF_LOST = {"lot.unknown", "lot.overdrawn", "lot.overfilled", "sale.out_of_order", "return.unknown_sale", "member.unknown"}
"""What the others say of facts that went down with a machine."""
OF_RESTORED = {"lot.unknown", "lot.overdrawn", "gift_card.unknown", "gift_card.overdrawn"}
"""A restored head office waits for the logs of others no longer than it says, and one that lost nothing of its own log does not
know that it was restored: what comes too early is booked as it is. Whether points were redeemed twice the equation tells."""
GENESIS = bytes(32)
VERIFY_ALL = 5
"""One world in so many has all its files verified, another head office's and one besides."""


def look(world: World, *, is_quiet: bool = False) -> None:
    """What holds at every moment."""
    with ExitStack() as stack:
        for node in (world.office, *world.writers.values()):
            stack.enter_context(node.machine.disk.at_peace())
        _look(world, is_quiet)


def _look(world: World, is_quiet: bool) -> None:
    world.at(world.office)
    held = rows_of(world.office.db) if world.office.is_up else None
    logs = {}
    for name, writer in world.writers.items():
        if writer.is_up:
            world.at(writer)
            logs[name] = rows_of(writer.db, name)
    _outbox_is_kept(world)
    for event, fields in world.ground.logged:
        assert "crashed" not in event, f"I10: {event} {fields}"
    for name, log in logs.items():
        _whole_chain(name, log)
        _receipts_stand(world, name, {row.id for row in log})
    if held is None:
        return
    _acks_hold(world, held)
    if len(logs) == len(world.writers):
        rights_equation(world, held, logs, is_quiet)
        kind_laws.look(world)
        cases = world.office.db.execute("SELECT COUNT(*) FROM suspense_case").fetchone()[0]
        if not world.office.restores and not cases:  # a lost past may have told otherwise; a case is booked otherwise
            own_lots_are_shown(world, held, logs)
    bounded(world)


def look_at_quiet(world: World) -> None:
    """What holds besides when the faults have ended and everybody has synced."""
    look(world, is_quiet=True)
    world.at(world.office)
    office, held = world.office.db, rows_of(world.office.db)
    cases = office.execute("SELECT reason, till, seq, detail FROM suspense_case ORDER BY till, seq").fetchall()
    allowed = ALLOWED | (OF_LOST if world.chronicle.lost else set()) | (OF_RESTORED if world.office.restores else set())
    allowed |= kind_laws.ALLOWED.get(world.kind.name, set())
    bad = [case for case in cases if case[0] not in allowed and not _took_back_dead_points(held, *case)]
    bad = [case for case in bad if not _ended_twice(held, *case[:3])]
    assert not bad, f"I1: cases {bad}"
    all_is_sent(world)
    exactly_once(world, held)
    booked_as_told(office)
    converged(world, held, exact=not cases)
    writers = list(world.writers.values())
    for writer in writers if world.seed % VERIFY_ALL == 0 else (writers[world.seed % len(writers)],):
        world.at(writer)
        assert verify(writer.db) == (), f"{writer.name}: {verify(writer.db)}"
    name = list(world.counters)[world.seed % len(world.counters)]
    world.at(world.counters[name])
    receipts_say_the_ledger(world, name)
    world.at(world.office)
    assert verify(office) == (), f"head office: {verify(office)}"
    nothing_personal(world, held)
    kind_laws.look_at_quiet(world, held, exact=not cases)


# I1: nothing is redeemed twice.


def rights_equation(world: World, held: list[Row], logs: dict[str, list[Row]], is_quiet: bool) -> None:
    """I1: of each lot, free, held and on its way are nothing below zero and together what is left of it.

    What tills hold of a lot that has ended is of no use to anybody: goods that came back may have taken it. Lots that a head
    office which was restored gave points to, and forgot it, are asked when the tills' logs are there again; a till may hold as
    much more of them then.
    """
    live = {(name, int(meta(writer.db, "epoch") or 1)) for name, writer in world.writers.items()}
    books = fold(_all_facts(held, logs), OFFICE, live, world.chronicle.gone_hubs - world.chronicle.took.keys(), _took(world))
    world.chronicle.ends.update(books.ends)
    void = (
        {lot for row in world.chronicle.lost_rows for lot in read(row.id, row.payload).lots}
        | books.expired
        | _booked_otherwise(world)
        | _took_back_twice(world, held)
    )
    if not is_quiet:
        void |= {lot for row in world.chronicle.forgotten for lot, _ in read(row.id, row.payload).moves}
    if not world.kind.is_escrow:
        policies.within_bounds(world, held, logs, books)
        return
    hub_laws.bounded_giving(world, books, void)
    for lot, left in books.left.items():
        assert left >= 0 or lot in void, f"I1: lot {lot} is {-left} hundredths below nothing"
    forgotten: defaultdict[str, int] = defaultdict(int)
    for row in world.chronicle.forgotten:
        for lot, centi in read(row.id, row.payload).moves:
            forgotten[lot] += max(0, centi)
    if is_quiet:
        hub_laws.at_quiet(world, books, void)
    ended = {lot for lot, end in world.chronicle.ends.items() if end is not None and end <= world.true.at}
    for lot, free in _free(books).items():
        assert free + forgotten[lot] >= 0 or lot in void | ended, (
            f"I1: {-free} hundredths of lot {lot} are held twice, left {books.left[lot]}"
        )


def _took(world: World) -> set[str]:
    return {grant_id for took in world.chronicle.took.values() for grant_id in took}


def _booked_otherwise(world: World) -> set[str]:
    """Lots whose points two tills gave for one debt, or gave back to one: head office left what the second says that it gave.
    And lots from which goods took back what left them as they ended, for a debt too: that is undone."""
    sql = "SELECT detail FROM suspense_case WHERE reason IN ('owed.settled_twice', 'given_back.twice', 'lot.ended')"
    return {detail.partition(" of lot ")[2].split()[0] for (detail,) in world.office.db.execute(sql)}


def _took_back_twice(world: World, held: list[Row]) -> set[str]:
    """Lots from which goods took points back though more of them came back than was sold: two tills did not know of each other,
    and for the first head office took the points."""
    sql = "SELECT till, epoch, seq FROM suspense_case WHERE reason = 'return.more_than_sold'"
    named = set(world.office.db.execute(sql))
    facts = [json.loads(row.payload) for row in held if (row.till, row.epoch, row.seq) in named]
    entries = [entry for fact in facts for entry in fact.get("entries") or ()]
    return {entry["lot_id"] for entry in entries if entry["kind"] == "reverse" and entry["lot_id"] is not None}


def _took_back_dead_points(held: list[Row], reason: str, till: str, seq: int, detail: str) -> bool:
    """Goods came back at a till that had not heard yet that head office booked the end of the points they had brought."""
    lot = detail.rpartition(" lot ")[2]
    facts = [row for row in held if (row.till, row.seq) == (till, seq)]
    expired = fold([read(row.id, row.payload) for row in held], OFFICE).expired
    entries = [entry for row in facts for entry in json.loads(row.payload).get("entries") or ()]
    takes = [entry["kind"] for entry in entries if entry["lot_id"] == lot]
    return reason == "lot.overdrawn" and lot in expired and "redeem" not in takes


def _ended_twice(held: list[Row], reason: str, till: str, seq: int) -> bool:
    """A machine that went on from a backup ended a sale that the machine before had ended since, and told."""
    told = [(row, json.loads(row.payload).get("end")) for row in held if row.till == till and reason == "sale.out_of_order"]
    ends = [(row, end["sale_id"]) for row, end in told if end]
    again = {(row.epoch, sale) for row, sale in ends if row.seq == seq}
    return any(row.epoch < epoch and sale == before for row, before in ends for epoch, sale in again)


def _free(books: Books) -> dict[str, int]:
    free = dict(books.left)
    for lots in (*books.held.values(), books.on_its_way):
        for lot, centi in lots.items():
            free[lot] = free.get(lot, 0) - centi
    return free


def _all_facts(held: list[Row], logs: dict[str, list[Row]]) -> list[Told]:
    """Of two that stand in one place, as after a hub's file was put back, head office's counts: the other it never takes."""
    rows = {(row.till, row.epoch, row.seq): row for log in (*logs.values(), held) for row in log}
    return [read(row.id, row.payload) for row in rows.values()]


# I2 to I5: nothing is lost, doubled or skipped.


def _receipts_stand(world: World, name: str, ids: set[bytes]) -> None:
    for id_, receipt_no in world.writers[name].receipt_ids.items():
        assert id_ in ids, f"I2: receipt {receipt_no} was given, and its sale is not in the till's file"


def _acks_hold(world: World, held: list[Row]) -> None:
    there = {(row.till, row.seq, row.hash.hex()) for row in held}
    for till, (seq, hash_) in world.chronicle.acks.items():
        assert seq == 0 or (till, seq, hash_) in there, f"I3: fact {seq} of {till} was acknowledged and is not at head office"


def _outbox_is_kept(world: World) -> None:
    for name, writer in world.writers.items():
        if writer.is_up:
            left = writer.db.execute("SELECT acked_seq FROM sync_state").fetchone()[0]
            heard = max((seq for seq, _ in world.chronicle.ever_acked.get(name, ())), default=0)
            assert left <= heard, f"I3: {name} let its facts up to {left} go, and was told of {heard}"


def exactly_once(world: World, held: list[Row]) -> None:
    """I4, I5, I3: head office holds each fact of each till once, in order and without gaps; nothing that was acked is missing."""
    ids = [row.id for row in held]
    assert len(ids) == len(set(ids)), "I4: a fact stands twice at head office"
    by_till: defaultdict[str, list[Row]] = defaultdict(list)
    for row in held:
        by_till[row.till].append(row)
    for name, writer in world.writers.items():
        ours = rows_of(writer.db, name)
        there = {(row.epoch, row.seq): row for row in by_till[name]}
        for row in ours:
            assert there.get((row.epoch, row.seq)) == row, f"I4: fact {row.seq} of {name} is not at head office as it was written"
        newest = [row for row in by_till[name] if row.epoch == max((each.epoch for each in ours), default=0)]
        here = [row for row in ours if newest and row.epoch == newest[0].epoch]
        assert len(newest) == len(here), f"I4: head office has {len(newest)} facts of {name}, which has {len(here)}"
        known = {(row.seq, row.hash.hex()) for row in by_till[name]}
        excused = {(row.seq, row.hash.hex()) for row in world.chronicle.lost_rows if row.till == name}
        acked = {each for each in world.chronicle.ever_acked.get(name, set()) if each[0]}
        assert acked - known <= excused, f"I3: of {name} acked and gone: {sorted(acked - known - excused)}"
    for id_, (till, receipt_no) in world.chronicle.receipts.items():
        assert id_ in set(ids) or id_ in world.chronicle.lost, f"I2: receipt {receipt_no} of {till} is nowhere"
    for epoch_log in by_till.values():
        _whole_chain("head office", epoch_log)


def _whole_chain(name: str, log: list[Row]) -> None:
    """I5: numbers go on without a gap within an epoch; each hash is that of the one before it and the payload."""
    for before, row in zip([None, *log], log, strict=False):
        assert sha256(row.prev_hash + row.payload).digest() == row.hash, f"I9: {name}: fact {row.seq} has another hash"
        if before is not None and before.epoch == row.epoch:
            assert (row.seq, row.prev_hash) == (before.seq + 1, before.hash), f"I5: {name}: gap before {row.epoch}/{row.seq}"
        elif row.epoch == 1:
            assert (row.seq, row.prev_hash) == (1, GENESIS), f"I5: {name} begins with {row.seq}"


def own_lots_are_shown(world: World, held: list[Row], logs: dict[str, list[Row]]) -> None:
    """I6: of a lot that nobody else ever moved, a till shows what its own log says, sent or not.

    By a hub that never heard of the lot, for it was empty when the hub began, points that come back are seen with head office's
    next word.
    """
    there_too = {row.id for log in logs.values() for row in log}
    movers: defaultdict[str, set[str]] = defaultdict(set)
    sums: defaultdict[str, int] = defaultdict(int)
    for fact in _all_facts(held, logs):
        for lot, centi in fact.moves:
            movers[lot].add(fact.till if fact.id in there_too else "a machine before")
            sums[lot] += centi
    lost = [row for row in world.chronicle.lost_rows if row.till in world.counters]
    void = {lot for row in lost for lot in read(row.id, row.payload).lots}
    for name, counter in world.counters.items():
        shown = _lots(counter.db)
        unsure = void | (world.chronicle.older_lots if counter.has_hub else set())
        own = [lot for lot, who in movers.items() if who == {name} and not lot.startswith("gift:")]
        for lot in [lot for lot in own if lot not in unsure and sums[lot] >= 0]:
            there = shown.get(lot, ("", 0))[1]
            assert there == sums[lot], f"I6: {name} shows {there} in its lot {lot}, and its log says {sums[lot]}"


# I6, I7, I8: everybody says the same, and it is what the logs say.


def converged(world: World, held: list[Row], *, exact: bool) -> None:
    """I6: each till shows what head office holds; what both hold of rights is the same; and both are what the log says."""
    world.at(world.office)
    office = _lots(world.office.db)
    if exact:
        books = fold([read(row.id, row.payload) for row in held], OFFICE)
        by_log = {lot: centi for lot, centi in books.left.items() if centi and not lot.startswith("gift:")}
        there = {lot: centi for lot, (_, centi) in office.items() if centi}
        assert by_log == there, f"I6: by the log {_other(by_log, there)}"
    nobody = _of_lost_enrolments(world)
    there = {member: centi for member, centi in _points(office).items() if member not in nobody}
    for writer in world.writers.values():
        shown = {member: centi for member, centi in _points(_lots(writer.db)).items() if member not in nobody}
        assert shown == there, f"I6: {writer.name} shows {_other(shown, there)}"


def _of_lost_enrolments(world: World) -> set[str]:
    """Members whose enrolment went down with a machine: head office books what others say of them, and tells nobody of them."""
    enrolled = {json.loads(row.payload)["member"] for row in world.chronicle.lost_rows if b'"member.enrolled"' in row.payload}
    return enrolled - {member for (member,) in world.office.db.execute("SELECT id FROM member")}


def _other(one: dict[str, int], other: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {
        key: (one.get(key, 0), other.get(key, 0)) for key in one.keys() | other.keys() if one.get(key, 0) != other.get(key, 0)
    }


def _lots(db: Connection) -> dict[str, tuple[str, int]]:
    return {row[0]: (row[1], row[2]) for row in db.execute("SELECT id, member, remaining FROM lot WHERE remaining <> 0")}


def _points(lots: dict[str, tuple[str, int]]) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for member, centi in lots.values():
        sums[member] += centi
    return dict(sums)


def booked_as_told(office: Connection) -> None:
    """I7: what head office booked is what the facts say, but for suspense; balances are its sums and come to nothing together."""
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    rows = office.execute("SELECT txn, n, debit_acct, credit_acct, amount, unit FROM entry ORDER BY txn, n").fetchall()
    moved: defaultdict[bytes, int] = defaultdict(int)
    for txn, _, debit, credit, amount, unit in rows:
        sums[debit, unit] -= amount
        sums[credit, unit] += amount
        moved[bytes(txn)] += amount
    balances = {(account, unit): amount for account, unit, amount in office.execute("SELECT account, unit, amount FROM balance")}
    assert balances == {key: amount for key, amount in sums.items() if amount}, "I7: balances are not the sums of entries"
    assert sum(balances.values()) == 0, "I7: the total is not nothing"
    cut = """SELECT t.id, t.payload FROM txn AS t WHERE NOT EXISTS (
      SELECT 1 FROM suspense_case AS c WHERE (c.till, c.epoch, c.seq) = (t.till, t.epoch, t.seq))"""
    for id_, payload in office.execute(cut):
        told = sum(entry["amount"] for entry in json.loads(payload).get("entries") or ())
        assert told == moved[bytes(id_)], "I7: more or less was booked than the fact says"
    short = [(key, amount) for key, amount in balances.items() if key[0].startswith(("held:", "gift:")) and amount < 0]
    assert not short, f"I7: below nothing: {short}"


# I10, I12, I13, I14.


def all_is_sent(world: World) -> None:
    """I10: when the faults end, everything is sent within some rounds, and nobody is frozen or in trouble."""
    for writer in world.writers.values():
        assert writer.is_up, f"I10: {writer.name} does not come up"
        acked, trouble = writer.db.execute("SELECT acked_seq, trouble FROM sync_state").fetchone()
        last = writer.db.execute("SELECT coalesce(MAX(seq), 0) FROM txn WHERE till = ?", (writer.name,)).fetchone()[0]
        assert acked == last, f"I10: {writer.name} has sent {acked} of {last}: {trouble}"
        assert trouble is None, f"I10: {writer.name}: {trouble}"
    frozen = world.office.db.execute("SELECT id, frozen FROM till WHERE frozen IS NOT NULL").fetchall()
    excused = world.chronicle.rogues | {name for name, _ in world.chronicle.gone_hubs}  # one was put back, and forked
    assert not [row for row in frozen if row[0] not in excused], f"I10: frozen {frozen}"


def receipts_say_the_ledger(world: World, name: str) -> None:
    """I12: number, due and points of a printed receipt are those of the fact."""
    counter = world.counters[name]
    rows = rows_of(counter.db, name)
    for row in [row for row in rows if b'"sale":{' in row.payload][-2:]:
        fact = json.loads(row.payload)
        text = counter.till.receipt_text(fact["sale"]["sale_id"])
        assert fact["receipt_no"] in text, "I12: another number"
        quote = fact["sale"]["quote"]
        due, points = quote["due_minor"], (quote.get("redemption") or {}).get("centi", 0)
        assert f"{due // 100},{due % 100:02d}" in re.sub(r"[\s\u00a0\u202f]", "", text), f"I12: due {due} is not in {text}"
        taken = sum(e["amount"] for e in fact.get("entries") or () if e["kind"] == "redeem" and e["debit"].startswith("member:"))
        assert taken == points, "I12: the quote redeems other points than the entries"


def nothing_personal(world: World, held: list[Row]) -> None:
    """I13: no name and no phone stands in a payload or was logged."""
    words = [word for name, phone in world.chronicle.people for word in (name, phone.lstrip("+"))]
    if not words:
        return
    logged = (f"{event} {fields}" for event, fields in world.ground.logged)
    open_text = "\n".join([*(row.payload.decode() for row in held), *logged])
    for word in words:
        assert word not in open_text, f"I13: {word} stands in the open"


def bounded(world: World) -> None:
    """I14: no body is larger than the protocol says, and no till waits for more than a few answers."""
    net = world.net
    assert net.largest <= COMPRESSED_BYTES_MAX + HEADER_BYTES_MAX, f"I14: a body of {net.largest} bytes"
    waiting: defaultdict[str, int] = defaultdict(int)
    for who in net.waiting.values():
        waiting[who.counter.name] += 1
    assert max(waiting.values(), default=0) <= 4, f"I14: {dict(waiting)} wait"
    assert len(world.heap) < 5_000, "I14: what is due grows"
