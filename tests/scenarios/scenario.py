"""Reads a scenario that a manager can write: a basket, a member, what is expected. Figures are strings, as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pos_loyalty.engine import quote
from pos_loyalty.engine.model import Basket, Member, Quote, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.values import convert
from tests.scenarios.acts import seen_in_award
from tests.scenarios.seen import minor, seen_in

AT = "2026-11-21T12:30:05+03:00"
"""A Saturday in Moscow: the time of a scenario that names none."""

LINE_WORDS = {
    "name": "name",
    "category": "category",
    "brand": "brand",
    "tags": "tags",
    "measure": "measure",
    "marks": "marks",
    "seller": "seller",
    "volume_ml": "volume_ml",
}
LINE_MONEY = {
    "price": "price_minor",
    "floor": "floor_minor",
    "cost": "cost_minor",
    "prior_off": "prior_off_minor",
    "max_price": "max_price_minor",
}
LINE_RATES = {"vat": "vat_bp", "strength": "strength_bp"}
MEMBER_WORDS = {
    "tier",
    "segments",
    "staff",
    "birthday",
    "birthday_set_at",
    "joined_at",
    "counters",
    "referred_by",
    "paid_until",
    "profile",
    "dates",
}
MEMBER_POINTS = {"redeemable": "redeemable_centi", "owed": "owed_centi"}
DAY_MONEY = {"net": "net_minor", "earned": "earned_centi", "redeemed": "redeemed_centi"}
WORDS = {
    "at",
    "store",
    "till",
    "cashier",
    "redeem",
    "coupons",
    "unique_coupons",
    "uses",
    "budgets",
    "lines",
    "manual",
    "tenders",
    "choices",
    "member",
    "expect",
}
"""What a scenario may say of one sale."""
ABOUT = {"title", "case", "setting", "beside", "diverges", "note", "covers", "rules", "step", "for_quantity", "return_of", "back"}
"""What a scenario may say of itself."""


def answer_to(scenario: Mapping[str, Any], programme: Programme, member: Member | None = None) -> Quote:
    """Ask the engine what the scenario asks, of the member that the scenario describes when none is given."""
    unknown = scenario.keys() - WORDS - ABOUT
    assert not unknown, f"unknown words in a scenario: {sorted(unknown)}"
    at = datetime.fromisoformat(scenario.get("at", AT))
    who = member if member is not None else member_of(scenario)
    return quote(basket_of(scenario, programme), who, programme, _state(scenario), at)


def basket_of(scenario: Mapping[str, Any], programme: Programme) -> Basket:
    """The basket of a scenario."""
    redeem = scenario.get("redeem")
    raw = {
        "basket_id": "scenario",
        "store": scenario.get("store", "S1"),
        "till": scenario.get("till", "T1"),
        "cashier": scenario.get("cashier", ""),
        "opened_at": datetime.fromisoformat(scenario.get("at", AT)).isoformat(),
        "currency": programme.currency,
        "coupons": scenario.get("coupons", []),
        "redeem": redeem if redeem in (None, "max") else minor(redeem),
        "lines": [_line(number, row) for number, row in enumerate(scenario.get("lines", []), start=1)],
        "manual": [_manual(line_id, off) for line_id, off in scenario.get("manual", {}).items()],
        "tenders": [{"kind": kind, "amount_minor": minor(amount)} for kind, amount in scenario.get("tenders", {}).items()],
        "choices": scenario.get("choices", {}),
    }
    return convert(raw, Basket)


def member_of(scenario: Mapping[str, Any]) -> Member | None:
    """The member of a scenario, if it has one."""
    return None if "member" not in scenario else convert(_member(scenario["member"]), Member)


def _line(number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    known = {"id", "sku", "quantity"} | LINE_WORDS.keys() | LINE_MONEY.keys() | LINE_RATES.keys()
    assert not row.keys() - known, f"unknown words in a line: {sorted(row.keys() - known)}"
    line = {name: row[word] for word, name in LINE_WORDS.items() if word in row}
    line |= {"line_id": row.get("id", str(number)), "sku": row.get("sku", row.get("id", f"sku-{number}"))}
    line |= {"quantity": row.get("quantity", "1")}
    line |= {name: minor(row[word]) for word, name in LINE_MONEY.items() if word in row}
    return line | {name: minor(row[word].rstrip("%")) for word, name in LINE_RATES.items() if word in row}


def _manual(line_id: str, off: str | Mapping[str, str]) -> dict[str, Any]:
    """``{ 1 = "15.00" }``, or with the cashier's role ``{ 1 = { off = "15.00", role = "senior" } }``."""
    if isinstance(off, str):
        return {"line_id": line_id, "off_minor": minor(off)}
    return {"line_id": line_id, "off_minor": minor(off["off"]), "role": off["role"]}


def _member(row: Mapping[str, Any]) -> dict[str, Any]:
    known = {"id", "lots", "sales", "days", "purchases"} | MEMBER_WORDS | MEMBER_POINTS.keys()
    assert not row.keys() - known, f"unknown words in a member: {sorted(row.keys() - known)}"
    member = {"member_id": row.get("id", "M1")} | {word: row[word] for word in MEMBER_WORDS if word in row}
    member |= {name: minor(row[word]) for word, name in MEMBER_POINTS.items() if word in row}
    member["lots"] = [
        {"lot_id": name, "centi": minor(lot["points"])} | {key: lot[key] for key in ("usable_from", "expires_at") if key in lot}
        for name, lot in row.get("lots", {}).items()
    ]
    if "sales" in row:
        member["sales"] = {"count": row["sales"]["count"], "spent_minor": minor(row["sales"].get("spent", "0"))}
    for word in ("days", "purchases"):
        if word in row:
            member[word] = [{DAY_MONEY.get(key, key): minor(each[key]) if key in DAY_MONEY else each[key] for key in each}
                            for each in row[word]]  # fmt: skip
    return member


def _state(scenario: Mapping[str, Any]) -> State:
    raw: dict[str, Any] = {"coupons": scenario.get("unique_coupons", {})}
    if "uses" in scenario:
        raw["uses"] = scenario["uses"]
    raw["budgets"] = {rule: minor(left) for rule, left in scenario.get("budgets", {}).items()}
    return convert(raw, State)


def differences(scenario: Mapping[str, Any], programme: Programme) -> dict[str, tuple[Any, Any]]:
    """Word → (seen, expected) wherever the quote is not as the scenario expects."""
    if "act" in scenario:
        member = convert(_member(scenario["member"]), Member)
        at = datetime.fromisoformat(scenario.get("at", AT))
        return differences_of(seen_in_award(scenario, programme, member, _state(scenario), at), scenario["expect"])
    return differences_of(seen_in(answer_to(scenario, programme)), scenario["expect"])


def differences_of(seen: Mapping[str, Any], expect: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Word → (seen, expected) wherever they differ."""
    return {word: (seen[word], expect[word]) for word in expect if seen[word] != expect[word]}
