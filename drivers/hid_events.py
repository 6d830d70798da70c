"""Codes out of a keyboard's events, pure: packed ``input_event`` structs, key codes, the US table. No layout has a say.

**Source:** linux/input.h and linux/input-event-codes.h; a struct is ``llHHi``, 24 bytes on 64 bits.
"""

from __future__ import annotations

import struct

from drivers.frames import CODE_BYTES_MAX, GS

EVENT = struct.Struct("llHHi")
EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
DOWN, UP = 1, 0
ENTERS = frozenset({28, 96, 15})
"""Enter, the keypad's Enter, Tab."""
SHIFTS, CTRLS, ALTS, CAPS = frozenset({42, 54}), frozenset({29, 97}), frozenset({56, 100}), 58
RIGHT_BRACKET = 27
BACKSLASH_102 = 86
ROWS = ((2, "1234567890-=", "!@#$%^&*()_+"), (16, "qwertyuiop[]", "QWERTYUIOP{}"), (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
        (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"), (57, " ", " "), (BACKSLASH_102, "\\", "|"))  # fmt: skip
PLAIN = {first + place: sign for first, plain, _ in ROWS for place, sign in enumerate(plain)}
SHIFTED = {first + place: sign for first, _, shifted in ROWS for place, sign in enumerate(shifted)}
KEYPAD = {71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+", 79: "1", 80: "2", 81: "3", 82: "0", 83: ".",
          55: "*", 98: "/", 117: "="}  # fmt: skip
ALT_DIGITS_MAX = 5


class KeyReader:
    """Feeds on events in any chunks, and gives back whole codes. Held keys do not repeat; a code with lost events is refused.

    After a loss nobody knows which keys are held and whether capitals are locked: all are taken to be up, there and again at the
    refused code's end, as a scanner leaves them that locks capitals for a code.
    **Source:** the kernel's event-codes, SYN_DROPPED: what comes up to the next report is to be ignored.
    """

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._signs: list[str] = []
        self._alt_digits = ""
        self._held: set[int] = set()
        self._has_caps = False
        self._is_broken = False
        self._is_lost = False
        self.refused = 0

    @property
    def is_waiting(self) -> bool:
        """Half a code is there."""
        return bool(self._signs)

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; give back the codes that Enter or Tab ended, in order."""
        self._bytes += data
        whole = len(self._bytes) - len(self._bytes) % EVENT.size
        codes = []
        for _, _, kind, code, value in EVENT.iter_unpack(bytes(self._bytes[:whole])):
            if kind == EV_SYN and code == SYN_DROPPED:
                self._is_broken = self._is_lost = True
                self._forget_keys()
            elif self._is_lost:
                self._is_lost = kind != EV_SYN or code != SYN_REPORT
            elif kind == EV_KEY and value in (DOWN, UP):
                codes += self._pressed(code) if value == DOWN else self._released(code)
        del self._bytes[:whole]
        return codes

    def silence(self) -> list[str]:
        """No key for the gap: what is there is a code, when the scanner sends no suffix."""
        return self._ended() if self._signs or self._is_broken else []

    def reset(self) -> None:
        """Forget half a code and all held keys, as after an unplugging."""
        if self._signs or self._is_broken:
            self.refused += 1
        self._signs.clear()
        self._bytes.clear()
        self._forget_keys()
        self._is_broken = self._is_lost = False

    def _forget_keys(self) -> None:
        self._held.clear()
        self._alt_digits, self._has_caps = "", False

    def _pressed(self, key: int) -> list[str]:
        if key in SHIFTS | CTRLS | ALTS:
            self._held.add(key)
        elif key == CAPS:
            self._has_caps = not self._has_caps
        elif key in ENTERS:
            return self._ended()
        elif self._held & ALTS:
            self._alt_digits = (self._alt_digits + KEYPAD.get(key, PLAIN.get(key, "")))[-ALT_DIGITS_MAX:]
        elif self._held & CTRLS:
            self._take(GS if key == RIGHT_BRACKET else "")
        else:
            self._take(self._sign(key))
        return []

    def _released(self, key: int) -> list[str]:
        self._held.discard(key)
        if key in ALTS and self._alt_digits:
            number = int(self._alt_digits) if self._alt_digits.isdecimal() else 0
            self._alt_digits = ""
            self._take(chr(number) if " " <= chr(number) <= "~" or chr(number) == GS else "")
        return []

    def _sign(self, key: int) -> str:
        if key in KEYPAD:
            return KEYPAD[key]
        is_letter = PLAIN.get(key, "").isalpha()
        shifted = bool(self._held & SHIFTS) != (self._has_caps and is_letter)
        return (SHIFTED if shifted else PLAIN).get(key, "")

    def _take(self, sign: str) -> None:
        if len(self._signs) > CODE_BYTES_MAX:
            self._is_broken = True
        elif sign:
            self._signs.append(sign)

    def _ended(self) -> list[str]:
        code = "".join(self._signs)
        is_broken = self._is_broken or len(code) > CODE_BYTES_MAX
        self._signs.clear()
        self._is_broken = False
        if is_broken:
            self.refused += 1
            self._forget_keys()
        return [code] if code and not is_broken else []
