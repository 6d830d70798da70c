"""What a printer says, understood strictly and without a port: status, answers to a barrier, and noise that is neither.

**Source** of the byte patterns: Epson's ESC/POS reference, DLE EOT, GS r, GS ( H and GS a (automatic status back); the manuals of
Bixolon, Samsung, HPRT, Custom and Better give GS r the same fixed bits.
"""

from __future__ import annotations

from typing import Literal

from drivers.ports import UNKNOWN, PrinterStatus

ASB_BYTES = 4
FLOW = (0x11, 0x13)
"""XON and XOFF: they answer nothing and are no fault of the line."""
DLE_EOT = (b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04")
"""Printer, cause of being off line, paper roll: executed at once, even off line."""
CLEAR_AFTER_ERROR = b"\x10\x05\x02"
"""DLE ENQ 2: recover from a fault, and forget what is in the buffer."""
GS_R = b"\x1dr\x01"
CLEARING_ANSWERS = 4
BARRIER_ANSWERS = (5, 7)
"""How many ``GS r`` stand at the end of a job, in turns. No count is that of a clearing barrier, nor what two torn status packets
leave: three bytes each, which look like answers."""
CHALLENGE = (DLE_EOT[0], GS_R, DLE_EOT[2])
"""Asked one by one when the barrier was answered: two kinds of answers, of which no byte can be both."""
OFFLINE_BIT, COVER_BIT, PAPER_END_BIT, ERROR_BIT = 0x08, 0x04, 0x20, 0x40
NEAR_END_BITS, OUT_BITS = 0x0C, 0x60
PROCESS_IDS = 10_000


class Replies:
    """Bytes that a printer sends, taken apart, pure: any chunking gives the same answers.

    A whole automatic status packet is skipped, because its later bytes look like answers; what only begins like one is not.
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    @property
    def is_torn(self) -> bool:
        """The beginning of a status packet waits for its rest."""
        return bool(self._pending)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pending += data

    def next(self) -> int | None:
        """The next byte that is neither of a status packet nor of flow control; None while it has not come."""
        while self._pending:
            if self._pending[0] in FLOW:
                del self._pending[0]
            elif not self._begins_packet():
                return self._pending.pop(0)
            elif len(self._pending) < ASB_BYTES:
                return None
            else:
                del self._pending[:ASB_BYTES]
        return None

    def take_exactly(self, reply: bytes, counted: bytes) -> int | None:
        """When these very bytes have come: how often ``counted`` stands before them; all of it is used up. None when they have
        not. A packet may stand before them, not among them."""
        at = self._pending.find(reply)
        if at < 0:
            return None
        count = self._pending[:at].count(counted)
        del self._pending[: at + len(reply)]
        return count

    def _begins_packet(self) -> bool:
        first, *rest = self._pending[:ASB_BYTES]
        return first & 0x93 == 0x10 and all(map(is_barrier_reply, rest))


def is_real_time_reply(byte: int) -> bool:
    """The fixed bits of an answer to DLE EOT: ``0xx1xx10``."""
    return byte & 0x93 == 0x12


def is_barrier_reply(byte: int) -> bool:
    """The fixed bits of an answer to GS r: ``0xx0xxxx``. The later bytes of a status packet have them too."""
    return byte & 0x90 == 0x00


def answers(question: bytes, byte: int) -> bool:
    """Whether a byte can answer a question."""
    return is_barrier_reply(byte) if question == GS_R else is_real_time_reply(byte)


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
