"""Head office's overview as people read it: instants in the store's zone, lags in words, points and money written out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pos_loyalty.clock import from_ms
from pos_loyalty.config import OfflineConfig
from pos_loyalty.engine.figures import money_text, points_text
from pos_loyalty.i18n import Language, tr
from pos_loyalty.store.overview import Exposure, HubSeen, Overview, TillSeen

SILENT_S: Final = 86_400
HUB_SILENT_S: Final = 900
"""A hub asks every few seconds: one that was not heard for so long is cut off, or down."""
STEPS: Final = (("days", 86_400, 2 * 86_400), ("hours", 3_600, 2 * 3_600), ("minutes", 60, 120), ("seconds", 1, 0))
"""A time is told in the first unit of which there are enough: its name, its seconds, from how many seconds on."""


def view_of(seen: Overview, language: Language, zone: ZoneInfo, now: datetime, exponent: int) -> dict[str, Any]:
    """What the template shows."""
    return {
        "tills": [_till(each, language, now) for each in seen.tills],
        "hubs": [_hub(each, language, now) for each in seen.hubs],
        "programmes": [
            {"name": each.id, "version": each.version, "came": _at(each.received_at, zone), "tills": each.tills}
            for each in seen.programmes
        ],
        "backs": [
            tr(
                language, "office.back", at=_at(each.at, zone), programme=each.programme, first=each.from_version,
                last=each.to_version, by=each.by, reason=_reason(each.reason),
            )
            for each in seen.backs
        ],
        "stops": [
            tr(
                language, "office.stop", rule=each.rule, till=each.till, by=each.by,
                at=_at(from_ms(each.since_ms), zone), reason=_reason(each.reason),
            )
            for each in seen.stops
        ]
        + [tr(language, "office.stop_due", rule=rule, till=till) for till, rule in seen.stops_due],
        "day": [
            {
                "store": each.store,
                "sales": each.sales,
                "due": money_text(each.due_minor, exponent),
                "redeemed": points_text(each.redeemed_centi),
                "accrued": points_text(each.accrued_centi),
                "returns": each.returns,
                "refund": money_text(each.refund_minor, exponent),
            }
            for each in seen.day
        ],
        "exposure": [
            (tr(language, "office.outstanding"), points_text(seen.exposure.outstanding_centi)),
            (tr(language, "office.held_by_tills"), points_text(seen.exposure.held_by_tills_centi)),
            (tr(language, "office.twice"), points_text(seen.exposure.twice_centi)),
            (tr(language, "office.suspense"), points_text(seen.exposure.suspense_centi)),
        ],
        "cases": list(seen.open_cases.items()),
        "cases_open": sum(seen.open_cases.values()),
        "recomputed": [(tr(language, f"office.{verdict}"), count) for verdict, count in seen.recomputed.items()],
    }  # fmt: skip


def policy_of(offline: OfflineConfig, exposure: Exposure, language: Language) -> str:
    """A sentence: why so much, or nothing, could be redeemed twice."""
    cap = points_text(offline.cap_centi)
    return tr(language, f"office.policy_{offline.policy}", cap=cap, tills=exposure.tills)


def _till(till: TillSeen, language: Language, now: datetime) -> dict[str, Any]:
    lag_s = _lag_s(till.asked_at, now)
    return {
        "till": till.till,
        "store": till.store,
        "epoch": till.epoch,
        "held": till.applied_seq,
        "heard": _ago(_lag_s(till.heard_at, now), language),
        "lag": _ago(lag_s, language),
        "programme": (till.programme or "").partition("#")[0],
        "state": _state(till.frozen, till.state, language, is_silent=_is_silent(lag_s)),
        "is_wrong": till.frozen is not None or _is_silent(lag_s) or till.state in ("revoked", "lost"),
    }


def _hub(hub: HubSeen, language: Language, now: datetime) -> dict[str, Any]:
    lag_s = _lag_s(hub.asked_at, now)
    is_silent = lag_s is None or lag_s > HUB_SILENT_S
    return {
        "hub": hub.hub,
        "store": hub.store,
        "seen": _ago(lag_s, language),
        "heard": _ago(_lag_s(hub.heard_at, now), language),
        "waiting": "–" if hub.waiting is None else hub.waiting,
        "held": points_text(hub.held_centi),
        "state": _state(hub.frozen, hub.state, language, is_silent=is_silent),
        "is_wrong": hub.frozen is not None or is_silent or hub.state in ("revoked", "lost"),
    }


def _state(frozen: str | None, state: str, language: Language, *, is_silent: bool) -> str:
    if frozen is not None:
        return tr(language, "office.state_frozen", reason=frozen)
    if is_silent and state in ("active", ""):
        return tr(language, "office.state_silent")
    return tr(language, f"office.state_{state}")


def _is_silent(lag_s: int | None) -> bool:
    return lag_s is None or lag_s > SILENT_S


def _lag_s(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(0, int((now - at).total_seconds()))


def _ago(seconds: int | None, language: Language) -> str:
    if seconds is None:
        return tr(language, "office.never")
    name, size = next((name, size) for name, size, least in STEPS if seconds >= least or name == "seconds")
    return tr(language, "office.ago", time=tr(language, f"office.{name}", n=max(0, seconds) // size))


def _reason(reason: str) -> str:
    return f"({reason})" if reason else ""


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
