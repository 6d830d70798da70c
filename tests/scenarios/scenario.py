"""Reads a scenario that a manager can write: a basket, a member, what is expected. Figures are strings, as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Basket, Member, Quote, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.values import convert

AT = "2026-11-21T12:30:05+03:00"
"""A Saturday in Moscow: the time of a scenario that names none."""

LINE_WORDS = {
    "id",
    "sku",
    "name",
    "quantity",
    "price",
    "category",
    "brand",
    "tags",
    "measure",
    "floor",
    "vat",
    "prior_off",
    "marks",
}


def minor(text: str) -> int:
    """ "150.00" → 15000."""
    whole, _, rest = text.partition(".")
    assert len(rest) in (0, 2), f"{text!r}: write money with two digits after the point"
    sign = -1 if whole.startswith("-") else 1
    return sign * (abs(int(whole)) * 100 + int(rest or "0"))


def shown(amount: int) -> str:
    """15000 → "150.00"."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def answer_to(scenario: Mapping[str, Any], programme: Programme) -> Quote:
    """Ask the engine what the scenario asks."""
    at = datetime.fromisoformat(scenario.get("at", AT))
    redeem = scenario.get("redeem")
    raw = {
        "basket_id": "scenario",
        "store": "S1",
        "till": "T1",
        "opened_at": at.isoformat(),
        "currency": programme.currency,
        "coupons": scenario.get("coupons", []),
        "redeem": redeem if redeem in (None, "max") else minor(redeem),
        "lines": [_line(number, row) for number, row in enumerate(scenario.get("lines", []), start=1)],
        "manual": [{"line_id": line_id, "off_minor": minor(off)} for line_id, off in scenario.get("manual", {}).items()],
    }
    member = scenario.get("member")
    state = {"coupons": scenario.get("unique_coupons", {})}
    who = None if member is None else convert(_member(member), Member)
    return quote(convert(raw, Basket), who, programme, convert(state, State), at)


def _line(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    assert not row.keys() - LINE_WORDS, f"unknown words in a line: {sorted(row.keys() - LINE_WORDS)}"
    line = {key: row[key] for key in ("name", "category", "brand", "tags", "measure", "marks") if key in row}
    line |= {"line_id": row.get("id", str(number)), "sku": row.get("sku", f"sku-{number}")}
    line |= {"quantity": row.get("quantity", "1"), "price_minor": minor(row["price"])}
    line |= {name: minor(row[word]) for word, name in (("floor", "floor_minor"), ("prior_off", "prior_off_minor")) if word in row}
    return line | ({"vat_bp": minor(row["vat"].rstrip("%"))} if "vat" in row else {})


def _member(row: Mapping[str, Any]) -> dict[str, Any]:
    lots = [
        {"lot_id": name, "centi": minor(lot["points"])} | {key: lot[key] for key in ("usable_from", "expires_at") if key in lot}
        for name, lot in row.get("lots", {}).items()
    ]
    return {"member_id": "M1", "lots": lots} | {key: row[key] for key in ("tier", "segments", "staff") if key in row}


def seen_in(answer: Quote) -> dict[str, Any]:
    """What a scenario may expect of a quote, under the words that it uses."""
    off: dict[str, int] = {}
    for line in answer.lines:
        for adjustment in line.adjustments:
            off[adjustment.rule] = off.get(adjustment.rule, 0) + adjustment.off_minor
    return {
        "gross": shown(answer.gross_minor),
        "total": shown(answer.total_minor),
        "due": shown(answer.due_minor),
        "lines": {line.line_id: shown(line.net_minor) for line in answer.lines},
        "vat": {line.line_id: shown(line.vat_minor) for line in answer.lines},
        "fiscal": {
            line.line_id: [f"{p.quantity_milli.text} x {shown(p.price_minor)}" for p in line.fiscal] for line in answer.lines
        },
        "applied": list(answer.applied),
        "off": {rule: shown(amount) for rule, amount in off.items()},
        "refused": {each.rule: f"{each.condition}: {each.have}, needs {each.need}" for each in answer.refusals},
        "beaten": {each.rule: f"{each.by} by {shown(each.difference_minor)}" for each in answer.beaten},
        "floors": {each.line_id: shown(each.stopped_minor) for each in answer.floors},
        "points": {each.rule: shown(each.centi) for each in answer.accruals},
        "usable_from": {each.rule: each.usable_from.isoformat() for each in answer.accruals},
        "expires_at": {each.rule: each.expires_at.isoformat() for each in answer.accruals if each.expires_at},
        "redeemed": shown(answer.redemption.centi),
        "most": shown(answer.redemption.max_centi),
        "lots": {use.lot_id: shown(use.centi) for use in answer.redemption.lots},
    }


def differences(scenario: Mapping[str, Any], programme: Programme) -> dict[str, tuple[Any, Any]]:
    """Word → (seen, expected) wherever the quote is not as the scenario expects."""
    seen = seen_in(answer_to(scenario, programme))
    expect = scenario["expect"]
    return {word: (seen[word], expect[word]) for word in expect if seen[word] != expect[word]}
