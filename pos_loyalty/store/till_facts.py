"""What the logs say of tills: head office's, whose key signs for which till; a till's own, from where it went on."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pos_loyalty.engine.model import Id, Label
from pos_loyalty.values import Value

Epoch = Annotated[int, Meta(ge=1, le=2**31)]
PublicKey = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Place(Value):
    """A fact in a till's log. seq 0 and the hash of zeros: before the first."""

    epoch: Epoch
    seq: Annotated[int, Meta(ge=0, le=2**53)]
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class TillKeyFact(Value):
    """Head office's word on the key of a till in an epoch. ``continues``: the last fact before the epoch; None for a new till.

    ``revoked``: nothing is taken any more; ``lost``: nothing will come any more either, so what the till held is free again.
    """

    till: Id
    epoch: Epoch
    store: Id
    state: Literal["active", "revoked", "lost"]
    public_key: PublicKey
    continues: Place | None = None
    by: Label = ""
    """Who said so; empty where a code was redeemed."""


class BeganFact(Value):
    """The first fact of a later epoch at the till itself: which fact it goes on from."""

    continues: Place
