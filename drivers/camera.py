"""A member card from a picture that a camera took."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from drivers.decode import Cascade, Symbol, vote
from drivers.ports import CardRead, Judged, Symbology
from drivers.symbology import member_card
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import CardConfig
from pos_loyalty.errors import DeviceError, InputError

if TYPE_CHECKING:
    from drivers.patches import Pixels

PICTURE_BYTES_MAX = 12 * 1024 * 1024
PIXELS_MAX = 50_000_000
SIDE_MAX = 2560
"""A larger picture is shrunk to this before anything is looked for."""
PICTURE_FORMATS = ("JPEG", "PNG", "WEBP")
BUDGET_S = 0.5
NS_PER_S = 1_000_000_000


class PictureReader:
    """Implements Camera for single pictures: what the nomenclature holds and the vote believes is a card."""

    def __init__(
        self,
        cards: tuple[CardConfig, ...],
        *,
        device: str = "camera",
        budget_s: float = BUDGET_S,
        judge: Callable[[str, Symbology | None], Judged | None] | None = None,
    ) -> None:
        self._cards = cards
        self._judge = judge or self._by_number
        self._device = device
        self._budget_ns = int(budget_s * NS_PER_S)

    @property
    def device(self) -> str:
        """The configured name."""
        return self._device

    def read(self, picture: bytes) -> CardRead | None:
        """The one card on the picture; see Camera."""
        gray = self._gray(picture)
        found: dict[str, Symbol] = {}
        texts: dict[str, str] = {}

        def accept(symbol: Symbol) -> str | None:
            judged = self._judge(symbol.text, symbol.symbology)
            if judged is None:
                return None
            found[judged.card] = symbol
            texts[judged.card] = judged.text
            return judged.card

        symbologies = [symbology for card in self._cards for symbology in card.symbologies]
        if not symbologies:
            return None
        card = vote(Cascade(symbologies).all_of(gray, monotonic_ns() + self._budget_ns), accept)
        if card is None:
            return None
        symbology = found[card].symbology
        return CardRead(card=texts[card], symbology=symbology, source="camera", device=self._device, confidence="verified")

    def _by_number(self, text: str, symbology: Symbology | None) -> Judged | None:
        card = member_card(text, symbology, self._cards)
        return None if card is None else Judged(card, card, is_signed=False)

    def _gray(self, picture: bytes) -> Pixels:
        try:
            return gray_picture(picture)
        except ImportError as error:
            sentence = f"pictures cannot be read here: install pos-loyalty[camera] ({error.name} is missing)"
            raise DeviceError(self._device, sentence) from error


def gray_picture(picture: bytes) -> Pixels:
    """Decode to grey, at most SIDE_MAX on the longer side. Raises InputError; ImportError when a decoder is not installed."""
    import cv2
    import numpy as np
    import zxingcpp  # noqa: F401  one look for all that the cascade needs

    if len(picture) > PICTURE_BYTES_MAX:
        raise InputError("picture", f"is larger than {PICTURE_BYTES_MAX // 1024 // 1024} MB")
    _check_header(picture)
    try:
        gray: Any = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error as error:
        raise InputError("picture", BROKEN) from error
    if gray is None:
        raise InputError("picture", BROKEN)
    shrink = SIDE_MAX / max(gray.shape)
    if shrink < 1:
        gray = cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.asarray(gray, np.uint8)


BROKEN = "is not a whole JPEG, PNG or WebP picture; take it again"


def _check_header(picture: bytes) -> None:
    """Refuse a foreign format and an enormous picture before its pixels are unpacked."""
    import warnings

    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(picture), formats=PICTURE_FORMATS) as header:
                width, height = header.size
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise InputError("picture", f"holds more than {PIXELS_MAX // 1_000_000} million pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError("picture", BROKEN) from error
    if width * height > PIXELS_MAX:
        raise InputError("picture", f"holds more than {PIXELS_MAX // 1_000_000} million pixels")
