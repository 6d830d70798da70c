"""The question that search.py answers, in whole numbers: kinds of units, offers that claim units, and what was taken.

Every amount is scaled: a minor unit is 10,000 or more of them, so that shares are exact. An offer may act many times, a unit
once.

Of units of equal prices the one of the larger kind number counts as dearer.
"""

from __future__ import annotations

from collections.abc import Sequence

from pos_loyalty.values import Value


class Kind(Value, gc=False):
    """Units that no offer can tell apart: the price of one, how far it may fall, and how many there are."""

    price: int
    room: int
    count: int


class Slot(Value, gc=False):
    """So many units of these kinds (numbers, ascending)."""

    kinds: tuple[int, ...]
    count: int


class EachUnit(Value, gc=False):
    """Takes a fixed value off a unit: (kind, value), value > 0 and within the kind's room; kinds ascending."""

    values: tuple[tuple[int, int], ...]


class NOfGroup(Value, gc=False):
    """Of n units of these kinds k get a share off: the cheapest of the group, or the dearest.

    ``is_partial``: a group of n - k + 1 to n units counts too. ``is_basket``: only the cheapest (dearest) of all matching units
    are rewarded, k for every complete n.
    """

    kinds: tuple[int, ...]
    n: int
    k: int
    rate_bp: int
    is_dearest: bool = False
    is_partial: bool = True
    is_basket: bool = False


class SetOf(Value, gc=False):
    """One multiset for each slot, together for ``fixed``, or ``rate_bp`` or ``amount`` off: exactly one is given. A unit fills
    one slot.
    """

    slots: tuple[Slot, ...]
    fixed: int | None = None
    rate_bp: int | None = None
    amount: int | None = None


class GiftOf(Value, gc=False):
    """For each complete ``buy`` group up to ``qty`` units of ``gifts`` get a share off, in the order of choice.

    Where units are both, those that buying cannot do without, the dearest first, are set aside; of the gifts left only
    the first ``qty`` for each group may be given. So many groups count as each leave a gift for the last. Fewer than
    ``qty`` are given at a time only when the gifts do not last for all groups.
    """

    buy: tuple[Slot, ...]
    gifts: tuple[int, ...]
    qty: int
    rate_bp: int


class Offer(Value, gc=False):
    """A rule's claim on units. ``times``: how often at most; ``money``: how much at most, the last one cut to
    fit unless ``is_whole``.
    """

    id: str
    priority: int
    shape: EachUnit | NOfGroup | SetOf | GiftOf
    times: int | None = None
    money: int | None = None
    is_whole: bool = False


class Effort(Value, gc=False):
    """How many applications may be listed and how many nodes visited."""

    applications: int
    nodes: int


class Taken(Value, gc=False):
    """One way in which an offer (its place) acts, ``times`` times: the units one time claims, and what comes off them.

    ``claimed``: (kind, units) of one time. ``parts``: (kind, units, off each unit) for those that the share lands on.
    ``value`` is that of all times together; it is less than the parts say when ``money`` cut it.
    """

    offer: int
    times: int
    claimed: tuple[tuple[int, int], ...]
    parts: tuple[tuple[int, int, int], ...]
    value: int


class Packed(Value):
    """What is taken, its value, an upper bound on any, whether they are known to be equal, and the effort spent."""

    taken: tuple[Taken, ...]
    value: int
    bound: int
    proven: bool
    applications: int
    nodes: int


class Solved(Value):
    """A question and its answer, for one that is asked later and differs little."""

    kinds: Sequence[Kind]
    offers: Sequence[Offer]
    packed: Packed
