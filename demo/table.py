"""What the demo prints: a row for each visit, and the sums. Figures are made by whole numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from demo import shop
from demo.cashier import Sold
from pos_loyalty.values import Value

HEADINGS = ("", "receipt", "card", "read by", "gross", "saved", "redeemed", "to pay", "earned", "head office", "unsent")
WIDTHS = (2, 11, 5, 7, 9, 8, 8, 9, 8, 11, 6)
TO_THE_LEFT = frozenset({1, 2, 3, 9})


class Day(Value):
    """What is told at the end besides the rows."""

    exposed_centi: int
    """Redeemed while cut off, before head office heard of it."""
    longest_queue: int
    unsent: int
    slips: int
    second_pictures: int
    answered_ms: tuple[float, ...]


def amount(hundredths: int) -> str:
    """Roubles or points with two digits: 1234567 is ``12 345.67``."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"{'-' if hundredths < 0 else ''}{whole:,}".replace(",", " ") + f".{rest:02d}"


def heading() -> str:
    """The head of the table and a rule under it."""
    return f"{_line(HEADINGS)}\n{'  '.join('─' * width for width in WIDTHS)}"


def row(sold: Sold) -> str:
    """One visit; its notes stand below it."""
    cells = (
        str(sold.number),
        sold.receipt_no,
        sold.card,
        sold.how,
        amount(sold.gross_minor),
        amount(sold.saved_minor),
        amount(sold.redeemed_centi),
        amount(sold.due_minor),
        amount(sold.earned_centi),
        "answers" if sold.is_online else "CUT OFF",
        str(sold.unsent),
    )
    return "\n".join([_line(cells), *(f"{'':4}└ {note}" for note in sold.notes)])


def worst_centi() -> int:
    """The most that may be redeemed twice while tills are cut off, known before it happens."""
    return shop.CAP_POINTS * 100 * shop.MEMBERS * shop.TILLS * shop.CUT_DAYS


def allowance() -> str:
    """The policy and its worst case, in a sentence or two."""
    return (
        f"While head office is silent a member may redeem {shop.CAP_POINTS} points a day at this till.\n"
        f"Worst case, known beforehand: {shop.CAP_POINTS} points × {shop.MEMBERS} members × {shop.TILLS} till "
        f"= {amount(worst_centi())} points."
    )


def summary(sold: Sequence[Sold], day: Day) -> str:
    """The sums over the sales that stand."""
    stands = [each for each in sold if each.state == "completed"]
    cut_off = sum(not each.is_online for each in sold)
    cancelled, voided = (sum(each.state == state for each in sold) for state in ("cancelled", "reversed"))
    calls = day.answered_ms
    facts = {
        "sales": f"{len(stands)} of {len(sold)} stand; {cancelled} cancelled, {voided} voided; {cut_off} sold while cut off",
        "gross": f"{amount(sum(each.gross_minor for each in stands))} ₽",
        "saved": f"{amount(sum(each.saved_minor for each in stands))} ₽ by rules",
        "points": f"{_points(stands, 'earned_centi')} accrued, {_points(stands, 'redeemed_centi')} redeemed",
        "paid": f"{amount(sum(each.due_minor for each in stands))} ₽",
        "queue": f"{day.longest_queue} facts at its longest, {day.unsent} now",
        "exposure": f"{amount(day.exposed_centi)} points were redeemed unconfirmed; worst case {amount(worst_centi())}",
        "receipts": f"{day.slips} slips printed",
        "cards": _cards(sold, day.second_pictures),
        "answers": f"{median(calls):.0f} ms at the median, {max(calls):.0f} ms at most, over {len(calls)} calls",
    }
    return "\n".join(f"  {name:<9} {figures}" for name, figures in facts.items())


def _points(sold: Sequence[Sold], name: str) -> str:
    return amount(sum(getattr(each, name) for each in sold))


def _cards(sold: Sequence[Sold], second_pictures: int) -> str:
    by = {how: sum(each.how == how for each in sold) for how in ("scan", "picture", "-")}
    again = f" ({second_pictures} taken twice)" if second_pictures else ""
    return f"{by['scan']} by the serial scanner, {by['picture']} from pictures{again}, {by['-']} sales without a card"


def _line(cells: Sequence[str]) -> str:
    padded = (
        cell.ljust(width) if place in TO_THE_LEFT else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return "  ".join(padded).rstrip()
