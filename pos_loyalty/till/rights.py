"""What a member may redeem here and now: all of it while head office answers, by the offline policy while it does not."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import to_ms
from pos_loyalty.config import Config
from pos_loyalty.store import members, outbox, profiles, sales
from pos_loyalty.store.db import Connection
from pos_loyalty.store.trusted_time import Trusted
from pos_loyalty.values import Points, Value


class Rights(Value):
    """``cap_centi`` None means no limit but the member's own lots, under escrow as far as the till holds them.

    ``online``: nothing is redeemed at the shop's risk.
    """

    online: bool
    cap_centi: Points | None


def head_office_answers(db: Connection, config: Config, now: datetime, trusted: Trusted | None = None) -> bool:
    """Whether head office was heard lately enough. The daemon writes when it was; the checkout never asks the network.

    ``trusted``: the uptime since counts too, so that a clock turned back makes no lease longer.
    """
    life_ms = config.head_office.answers_for_s * 1000
    if trusted is not None and trusted.heard_ago_ms is not None and trusted.heard_ago_ms > life_ms:
        return False
    heard_ms = outbox.state(db).heard_ms
    if heard_ms is None:
        return False
    silence_ms = to_ms(now) - heard_ms
    return 0 <= silence_ms <= life_ms


def is_silent(db: Connection, config: Config, now: datetime, trusted: Trusted | None = None) -> bool:
    """Whether there is a head office that does not answer."""
    return config.head_office.url is not None and not head_office_answers(db, config, now, trusted)


def rights_of(
    db: Connection, config: Config, member_id: str, day_start: datetime, now: datetime, trusted: Trusted | None = None
) -> Rights:
    """Rights of one member now. ``day_start`` is when this business day began by the till's own clock, never by the host's.

    A till without head office is the only holder and needs no limit. Cut off, and with a clock that is wrong by more than a day,
    a till cannot tell which allowance is today's: it has none.
    """
    if config.phone.verify and not _is_holder_known(db, config, member_id):
        return Rights(online=config.head_office.url is None or head_office_answers(db, config, now, trusted), cap_centi=Points(0))
    if config.head_office.url is None or config.offline.policy == "escrow" or head_office_answers(db, config, now, trusted):
        return Rights(online=True, cap_centi=None)
    if config.offline.policy == "refuse" or (trusted is not None and trusted.is_lost):
        return Rights(online=False, cap_centi=Points(0))
    used_centi = sales.offline_used(db, member_id, day_start)
    return Rights(online=False, cap_centi=Points(max(0, config.offline.cap_centi - used_centi)))


def exposure_centi(db: Connection, config: Config) -> Points:
    """What this till could redeem in one day, cut off, of points that others may redeem too: told before it happens."""
    if config.head_office.url is None or config.offline.policy != "allowance":
        return Points(0)
    return Points(config.offline.cap_centi * members.count(db))


def _is_holder_known(db: Connection, config: Config, member_id: str) -> bool:
    """A phone that nobody has verified may be another person's."""
    phone = profiles.phone_of(db, member_id)
    return phone == "verified" or (phone == "none" and config.phone.without == "redeem")
