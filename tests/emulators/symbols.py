"""Bar codes as the judge reads them: what ``GS k`` was given → what a scanner would say. From Epson's reference alone."""

from __future__ import annotations

BAR_SETTINGS = {"GS h": 162, "GS w": 3, "GS H": 0}
"""As a printer has them after ``ESC @``."""
BAR_RANGES = {"GS h": range(1, 256), "GS w": range(2, 7), "GS H": range(4)}
EAN13, CODE128 = 67, 73


class JudgeError(Exception):
    """The bytes are not what a printer of this profile understands."""


def bar_setting(name: str, value: int) -> int:
    """The value, when the printer knows it."""
    if name == "GS H" and 48 <= value <= 51:
        value -= 48
    if value not in BAR_RANGES[name]:
        raise JudgeError(f"{name} {value}: no such setting")
    return value


def bars_of(args: bytes) -> tuple[str, str]:
    """Kind and content of a bar code that the printer would print."""
    kind, data = args[0], args[2:]
    if kind == EAN13:
        return "EAN-13", _ean13(data)
    if kind == CODE128:
        return "Code 128", _code128(data)
    raise JudgeError(f"GS k {kind}: this judge reads EAN-13 and Code 128")


def _ean13(data: bytes) -> str:
    if len(data) not in (12, 13) or not data.isdigit():
        raise JudgeError(f"GS k 67: {data!r} is no EAN-13")
    digits = data.decode()
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits[:12]))
    whole = digits[:12] + str(-total % 10)
    if len(digits) == 13 and digits != whole:
        raise JudgeError(f"GS k 67: {digits} has a wrong check digit")
    return whole


def _code128(data: bytes) -> str:
    """Code sets B and C; ``{{`` is one brace in B."""
    if data[:2] not in (b"{B", b"{C"):
        raise JudgeError("GS k 73: the data begin with no code set")
    code_set, said, at = data[1:2], "", 2
    while at < len(data):
        if data[at : at + 2] in (b"{B", b"{C"):
            code_set, at = data[at + 1 : at + 2], at + 2
        elif code_set == b"C":
            if data[at] > 99:
                raise JudgeError(f"GS k 73: {data[at]} is no pair of digits")
            said, at = said + f"{data[at]:02d}", at + 1
        else:
            sign = data[at : at + 2] if data[at : at + 1] == b"{" else data[at : at + 1]
            if (sign not in (b"{{", b"{") and not 0x20 <= sign[0] <= 0x7F) or sign == b"{" or (len(sign) == 2 and sign != b"{{"):
                raise JudgeError(f"GS k 73: {sign!r} is not understood")
            said, at = said + chr(sign[0]), at + len(sign)
    if not said:
        raise JudgeError("GS k 73: nothing to print")
    return said
