"""The optimum of packing problems by CP-SAT, in whole numbers: ``python -m tests.oracles.cpsat`` reads JSON lines.

It cannot live in one process with HiGHS.
"""

from __future__ import annotations

from ortools.sat.python import cp_model

from tests.oracles.listing import Json, answer_lines, limits_of


def optimum(problem: Json) -> int:
    """The largest value of any packing."""
    model = cp_model.CpModel()
    kinds = problem["kinds"]
    used: list[list[object]] = [[] for _ in kinds]
    value: list[object] = []
    for number, offer in enumerate(limits_of(problem)):
        often = []
        gifts: dict[int, list[object]] = {kind: [] for kind in offer.gifts}
        for i, choice in enumerate(offer.choices):
            most = 1 if offer.is_once else min(kinds[kind][2] // count for kind, count in choice.need)
            one = model.new_int_var(0, most, f"x{number}_{i}")
            often.append(one)
            for kind, count in choice.need:
                used[kind].append(one * count)
            for kind, count in choice.gifts:
                gifts[kind].append(one * count)
        for kind, given in gifts.items():
            model.add(sum(given) <= offer.gifts[kind])
        if offer.times is not None:
            model.add(sum(one * choice.groups for one, choice in zip(often, offer.choices, strict=True)) <= offer.times)
        if offer.is_once:
            model.add(sum(often) <= 1)
        worth = sum(one * choice.worth for one, choice in zip(often, offer.choices, strict=True))
        if offer.money is not None and not offer.is_whole:
            given_off = model.new_int_var(0, offer.money, f"money{number}")
            model.add(given_off <= worth)
            worth = given_off
        elif offer.money is not None:
            model.add(worth <= offer.money)
        value.append(worth)
    for units, (_, _, count) in zip(used, kinds, strict=True):
        model.add(sum(units) <= count)
    model.maximize(sum(value))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    assert status == cp_model.OPTIMAL, solver.status_name(status)
    return round(solver.objective_value)


if __name__ == "__main__":
    answer_lines(optimum)
