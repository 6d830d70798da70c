"""Bar codes: which bars and spaces a content makes, and how the printer is told it. Rule: what cannot be read is never printed.

**Source:** ISO/IEC 15420 (EAN) and ISO/IEC 15417 (Code 128); Epson's reference, ``GS k``, function B.
"""

from __future__ import annotations

from functools import lru_cache

from receipts.elements import BarKind

CODE128_SIGNS_MAX = 64
EAN13_DIGITS = 13
EAN_L = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
EAN_PARITY = ("LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL")
EAN_EDGE, EAN_MIDDLE = "101", "01010"
CODE128 = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122"
    "123221223211221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323"
    "131123131321112313132113132311211313231113231311112133112331132131113123113321133121313121211331231131"
    "213113213311213131311123311321331121312113312311332111314111221411431111111224111422121124121421141122"
    "141221112214112412122114122411142112142211241211221114413111241112134111111242121142121241114212124112"
    "124211411212421112421211212141214121412121111143111341131141114113114311411113411311113141114131311141"
    "411131211412211214211232"
)
"""Six widths for each value, bar and space in turn."""
SIX = 6
CODE128_STOP = "2331112"
START_B, START_C = 104, 105
CODE128_MODULUS = 103
DATA_LINK_ESCAPE = 16
QUIET_MODULES = 10
MODULE_DOTS: dict[BarKind, int] = {"ean13": 3, "code128": 2}


def is_barcode(kind: BarKind, content: str) -> bool:
    """Whether the content can be printed so: an EAN-13 with its right check digit, or printable ASCII."""
    if kind == "ean13":
        return is_ean13(content)
    return 0 < len(content) <= CODE128_SIGNS_MAX and content.isascii() and content.isprintable()


def is_ean13(content: str) -> bool:
    """Thirteen digits of which the last one is the check digit."""
    if len(content) != EAN13_DIGITS or not (content.isascii() and content.isdigit()):
        return False
    digits = [int(digit) for digit in content]
    return (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0


@lru_cache(maxsize=64)
def modules(kind: BarKind, content: str) -> str:
    """The symbol as ones (bars) and noughts (spaces), without its quiet zones."""
    return _ean13(content) if kind == "ean13" else _code128(content)


def fits(kind: BarKind, content: str, dots: int) -> bool:
    """Whether the symbol with its quiet zones stands on paper of so many dots."""
    return (len(modules(kind, content)) + 2 * QUIET_MODULES) * MODULE_DOTS[kind] <= dots


def printer_data(kind: BarKind, content: str) -> bytes:
    """What ``GS k`` is given. A pair of digits 16 would be a DLE byte, which begins commands that act at once: set B then."""
    if kind == "ean13":
        return content[:-1].encode()
    if _goes_in_pairs(content):
        return b"{C" + bytes(_pairs(content))
    return b"{B" + content.replace("{", "{{").encode()


def _ean13(content: str) -> str:
    left = "".join(
        EAN_L[int(digit)] if parity == "L" else _turned(EAN_L[int(digit)])
        for digit, parity in zip(content[1:7], EAN_PARITY[int(content[0])], strict=True)
    )
    right = "".join(_inverse(EAN_L[int(digit)]) for digit in content[7:])
    return EAN_EDGE + left + EAN_MIDDLE + right + EAN_EDGE


def _turned(pattern: str) -> str:
    """The G pattern of a digit: its R pattern read backwards."""
    return _inverse(pattern)[::-1]


def _inverse(pattern: str) -> str:
    return pattern.translate({ord("0"): "1", ord("1"): "0"})


def _code128(content: str) -> str:
    in_pairs = _goes_in_pairs(content)
    values = [START_C, *_pairs(content)] if in_pairs else [START_B, *(ord(sign) - ord(" ") for sign in content)]
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % CODE128_MODULUS
    widths = "".join(CODE128[value * SIX : (value + 1) * SIX] for value in (*values, check)) + CODE128_STOP
    return "".join(("1" if place % 2 == 0 else "0") * int(width) for place, width in enumerate(widths))


def _goes_in_pairs(content: str) -> bool:
    return content.isdigit() and len(content) % 2 == 0 and DATA_LINK_ESCAPE not in _pairs(content)


def _pairs(content: str) -> list[int]:
    return [int(content[at : at + 2]) for at in range(0, len(content), 2)]
