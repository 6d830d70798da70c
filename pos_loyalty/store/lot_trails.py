"""Where the points of a lot went, as far as this file tells: the lots that they moved on to, and the returns of their sale."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from msgspec.structs import replace

from pos_loyalty.engine.ledger import GRACE, own_lot
from pos_loyalty.engine.lots import says_grace
from pos_loyalty.engine.model import Entry
from pos_loyalty.store import ledger, returned
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.values import Value


class Origin(Value):
    """The lot that a rule of a sale made."""

    sale_till: str
    sale_id: str
    rule: str
    whose: str | None
    """The member, where it was not the buyer."""


def root_of(db: Connection, lot_id: str) -> str:
    """The lot in which the points of this lot began, before a grace or a merge moved them on."""
    return str(db.execute(ROOT_SELECT, {"lot": lot_id}).fetchone()[0])


def had_grace(db: Connection, lots: Iterable[str]) -> frozenset[str]:
    """Of these lots those whose points a grace moved on before, here or, as the name of a lot tells, at another till."""
    return frozenset(lot for lot in lots if any(it or says_grace(name) for name, it in db.execute(GRACES_SELECT, {"lot": lot})))


def lots_from(db: Connection, lot_id: str) -> frozenset[str]:
    """This lot and all to which its points moved on."""
    return frozenset(lot for (lot,) in db.execute(LOTS_SELECT, {"lot": lot_id}))


def made_by(db: Connection, lot_id: str) -> Entry | None:
    """The lot as an accrue entry would make it; None for one that this file does not know."""
    row = db.execute(LOT_SELECT, {"lot": lot_id}).fetchone()
    if row is None:
        return None
    member_id, amount, rule, debit = row
    return Entry(
        kind="accrue", debit=debit or "", credit=f"{ledger.MEMBER}{member_id}", amount=amount, member_id=member_id, lot_id=lot_id,
        rule=rule,
    )  # fmt: skip


def facts_about(db: Connection, lots: frozenset[str]) -> tuple[Fact, ...]:
    """All facts with entries of these lots."""
    txns = {txn for lot in lots for (txn,) in db.execute("SELECT txn FROM entry WHERE lot = :lot", {"lot": lot})}
    facts = [booked(db, UUID(bytes=txn)) for txn in sorted(txns)]
    return tuple(fact for fact in facts if fact is not None)


def settled_later(db: Connection, lot_id: str, facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """What head office took for a lot's goods after these returns of theirs, made at tills that did not know of each other."""
    found = [row for fact in facts for row in db.execute(SETTLED_LATER_SELECT, {"lot": lot_id, "id": bytes.fromhex(fact.id)})]
    later = [booked(db, UUID(bytes=txn)) for (txn,) in found]
    return tuple(fact for fact in later if fact is not None)


def booked(db: Connection, txn: UUID) -> Fact | None:
    """A fact with its entries as they were booked: at head office suspense may stand in a member's place."""
    fact = ledger.by_id(db, txn)
    return None if fact is None else as_booked(db, fact)


def as_booked(db: Connection, fact: Fact) -> Fact:
    """The same for a fact that was read."""
    fields = ("kind", "debit", "credit", "amount", "unit", "lot_id", "member_id", "rule")
    rows = db.execute(ENTRIES_SELECT, {"txn": UUID(fact.id).bytes}).fetchall()
    return replace(fact, entries=tuple(Entry(**dict(zip(fields, row, strict=True))) for row in rows))


def in_log_order(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts of this file, each once, as they came about."""
    return tuple(sorted({fact.id: fact for fact in facts}.values(), key=lambda fact: (fact.hlc, fact.till, fact.epoch, fact.seq)))


def settled_from(db: Connection, member_id: str, settles: str) -> Iterator[tuple[str, int]]:
    """Lots that settled what a member owed, the last one first, less what they got back. ``settles``: such entries' rule."""
    key = {"member": member_id, "owed": f"owed:{member_id}", "settles": settles}
    yield from db.execute(SETTLED_SELECT, key).fetchall()


def undone(db: Connection, lot_id: str) -> tuple[Origin, tuple[Fact, ...]] | None:
    """The returns and the void of the sale that made a lot; None when there are none in this file."""
    origin = origin_of(db, lot_id)
    if origin is None:
        return None
    facts = tuple(fact for txn in undone_by(db, origin.sale_till, origin.sale_id) if (fact := booked(db, txn)) is not None)
    return (origin, facts) if facts else None


def undone_by(db: Connection, till: str, sale_id: str) -> list[UUID]:
    """The returns and the void of a sale."""
    found = [each.txn for each in returned.of_sale(db, till, sale_id)]
    return found + [UUID(bytes=txn) for (txn,) in db.execute(VOID_SELECT, {"till": till, "sale_id": sale_id})]


def origin_of(db: Connection, lot_id: str) -> Origin | None:
    """What made a lot: as the fact says that made it here, else as its name says. None for one that no rule of a sale made."""
    row = db.execute("SELECT origin_txn, member FROM lot WHERE id = :lot", {"lot": lot_id}).fetchone()
    txn, member_id = row or (None, None)
    fact = None if txn is None else ledger.by_id(db, UUID(bytes=txn))
    return _named(lot_id, member_id) if fact is None else _told(fact, lot_id)


def _told(fact: Fact, lot_id: str) -> Origin | None:
    if fact.claim is not None:
        sale_till, sale_id = fact.claim.sale_till, fact.claim.sale_id
    elif (about := fact.sale or fact.end) is not None:
        sale_till, sale_id = fact.till, about.sale_id
    else:
        return None
    made = next((entry for entry in fact.entries if entry.kind == "accrue" and entry.lot_id == lot_id), None)
    if made is None or made.rule in (None, GRACE):
        return None
    is_own = lot_id == own_lot(f"{sale_till}/{sale_id}", made.rule or "")
    return Origin(sale_till=sale_till, sale_id=sale_id, rule=made.rule or "", whose=None if is_own else made.member_id)


def _named(lot_id: str, member_id: str | None) -> Origin | None:
    """``{till}/{sale}:{rule}``, or with the member after it. The sale's name may hold anything, a rule's no colon: the lot's
    member tells which of the two it is."""
    till, _, rest = lot_id.partition("/")
    before = rest.removesuffix(f":{member_id}")
    is_others = member_id is not None and before != rest and ":" in before
    sale_id, _, rule = (before if is_others else rest).rpartition(":")
    return Origin(sale_till=till, sale_id=sale_id, rule=rule, whose=member_id if is_others else None) if sale_id else None


MOVED_ON = """(went.credit_acct GLOB 'merge:*' OR (went.rule = 'points.grace_days' AND went.kind = 'adjust'))
  AND came.debit_acct = went.credit_acct AND came.kind = 'accrue'"""
LOTS_SELECT = f"""WITH RECURSIVE followed (lot) AS (
  SELECT :lot
  UNION SELECT came.lot FROM followed JOIN entry AS went ON went.lot = followed.lot
  JOIN entry AS came ON came.txn = went.txn AND came.n = went.n + 1 WHERE {MOVED_ON}
) SELECT lot FROM followed"""
BACK = f"""WITH RECURSIVE followed (lot, far, is_graced) AS (
  SELECT :lot, 0, 0
  UNION SELECT went.lot, far + 1, CASE WHEN came.rule = 'points.grace_days' THEN 1 ELSE 0 END
  FROM followed JOIN entry AS came ON came.lot = followed.lot
  JOIN entry AS went ON went.txn = came.txn AND went.n = came.n - 1 WHERE {MOVED_ON}
)"""
ROOT_SELECT = f"{BACK} SELECT lot FROM followed ORDER BY far DESC LIMIT 1"
GRACES_SELECT = f"{BACK} SELECT lot, is_graced FROM followed"
LOT_SELECT = """SELECT lot.member, lot.amount, e.rule, e.debit_acct
FROM lot LEFT JOIN entry AS e ON e.lot = lot.id AND e.kind = 'accrue' WHERE lot.id = :lot LIMIT 1"""
ENTRIES_SELECT = """SELECT kind, debit_acct, credit_acct, amount, unit, lot, member, rule FROM entry
WHERE txn = :txn ORDER BY n"""
SETTLED_LATER_SELECT = """SELECT t.id FROM lot JOIN txn AS t ON t.member = lot.member
WHERE lot.id = :lot AND t.kind = 'points.settled' AND t.reverses = :id"""
VOID_SELECT = "SELECT id FROM txn WHERE till = :till AND sale_id = :sale_id AND kind = 'sale.reversed'"
SETTLED_SELECT = """SELECT e.lot, SUM(CASE WHEN e.credit_acct = :owed THEN e.amount ELSE -e.amount END)
FROM entry AS e JOIN txn AS t ON t.id = e.txn
WHERE e.member = :member AND (e.credit_acct = :owed OR e.debit_acct = :owed) AND e.rule = :settles AND e.lot IS NOT NULL
GROUP BY e.lot ORDER BY MAX(t.hlc) FILTER (WHERE e.credit_acct = :owed) DESC, e.lot"""
