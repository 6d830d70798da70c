"""Codes of gift cards: made here, printed once, and kept only as hashes.

Rule: a code is in no log and no table. A QR code is 130 random bits, so a plain hash of it is enough; a number with a PIN can be
guessed, so the number is hashed under the chain's pepper and the PIN slowly.
"""

from __future__ import annotations

import hmac
import os
import re
from hashlib import scrypt, sha256

from pos_loyalty.payment_cards import holds_number
from pos_loyalty.store.seal import SCRYPT_BYTES_MAX, SCRYPT_N, SCRYPT_P, SCRYPT_R
from pos_loyalty.values import Value

PREFIX = "PLG1|"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""Base32. **Source:** RFC 4648, section 6."""
CODE_LETTERS = 26
"""130 bits."""
NUMBER_DIGITS = 20
"""One more than a payment card has at most."""
NUMBER_GROUP = 4
PIN_DIGITS = 6
RANDOM_BYTES = 32
HASH_BYTES = 32
QR_PATTERN = re.compile(rf"(?:PLG1\|)?([A-Z2-7]{{{CODE_LETTERS}}})")
NUMBER_PATTERN = re.compile(rf"[0-9]{{{NUMBER_DIGITS}}}")
FOREIGN_PATTERN = re.compile(r"[A-Z0-9]{6,64}")
"""A code that was made elsewhere, without blanks and dashes and in capitals."""
FOREIGN_LETTERS, FOREIGN_DIGITS = 26, 39
"""So many signs are at least 128 bits: of letters and digits, and of digits alone."""
ID_PATTERN = re.compile(r"[0-9a-f]{32}")


class Code(Value):
    """What the buyer gets on paper. ``pin`` is None for a QR code."""

    text: str
    pin: str | None = None


def new_code(kind: str) -> Code:
    """A code that nobody can guess: ``qr``, or a number with its ``pin``."""
    if kind == "qr":
        return Code(text=PREFIX + "".join(LETTERS[number] for number in _drawn(len(LETTERS), CODE_LETTERS)))
    return Code(text=_number(), pin=_digits(PIN_DIGITS))


def mark_of(presented: str, pepper: str) -> str | None:
    """How a presented gift card is looked up: the hex hash of its code, or its id as it stands; None for what is neither."""
    text = presented.strip()
    if ID_PATTERN.fullmatch(text):
        return text
    letters = QR_PATTERN.fullmatch(text.upper().replace(" ", ""))
    if letters is not None:
        return sha256((PREFIX + letters.group(1)).encode("ascii")).hexdigest()
    digits = text.replace(" ", "").replace("-", "")
    if NUMBER_PATTERN.fullmatch(digits):
        return hmac.new(bytes.fromhex(pepper), b"gift card number\n" + digits.encode("ascii"), sha256).hexdigest()
    return None


def foreign_mark(presented: str, pepper: str) -> str | None:
    """The hex hash of a code that was made elsewhere and came by an import; None for what cannot be one."""
    code = _bare(presented)
    if FOREIGN_PATTERN.fullmatch(code) is None:
        return None
    return hmac.new(bytes.fromhex(pepper), b"gift card from elsewhere\n" + code.encode("ascii"), sha256).hexdigest()


def can_be_guessed(presented: str) -> bool:
    """Whether a code from elsewhere is too short to stand without a PIN."""
    code = _bare(presented)
    return len(code) < (FOREIGN_DIGITS if code.isdigit() else FOREIGN_LETTERS)


def _bare(presented: str) -> str:
    return presented.upper().replace(" ", "").replace("-", "")


def pin_hash(card_id: str, pin: str, pepper: str) -> bytes:
    """The slow hash of a PIN, bound to its card. Takes tens of ms, on purpose."""
    return scrypt(
        f"gift card pin\n{card_id}\n{pin}".encode(),
        salt=bytes.fromhex(pepper),
        n=SCRYPT_N,
        r=SCRYPT_R,
        p=SCRYPT_P,
        maxmem=SCRYPT_BYTES_MAX,
        dklen=HASH_BYTES,
    )


def label_of(card_id: str) -> str:
    """How people name a gift card: on its slip, on receipts, in messages. It opens nothing."""
    return card_id[-6:].upper()


def _number() -> str:
    """Digits in which no payment card's number stands, typed in a row or in groups: no till would take those. One draw in five
    is one too many, which leaves 66 bits."""
    while True:
        digits = _digits(NUMBER_DIGITS)
        groups = " ".join(digits[at : at + NUMBER_GROUP] for at in range(0, NUMBER_DIGITS, NUMBER_GROUP))
        if not holds_number(digits, closely=True) and not holds_number(groups):
            return digits


def _digits(count: int) -> str:
    return "".join(str(number) for number in _drawn(10, count))


def _drawn(below: int, count: int) -> list[int]:
    """Equally likely numbers; ``RANDOM_BYTES`` make the unevenness of the last ones less than one in 2^100."""
    left = int.from_bytes(os.urandom(RANDOM_BYTES), "big")
    drawn = []
    for _ in range(count):
        left, number = divmod(left, below)
        drawn.append(number)
    return drawn
