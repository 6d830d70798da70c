"""Symbols on a grey picture by a cascade of stages, cheapest first, and the vote that makes one of them believed.

More effort finds more cards and more wrong numbers, so nothing counts without a nomenclature and a vote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from drivers import blurred_bars, zbar
from drivers.patches import FINE, Box, Patch, corners, fields_of, find_blots, find_patches, quiet_of, tightened, upright
from drivers.strokes import lines_of, straightened, thirds_of
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
BLOT_WIDTH, BLOT_ENLARGE_MAX = 500, 4.0
LINEAR = ("ean13", "ean8", "code128", "code39")
MATRIX = ("qr", "datamatrix", "aztec", "pdf417")
CODE128_SIGNS_MIN = QR_SIGNS_MIN = 4
FEW = 2
"""Renderings of a patch that is not the largest: mostly the edges of cards."""
FILTERS = ("clahe", "median", "unsharp")

Outline = tuple[tuple[int, int], ...]


class Symbol(Value):
    """One read: the text without its AIM identifier, the rendering that it was found in, and where it stands in the picture."""

    text: str
    symbology: Symbology | None
    rendering: str
    is_corrected: bool
    """The symbology has error correction: a wrong text would be noticed."""
    outline: Outline = ()


class Bars(NamedTuple):
    """A patch turned upright, how much larger it is than in the picture, and where it stands there."""

    pixels: Pixels
    enlarged: float
    patch: Patch


Batch = tuple[Symbol, ...]
Stage = Callable[["Pixels"], Iterator[Batch]]


class Cascade:
    """Looks at frame after frame. What one frame's time does not suffice for goes on with the next frame."""

    def __init__(self, symbologies: Sequence[str], clock_ns: Callable[[], int] = monotonic_ns) -> None:
        self._symbologies = tuple(dict.fromkeys(symbologies))
        self._linear = [each for each in self._symbologies if each in LINEAR]
        self._matrix = [each for each in self._symbologies if each in MATRIX]
        self._clock_ns = clock_ns
        self._stages: tuple[Stage, ...] = (self._zbar, self._filtered)
        self._next = 0
        self._filter = 0

    def look(self, gray: Pixels, deadline_ns: int, wanted: Callable[[Symbol], bool]) -> Batch:
        """What this frame shows: up to the first batch with something wanted, or until the deadline has passed."""
        seen: list[Symbol] = []
        for batch in self._in_turn(gray):
            seen += batch
            if any(wanted(symbol) for symbol in batch) or self._clock_ns() >= deadline_ns:
                break
        return tuple(seen)

    def all_of(self, gray: Pixels, deadline_ns: int) -> Iterator[Batch]:
        """One batch a rendering, for a picture that stands alone. Ends with the renderings or when the deadline has passed."""
        import cv2

        def whole() -> Iterator[Batch]:
            yield self._zxing(gray, "plain")
            yield self._zxing(cv2.GaussianBlur(gray, (3, 3), 0), "soft")
            yield from self._zbar(gray)
            if gray.shape[1] >= HALVE_FROM_WIDTH:
                half = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                yield self._zxing(half, "half", scale=2.0)
            else:
                double = cv2.resize(gray, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
                yield self._zxing(double, "double", scale=0.5)
                yield self._zbar_at(double, "double zbar", scale=0.5)
            yield from self._regions(gray)
            for name in FILTERS:
                yield self._zxing(_filtered(gray, name), name)

        for batch in whole():
            yield batch
            if self._clock_ns() >= deadline_ns:
                return

    def _in_turn(self, gray: Pixels) -> Iterator[Batch]:
        yield self._zxing(gray, "plain")
        yield from self._regions(gray)
        for _ in self._stages:
            stage = self._stages[self._next]
            self._next = (self._next + 1) % len(self._stages)  # before it runs: one that takes all the time may not come twice
            yield from stage(gray)

    def _regions(self, gray: Pixels) -> Iterator[Batch]:
        if min(gray.shape) < PATCH_FROM_SIDE:
            return
        fields = fields_of(gray)
        coarse = find_patches(fields) if self._linear else []
        largest = [_stood_up(gray, patch) for patch in coarse[:1]]
        for bars in largest:
            yield from self._lines(bars, "coarse 0")
        if self._matrix:
            for number, box in enumerate(find_blots(fields)):
                yield from self._blot(gray, box, f"blot {number}")
        for bars in largest:
            yield from self._fitted(bars, "coarse 0")
        fine = find_patches(fields_of(gray, FINE)) if self._linear else []
        for patch in fine[:1]:
            bars = _stood_up(gray, patch)
            yield from self._lines(bars, "fine 0")
            yield from self._fitted(bars, "fine 0")
        for grain, patches in (("coarse", coarse), ("fine", fine)):
            for number, patch in enumerate(patches[1:], 1):
                yield from islice(self._lines(_stood_up(gray, patch), f"{grain} {number}"), FEW)

    def _lines(self, bars: Bars, name: str) -> Iterator[Batch]:
        outline = corners(bars.patch)
        yield self._zxing_upright(bars.pixels, f"{name} raw", outline)
        straight = straightened(bars.pixels)
        for line_name, line in lines_of(straight, bars.enlarged):
            yield self._zxing_upright(line, f"{name} {line_name}", outline)
            if line_name == "averaged":
                yield self._zbar_at(line, f"{name} zbar", outline=outline, only=self._linear)

    def _fitted(self, bars: Bars, name: str) -> Iterator[Batch]:
        import numpy as np

        outline, quiet = corners(bars.patch), quiet_of(bars.patch) * bars.enlarged
        for part_name, part in thirds_of(straightened(bars.pixels)):
            line = part.mean(axis=0, dtype=np.float32)
            clean = blurred_bars.clean_picture(line, bars.enlarged, quiet, self._linear)
            yield () if clean is None else self._zxing_upright(clean, f"{name} {part_name} fitted", outline)

    def _blot(self, gray: Pixels, box: Box, name: str) -> Iterator[Batch]:
        import cv2

        part = gray[box.top : box.bottom, box.left : box.right]
        scale = min(BLOT_ENLARGE_MAX, max(1.0, BLOT_WIDTH / max(part.shape)))
        large = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        for filter_name, pixels in _clearer(large, scale):
            found = self._zxing(pixels, f"{name} {filter_name}", scale=1 / scale, only=self._matrix)
            yield tuple(_moved(symbol, box.left, box.top) for symbol in found)

    def _zbar(self, gray: Pixels) -> Iterator[Batch]:
        yield self._zbar_at(gray, "zbar")

    def _filtered(self, gray: Pixels) -> Iterator[Batch]:
        name = FILTERS[self._filter]
        self._filter = (self._filter + 1) % len(FILTERS)
        yield self._zxing(_filtered(gray, name), name)

    def _zxing(self, pixels: Pixels, name: str, *, scale: float = 1.0, only: Sequence[str] | None = None) -> Batch:
        import zxingcpp

        formats = _formats(self._symbologies if only is None else only)
        return _batch(zxingcpp.read_barcodes(pixels, formats=formats, text_mode=zxingcpp.TextMode.Plain), name, scale)

    def _zxing_upright(self, bars: Pixels, name: str, outline: Outline) -> Batch:
        import zxingcpp

        found = zxingcpp.read_barcodes(
            bars, formats=_formats(self._linear), try_rotate=False, try_downscale=False, try_invert=False,
            text_mode=zxingcpp.TextMode.Plain,
        )  # fmt: skip
        return _batch(found, name, 1.0, outline)

    def _zbar_at(
        self, pixels: Pixels, name: str, *, scale: float = 1.0, outline: Outline = (), only: Sequence[str] | None = None
    ) -> Batch:
        found = zbar.read(pixels, self._symbologies if only is None else only)
        return tuple(
            symbol
            for each in found
            if (symbol := _symbol(each.raw, name, each.is_corrected, outline or _scaled(each.outline, scale))) is not None
        )


def _stood_up(gray: Pixels, patch: Patch) -> Bars:
    rough, enlarged = upright(gray, patch)
    tight = tightened(rough, patch, enlarged)
    return Bars(*upright(gray, tight), tight)


def vote(batches: Iterable[Batch], accept: Callable[[Symbol], str | None]) -> str | None:
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


def _filtered(gray: Pixels, name: str) -> Pixels:
    import cv2

    match name:
        case "clahe":
            return cv2.createCLAHE(2.0, (8, 8)).apply(gray)
        case "median":
            return cv2.medianBlur(gray, 3)
        case _:
            return cv2.addWeighted(gray, 2.5, cv2.GaussianBlur(gray, (0, 0), 2), -1.5, 0)


def _clearer(large: Pixels, scale: float) -> Iterator[tuple[str, Pixels]]:
    """Renderings of an enlarged part with a QR: softened against noise, sharpened against blur, levelled against light."""
    import cv2

    yield "large", large
    soft = cv2.GaussianBlur(large, (0, 0), 1.2 * scale)
    yield "soft", soft
    yield "sharp", cv2.addWeighted(large, 3.0, cv2.GaussianBlur(large, (0, 0), 2.0 * scale), -2.0, 0)
    reach = (int(14 * scale) * 2) | 1
    yield "levelled", cv2.adaptiveThreshold(soft, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, reach, 0)


def _batch(found: Iterable[Any], name: str, scale: float, outline: Outline = ()) -> Batch:
    symbols = []
    for barcode in found:
        where = outline or _scaled(_position(barcode), scale)
        symbol = _symbol(barcode.symbology_identifier + barcode.text, name, _is_corrected(barcode), where)
        if symbol is not None:
            symbols.append(symbol)
    return tuple(symbols)


def _symbol(raw: str, name: str, is_corrected: bool, outline: Outline) -> Symbol | None:
    """None for what is too short to be believed, an empty payload above all."""
    code = parse(raw)
    least = {"code128": CODE128_SIGNS_MIN, "qr": QR_SIGNS_MIN}.get(code.symbology or "", 1)
    if len(code.text) < least:
        return None
    return Symbol(text=code.text, symbology=code.symbology, rendering=name, is_corrected=is_corrected, outline=outline)


def _is_corrected(barcode: Any) -> bool:
    import zxingcpp

    known = zxingcpp.BarcodeFormat
    return barcode.format not in (known.EAN13, known.EAN8, known.UPCA, known.Code128, known.Code39)


def _position(barcode: Any) -> Outline:
    place = barcode.position
    return tuple((point.x, point.y) for point in (place.top_left, place.top_right, place.bottom_right, place.bottom_left))


def _scaled(outline: Outline, scale: float) -> Outline:
    return outline if scale == 1.0 else tuple((round(x * scale), round(y * scale)) for x, y in outline)


def _moved(symbol: Symbol, right: int, down: int) -> Symbol:
    from msgspec.structs import replace

    return replace(symbol, outline=tuple((x + right, y + down) for x, y in symbol.outline))


def _formats(symbologies: Sequence[str]) -> Any:
    import zxingcpp

    known = zxingcpp.BarcodeFormat
    names = {
        "ean13": known.EAN13, "ean8": known.EAN8, "code128": known.Code128, "code39": known.Code39, "qr": known.QRCode,
        "datamatrix": known.DataMatrix, "aztec": known.Aztec, "pdf417": known.PDF417,
    }  # fmt: skip
    return zxingcpp.BarcodeFormats([names[symbology] for symbology in symbologies if symbology in names])
