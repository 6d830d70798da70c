"""The optimum of packing problems by an integer programme of HiGHS: ``python -m tests.oracles.highs`` reads JSON lines.

It cannot live in one process with OR-Tools. "No bound" is written as the solver's own infinity: a large number in its place has
made it call wrong values optimal.
"""

from __future__ import annotations

import highspy

from tests.oracles.listing import Json, answer_lines, limits_of


def optimum(problem: Json) -> int:
    """The largest value of any packing."""
    model = highspy.Highs()
    model.silent()
    model.setOptionValue("threads", 1)
    model.setOptionValue("mip_rel_gap", 0.0)
    model.setOptionValue("mip_abs_gap", 0.0)
    offers = limits_of(problem)
    inf = highspy.kHighsInf
    rows: list[tuple[float, dict[int, int]]] = [(count, {}) for _, _, count in problem["kinds"]]
    costs: list[int] = []
    bounds: list[float] = []
    money_of: dict[int, int] = {}
    for offer in offers:
        first = len(costs)
        gifts = {kind: len(rows) + i for i, kind in enumerate(offer.gifts)}
        rows.extend((count, {}) for count in offer.gifts.values())
        for choice in offer.choices:
            for kind, count in choice.need:
                rows[kind][1][len(costs)] = count
            for kind, count in choice.gifts:
                rows[gifts[kind]][1][len(costs)] = count
            costs.append(choice.worth)
            bounds.append(1 if offer.is_once else inf)
        numbers = range(first, len(costs))
        if offer.times is not None:
            rows.append((offer.times, {i: choice.groups for i, choice in zip(numbers, offer.choices, strict=True)}))
        if offer.is_once:
            rows.append((1, dict.fromkeys(numbers, 1)))
        if offer.money is not None:
            worths = {i: choice.worth for i, choice in zip(numbers, offer.choices, strict=True)}
            if offer.is_whole:
                rows.append((offer.money, worths))
            else:  # a variable for what the offer gives, at most the money and at most what its choices are worth
                for i in numbers:
                    costs[i] = 0
                given = len(costs)
                costs.append(1)
                bounds.append(offer.money)
                money_of[given] = 1
                rows.append((0, {given: 1} | {i: -worth for i, worth in worths.items()}))
    if not costs:
        return 0
    for i, (cost, bound) in enumerate(zip(costs, bounds, strict=True)):
        model.addVar(0.0, float(bound))
        model.changeColCost(i, float(cost))
        if i not in money_of:
            model.changeColIntegrality(i, highspy.HighsVarType.kInteger)
    for top, terms in rows:
        if terms:
            model.addRow(-inf, float(top), len(terms), list(terms), [float(term) for term in terms.values()])
    model.changeObjectiveSense(highspy.ObjSense.kMaximize)
    model.run()
    assert model.getModelStatus() == highspy.HighsModelStatus.kOptimal, model.getModelStatus()
    return _exactly([round(x) for x in model.getSolution().col_value], problem)


def _exactly(amounts: list[int], problem: Json) -> int:
    """The value of the solver's choices in whole numbers."""
    value = at = 0
    for offer in limits_of(problem):
        worth = sum(often * choice.worth for often, choice in zip(amounts[at:], offer.choices, strict=False))
        at += len(offer.choices)
        if offer.money is not None and not offer.is_whole:
            at += 1
            worth = min(worth, offer.money)
        value += worth
    return value


if __name__ == "__main__":
    answer_lines(optimum)
