"""Member cards as a QR that nobody can make up: a fixed one that is signed, and one that changes with time. Pure.

``PL1:<card>:<signature>`` stands on plastic and paper: 80 bits of HMAC-SHA-256 under a key of the key file, so every till of
the shop knows it, offline. ``PL2:<card>:<code>`` is shown by an app: the code of RFC 6238 under the key that the member's phone
holds, the same that confirms a redemption.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from typing import Literal, NamedTuple

from pos_loyalty.till.totp import DRIFT_STEPS, steps_that_hold

FIXED, ROTATING = "PL1", "PL2"
SIGNATURE_BYTES = 10
PURPOSE = b"pos-loyalty card qr 1"
SHAPE = re.compile(r"(?P<kind>PL1|PL2):(?P<card>[0-9A-Z]{4,40}):(?P<proof>[0-9A-Z]{6,16})")


class CardQr(NamedTuple):
    """What such a QR says. ``proof``: the signature of a fixed one, the code of a rotating one. Nothing is proven yet."""

    kind: Literal["PL1", "PL2"]
    card: str
    proof: str


def parsed(text: str) -> CardQr | None:
    """The parts; None for any other text."""
    match = SHAPE.fullmatch(text)
    if match is None:
        return None
    return CardQr("PL1" if match["kind"] == FIXED else "PL2", match["card"], match["proof"])


def key_of(master_key: str) -> bytes:
    """The key of fixed QRs, out of the key file's master key (hex): it opens nothing else."""
    return hmac.digest(bytes.fromhex(master_key), PURPOSE, "sha256")


def fixed(card: str, key: bytes) -> str:
    """The text of a fixed QR for a card."""
    return f"{FIXED}:{card}:{_signature(card, key)}"


def is_signed(shown: CardQr, key: bytes) -> bool:
    """Whether a fixed QR's signature holds; False for a rotating one, which needs the member's key."""
    return shown.kind == FIXED and hmac.compare_digest(_signature(shown.card, key).encode(), shown.proof.encode())


def rotating_step(shown: CardQr, member_key: bytes, step: int, used: int | None, drift: int = DRIFT_STEPS) -> int | None:
    """The step whose code a rotating QR shows, at most ``drift`` steps about this one; None when there is none.

    ``used``: the newest step that was taken here. It and all before it are not taken again.
    """
    if shown.kind != ROTATING:
        return None
    held = [each for each in steps_that_hold(member_key, shown.proof, step, drift) if used is None or each > used]
    return held[-1] if held else None


def _signature(card: str, key: bytes) -> str:
    mac = hmac.digest(key, f"{FIXED}:{card}".encode(), "sha256")
    return b32encode(mac[:SIGNATURE_BYTES]).decode("ascii")
