"""What a manager looks at: the tills and how far they are behind, programmes and who sells by them, a day's sales, points."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.model import POINT
from pos_loyalty.store import cases, ledger, recomputing, rule_stops
from pos_loyalty.store.db import Connection
from pos_loyalty.store.right_moves import VOID
from pos_loyalty.store.rule_stops import RuleStop
from pos_loyalty.values import Minor, Points, Value

TILLS_MAX = 20_000
ACTS_MAX = 20


class TillSeen(Value):
    """A till as head office knows it. ``heard_at``: when facts of it came last; ``asked_at``: when it last had nothing unsent."""

    till: str
    store: str
    epoch: int
    applied_seq: int
    heard_at: datetime | None
    asked_at: datetime | None
    frozen: str | None
    state: str
    """Of its key: active, revoked, lost; empty for one that was never enrolled here."""
    programme: str | None
    """By which it sold last, as far as head office holds its log."""
    is_hub: bool = False
    waiting: int | None = None
    """Of a hub: facts of its tills that it keeps and head office has not, as it last said."""


class HubSeen(Value):
    """A store's hub. ``waiting``: facts that it keeps of its tills and head office has not, as it said when it last asked; None:
    it did not say. ``held_centi``: points that it may give to its tills."""

    hub: str
    store: str
    heard_at: datetime | None
    asked_at: datetime | None
    waiting: int | None
    held_centi: Points
    frozen: str | None
    state: str


class ProgrammeSeen(Value):
    """A published programme: the one in force first, those for later last. ``tills``: how many sold by it last."""

    id: str
    version: int
    sha256: str
    received_at: datetime
    tills: int


class DayOfStore(Value):
    """What a store sold on a day, as far as its tills' logs are here."""

    store: str
    sales: int
    due_minor: Minor
    redeemed_centi: Points
    accrued_centi: Points
    returns: int
    refund_minor: Minor


class Exposure(Value):
    """What may be redeemed without head office's word. ``suspense_centi``: what was redeemed though it was not there.

    ``twice_centi``: what could be redeemed twice in one day by tills that are cut off, at most: the cap of each member, as far as
    they have points, at each of the ``tills`` in force.
    """

    outstanding_centi: Points
    held_by_tills_centi: Points
    suspense_centi: Points
    tills: int
    twice_centi: Points


class BackSeen(Value):
    """When somebody took a programme back."""

    at: datetime
    programme: str
    from_version: int
    to_version: int
    by: str
    reason: str


class Overview(Value):
    """All of it, as of one state of the file."""

    tills: tuple[TillSeen, ...]
    hubs: tuple[HubSeen, ...]
    programmes: tuple[ProgrammeSeen, ...]
    backs: tuple[BackSeen, ...]
    stops: tuple[RuleStop, ...]
    stops_due: tuple[tuple[str, str], ...]
    """Tills, and rules that are stopped in their whole store and not yet there."""
    day: tuple[DayOfStore, ...]
    exposure: Exposure
    open_cases: dict[str, int]
    """By reason."""
    recomputed: dict[str, int]
    """Facts of sales by what came of them."""


class Watch(Value):
    """What a monitor asks for every few seconds: nothing of it looks at all lots or all sales."""

    tills: tuple[TillSeen, ...]
    hubs: tuple[TillSeen, ...]
    open_cases: dict[str, int]
    recomputed: dict[str, int]
    suspense_centi: Points


def watch(db: Connection) -> Watch:
    """Read it. Stands in one transaction."""
    seen = _tills(db)
    return Watch(
        tills=tuple(each for each in seen if not each.is_hub),
        hubs=tuple(each for each in seen if each.is_hub),
        open_cases=cases.open_by_reason(db),
        recomputed=recomputing.verdicts(db),
        suspense_centi=_suspense(db),
    )


def overview(db: Connection, biz_day: int, now: datetime, cap_centi: Points) -> Overview:
    """Read everything. Stands in one transaction. ``cap_centi``: that a till may redeem of one member on one day while cut off,
    of points that others may redeem too."""
    seen = _tills(db)
    tills = tuple(each for each in seen if not each.is_hub)
    return Overview(
        tills=tills,
        hubs=tuple(_hub(db, each) for each in seen if each.is_hub),
        programmes=_programmes(db, tills, now),
        backs=_backs(db),
        stops=rule_stops.standing(db),
        stops_due=rule_stops.not_yet(db),
        day=_day(db, biz_day),
        exposure=_exposure(db, sum(each.state == "active" for each in tills), cap_centi),
        open_cases=cases.open_by_reason(db),
        recomputed=recomputing.verdicts(db),
    )


def _tills(db: Connection) -> tuple[TillSeen, ...]:
    return tuple(
        TillSeen(
            till=till,
            store=store or "",
            epoch=epoch,
            applied_seq=applied_seq,
            heard_at=from_ms(heard_ms) if heard_ms and epoch else None,
            asked_at=from_ms(asked_ms) if asked_ms else None,
            frozen=frozen,
            state=state or "",
            programme=programme,
            is_hub=bool(is_hub),
            waiting=waiting,
        )
        for till, store, epoch, applied_seq, heard_ms, asked_ms, frozen, state, programme, is_hub, waiting in db.execute(
            TILLS_SELECT, {"limit": TILLS_MAX}
        )
    )


def _hub(db: Connection, seen: TillSeen) -> HubSeen:
    held = 0 if seen.state == "lost" else int(db.execute(HUB_HELD_SELECT, {"hub": seen.till, "epoch": seen.epoch}).fetchone()[0])
    return HubSeen(
        hub=seen.till, store=seen.store, heard_at=seen.heard_at, asked_at=seen.asked_at, waiting=seen.waiting,
        held_centi=Points(max(0, held)), frozen=seen.frozen, state=seen.state,
    )  # fmt: skip


def _programmes(db: Connection, tills: tuple[TillSeen, ...], now: datetime) -> tuple[ProgrammeSeen, ...]:
    sellers: defaultdict[str, int] = defaultdict(int)
    for each in tills:
        if each.programme is not None:
            sellers[each.programme.partition("#")[0]] += 1
    return tuple(
        ProgrammeSeen(id=id_, version=version, sha256=sha.hex(), received_at=from_ms(ms), tills=sellers[f"{id_}@{version}"])
        for id_, version, sha, ms in db.execute(PROGRAMMES_SELECT, {"limit": ACTS_MAX, "now": to_ms(now)})
    )


def _backs(db: Connection) -> tuple[BackSeen, ...]:
    return tuple(
        BackSeen(at=from_ms(ms), programme=programme, from_version=first, to_version=last, by=by, reason=reason)
        for ms, programme, first, last, by, reason in db.execute(BACKS_SELECT, {"limit": ACTS_MAX})
    )


def _day(db: Connection, biz_day: int) -> tuple[DayOfStore, ...]:
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for store, count, due, redeemed, accrued in db.execute(SALES_SELECT, {"day": biz_day}):
        found[store] |= {"sales": count, "due_minor": due, "redeemed_centi": redeemed, "accrued_centi": accrued}
    for store, count, refund in db.execute(RETURNS_SELECT, {"day": biz_day}):
        found[store] |= {"returns": count, "refund_minor": refund}
    nothing = {"sales": 0, "due_minor": 0, "redeemed_centi": 0, "accrued_centi": 0, "returns": 0, "refund_minor": 0}
    return tuple(DayOfStore(store=store, **(nothing | figures)) for store, figures in sorted(found.items()))


def _exposure(db: Connection, tills: int, cap_centi: Points) -> Exposure:
    outstanding = db.execute("SELECT coalesce(SUM(remaining), 0) FROM lot WHERE unit = 'point'").fetchone()[0]
    held = db.execute(HELD_SELECT).fetchone()[0]
    return Exposure(
        outstanding_centi=Points(outstanding),
        held_by_tills_centi=Points(held),
        suspense_centi=_suspense(db),
        tills=tills,
        twice_centi=Points(tills * int(db.execute(CAPPED_SELECT, {"cap": cap_centi}).fetchone()[0]) if cap_centi else 0),
    )


def _suspense(db: Connection) -> Points:
    return Points(-ledger.balance_of(db, "suspense", POINT))


TILLS_SELECT = """SELECT t.id, k.store, t.epoch, t.applied_seq, t.heard_ms, t.asked_ms, t.frozen, k.state,
  (SELECT s.programme_version FROM txn AS s WHERE s.till = t.id AND s.epoch = t.epoch AND s.programme_version IS NOT NULL
   ORDER BY s.seq DESC LIMIT 1),
  t.hub_waiting IS NOT NULL OR EXISTS (
    SELECT 1 FROM till_key AS e CROSS JOIN txn AS f
    WHERE e.till = t.id AND f.till = e.till AND f.epoch = e.epoch AND f.seq = 1 AND f.kind = 'rights.returned'
  ),
  t.hub_waiting
FROM till AS t LEFT JOIN till_key AS k
  ON k.till = t.id AND k.epoch = (SELECT MAX(n.epoch) FROM till_key AS n WHERE n.till = t.id)
ORDER BY t.id LIMIT :limit"""
PROGRAMMES_SELECT = """SELECT p.id, p.version, p.sha256, p.received_ms FROM programme AS p
LEFT JOIN publication AS n ON n.number = (SELECT m.number FROM publication AS m WHERE m.sha256 = p.sha256
  AND m.effective_ms <= :now ORDER BY m.effective_ms DESC, m.number DESC LIMIT 1)
ORDER BY coalesce(n.effective_ms, -1) DESC, coalesce(n.number, -1) DESC, p.arrival DESC LIMIT :limit"""
BACKS_SELECT = """SELECT wall_ms, CAST(payload AS TEXT) ->> '$.back.programme',
  CAST(CAST(payload AS TEXT) ->> '$.back.from_version' AS INTEGER),
  CAST(CAST(payload AS TEXT) ->> '$.back.to_version' AS INTEGER),
  CAST(payload AS TEXT) ->> '$.back.by', CAST(payload AS TEXT) ->> '$.back.reason'
FROM txn WHERE till = (SELECT value FROM meta WHERE key = 'owner') AND kind = 'programme.back'
ORDER BY epoch DESC, seq DESC LIMIT :limit"""
SALES_SELECT = """SELECT store, COUNT(*), SUM(due_minor), SUM(redeemed_centi), SUM(accrued_centi) FROM sale
WHERE biz_day = :day AND state = 'completed' GROUP BY store ORDER BY store"""
RETURNS_SELECT = (
    """SELECT store, COUNT(*), SUM(refund_minor) FROM sale_return WHERE biz_day = :day GROUP BY store ORDER BY store"""
)
CAPPED_SELECT = """SELECT coalesce(SUM(CASE WHEN owned > :cap THEN :cap ELSE owned END), 0) FROM (
  SELECT SUM(remaining) AS owned FROM lot WHERE unit = 'point' AND remaining > 0 GROUP BY member
) AS each_member"""
HUB_HELD_SELECT = f"""SELECT coalesce(SUM(centi), 0) FROM (
  SELECT l.lot, l.centi FROM right_grant AS g JOIN right_line AS l ON l.grant_id = g.id
  WHERE g.till = :hub AND g.epoch = :epoch AND NOT ({VOID})
  UNION ALL SELECT l.lot, -l.centi FROM right_grant AS g JOIN right_line AS l ON l.grant_id = g.id
  WHERE g.giver = :hub AND g.giver_epoch = :epoch
  UNION ALL SELECT lot, centi FROM right_return WHERE to_till = :hub AND to_epoch = :epoch
  UNION ALL SELECT lot, -centi FROM right_return WHERE till = :hub AND epoch = :epoch
) AS moves WHERE NOT lot GLOB 'gift:*' AND NOT lot GLOB 'coupon:*'"""
"""A hub sells nothing, so what it holds is what it was given less what it gave."""
HELD_SELECT = f"""SELECT coalesce(SUM(l.centi), 0) FROM right_grant AS g JOIN right_line AS l ON l.grant_id = g.id
WHERE g.closed IS NULL AND g.giver IS NULL AND NOT ({VOID}) AND NOT l.lot GLOB 'gift:*' AND NOT l.lot GLOB 'coupon:*'"""
