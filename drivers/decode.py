"""Symbols on a grey picture by a cascade of renderings, cheapest first, and the vote that makes one of them believed.

More effort finds more cards and more wrong numbers, so nothing counts without ``accept`` and the vote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from drivers.patches import cleaned, find_patches, upright
from drivers.symbology import parse
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.values import Value

if TYPE_CHECKING:
    from drivers.patches import Pixels
    from drivers.ports import Symbology

VOTES_NEEDED = 2
"""Equal reads in different renderings. A symbol with error correction needs one."""
HALVE_FROM_WIDTH = 900
PATCH_FROM_SIDE = 64


class Symbol(Value):
    """One read: the text without its AIM identifier, and the rendering that it was found in."""

    text: str
    symbology: Symbology | None
    rendering: str
    is_corrected: bool
    """The symbology has error correction: a wrong text would be noticed."""


def read_symbols(gray: Pixels, symbologies: Sequence[str], deadline_ns: int) -> Iterator[tuple[Symbol, ...]]:
    """What each rendering shows, one tuple a rendering. Ends with the renderings or when the deadline has passed."""
    formats = _formats(symbologies)
    for name, pixels, is_upright in _renderings(gray):
        yield tuple(_decode(pixels, formats, name, is_upright))
        if monotonic_ns() >= deadline_ns:
            return


def vote(batches: Iterable[tuple[Symbol, ...]], accept: Callable[[Symbol], str | None]) -> str | None:
    """The one accepted text that has votes enough; None when there is none, or when two different ones were accepted.

    ``accept`` gives the text to count for a symbol, or None for one that is not wanted.
    """
    votes: dict[str, set[str]] = {}
    for batch in batches:
        for symbol in batch:
            text = accept(symbol)
            if text:
                cast = {symbol.rendering, "corrected"} if symbol.is_corrected else {symbol.rendering}
                votes.setdefault(text, set()).update(cast)
        if len(votes) > 1:
            return None
        for text, renderings in votes.items():
            if len(renderings) >= VOTES_NEEDED:
                return text
    return None


def _renderings(gray: Pixels) -> Iterator[tuple[str, Pixels, bool]]:
    """Name, pixels, and whether bars stand upright in them."""
    import cv2

    yield "plain", gray, False
    yield "soft", cv2.GaussianBlur(gray, (3, 3), 0), False
    if gray.shape[1] >= HALVE_FROM_WIDTH:
        yield "half", cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), False
    else:
        yield "double", cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), False
    for number, patch in enumerate(find_patches(gray) if min(gray.shape) >= PATCH_FROM_SIDE else []):
        for name, pixels in cleaned(upright(gray, patch)):
            yield f"patch {number} {name}", pixels, True
    yield "clahe", cv2.createCLAHE(2.0, (8, 8)).apply(gray), False
    yield "median", cv2.medianBlur(gray, 3), False
    yield "unsharp", cv2.addWeighted(gray, 2.5, cv2.GaussianBlur(gray, (0, 0), 2), -1.5, 0), False


def _decode(pixels: Pixels, formats: Any, name: str, is_upright: bool) -> Iterator[Symbol]:
    import zxingcpp

    found = zxingcpp.read_barcodes(
        pixels,
        formats=formats,
        try_rotate=not is_upright,
        try_downscale=not is_upright,
        try_invert=not is_upright,
        text_mode=zxingcpp.TextMode.Plain,
    )
    for barcode in found:
        code = parse(barcode.symbology_identifier + barcode.text)
        if code.text:
            yield Symbol(text=code.text, symbology=code.symbology, rendering=name, is_corrected=code.symbology == "qr")


def _formats(symbologies: Sequence[str]) -> Any:
    import zxingcpp

    known = zxingcpp.BarcodeFormat
    names = {"ean13": known.EAN13, "ean8": known.EAN8, "code128": known.Code128, "qr": known.QRCode}
    return zxingcpp.BarcodeFormats([names[symbology] for symbology in sorted(set(symbologies) & names.keys())])
