"""A weighed basket weighed again with one line more, for hints: what is known of the other lines and goods is taken over."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from pos_loyalty.engine.combine import ON_PRICE, best_price
from pos_loyalty.engine.decide import Weighed, nths_of, weigh
from pos_loyalty.engine.lines import CalcLine, calc_lines
from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.engine.packing import Effort, Solved
from pos_loyalty.engine.stages import Priced
from pos_loyalty.values import Value


class Again(Value):
    """What the basket with one line more costs as the price tags say, and what the rules come to."""

    listed_minor: int
    priced: Priced


def again(weighed: Weighed, line: Line, effort: Effort) -> Again:
    """Weigh a basket with one line more. More of the goods of a calculation line changes that line alone."""
    asked = weighed.asked
    basket = replace(asked.basket, lines=(*asked.basket.lines, line))
    like = [place for place, held in enumerate(weighed.calc) if held.line.sku == line.sku]
    made = _joined(weighed, like[0], line) if len(like) == 1 else ()
    if len(made) == 1:
        calc = (*weighed.calc[: like[0]], *made, *weighed.calc[like[0] + 1 :])
        return Again(listed_minor=listed_of(calc), priced=_priced(weighed, basket, calc, like[0], effort))
    with_it = weigh(replace(asked, basket=basket, effort=effort), _solved(weighed.priced))
    return Again(listed_minor=listed_of(with_it.calc), priced=with_it.priced)


def listed_of(calc: Sequence[CalcLine]) -> int:
    """What lines cost as the price tags say."""
    return sum([line.list_minor for line in calc])


def _solved(priced: Priced) -> dict[int, Solved]:
    """What was searched, by pool."""
    return {
        done.rules[0].pool: Solved(kinds=found.sorted_units.kinds, offers=found.offers, packed=found.packed)
        for done in priced.dones
        if (found := done.searched) is not None
    }


def _joined(weighed: Weighed, place: int, line: Line) -> Sequence[CalcLine]:
    """The lines of a calculation line and one more: a single one when all are equal. Its ``members`` count these alone."""
    mine = [line, *[weighed.lines[member] for member in weighed.calc[place].members]]
    mine.sort(key=lambda each: each.line_id)
    return calc_lines(mine, weighed.asked.basket.manual, weighed.shelf)


def _priced(weighed: Weighed, basket: Basket, calc: Sequence[CalcLine], place: int, effort: Effort) -> Priced:
    """Only the line at ``place`` is new. Selectors find equal goods where they found them before: sums and counts change."""
    found, programme = weighed.question.found, weighed.asked.programme
    more = calc[place].list_minor - weighed.calc[place].list_minor
    situation = replace(
        weighed.situation,
        lines=calc,
        running_minor=[line.list_minor for line in calc],
        list_sums={s: minor + more if place in found[s] else minor for s, minor in weighed.situation.list_sums.items()},
        basket=basket,
    )
    rules = weighed.candidates
    if not programme.compatibility.is_exclusive:  # there all candidates count for how many scenarios are tried
        rules = [rule for rule in rules if rule.stage in ON_PRICE]
    nths = nths_of(rules, situation) if weighed.question.nths else weighed.question.nths
    question = replace(weighed.question, lines=calc, nths=nths, before=_solved(weighed.priced))
    return best_price(rules, situation, question, effort)
