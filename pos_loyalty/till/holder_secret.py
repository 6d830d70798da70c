"""What a member keeps to prove who they are, as it stands sealed in the till's file: a PIN's hash, the key of a rotating QR."""

from __future__ import annotations

from pos_loyalty.store import member_secrets, members, seal
from pos_loyalty.till.desk import Desk
from pos_loyalty.values import Value, decode


class Secret(Value):
    """What is sealed: hex of salt and hash of the PIN, hex of the QR's key; empty where there is none."""

    pin_salt: str = ""
    pin_hash: str = ""
    qr_key: str = ""


def secret_of(desk: Desk, member_id: str) -> Secret | None:
    """A member's, opened; None when this till holds none."""
    sealed, key = member_secrets.sealed(desk.db, member_id), members.sealed_key(desk.db, member_id)
    if sealed is None or key is None:
        return None
    opened = seal.open_key(member_id, key, desk.secrets.master_key)
    return decode(seal.open_secret(member_id, sealed, opened), Secret)
