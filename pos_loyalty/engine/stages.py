"""Stages 1 to 5 in their fixed order: the host's own offs, item, customer, order, manual; then which rules may give points."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.conditions import Situation
from pos_loyalty.engine.figures import money_text
from pos_loyalty.engine.model import Beaten, Refusal
from pos_loyalty.engine.pricing import (
    MANUAL,
    PRIOR,
    Off,
    Stopped,
    best_cuts,
    cut_offs,
    held_of,
    left_after,
    manual_offs,
    order_offs,
)
from pos_loyalty.engine.programme import ReadyRule
from pos_loyalty.engine.rules import Stage
from pos_loyalty.values import Value


class Priced(Value):
    """What came off, what is left of each calculation line, which rules hold and which do not."""

    offs: tuple[Off, ...]
    left_minor: tuple[int, ...]
    item_minor: int
    """What stage item took off."""
    held: tuple[ReadyRule, ...]
    beaten: tuple[Beaten, ...]
    refusals: tuple[Refusal, ...]
    stopped: tuple[Stopped, ...]


def price(candidates: Sequence[ReadyRule], situation: Situation) -> Priced:
    """Run the stages. ``situation`` shows the lines as the host left them."""
    lines, found = situation.lines, situation.found
    of_stage: dict[Stage, list[ReadyRule]] = {"item": [], "customer": [], "order": [], "points": []}
    for rule in candidates:
        of_stage[rule.stage].append(rule)
    item = held_of(of_stage["item"], situation)
    items = best_cuts(item.rules, found, situation.running_minor)
    situation = replace(situation, running_minor=left_after(lines, items.best))
    customer = held_of(of_stage["customer"], situation)
    customers = best_cuts(customer.rules, found, situation.running_minor)
    cut = cut_offs(lines, items.best, customers.best)
    left = _less([line.list_minor for line in lines], cut.offs)

    situation = replace(situation, running_minor=left)
    order = held_of(of_stage["order"], situation)
    ordered = order_offs(order.rules, left, situation)
    left = _less(left, ordered.offs)
    manual = manual_offs(lines, left)
    left = _less(left, manual.offs)

    points = held_of(of_stage["points"], replace(situation, running_minor=left))
    item_ids = {rule.id for rule in item.rules}
    return Priced(
        offs=cut.offs + ordered.offs + manual.offs,
        left_minor=tuple(left),
        item_minor=sum(off.off_minor for off in cut.offs if off.rule in item_ids),
        held=item.rules + customer.rules + order.rules + points.rules,
        beaten=items.beaten + customers.beaten + ordered.beaten,
        refusals=item.refusals
        + customer.refusals
        + order.refusals
        + points.refusals
        + ordered.refusals
        + _prior_refusals(situation)
        + _manual_refusals(manual.stopped, situation),
        stopped=cut.stopped + manual.stopped,
    )


def _less(left_minor: Sequence[int], offs: Sequence[Off]) -> list[int]:
    left = list(left_minor)
    for off in offs:
        left[off.place] -= off.off_minor
    return left


def _prior_refusals(situation: Situation) -> tuple[Refusal, ...]:
    exponent = situation.exponent
    return tuple(
        Refusal(rule=PRIOR, condition="line", have=money_text(line.gross_minor, exponent), need=money_text(prior, exponent))
        for line in situation.lines
        if (prior := line.line.prior_off_minor) > line.gross_minor
    )


def _manual_refusals(stopped: Sequence[Stopped], situation: Situation) -> tuple[Refusal, ...]:
    exponent = situation.exponent
    return tuple(
        Refusal(
            rule=MANUAL,
            condition="line",
            have=money_text(situation.lines[each.place].manual_minor - each.stopped_minor, exponent),
            need=money_text(situation.lines[each.place].manual_minor, exponent),
        )
        for each in stopped
    )
