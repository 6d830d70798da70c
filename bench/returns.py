"""A return against a sale: ``python -m bench.returns [--rounds N] [--json]``.

Each round sells 20 lines under 100 rules, then takes one line back, then all that is left, each with its slip in the spool. Sale:
the quote and its authorise, complete in one step; the verb alone stands beside it. CPU time of this process, so that the disk and
other processes do not matter. Bound: median of the dearer return ≤ 2 × median sale.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from bench import shop
from bench.common import finish, series, void
from pos_loyalty.engine.model import Basket
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import IdentifyRequest, QuoteRequest, SaleRequest
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.till.till import Till
from pos_loyalty.wiring import open_till

MEMBERS = 1_000
WARM_UP = 20
FACTOR = 2
NAMES = ("sale", "of it authorise", "return of a line", "return of the rest")


def main() -> int:
    """Measure, print, and say by the exit status whether the bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="measured sales (200)")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    times: dict[str, list[int]] = {name: [] for name in NAMES}
    with tempfile.TemporaryDirectory() as name:
        till = open_till(shop.write_shop(Path(name), shop.goods(), MEMBERS))
        try:
            for n, basket in enumerate(shop.baskets(shop.goods(), args.rounds + WARM_UP)):
                if n == WARM_UP:
                    for each in times.values():
                        each.clear()
                _round(till, basket, n % MEMBERS, times)
            differences = verify(till._desk.db)
        finally:
            till.close()
    if differences:
        return void("returns", differences[0])
    figures = {name: series(each) for name, each in times.items()}
    dearer = max(figures["return of a line"].median, figures["return of the rest"].median)
    shown: dict[str, object] = {**figures, "ratio": f"{dearer / figures['sale'].median:.2f} x a sale; allowed are {FACTOR} x"}
    shown["ratio to authorise alone"] = f"{dearer / figures['of it authorise'].median:.2f}"
    return finish("returns", shown, dearer <= FACTOR * figures["sale"].median, as_json=args.json)


def _round(till: Till, basket: Basket, member: int, times: dict[str, list[int]]) -> None:
    sale_id = uuid5(NAMESPACE_URL, basket.basket_id).hex
    member_id = till.identify(IdentifyRequest(card=shop.card_of(member))).member_id
    begin = time.process_time_ns()
    quote = till.quote(QuoteRequest(basket=basket, member_id=member_id))
    priced = time.process_time_ns()
    assert quote.quote_id is not None
    till.authorise(SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True), sale_id)
    sold = time.process_time_ns()
    line = LineBack(line_id=basket.lines[0].line_id, quantity_milli=basket.lines[0].quantity_milli)
    till.return_goods(sale_id, ReturnRequest(return_id=f"{sale_id}-1", lines=(line,)), f"{sale_id} 1")
    first = time.process_time_ns()
    till.return_goods(sale_id, ReturnRequest(return_id=f"{sale_id}-2", all=True), f"{sale_id} 2")
    rest = time.process_time_ns()
    for name, spent in zip(NAMES, (sold - begin, sold - priced, first - sold, rest - first), strict=True):
        times[name].append(spent)


if __name__ == "__main__":
    sys.exit(main())
