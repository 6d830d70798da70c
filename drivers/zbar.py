"""The second decoder, zbar, by pyzbar: optional. Without its library the cascade goes on with zxing-cpp alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from drivers.patches import Pixels

MISSING = "the second decoder is not installed (pyzbar, and the Debian package libzbar0): cards are read with zxing-cpp alone"
AIM = {"EAN13": "]E0", "EAN8": "]E4", "CODE128": "]C0", "CODE39": "]A0", "QRCODE": "]Q1"}
"""zbar names symbologies; the parser of codes wants AIM identifiers."""
KINDS = {"ean13": "EAN13", "ean8": "EAN8", "code128": "CODE128", "code39": "CODE39", "qr": "QRCODE"}


class ZbarRead(NamedTuple):
    """A payload with its AIM identifier, and where it stands."""

    raw: str
    is_corrected: bool
    outline: tuple[tuple[int, int], ...]


@cache
def missing() -> str | None:
    """Why there is no second decoder; None when there is."""
    try:
        import pyzbar.pyzbar  # noqa: F401
    except (ImportError, OSError):
        return MISSING
    return None


def read(pixels: Pixels, symbologies: Sequence[str]) -> list[ZbarRead]:
    """What zbar finds of these; nothing when it is not installed. Empty payloads, which it knows, are left out."""
    wanted = [KINDS[symbology] for symbology in symbologies if symbology in KINDS]
    if not wanted or missing() is not None:
        return []
    from pyzbar.pyzbar import ZBarSymbol, decode

    found: list[Any] = decode(pixels, symbols=[ZBarSymbol[name] for name in wanted])
    return [
        ZbarRead(
            AIM[each.type] + each.data.decode("utf-8", "replace"),
            each.type == "QRCODE",
            tuple((int(point.x), int(point.y)) for point in each.polygon),
        )
        for each in found
        if each.data and each.type in AIM
    ]
