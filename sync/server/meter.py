"""What head office counts of its own work since it started, and its figures for a monitor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pos_loyalty.gauges import Figure, alone, label
from pos_loyalty.store.overview import TillSeen, Watch


class Meter:
    """Counts since the start. Touched in one thread, that of the event loop."""

    def __init__(self) -> None:
        self.batches = self.batch_bytes = self.suspended = 0
        self.steps = self.waiting = 0
        self.waited_s = self.waited_most_s = self.worked_s = 0.0

    def took(self, size: int, suspended: int) -> None:
        """A batch was taken, of so many bytes."""
        self.batches += 1
        self.batch_bytes += size
        self.suspended += suspended

    def stepped(self, waited_s: float, worked_s: float) -> None:
        """A step of the ledger's thread is done."""
        self.steps += 1
        self.waited_s += waited_s
        self.waited_most_s = max(self.waited_most_s, waited_s)
        self.worked_s += worked_s


def figures(meter: Meter, seen: Watch, now: datetime) -> Iterator[Figure]:
    """Everything, in the order of docs/operations.md."""
    yield Figure(
        name="pos_loyalty_facts_taken_total", help="Facts held of all tills.", kind="counter",
        samples=alone(sum(each.applied_seq for each in seen.tills)),
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_batches_total", help="Batches taken since the start.", kind="counter", samples=alone(meter.batches)
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_batch_bytes_total", help="Bytes of batches as they came, packed.", kind="counter",
        samples=alone(meter.batch_bytes),
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_facts_suspended_total", help="Facts that contradicted what was known.", kind="counter",
        samples=alone(meter.suspended),
    )  # fmt: skip
    yield from _of_the_ledger(meter)
    yield from _of_the_tills(seen.tills, now)
    yield from _of_the_hubs(seen.hubs, now)
    yield Figure(
        name="pos_loyalty_cases_open", help="Cases that wait for a person, by reason.", kind="gauge",
        samples={label("reason", reason): count for reason, count in seen.open_cases.items()},
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_sales_recomputed_total", help="Facts of sales asked of the engine again, by what came of it.",
        kind="counter", samples={label("verdict", verdict): count for verdict, count in seen.recomputed.items()},
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_points_suspense_centi", help="Hundredths of a point redeemed that were not there.", kind="gauge",
        samples=alone(seen.suspense_centi),
    )  # fmt: skip


def _of_the_ledger(meter: Meter) -> Iterator[Figure]:
    yield Figure(
        name="pos_loyalty_ledger_steps_total", help="Steps of the ledger's thread.", kind="counter", samples=alone(meter.steps)
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_ledger_waiting", help="Steps that wait for the ledger's thread now.", kind="gauge",
        samples=alone(meter.waiting),
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_ledger_wait_seconds_total", help="Time that steps waited for the ledger's thread.", kind="counter",
        samples=alone(meter.waited_s),
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_ledger_wait_seconds_max", help="The longest such wait since the start.", kind="gauge",
        samples=alone(meter.waited_most_s),
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_ledger_work_seconds_total", help="Time that the ledger's thread worked.", kind="counter",
        samples=alone(meter.worked_s),
    )  # fmt: skip


def _of_the_tills(tills: tuple[TillSeen, ...], now: datetime) -> Iterator[Figure]:
    yield Figure(
        name="pos_loyalty_till_applied_seq", help="The number of the last fact held, by till.", kind="gauge",
        samples={label("till", each.till): each.applied_seq for each in tills},
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_till_lag_seconds", help="Time since a till last had nothing unsent.", kind="gauge",
        samples={label("till", each.till): lag_s(each, now) for each in tills if each.asked_at is not None},
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_till_frozen", help="1 for a till from which nothing is taken any more.", kind="gauge",
        samples={label("till", each.till): int(each.frozen is not None) for each in tills},
    )  # fmt: skip


def _of_the_hubs(hubs: tuple[TillSeen, ...], now: datetime) -> Iterator[Figure]:
    yield Figure(
        name="pos_loyalty_hub_lag_seconds", help="Time since a store's hub last asked.", kind="gauge",
        samples={_hub(each): lag_s(each, now) for each in hubs if each.asked_at is not None},
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_hub_waiting_facts", help="Facts that a hub keeps and head office has not, as it last said.",
        kind="gauge", samples={_hub(each): each.waiting for each in hubs if each.waiting is not None},
    )  # fmt: skip
    yield Figure(
        name="pos_loyalty_hub_frozen", help="1 for a hub from which nothing is taken any more.", kind="gauge",
        samples={_hub(each): int(each.frozen is not None) for each in hubs},
    )  # fmt: skip


def _hub(seen: TillSeen) -> str:
    return label("hub", seen.till)


def lag_s(till: TillSeen, now: datetime) -> int:
    """Seconds since a till last asked for changes, which it does when all of its log is sent."""
    return 0 if till.asked_at is None else max(0, int((now - till.asked_at).total_seconds()))
