"""How fast a receipt is built and how long it is: ``python -m bench.receipts [--json]``.

Ours: elements → lines → ESC/POS bytes on CP866. Peer: python-escpos, its ``Dummy`` reused and forced to CP866, given the same
words and figures; rows are padded by an f-string and styles set where they change, as its users do. Beside it: the peer made
anew for each, the peer with its own choice of code pages, and the whole way of both, from a stored sale on. They take turns,
ten receipts at a time, in CPU time. Bounds: ≥ 3 × the reused peer; ≤ 1,200 bytes for four lines; ≤ 130 bytes a further line.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from bench.common import finish, series
from pos_loyalty.engine.model import Adjustment
from pos_loyalty.values import Minor, Thousandths
from receipts.compose import compose
from receipts.elements import Barcode, Cut, Element, Feed, Qr, Row, Rule, Text
from receipts.escpos import to_escpos
from receipts.look import Look
from receipts.model import PaperCoupon, Receipt
from receipts.samples import AT, full_sale

FASTER, BYTES_MAX, LINE_BYTES_MAX = 3, 1_200, 130
COLUMNS, PAGE, SLOT = 48, "cp866", 17
ROUNDS, AT_A_TIME, COLD_ROUNDS = 200, 10, 60
PROFILE = "TM-T20II"
GOODS = (
    ("Кофе молотый «Арабика», 250 г", 2, 44_990),
    ("Хлеб бородинский", 1, 6_490),
    ("Молоко 3,2 %", 3, 9_900),
    ("Сыр «Костромской»", 1, 31_016),
)
REPLACED = str.maketrans({"«": '"', "»": '"', "−": "-", "×": "x", "₽": "р", "•": "*", "—": "-", "\xa0": " "})


def reference() -> Receipt:
    """Four lines, two reasons, points paid and earned, VAT, a tier ahead, what runs out, a coupon as EAN-13, the receipt's QR."""
    sale = full_sale()
    lines, priced = [], []
    for place, (name, count, price) in enumerate(GOODS):
        line, quoted = sale.basket.lines[place], sale.quote.lines[place]
        milli = Thousandths(count * 1000)
        lines.append(replace(line, name=name, quantity_milli=milli, price_minor=Minor(price), measure="piece", vat_bp=1000))
        gross = count * price
        off = (Adjustment(rule="dairy", off_minor=Minor(gross // 10)),) if place in (0, 2) else ()
        net = Minor(gross - sum(each.off_minor for each in off))
        priced.append(replace(quoted, gross_minor=Minor(gross), net_minor=net, vat_minor=Minor(net // 11), adjustments=off))
    gross_minor, total = sum(line.gross_minor for line in priced), sum(line.net_minor for line in priced)
    quote = replace(
        sale.quote, lines=tuple(priced), gross_minor=Minor(gross_minor), total_minor=Minor(total), due_minor=Minor(total - 10_000)
    )
    look = Look(header=("ЛАВКА «У РЕКИ»", "Кострома, ул. Чайковского, 7"), footer=("Спасибо за покупку!",), has_bars=True)
    coupon = PaperCoupon(code="2200000000019", title={"ru": "−15 % на весь чек"}, expires_at=AT)
    return replace(sale, look=look, basket=replace(sale.basket, lines=tuple(lines)), quote=quote, coupons=(coupon,))


def twice(receipt: Receipt) -> Receipt:
    """The same with every line twice."""
    goods = receipt.basket.lines + tuple(replace(line, line_id=line.line_id + "+") for line in receipt.basket.lines)
    priced = receipt.quote.lines + tuple(replace(line, line_id=line.line_id + "+") for line in receipt.quote.lines)
    return replace(receipt, basket=replace(receipt.basket, lines=goods), quote=replace(receipt.quote, lines=priced))


def ours(elements: Sequence[Element]) -> bytes:
    """What the till does in the sale's transaction once the receipt is composed."""
    return to_escpos(elements, columns=COLUMNS, page=PAGE, slot=SLOT)


def peer(dummy: Any, elements: Sequence[Element]) -> bytes:
    """The same receipt as a user of python-escpos writes it."""
    dummy.clear()
    dummy.hw("INIT")
    style: tuple[str, str, str] = ("left", "normal", "normal")
    for element in elements:
        match element:
            case Row():
                style = _styled(dummy, style, ("left", element.weight, element.size))
                left, width = " " * element.indent + element.left, COLUMNS // 2 if element.size == "large" else COLUMNS
                dummy.textln(f"{left}{element.right:>{width - len(left)}}".translate(REPLACED))
            case Text():
                style = _styled(dummy, style, (element.align, element.weight, element.size))
                dummy.textln(element.text.translate(REPLACED))
            case Rule():
                style = _styled(dummy, style, ("left", "normal", "normal"))
                dummy.textln("-" * COLUMNS)
            case Feed(lines=lines):
                dummy.ln(lines)
            case Barcode(content=content):
                dummy.barcode(content, "EAN13", height=64, width=3, pos="BELOW", align_ct=True)
                style = ("centre", style[1], style[2])
            case Qr(content=content):
                style = _styled(dummy, style, ("centre", "normal", "normal"))
                dummy.qr(content, native=True, size=6)
            case Cut():
                dummy.cut(mode="PART")
            case _:
                raise AssertionError(element)
    return bytes(dummy.output)


def _styled(dummy: Any, before: tuple[str, str, str], after: tuple[str, str, str]) -> tuple[str, str, str]:
    if after != before:
        align = "center" if after[0] == "centre" else "left"
        if after[2] == "large":
            dummy.set(align=align, bold=after[1] == "bold", double_width=True, double_height=True)
        else:
            dummy.set(align=align, bold=after[1] == "bold", normal_textsize=True)
    return after


def _dummy(page: str | None) -> Any:
    from escpos.printer import Dummy

    made = Dummy(profile=PROFILE)
    if page is not None:
        made.charcode(page)
    return made


def _words(data: bytes) -> set[str]:
    """Words of more than three letters, to see that both say the same."""
    text = data.decode(PAGE, "replace")
    return {word for word in "".join(sign if sign.isalpha() else " " for sign in text).split() if len(word) > 3}


def _turns(makers: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[int]]:
    times: dict[str, list[int]] = {name: [] for name in makers}
    for _ in range(rounds):
        for name, make in makers.items():
            for _ in range(AT_A_TIME):
                before = time.process_time_ns()
                make()
                times[name].append(time.process_time_ns() - before)
    return times


def measure(rounds: int) -> tuple[dict[str, object], bool]:
    """All figures, and whether the bounds hold."""
    receipt = reference()
    elements = compose(receipt, "ru")
    reused, magic = _dummy("CP866"), _dummy(None)
    missing = _words(ours(elements)) - _words(peer(reused, elements))
    assert not missing, f"the peer does not say {missing}"
    makers: dict[str, Callable[[], object]] = {
        "ours": lambda: ours(elements),
        "peer": lambda: peer(reused, elements),
        "peer, its own pages": lambda: peer(magic, elements),
        "ours from the sale on": lambda: ours(compose(receipt, "ru")),
        "peer from the sale on": lambda: peer(reused, compose(receipt, "ru")),
        "peer made anew": lambda: peer(_dummy("CP866"), elements),
    }
    found = {name: series(each) for name, each in _turns(makers, rounds).items()}
    size = len(ours(elements))
    a_line = (len(ours(compose(twice(receipt), "ru"))) - size) / len(GOODS)
    ratio = found["peer"].median / found["ours"].median
    figures: dict[str, object] = {
        **found,
        "ratio": round(ratio, 2),
        "ratio from the sale on": round(found["peer from the sale on"].median / found["ours from the sale on"].median, 2),
        "receipts a second": round(1000 / found["ours"].median),
        "bytes": size,
        "bytes of the peer": len(peer(reused, elements)),
        "bytes a further line": a_line,
    }
    return figures, ratio >= FASTER and size <= BYTES_MAX and a_line <= LINE_BYTES_MAX


def main() -> int:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    with contextlib.redirect_stdout(io.StringIO()):  # the peer prints which renderer it takes
        figures, passed = measure(args.rounds)
    return finish("receipts", figures, passed, as_json=args.json)


if __name__ == "__main__":
    raise SystemExit(main())
