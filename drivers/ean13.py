"""EAN-13, and UPC-A as the one that begins with a nought: 95 modules. **Source:** ISO/IEC 15420."""

from __future__ import annotations

from drivers.likeliest import Cell, Layout

ODD = "0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011".split()  # noqa: SIM905 — ten words
"""Digits of the left half in the odd set. The even set is the right half's mirrored, which is the odd one's negative."""
RIGHT = [form.translate(str.maketrans("01", "10")) for form in ODD]
EVEN = [form[::-1] for form in RIGHT]
LEFT = ODD + EVEN
PARITIES = "000000 001011 001101 001110 010011 011001 011100 010101 010110 011010".split()  # noqa: SIM905 — ten words
"""Which digits of the left half are even, by the first digit, which has no bars of its own."""
GUARD, CENTRE = "101", "01010"
HALF = 6

LAYOUT = Layout(
    (
        Cell(tuple(GUARD + form for form in LEFT)),
        *[Cell(tuple(LEFT))] * (HALF - 2),
        Cell(tuple(form + CENTRE for form in LEFT)),
        *[Cell(tuple(RIGHT))] * (HALF - 1),
        Cell(tuple(form + GUARD for form in RIGHT), is_last=True),
    ),
    lambda forms: check_holds(forms),
    margin_min=0.015,
)


def check_holds(forms: list[int]) -> bool:
    """The even and odd digits tell a first digit, and the check digit fits."""
    left, right = forms[:HALF], forms[HALF:]
    parity = "".join("01"[form >= len(ODD)] for form in left)
    if parity not in PARITIES:
        return False
    digits = [PARITIES.index(parity), *(form % len(ODD) for form in left), *right]
    return sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0
