"""When a card that a camera sees frame after frame is believed: a pure function of what was seen and when.

Rule: two equal reads in different frames within a second; a signed code needs one; a conflicting value begins the vote anew;
what was believed is mute until it has been away. Two cards in one frame are nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

VOTE_MS = 1000
"""The second read comes at most so long after the first."""
ABSENT_MS = 1500
"""A card is mute until it was not seen for so long."""
MUTE_MS = 3000
"""And for so long after it was believed, however often it went away: the same card on one receipt."""
MUTED_MAX = 64


class Mute(NamedTuple):
    """Since when, and when it was seen last."""

    believed_ms: int
    seen_ms: int


class Votes(NamedTuple):
    """What is remembered from frame to frame. ``first``: the value that was read once, and when."""

    first: tuple[str, int] | None = None
    muted: Mapping[str, Mute] = MappingProxyType({})


NO_VOTES = Votes()


class Verdict(NamedTuple):
    """What is remembered now, and the card that is believed with this frame."""

    votes: Votes
    card: str | None = None


def step(votes: Votes, seen: Mapping[str, bool], at_ms: int) -> Verdict:
    """One frame. ``seen``: each valid card of the frame, and whether its signature holds. ``at_ms`` never goes back."""
    muted = {
        card: Mute(mute.believed_ms, at_ms if card in seen else mute.seen_ms)
        for card, mute in votes.muted.items()
        if _is_mute(mute, at_ms)
    }
    if len(seen) > 1:
        return Verdict(Votes(None, muted))
    first = votes.first if votes.first is not None and at_ms - votes.first[1] <= VOTE_MS else None
    if not seen:
        return Verdict(Votes(first, muted))
    card, is_signed = next(iter(seen.items()))
    if card in muted:
        return Verdict(Votes(None, muted))
    if not is_signed and (first is None or first[0] != card):
        return Verdict(Votes((card, at_ms), muted))
    muted[card] = Mute(at_ms, at_ms)
    while len(muted) > MUTED_MAX:
        del muted[min(muted, key=lambda each: muted[each].seen_ms)]
    return Verdict(Votes(None, muted), card)


def still(votes: Votes, at_ms: int) -> Votes:
    """Nothing moved, so nothing was looked for: what was there is there still."""
    muted = {card: Mute(mute.believed_ms, at_ms) for card, mute in votes.muted.items() if _is_mute(mute, at_ms)}
    return Votes(votes.first, muted)


def _is_mute(mute: Mute, at_ms: int) -> bool:
    return at_ms - mute.seen_ms < ABSENT_MS or at_ms - mute.believed_ms < MUTE_MS
