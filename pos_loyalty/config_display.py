"""The ``[display]`` table: what turns to the buyer. A display of two lines on a serial port, or only the page on a monitor."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.config_receipt import Sentence, Tongue
from pos_loyalty.values import Value

DisplayPage = Literal["cp866", "cp1251", "cp437", "cp858"]
Select = Literal["esc_t", "esc_c", "esc_f", "none"]
EPSON_CP866, CD5220_RUSSIA = 17, ord("R")
"""**Source:** Epson's DM-D110 reference (page 17 is PC866); Partner's CD5220 manual (``ESC c R``). Not tried on a display."""


class DisplayConfig(Value):
    """What the buyer sees. Of the kind ``screen`` only the page ``/display``; the others are a display of two lines besides."""

    kind: Literal["epson", "cd5220", "screen"]
    path: Annotated[str, Meta(max_length=4096)] = ""
    """A serial port, best by its /dev/serial/by-id name."""
    name: Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9_-]+$")] = "display"
    baud: Annotated[int, Meta(ge=1200, le=115_200)] = 9600
    page: DisplayPage = "cp866"
    slot: Annotated[int, Meta(ge=0, le=255)] | None = None
    """Where the display keeps the page; None: 17 for Epson, 82 (the letter R) for CD5220."""
    select: Select | None = None
    """By which command the slot is chosen, for displays differ; None: ``esc_t`` for Epson, ``esc_c`` for CD5220."""
    columns: Literal[16, 20] = 20
    language: Tongue | None = None
    """Of the two lines; None: the shop's first. The page has a language of its own in its address."""
    greeting: Sentence | dict[Tongue, Sentence] = ""
    first_name: bool = False
    """Greet a member who agreed to personal data by their first name, where it is plain which word that is."""
    thanks_s: Annotated[int, Meta(ge=1, le=600)] = 15

    @property
    def page_slot(self) -> int:
        """The slot, filled in."""
        if self.slot is not None:
            return self.slot
        return CD5220_RUSSIA if self.kind == "cd5220" else EPSON_CP866

    @property
    def page_select(self) -> Select:
        """The command, filled in."""
        return self.select or ("esc_c" if self.kind == "cd5220" else "esc_t")


def display_fault(display: DisplayConfig) -> tuple[str, str] | None:
    """The first thing that cannot be: its place and the sentence; None when all is well."""
    if display.kind != "screen" and not display.path:
        return "display.path", f'a display of kind "{display.kind}" needs a path; without one write kind = "screen"'
    if display.kind == "screen" and display.path:
        return "display.path", 'a "screen" is the page /display in a browser and has no port; name the kind of the display'
    return None
