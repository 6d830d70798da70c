"""What a scenario may expect of a quote, word by word."""

from __future__ import annotations

from typing import Any

from pos_loyalty.engine.model import Hint, Quote, QuoteLine
from pos_loyalty.values import MILLI_PER_UNIT


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


def seen_in(answer: Quote) -> dict[str, Any]:
    """What a scenario may expect of a quote, under the words that it uses."""
    return _money(answer) | _reasons(answer) | _points(answer) | _things(answer)


def _money(answer: Quote) -> dict[str, Any]:
    offs: dict[str, dict[str, int]] = {}
    for line in answer.lines:
        for adjustment in line.adjustments:
            by_line = offs.setdefault(adjustment.rule, {})
            by_line[line.line_id] = by_line.get(line.line_id, 0) + adjustment.off_minor
    return {
        "gross": shown(answer.gross_minor),
        "total": shown(answer.total_minor),
        "due": shown(answer.due_minor),
        "without_vat": shown(answer.due_minor - sum(line.vat_minor for line in answer.lines)),
        "lines": {line.line_id: shown(line.net_minor) for line in answer.lines},
        "vat": {line.line_id: shown(line.vat_minor) for line in answer.lines},
        "fiscal": {
            line.line_id: [f"{p.quantity_milli.text} x {shown(p.price_minor)}" for p in line.fiscal] for line in answer.lines
        },
        "off": {rule: shown(sum(by_line.values())) for rule, by_line in offs.items()},
        "offs": {rule: {line_id: shown(off) for line_id, off in by_line.items()} for rule, by_line in offs.items()},
        "off_all": shown(answer.gross_minor - answer.total_minor),
        "off_lines": {line.line_id: shown(line.gross_minor - line.net_minor) for line in answer.lines},
        "parts": [shown(line.gross_minor - line.net_minor) for line in answer.lines],
        "off_units": {line.line_id: _unit_offs(line) for line in answer.lines},
    }


def _unit_offs(line: QuoteLine) -> list[str]:
    """What came off each unit, most first, as the fiscal positions tell it. Only for whole units that nobody paid with points."""
    units = sum(position.quantity_milli for position in line.fiscal) // MILLI_PER_UNIT
    offs = [
        line.gross_minor // units - position.price_minor
        for position in line.fiscal
        for _ in range(position.quantity_milli // MILLI_PER_UNIT)
    ]
    return [shown(off) for off in sorted(offs, reverse=True)]


def _reasons(answer: Quote) -> dict[str, Any]:
    return {
        "applied": list(answer.applied),
        "refused": _refused(answer),
        "beaten": {each.rule: f"{each.by} by {shown(each.difference_minor)}" for each in answer.beaten},
        "floors": {each.line_id: shown(each.stopped_minor) for each in answer.floors},
        "floor_names": {each.line_id: each.floor for each in answer.floors},
        "line_refusals": {each.line_id: each.reason for each in answer.line_refusals},
        "hints": {each.rule: _hint(each) for each in answer.hints},
        "proven": answer.proof.proven,
        "best": [shown(answer.proof.value_minor), shown(answer.proof.bound_minor)],
    }


def _hint(hint: Hint) -> str:
    add = hint.add
    if add.amount_minor is not None:
        return f"for {shown(add.amount_minor)} more, saves {shown(hint.saves_minor)}"
    quantity = add.quantity_milli.text if add.quantity_milli is not None else "0"
    return f"{quantity} of {add.sku or 'its goods'}, saves {shown(hint.saves_minor)}"


def _points(answer: Quote) -> dict[str, Any]:
    mine = [each for each in answer.accruals if each.member_id in (None, answer.member_id)]
    return {
        "points": {each.rule: shown(each.centi) for each in mine},
        "points_all": shown(sum(each.centi for each in mine)),
        "points_of_others": {each.member_id: shown(each.centi) for each in answer.accruals if each not in mine},
        "usable_from": {each.rule: each.usable_from.isoformat() for each in mine},
        "expires_at": {each.rule: each.expires_at.isoformat() for each in mine if each.expires_at},
        "redeemed": shown(answer.redemption.centi),
        "most": shown(answer.redemption.max_centi),
        "lots": {use.lot_id: shown(use.centi) for use in answer.redemption.lots},
    }


def _things(answer: Quote) -> dict[str, Any]:
    return {
        "counters": {move.key: move.add for move in answer.counters},
        "uses": {use.rule: use.times for use in answer.uses},
        "issued": [f"{each.count} x {each.kind} {each.series}" for each in answer.issued],
        "messages": {each.rule: each.text for each in answer.messages},
        "privileges": list(answer.privileges),
        "tier_progress": shown(answer.tier_progress_minor),
    }


def _refused(answer: Quote) -> dict[str, str]:
    """Rule → why; several reasons of one name stand behind one another."""
    told: dict[str, list[str]] = {}
    for each in answer.refusals:
        told.setdefault(each.rule, []).append(f"{each.condition}: {each.have}, needs {each.need}")
    return {rule: " | ".join(reasons) for rule, reasons in told.items()}
