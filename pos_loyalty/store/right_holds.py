"""Rights as the logs make them: which till may redeem how much of which lot by itself.

Rule: what a till holds of a lot is a sum over facts and depends on no order: what its own entries brought into the lot less what
they took out of it, with grants, less what it gave back. So nothing of a sale is written twice, and a restored head office finds
the same. A till holds nothing of another epoch. What is granted counts as held once it is given: lost on the way, it is safe.
What was on its way when head office was restored is void from the till's next hello on.

**Source:** bounded counters by escrow (O'Neil 1986; Balegas, arXiv 1503.09052).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.model import Lot
from pos_loyalty.store import gift_cards
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import GENESIS, Fact, fact_of
from pos_loyalty.store.right_facts import GrantFact, RightHolder, RightLine
from pos_loyalty.store.right_moves import GIFT, HELD_SELECT, HOLDERS_SELECT, MOVES, held_select, holders_select, is_coupon
from pos_loyalty.values import Points, Value

OFF_MAX_MS: Final = 24 * 3_600_000
"""A clock further off than that redeems nothing with a date."""
MARGIN_MS: Final = 3_600_000


class Holding(Value):
    """What a till holds of a lot. ``usable_centi``: without what came with grants whose lease ended."""

    lot_id: str
    centi: Points
    usable_centi: Points


def granted(db: Connection, fact: Fact) -> None:
    """The rows of a grant as it is given, or taken: whichever is heard first makes them."""
    grant = fact.grant
    assert grant is not None
    txn = bytes.fromhex(fact.id)
    row = {
        "id": grant.grant_id,
        "till": grant.till,
        "epoch": grant.epoch,
        "lease": to_ms(grant.lease_until),
        "txn": txn,
        "taken": txn if fact.kind == "rights.taken" else None,
        "giver": grant.giver.till if grant.giver else None,
        "giver_epoch": grant.giver.epoch if grant.giver else None,
    }
    is_new = db.execute("SELECT 1 FROM right_grant WHERE id = :id", row).fetchone() is None
    if is_new:
        db.execute(GRANT_INSERT, row)
        gift_cards.hear_of(db, fact)
        db.executemany(LINE_INSERT, [(grant.grant_id, line.lot_id, line.member_id, line.centi) for line in grant.lines])
    elif fact.kind == "rights.taken":
        db.execute("UPDATE right_grant SET taken = :taken WHERE id = :id AND till = :till AND taken IS NULL", row)


def given_back(db: Connection, fact: Fact) -> None:
    """The rows of what a till gave back."""
    back = fact.give_back
    assert back is not None
    txn = bytes.fromhex(fact.id)
    to = (back.to.till, back.to.epoch) if back.to else (None, None)
    db.executemany(RETURN_INSERT, [(txn, line.lot_id, fact.till, fact.epoch, line.centi, *to) for line in back.lines])
    db.executemany(CLOSE_UPDATE, [(txn, grant_id, fact.till) for grant_id in back.closes])


def held(db: Connection, till: str, epoch: int, lot_ids: tuple[str, ...], now: datetime) -> dict[str, Holding]:
    """What a till holds of these lots; a lot of which it holds nothing is left out."""
    found = {}
    for lot_id in lot_ids:
        key = {"till": till, "epoch": epoch, "lot": lot_id, "now": to_ms(now)}
        centi, ended_centi = db.execute(held_select(lot_id), key).fetchone()
        if centi > 0:
            found[lot_id] = Holding(lot_id=lot_id, centi=Points(centi), usable_centi=Points(max(0, centi - ended_centi)))
    return found


def held_by_all(db: Connection, lot_id: str) -> int:
    """What all tills hold of a lot together; those that are lost hold nothing.

    What head office gave to a lot counts until every till shows that it was told: one that had not heard of it may give the same.
    """
    if is_coupon(lot_id):
        return sum(holders(db, lot_id).values())
    return sum(int(centi) for centi in db.execute(HELD_BY_ALL_SELECT, {"lot": lot_id}).fetchone())


def owed_by_hubs(db: Connection, lot_id: str) -> int:
    """What hubs are known to have given of a lot beyond what they are known to have got: logs that bring it are still to come."""
    return int(db.execute(OWED_SELECT, {"lot": lot_id}).fetchone()[0])


def holders(db: Connection, lot_id: str) -> dict[tuple[str, int], int]:
    """What each till holds of a lot, by till and epoch, where it is more than nothing."""
    return {(till, epoch): centi for till, epoch, centi in db.execute(holders_select(lot_id), {"lot": lot_id})}


def free(db: Connection, lots: Iterable[Lot], now: datetime) -> tuple[Lot, ...]:
    """Lots as far as head office may take from them: what no till can have redeemed or may redeem still."""
    return tuple(replace(lot, centi=Points(max(0, lot.centi - _out_of_reach(db, lot, now)))) for lot in lots)


def _out_of_reach(db: Connection, lot: Lot, now: datetime) -> int:
    """What tills hold; of a lot that ended only tills that may have sold before its end and not told yet."""
    held = holders(db, lot.lot_id) if lot.centi > 0 else {}
    if lot.expires_at is None or not held:
        return sum(held.values())
    end_ms = to_ms(lot.expires_at)
    return sum(centi for (till, epoch), centi in held.items() if _told_until(db, till, epoch, to_ms(now)) < end_ms)


def _told_until(db: Connection, till: str, epoch: int, now_ms: int) -> int:
    """All that a till did before this instant is here: it asked since, or a later fact came; as far as clocks may differ.

    Who asked while this clock ran ahead asked nobody knows when.
    """
    key = {"till": till, "epoch": epoch, "latest": now_ms + MARGIN_MS}
    last, asked = (int(ms) for ms in db.execute(TOLD_SELECT, key).fetchone())
    return max(min(last, now_ms) - OFF_MAX_MS, asked - MARGIN_MS)


def lent_minor(db: Connection, account: str) -> int:
    """What this file's owner got of a gift card's money beside its own entries, less what it gave back."""
    return int(db.execute(LENT_SELECT, {"lot": account}).fetchone()[0])


def idle_gifts(db: Connection, till: str, epoch: int, before: datetime, now: datetime) -> tuple[RightLine, ...]:
    """Money of gift cards that a till holds and that nothing moved since an instant, by card.

    A fact from beyond now is of a clock that was wrong, and as old as any.
    """
    key = {"till": till, "epoch": epoch}
    lines = []
    for (lot,) in db.execute(IDLE_GIFTS_SELECT, key | {"before": to_ms(before), "now": to_ms(now)}).fetchall():
        centi = db.execute(HELD_SELECT, key | {"lot": lot, "now": 0}).fetchone()[0]
        if centi > 0:
            lines.append(RightLine(lot_id=lot, member_id=lot.removeprefix(GIFT), centi=Points(centi)))
    return tuple(lines)


def held_in_all(db: Connection, till: str, epoch: int) -> int:
    """What a till or a hub holds of all lots of points together."""
    key = {"till": till, "epoch": epoch}
    lots = [row[0] for row in db.execute(LOTS_OF_TILL_SELECT, key).fetchall()]
    sums = (db.execute(HELD_SELECT, {**key, "lot": lot, "now": 0}).fetchone()[0] for lot in lots)
    return sum(max(0, centi) for centi in sums)


def on_their_way(db: Connection, till: str, epoch: int, limit: int) -> tuple[GrantFact, ...]:
    """Grants that the till has not said it took, in the order of their ids; none of an earlier epoch of this file's own log.

    A head office that was restored once more, to another backup, may know a grant that its forerunner forgot: others may hold the
    same by now. What a till did not take before its next hello, it shall never take. What a hub gave it holds itself: no restore
    of head office makes that another's.
    """
    rows = db.execute(ON_THEIR_WAY_SELECT, {"till": till, "epoch": epoch, "limit": limit}).fetchall()
    return tuple(_grant(db, row) for row in rows)


def is_known(db: Connection, grant_id: str) -> bool:
    """Whether a grant was taken here already: each counts once."""
    return db.execute("SELECT 1 FROM right_grant WHERE id = :id", {"id": grant_id}).fetchone() is not None


def ended(db: Connection, till: str, epoch: int, now: datetime) -> tuple[GrantFact, ...]:
    """Grants whose lease ended and which the till has not closed."""
    rows = db.execute(ENDED_SELECT, {"till": till, "epoch": epoch, "now": to_ms(now)}).fetchall()
    return tuple(_grant(db, row) for row in rows)


def differences(db: Connection) -> Iterator[str]:
    """For ``verify``: rows that are not what the log says."""
    for (grant_id,) in db.execute(GRANT_DIFFERENT_SELECT):
        yield f"Grant {grant_id}: it is not the one that the log says."
    for grant_id, lease_ms, payload in db.execute(LEASE_SELECT):
        grant = fact_of(payload).grant
        if grant is None or to_ms(grant.lease_until) != lease_ms:
            yield f"Grant {grant_id}: its lease ends otherwise than the log says."
    for (txn,) in db.execute(RETURN_DIFFERENT_SELECT):
        yield f"Fact {bytes(txn).hex()}: the rights that it gave back are not those of the payload."


def given_by(db: Connection, till: str, epoch: int, giver: RightHolder, limit: int) -> tuple[GrantFact, ...]:
    """What a hub gave a till, newest first."""
    row = {"till": till, "epoch": epoch, "giver": giver.till, "giver_epoch": giver.epoch, "limit": limit}
    return tuple(_grant(db, found) for found in db.execute(GIVEN_SELECT, row).fetchall())


def lots_held(db: Connection, holder: RightHolder, member_id: str, now: datetime) -> dict[str, Holding]:
    """What a hub holds of a member's lots, by what it was granted and given back."""
    lots = tuple(lot for (lot,) in db.execute(HUB_LOTS_SELECT, {"member": member_id}))
    return held(db, holder.till, holder.epoch, lots, now)


def lease_end(db: Connection, holder: RightHolder, lot_id: str) -> datetime | None:
    """When the first lease of what a holder was granted of a lot ends; None when none does."""
    key = {"till": holder.till, "epoch": holder.epoch, "lot": lot_id}
    ends_ms = db.execute(LEASE_END_SELECT, key).fetchone()[0]
    return None if ends_ms is None else from_ms(ends_ms)


def hash_of_own(db: Connection, epoch: int, seq: int) -> str | None:
    """The hash of a fact of this file's own log; None for one that is not there."""
    key = {"epoch": epoch, "seq": seq}
    row = db.execute(OWN_HASH_SELECT, key).fetchone()
    return GENESIS.hex() if seq == 0 else None if row is None else bytes(row[0]).hex()


def surplus_since(db: Connection, till: str, epoch: int, seq: int) -> list[tuple[str, str, int, str, int]]:
    """At a till: lots that its own facts after a number moved or took rights of: lot, member, number, kind and instant."""
    key = {"till": till, "epoch": epoch, "seq": seq}
    return [(str(lot), str(member), n, str(kind), ms) for lot, member, n, kind, ms in db.execute(SURPLUS_SELECT, key)]


def _grant(db: Connection, row: tuple[str, str, int, int, str | None, int | None]) -> GrantFact:
    grant_id, till, epoch, lease_ms, giver, giver_epoch = row
    lines = tuple(
        RightLine(lot_id=lot, member_id=member, centi=Points(centi))
        for lot, member, centi in db.execute(LINES_SELECT, {"id": grant_id})
    )
    lease_until = from_ms(lease_ms)
    if giver is not None and giver_epoch is not None:
        said = _said(db, grant_id)
        return GrantFact(
            grant_id=grant_id, till=till, epoch=epoch, lease_until=lease_until, lines=lines, cards=said.cards,
            giver=RightHolder(till=giver, epoch=giver_epoch), after=said.after,
        )  # fmt: skip
    gifts = (line.member_id for line in lines if line.lot_id.startswith(GIFT))
    cards = tuple(word for card_id in gifts if (word := gift_cards.word_of(db, card_id)) is not None)
    return GrantFact(grant_id=grant_id, till=till, epoch=epoch, lease_until=lease_until, lines=lines, cards=cards)


def _said(db: Connection, grant_id: str) -> GrantFact:
    """By the payload: on which logs a grant by a hub builds, and what it tells of its cards."""
    said = fact_of(db.execute(SAID_SELECT, {"id": grant_id}).fetchone()[0]).grant
    assert said is not None
    return said


TOLD_SELECT = """SELECT
  coalesce((SELECT wall_ms FROM txn WHERE till = :till AND epoch = :epoch ORDER BY seq DESC LIMIT 1), 0),
  coalesce((SELECT asked_ms FROM till WHERE id = :till AND epoch >= :epoch AND asked_ms <= :latest), 0)"""
GRANT_INSERT = """INSERT INTO right_grant (id, till, epoch, lease_ms, txn, taken, giver, giver_epoch)
VALUES (:id, :till, :epoch, :lease, :txn, :taken, :giver, :giver_epoch)"""
LINE_INSERT = "INSERT INTO right_line (grant_id, lot, member, centi) VALUES (?, ?, ?, ?)"
RETURN_INSERT = "INSERT INTO right_return (txn, lot, till, epoch, centi, to_till, to_epoch) VALUES (?, ?, ?, ?, ?, ?, ?)"
CLOSE_UPDATE = "UPDATE right_grant SET closed = ? WHERE id = ? AND till = ? AND closed IS NULL"
LOTS_OF_TILL_SELECT = """SELECT e.lot FROM txn AS t JOIN entry AS e ON e.txn = t.id
WHERE t.till = :till AND t.epoch = :epoch AND e.lot IS NOT NULL AND e.credit_acct GLOB 'member:*'
UNION SELECT l.lot FROM right_grant AS g JOIN right_line AS l ON l.grant_id = g.id
WHERE g.till = :till AND g.epoch = :epoch AND NOT l.lot GLOB 'gift:*' AND NOT l.lot GLOB 'coupon:*'
UNION SELECT lot FROM right_return WHERE to_till = :till AND to_epoch = :epoch
AND NOT lot GLOB 'gift:*' AND NOT lot GLOB 'coupon:*'"""
LENT_SELECT = """SELECT coalesce((
  SELECT SUM(l.centi) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
  WHERE l.lot = :lot AND g.till = (SELECT value FROM meta WHERE key = 'owner')
), 0) - coalesce((
  SELECT SUM(centi) FROM right_return WHERE lot = :lot AND till = (SELECT value FROM meta WHERE key = 'owner')
), 0)"""
IDLE_GIFTS_SELECT = """SELECT lot FROM (
  SELECT e.lot, t.wall_ms FROM entry AS e JOIN txn AS t ON t.id = e.txn
  WHERE e.lot >= 'gift:' AND e.lot < 'gift;' AND t.till = :till AND t.epoch = :epoch
  UNION ALL SELECT l.lot, t.wall_ms FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
  JOIN txn AS t ON t.id = g.taken WHERE l.lot >= 'gift:' AND l.lot < 'gift;' AND g.till = :till AND g.epoch = :epoch
) GROUP BY lot HAVING MAX(CASE WHEN wall_ms > :now THEN 0 ELSE wall_ms END) <= :before AND lot IN (
  SELECT account FROM balance WHERE account >= 'gift:' AND account < 'gift;' AND amount <> 0
  UNION SELECT lot FROM right_line WHERE lot >= 'gift:' AND lot < 'gift;'
) ORDER BY lot LIMIT 5000"""
OWED_SELECT = f"""SELECT coalesce(SUM(-held), 0) FROM (
  SELECT SUM(m.centi) AS held FROM ({MOVES}) AS m
  WHERE EXISTS (SELECT 1 FROM right_grant AS g WHERE g.giver = m.till AND g.giver_epoch = m.epoch)
  GROUP BY m.till, m.epoch HAVING SUM(m.centi) < 0
) AS below"""
NOT_LOST = """NOT EXISTS (
  SELECT 1 FROM till_key AS k WHERE k.till = l.id AND k.state = 'lost'
  AND k.epoch = (SELECT MAX(n.epoch) FROM till_key AS n WHERE n.till = k.till)
)"""
"""Of a till whose newest machine is lost nothing comes any more, whatever epoch wrote last."""
ALL_ASKED_SELECT = f"SELECT MIN(l.asked_ms) FROM till AS l WHERE {NOT_LOST}"
"""When the most silent till last asked."""
UNHEARD = f"""SELECT SUM(CASE WHEN e.rule = 'points.given_twice' THEN -e.amount ELSE e.amount END)
FROM entry AS e JOIN txn AS t ON t.id = e.txn
WHERE e.lot = :lot AND t.kind = 'points.settled' AND e.rule IN ('points.given_back', 'points.given_twice')
AND CASE WHEN e.rule = 'points.given_twice' THEN e.debit_acct ELSE e.credit_acct END GLOB 'member:*'
AND t.wall_ms > (SELECT MIN(l.knows_ms) FROM till AS l WHERE {NOT_LOST})"""
HELD_BY_ALL_SELECT = f"SELECT coalesce((SELECT SUM(held) FROM ({HOLDERS_SELECT})), 0), coalesce(({UNHEARD}), 0)"
GRANT = "SELECT id, till, epoch, lease_ms, giver, giver_epoch FROM right_grant"
GIVEN_SELECT = """SELECT g.id, g.till, g.epoch, g.lease_ms, g.giver, g.giver_epoch
FROM right_grant AS g JOIN txn AS t ON t.id = g.txn
WHERE g.till = :till AND g.epoch = :epoch AND g.giver = :giver AND g.giver_epoch = :giver_epoch
ORDER BY t.seq DESC LIMIT :limit"""
OWN_HASH_SELECT = """SELECT hash FROM txn
WHERE till = (SELECT value FROM meta WHERE key = 'owner') AND epoch = :epoch AND seq = :seq"""
SAID_SELECT = "SELECT t.payload FROM right_grant AS g JOIN txn AS t ON t.id = g.txn WHERE g.id = :id"
HUB_LOTS_SELECT = """SELECT lot FROM right_line WHERE member = :member UNION SELECT lot FROM relay_right WHERE member = :member
ORDER BY lot"""
LEASE_END_SELECT = """SELECT MIN(g.lease_ms) FROM right_line AS l JOIN right_grant AS g ON g.id = l.grant_id
WHERE l.lot = :lot AND g.till = :till AND g.epoch = :epoch AND g.closed IS NULL"""
SURPLUS_SELECT = """SELECT x.lot, l.member, x.seq, x.kind, x.wall_ms FROM (
  SELECT e.lot, t.seq, t.kind, t.wall_ms FROM txn AS t JOIN entry AS e ON e.txn = t.id
  WHERE t.till = :till AND t.epoch = :epoch AND t.seq > :seq AND e.lot IS NOT NULL
  UNION SELECT r.lot, t.seq, t.kind, t.wall_ms FROM txn AS t
  JOIN right_line AS r ON r.grant_id = CAST(t.payload AS TEXT) ->> '$.grant.grant_id'
  WHERE t.till = :till AND t.epoch = :epoch AND t.seq > :seq AND t.kind = 'rights.taken'
) AS x JOIN lot AS l ON l.id = x.lot ORDER BY x.seq, x.lot"""
ON_THEIR_WAY_SELECT = f"""{GRANT} WHERE till = :till AND epoch = :epoch AND taken IS NULL
AND (giver IS NOT NULL OR NOT EXISTS (
  SELECT 1 FROM txn AS f JOIN meta AS m ON m.key = 'epoch' WHERE f.id = right_grant.txn AND f.epoch < CAST(m.value AS INTEGER)
)) ORDER BY id LIMIT :limit"""
ENDED_SELECT = f"{GRANT} WHERE till = :till AND epoch = :epoch AND lease_ms <= :now AND closed IS NULL ORDER BY id"
LEASE_SELECT = "SELECT g.id, g.lease_ms, t.payload FROM right_grant AS g JOIN txn AS t ON t.id = g.txn ORDER BY g.id"
LINES_SELECT = "SELECT lot, member, centi FROM right_line WHERE grant_id = :id ORDER BY lot"
SAID = """SELECT t.id, t.kind, t.till, CAST(t.payload AS TEXT) AS body FROM txn AS t
WHERE t.kind IN ('rights.granted', 'rights.taken')"""
GRANT_DIFFERENT_SELECT = f"""WITH said AS (SELECT id, kind, till, body, body ->> '$.grant.grant_id' AS grant_id FROM ({SAID}))
SELECT DISTINCT s.grant_id FROM said AS s LEFT JOIN right_grant AS g ON g.id = s.grant_id
WHERE g.id IS NULL OR g.till IS NOT s.body ->> '$.grant.till' OR g.epoch IS NOT s.body ->> '$.grant.epoch'
OR g.giver IS NOT s.body ->> '$.grant.giver.till' OR g.giver_epoch IS NOT s.body ->> '$.grant.giver.epoch'
OR (s.kind = 'rights.taken' AND s.till = g.till AND g.taken IS NULL)
OR (SELECT json_group_array(json_array(x.value ->> 'lot_id', x.value ->> 'member_id', x.value ->> 'centi'))
    FROM (SELECT value FROM json_each(s.body, '$.grant.lines') ORDER BY value ->> 'lot_id') AS x)
  IS NOT (SELECT json_group_array(json_array(y.lot, y.member, y.centi))
    FROM (SELECT * FROM right_line WHERE grant_id = s.grant_id ORDER BY lot) AS y)
UNION SELECT id FROM right_grant AS g WHERE NOT EXISTS (SELECT 1 FROM said AS s WHERE s.id = g.txn AND s.grant_id = g.id)
OR (g.taken IS NOT NULL AND NOT EXISTS (
  SELECT 1 FROM said AS s WHERE s.id = g.taken AND s.grant_id = g.id AND s.kind = 'rights.taken'
))
ORDER BY 1"""
RETURN_DIFFERENT_SELECT = """WITH said AS (
  SELECT t.id, t.till, t.epoch, x.value ->> 'lot_id' AS lot, x.value ->> 'centi' AS centi,
    CAST(t.payload AS TEXT) ->> '$.give_back.to.till' AS to_till, CAST(t.payload AS TEXT) ->> '$.give_back.to.epoch' AS to_epoch
  FROM txn AS t JOIN json_each(CAST(t.payload AS TEXT), '$.give_back.lines') AS x WHERE t.kind = 'rights.returned'
)
SELECT id FROM said AS s WHERE NOT EXISTS (
  SELECT 1 FROM right_return AS r WHERE (r.txn, r.lot, r.till, r.epoch, r.centi) = (s.id, s.lot, s.till, s.epoch, s.centi)
  AND r.to_till IS s.to_till AND r.to_epoch IS s.to_epoch
) UNION SELECT txn FROM right_return AS r WHERE NOT EXISTS (SELECT 1 FROM said AS s WHERE s.id = r.txn AND s.lot = r.lot)
ORDER BY 1"""
