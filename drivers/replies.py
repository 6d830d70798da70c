"""What a printer says, understood strictly and without a port: status, answers to a barrier, and noise that is neither.

**Source** of the byte patterns: Epson's ESC/POS reference, DLE EOT, GS r, GS ( H and GS a (automatic status back).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from drivers.ports import UNKNOWN, PrinterStatus

ASB_BYTES = 4
DLE_EOT = (b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04")
"""Printer, cause of being off line, paper roll: executed at once, even off line."""
CLEAR_AFTER_ERROR = b"\x10\x05\x02"
"""DLE ENQ 2: recover from a fault, and forget what is in the buffer."""
GS_R = b"\x1dr\x01"
OFFLINE_BIT, COVER_BIT, PAPER_END_BIT, ERROR_BIT = 0x08, 0x04, 0x20, 0x40
NEAR_END_BITS, OUT_BITS = 0x0C, 0x60
PROCESS_IDS = 10_000


class Replies:
    """Answers among the bytes that a printer sends, pure: any chunking gives the same answers.

    An automatic status packet is skipped as a whole, because its later bytes look like answers; any other byte is skipped alone.
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pending += data

    def take(self, is_reply: Callable[[int], bool]) -> int | None:
        """The first answer of this kind and what stands before it are used up; None while it has not come."""
        while self._pending:
            byte = self._pending[0]
            unit = ASB_BYTES if byte & 0x93 == 0x10 else 1
            if len(self._pending) < unit:
                return None
            del self._pending[:unit]
            if unit == 1 and is_reply(byte):
                return byte
        return None

    def take_exactly(self, reply: bytes) -> bool:
        """Whether these very bytes have come; they and what stands before them are used up. A packet may stand before them,
        not among them."""
        at = self._pending.find(reply)
        if at < 0:
            return False
        del self._pending[: at + len(reply)]
        return True


def is_real_time_reply(byte: int) -> bool:
    """The fixed bits of an answer to DLE EOT: ``0xx1xx10``."""
    return byte & 0x93 == 0x12


def is_barrier_reply(byte: int) -> bool:
    """The fixed bits of an answer to GS r: ``0xx0xxxx``."""
    return byte & 0x90 == 0x00


def gs_h(number: int) -> tuple[bytes, bytes]:
    """A barrier with a process id of four digits, and the one answer to it: no other job's answer can be taken for it."""
    mark = b"%04d" % (number % PROCESS_IDS)
    return b"\x1d(H\x06\x0000" + mark, b'7"' + mark + b"\x00"


def status_of(printer: int | None, cause: int | None, roll: int | None) -> PrinterStatus:
    """Read the answers to DLE EOT 1, 2 and 4. A missing answer leaves its part unknown."""
    if printer is None and cause is None and roll is None:
        return UNKNOWN
    return PrinterStatus(
        online="unknown" if printer is None else "no" if printer & OFFLINE_BIT else "yes",
        paper=_paper(cause, roll),
        cover="unknown" if cause is None else "open" if cause & COVER_BIT else "closed",
        error="unknown" if cause is None else "error" if cause & ERROR_BIT else "none",
    )


def _paper(cause: int | None, roll: int | None) -> Literal["ok", "near_end", "out", "unknown"]:
    if (cause is not None and cause & PAPER_END_BIT) or (roll is not None and roll & OUT_BITS):
        return "out"
    if roll is None:
        return "unknown"
    return "near_end" if roll & NEAR_END_BITS else "ok"
