"""Worlds in which tills redeem all while they hear head office, and while cut off up to a cap, or nothing; and their laws."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from tests.simulation.template import MEMBERS, Terms

if TYPE_CHECKING:
    from pos_loyalty.till.model import SaleAnswer
    from tests.simulation.books import Books
    from tests.simulation.chronicle import Row
    from tests.simulation.counter import Counter
    from tests.simulation.world import World

CAP_CENTI = 3_000
HEARD_MS = 60_000
"""``head_office.answers_for_s``, as it is by default."""
MOSCOW = timezone(timedelta(hours=3))
ALLOWANCE = Terms(settings='[offline]\npolicy = "allowance"\ncap_per_member_day = "30"\n', policy="allowance")
REFUSE = Terms(settings='[offline]\npolicy = "refuse"\n', policy="refuse")
ALLOWED = {"lot.overdrawn"}
"""Two tills redeemed the same points, which these policies allow within their bounds."""
ENDED = ("sale.cancelled", "sale.reversed")


def heard_lately(counter: Counter, answer: SaleAnswer) -> None:
    """I1': under ``refuse`` nothing is redeemed by a till that did not hear head office within the last minute of its uptime."""
    if counter.world.kind.terms.policy != "refuse" or answer.ended_at not in (None, answer.authorised_at):
        return
    centi = answer.quote.redemption.centi if answer.quote.redemption is not None else 0
    now, boots = counter.machine.true.ms, counter.machine.boots
    is_sure = any(boot == boots for _, _, boot in counter.heard) and counter.machine.off_ms == 0
    last = max((true_ms for _, true_ms, boot in counter.heard if boot == boots), default=now)
    assert not centi or not is_sure or now - last <= HEARD_MS, f"I1: {counter.name} redeems {centi}, {now - last} ms after a word"


def within_bounds(world: World, held: list[Row], logs: dict[str, list[Row]], books: Books) -> None:
    """I1': cut off, a till redeems no more of a member in a day of its own clock than the cap, and nothing is overdrawn but what
    others than who took most took: tills that redeemed or took goods back, head office that booked an end. Each of them took what
    was there by all that it had heard."""
    by_day: defaultdict[tuple[str, int, str, object], int] = defaultdict(int)
    by_taker: defaultdict[str, defaultdict[tuple[str, int], int]] = defaultdict(lambda: defaultdict(int))
    sales, ended = {}, set()
    for row in {row.id: row for log in (held, *logs.values()) for row in log}.values():
        fact = json.loads(row.payload)
        for entry in fact.get("entries") or ():
            if entry["debit"] == f"member:{entry['member_id']}":
                by_taker[entry["member_id"]][row.till, row.epoch] += entry["amount"]
        if fact.get("sale"):
            sales[row.till, fact["sale"]["sale_id"]] = fact
        elif fact["kind"] in ENDED:
            ended.add((row.till, fact["end"]["sale_id"]))
    for key, fact in sales.items():
        if fact.get("member") is None:
            continue
        if key not in ended:
            day = datetime.fromisoformat(fact["at"]).astimezone(MOSCOW).date()
            by_day[fact["till"], fact["epoch"], fact["member"], day] += fact["sale"]["offline_centi"]
    cap = CAP_CENTI if world.kind.terms.policy == "allowance" else 0
    over = {key: centi for key, centi in by_day.items() if centi > cap}
    assert not over, f"I1: cut off, more than {cap} was redeemed: {over}"
    short: defaultdict[str, int] = defaultdict(int)
    for lot, left in books.left.items():
        if left < 0 and lot.partition(":")[2] in MEMBERS:
            short[lot.partition(":")[2]] -= left
    for member, centi in short.items():
        others = sum(by_taker[member].values()) - max(by_taker[member].values(), default=0)
        assert centi <= others, f"I1: {centi} of {member} are overdrawn, and all but one took {others}"
