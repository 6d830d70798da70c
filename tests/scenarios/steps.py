"""Scenarios of several steps: sales of one member one after another, and goods that come back. The book is kept here, by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from pos_loyalty.engine.ledger import member_account, owed_account, reserve, settle, settle_return
from pos_loyalty.engine.model import Entry, Lot, Member, Quote, SalesSoFar
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.returns import Returned, ReturnLine, return_of
from pos_loyalty.values import Minor, Points, quantity
from tests.scenarios.scenario import AT, answer_to, member_of
from tests.scenarios.seen import minor, seen_in, shown


class Book:
    """What a shop would know of one member: lots, what they owe, counters and sales. Entries change it, nothing else."""

    def __init__(self, member: Member | None) -> None:
        self.member = member
        self.quotes: dict[int, Quote] = {}
        self.entries: dict[int, list[Entry]] = {}
        self.returned: dict[int, list[Returned]] = {}
        self.refunds: dict[int, str] = {}

    def sell(self, number: int, answer: Quote, at: datetime) -> None:
        """The sale is paid: its entries are booked, its counters move, it counts among the member's sales."""
        self.quotes[number] = answer
        self.entries[number] = list(reserve(answer, sale_ref(number)) + settle(answer, sale_ref(number), at))
        self.book(self.entries[number])
        if self.member is not None:
            before = self.member.sales or SalesSoFar()
            spent = Minor(before.spent_minor + answer.due_minor)
            self.member = replace(self.member, sales=SalesSoFar(count=before.count + 1, spent_minor=spent))
            self.count({move.key: move.add for move in answer.counters})

    def book(self, entries: Iterable[Entry]) -> None:
        """Move the points that entries move into and out of the member's lots, and what is owed."""
        if self.member is None:
            assert not list(entries), "nobody's points move"
            return
        mine, owed = member_account(self.member.member_id), owed_account(self.member.member_id)
        lots = {lot.lot_id: lot for lot in self.member.lots}
        owing = int(self.member.owed_centi)
        for entry in entries:
            moved = entry.amount * ((entry.credit == mine) - (entry.debit == mine))
            owing += entry.amount * ((entry.debit == owed) - (entry.credit == owed))
            if moved and entry.lot_id is not None:
                lot = lots.get(entry.lot_id) or Lot(
                    lot_id=entry.lot_id, centi=Points(0), usable_from=entry.usable_from, expires_at=entry.expires_at
                )
                lots[entry.lot_id] = replace(lot, centi=Points(lot.centi + moved))
        self.member = replace(self.member, lots=tuple(lots.values()), owed_centi=Points(owing))

    def count(self, moves: Mapping[str, int]) -> None:
        """Counters move."""
        if self.member is not None:
            counters = dict(self.member.counters or {})
            for key, add in moves.items():
                counters[key] = counters.get(key, 0) + add
            self.member = replace(self.member, counters=counters)

    def seen(self) -> dict[str, Any]:
        """What a step may expect of the member afterwards."""
        if self.member is None:
            return {}
        return {
            "balance": shown(sum(lot.centi for lot in self.member.lots)),
            "owed": shown(self.member.owed_centi),
            "counters_after": dict(self.member.counters or {}),
        }


def sale_ref(number: int) -> str:
    """How the ledger names the sale of a step."""
    return f"T1/step-{number}"


def seen_in_steps(scenario: Mapping[str, Any], programme: Programme) -> list[dict[str, Any]]:
    """What each step of the scenario shows, in order."""
    book = Book(member_of(scenario))
    common = {word: said for word, said in scenario.items() if word not in ("step", "expect", "member")}
    return [_seen_in_step(number, common | step, programme, book) for number, step in enumerate(scenario["step"], start=1)]


def _seen_in_step(number: int, step: dict[str, Any], programme: Programme, book: Book) -> dict[str, Any]:
    sold, refund_of = step.pop("sold", True), step.pop("paid_by_refund_of", None)
    at = datetime.fromisoformat(step.get("at", AT))
    if "return_of" in step:
        seen = _take_back(step, at, book)
        book.refunds[number] = seen["refund"]
        return seen | book.seen()
    answer = answer_to(step, programme, book.member)
    seen = seen_in(answer)
    if refund_of is not None:
        seen["to_pay"] = shown(answer.due_minor - minor(book.refunds[refund_of]))
    if not sold:
        expected = Book(book.member)
        expected.sell(number, answer, at)
        return seen | expected.seen()
    book.sell(number, answer, at)
    after = book.seen()
    if "balance" in after:
        seen["left"] = shown(minor(after["balance"]) - minor(seen["points_all"]))
    return seen | after


def _take_back(step: Mapping[str, Any], at: datetime, book: Book) -> dict[str, Any]:
    """Goods of an earlier sale come back: money is refunded, points and counters move, and what stays costs what it cost."""
    number = step["return_of"]
    sold, before = book.quotes[number], book.returned.setdefault(number, [])
    wanted = [ReturnLine(line_id=line_id, quantity_milli=quantity(count)) for line_id, count in step["back"].items()]
    answer = return_of(sold, before, wanted)
    before.append(answer)
    lots = book.member.lots if book.member is not None else ()
    book.book(settle_return(sold, answer, sale_ref(number), lots, at))
    book.count({move.key: move.add for move in answer.counters})
    return {
        "refund": shown(answer.refund_minor - answer.charged_minor),
        "charged": shown(answer.charged_minor),
        "uses_back": {use.rule: use.times for use in answer.uses},
        "given_back_to_budgets": {use.rule: shown(use.minor) for use in answer.uses},
        "all_back": answer.is_last,
        "taken_back": shown(sum(each.centi for each in answer.taken_back)),
        "given_back": shown(sum(each.centi for each in answer.restored)),
        "kept": _kept(sold, before),
    }


def _kept(sold: Quote, returned: list[Returned]) -> dict[str, str]:
    """What the customer paid for the lines that are still theirs, wholly or in part."""
    kept = {}
    for line in sold.lines:
        back = [each for answer in returned for each in answer.lines if each.line_id == line.line_id]
        sold_milli = sum(position.quantity_milli for position in line.fiscal)
        if sum(each.quantity_milli for each in back) < sold_milli:
            refunded = sum(each.refund_minor for each in back)
            kept[line.line_id] = shown(line.net_minor - line.points_minor - refunded)
    return kept
