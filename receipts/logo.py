"""The shop's logo: a picture file → dots of the paper. Rule: what is no picture, or too large, is refused in one sentence.

Pillow is loaded here only. Nothing in the dots can become a command: bytes that a printer would act on at once are broken up.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from pos_loyalty.errors import ConfigError
from receipts.elements import Image

FORMATS = ("PNG", "BMP")
FILE_BYTES_MAX = 1024 * 1024
SIDE_DOTS_MAX = 4096
HIGH_DOTS_MAX = 240
"""30 mm of paper. At 48 columns 17 KB: 18 s on a serial port at 9600 baud."""
BITS = 8
WHITE = 255
AT_ONCE = (b"\x10\x04", b"\x10\x05", b"\x10\x14")
"""DLE EOT, DLE ENQ, DLE DC4: printers obey them in the middle of a picture too, and the last one opens the drawer."""
DOT_MORE = 0x08


@lru_cache(maxsize=4)
def logo(path: Path, dots: int) -> Image:
    """The logo for paper of so many dots, never enlarged. Made once for each file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError("receipt.logo", f"{path} cannot be read: {error.strerror}") from error
    return logo_of(data, dots, str(path))


def logo_of(data: bytes, dots: int, name: str) -> Image:
    """The same from the file's bytes. Raises ConfigError with the file's name."""
    from PIL import Image as Pictures

    if len(data) > FILE_BYTES_MAX:
        raise ConfigError("receipt.logo", f"{name} is larger than {FILE_BYTES_MAX // 1024} KB; make a smaller picture")
    try:
        with Pictures.open(BytesIO(data), formats=FORMATS) as picture:
            if max(picture.size) > SIDE_DOTS_MAX or min(picture.size) < 1:
                size = f"{picture.width} × {picture.height}"
                raise ConfigError("receipt.logo", f"{name} is {size} dots; a side has at most {SIDE_DOTS_MAX}")
            flat = Pictures.new("RGBA", picture.size, "white")
            flat.alpha_composite(picture.convert("RGBA"))
    except (OSError, SyntaxError, ValueError, Pictures.DecompressionBombError) as error:
        raise ConfigError("receipt.logo", f"{name} is no PNG or BMP picture that can be read") from error
    gray = flat.convert("L")
    inked = gray.point(lambda shade: WHITE - shade).getbbox()
    if inked is None:
        raise ConfigError("receipt.logo", f"{name} is white all over; there is nothing to print")
    gray = gray.crop(inked)
    share = min(1.0, dots / gray.width, HIGH_DOTS_MAX / gray.height)
    if share < 1:
        gray = gray.resize((max(1, int(gray.width * share)), max(1, int(gray.height * share))))
    wide = -(-gray.width // BITS) * BITS
    paper = Pictures.new("L", (wide, gray.height), WHITE)
    paper.paste(gray, ((wide - gray.width) // 2, 0))
    black = paper.convert("1").point(lambda shade: WHITE - shade)  # dithered by Floyd and Steinberg
    return Image(wide=wide, high=paper.height, rows=_harmless(black.tobytes()))


def _harmless(rows: bytes) -> bytes:
    """One more dot wherever two bytes would be a command that is obeyed at once."""
    for command in AT_ONCE:
        rows = rows.replace(command, bytes((command[0] | DOT_MORE,)) + command[1:])
    return rows
