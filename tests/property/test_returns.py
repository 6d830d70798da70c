"""Laws of returns: whatever comes back in whatever parts, the whole comes to nothing, and the order does not matter."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pos_loyalty.engine import quote, reserve, settle
from pos_loyalty.engine.ledger import settle_return
from pos_loyalty.engine.model import Basket, Entry, Lot, Quote, QuoteLine, SalesSoFar
from pos_loyalty.engine.returns import Returned, ReturnLine, return_of
from pos_loyalty.values import Points, Thousandths
from tests.property.random_worlds import DAY, a_line
from tests.worlds import NOBODY, NOW, basket, lot, member, programme

LAW = settings(max_examples=150, deadline=None)
REF = "T/1"
RULES = (
    '[[rule]]\nid = "off"\nstage = "order"\nthen = [{ do = "amount", amount = "13.37" }]\n',
    '[[rule]]\nid = "ten"\nstage = "item"\nthen = [{ do = "percent", percent = "7.77%" }]\n',
    '[[rule]]\nid = "base"\nthen = [{ do = "points", rate = "3.33%" }]\n',
    '[[rule]]\nid = "coffee"\nthen = [{ do = "points", rate = "10%", on = { category = "drinks" }, max_points = "40" }]\n',
    '[[rule]]\nid = "x2"\nthen = [{ do = "points", multiplier = "2.5", on = { category = "bakery" } }]\n',
    '[[rule]]\nid = "unit"\nthen = [{ do = "points", fixed = "0.75", per = "unit", on = { tag = "hot" } }]\n',
    '[[rule]]\nid = "welcome"\nthen = [{ do = "points", fixed = "12.34" }]\n',
    '[[rule]]\nid = "count"\nthen = [{ do = "counter_add", key = "k" }, { do = "counter_add", key = "r", per = "receipt" }]\n',
    '[[rule]]\nid = "progress"\nthen = [{ do = "tier_progress", on = { category = "drinks" } }]\n',
    '[[rule]]\nid = "mug"\nstage = "payment"\nthen = [{ do = "redeem_for", points = "7.77", on = { sku = "s1" } }]\n',
    '[referral]\nreferrer = "30"\nfriend = "10"\n',
    '[[rule]]\nid = "few"\nstage = "item"\nlimits = { total = 50 }\n'
    'then = [{ do = "n_for_m", n = 3, k = 1, percent = "50%", on = { category = "drinks" } }]\n',
    '[[rule]]\nid = "gift"\nstage = "item"\nlimits = { member = 9 }\n'
    'then = [{ do = "gift", buy = [{ on = { sku = "s1" }, count = 2 }], on = { except = { sku = "s1" } } }]\n',
    '[[rule]]\nid = "budget"\nbudget = "300.00"\nthen = [{ do = "points", rate = "7%" }]\n',
    '[redeem]\nlimit = "60%"\n',
    '[redeem]\nlimit = "90%"\nform = "counter_provision"\n',
)
TABLES = (
    "",
    '[points]\nstep = "1"\n',
    '[points]\nstep = "1"\nround = "up"\nper_receipt = "25"\n',
    '[points]\nearn_base = "net"\nearn_on = "before_redemption"\nvalue = "0.30"\n',
    '[points]\nvalue = "3.00"\nstep = "0.5"\nper_receipt = "44"\n',
)


@st.composite
def sales(draw: st.DrawFn) -> tuple[Quote, tuple[Lot, ...]]:
    """Something sold to a member, and the lots that the member had."""
    ids = draw(st.lists(st.sampled_from(("1", "2", "3", "4", "5")), unique=True, min_size=1, max_size=5))
    chosen = draw(st.sets(st.sampled_from(RULES)))
    if RULES[-1] in chosen:
        chosen.discard(RULES[-2])
    tables = draw(st.sampled_from(TABLES)) + "".join(sorted(chosen, reverse=True))
    lots = (lot("a", draw(st.integers(0, 9_000)), expires_at=NOW + DAY), lot("b", draw(st.integers(0, 90_000))))
    goods: Basket = basket(
        *[draw(a_line(line_id)) for line_id in ids],
        redeem=draw(st.sampled_from((None, "max", 1234))),
        choices={"mug": draw(st.sampled_from(ids))},
    )
    person = member(lots=lots, referred_by="M7", sales=SalesSoFar())
    state = replace(NOBODY, uses={}, budgets={"budget": 30_000})
    return quote(goods, person, programme(tables), state, NOW), lots


@st.composite
def parts_of(draw: st.DrawFn, answer: Quote) -> list[list[ReturnLine]]:
    """All of a sale, in pieces, in some order, some of them together."""
    pieces = [piece for line in answer.lines for piece in draw(_pieces(line))]
    returns: list[list[ReturnLine]] = [[]]
    for piece in draw(st.permutations(pieces)):
        if any(piece.line_id == other.line_id for other in returns[-1]) or (returns[-1] and draw(st.booleans())):
            returns.append([])
        returns[-1].append(piece)
    return returns


@st.composite
def _pieces(draw: st.DrawFn, line: QuoteLine) -> list[ReturnLine]:
    whole = sum(position.quantity_milli for position in line.fiscal)
    step = 1000 if line.units * 1000 == whole and line.units > 1 else 1
    if line.units == 1 and whole == 1000:
        step = 1000
    if step == 1000 and len(line.fiscal) == line.units > 1 and draw(st.booleans()):
        numbers = draw(st.permutations(range(line.units)))
        return [ReturnLine(line_id=line.line_id, quantity_milli=Thousandths(1000), units=(number,)) for number in numbers]
    cuts = sorted({step * cut for cut in draw(st.lists(st.integers(1, max(1, whole // step)), max_size=4))} | {whole})
    made, before = [], 0
    for cut in cuts:
        made.append(ReturnLine(line_id=line.line_id, quantity_milli=Thousandths(cut - before)))
        before = cut
    return made


def returned_all(answer: Quote, parts: Iterable[list[ReturnLine]]) -> list[Returned]:
    done: list[Returned] = []
    for part in parts:
        done.append(return_of(answer, done, part))
    return done


def sums(done: Iterable[Returned]) -> dict[object, int]:
    """Everything that came back and was taken, by what it is; nothings left out."""
    total: dict[object, int] = {}

    def add(key: object, amount: int) -> None:
        total[key] = total.get(key, 0) + amount

    for each in done:
        add("refund", each.refund_minor)
        add("points", each.points_minor)
        add("progress", each.tier_progress_minor)
        for use in each.restored:
            add(("lot", use.lot_id), use.centi)
        for taken in each.taken_back:
            add((taken.rule, taken.member_id), taken.centi)
        for move in each.counters:
            add(("counter", move.key), move.add)
        for used in each.uses:
            add(("uses", used.rule), used.times)
            add(("given", used.rule), used.minor)
        add("charged", each.charged_minor)
    return {key: amount for key, amount in total.items() if amount}


def whole_of(answer: Quote) -> dict[object, int]:
    """What the sale was, in the same words."""
    total: dict[object, int] = {
        "refund": answer.due_minor,
        "points": answer.redemption.off_minor,
        "progress": answer.tier_progress_minor,
    }
    total |= {("lot", use.lot_id): use.centi for use in answer.redemption.lots}
    total |= {(each.rule, each.member_id): each.centi for each in answer.accruals}
    total |= {("counter", move.key): -move.add for move in answer.counters}
    for used in answer.uses:
        total["uses", used.rule] = used.times
        off = sum(each.off_minor for line in answer.lines for each in line.adjustments if each.rule == used.rule)
        points = [each.centi for each in answer.accruals if each.rule == used.rule]
        point_minor = answer.earning.point_minor if answer.earning is not None else 0
        total["given", used.rule] = off + sum(-(-centi * point_minor // 100) for centi in points)
    return {key: amount for key, amount in total.items() if amount}


@LAW
@given(st.data())
def test_all_of_it_in_any_parts_comes_to_nothing(data: st.DataObject) -> None:
    answer, _ = data.draw(sales())
    done = returned_all(answer, data.draw(parts_of(answer)))
    assert sums(done) == whole_of(answer)


@LAW
@given(st.data())
def test_no_part_is_below_nothing_and_every_refund_can_be_written(data: st.DataObject) -> None:
    answer, _ = data.draw(sales())
    is_tender = any(tender.kind == "counter_provision" for tender in answer.tenders)
    for each in returned_all(answer, data.draw(parts_of(answer))):
        assert all(use.centi > 0 for use in each.restored)
        assert all(taken.centi > 0 for taken in each.taken_back)
        assert all(move.add < 0 for move in each.counters)
        for line in each.lines:
            assert line.refund_minor >= 0 and line.points_minor >= 0 and line.progress_minor >= 0
            assert sum(position.quantity_milli for position in line.fiscal) == line.quantity_milli
            written = sum((2 * position.price_minor * position.quantity_milli + 1000) // 2000 for position in line.fiscal)
            assert written == line.refund_minor + (line.points_minor if is_tender else 0)


@LAW
@given(st.data())
def test_what_is_back_decides_how_much_was_taken_and_restored(data: st.DataObject) -> None:
    """Two ways to the same goods: the sums agree, rule by rule only up to the split."""
    answer, _ = data.draw(sales())
    parts = data.draw(parts_of(answer))
    upto = data.draw(st.integers(1, len(parts)))
    one_way = parts[:upto]
    together: dict[str, list[ReturnLine]] = {}
    for piece in (piece for part in one_way for piece in part):
        together.setdefault(piece.line_id, []).append(piece)
    at_once = [
        ReturnLine(
            line_id=line_id,
            quantity_milli=Thousandths(sum(piece.quantity_milli for piece in pieces)),
            units=tuple(number for piece in pieces for number in piece.units),
        )
        for line_id, pieces in together.items()
    ]
    slow, fast = sums(returned_all(answer, one_way)), sums([return_of(answer, (), at_once)])
    for key in ("refund", "points", "progress", ("lot", "a"), ("lot", "b"), ("counter", "k"), ("counter", "r")):
        assert slow.get(key, 0) == fast.get(key, 0), key
    rules = {each.rule for each in answer.accruals}
    assert sum(slow.get((rule, None), 0) for rule in rules) == sum(fast.get((rule, None), 0) for rule in rules)


@LAW
@given(st.data())
def test_the_ledger_of_a_sale_returned_in_parts_is_empty(data: st.DataObject) -> None:
    answer, lots = data.draw(sales())
    entries = reserve(answer, REF) + settle(answer, REF, NOW)
    done: list[Returned] = []
    for part in data.draw(parts_of(answer)):
        done.append(return_of(answer, done, part))
        theirs = {"M7": held("M7", (), entries)}
        entries += settle_return(answer, done[-1], REF, held("M1", lots, entries), NOW, others=theirs)
    balance: dict[str, int] = {}
    for entry in entries:
        assert entry.amount > 0
        balance[entry.credit] = balance.get(entry.credit, 0) + entry.amount
        balance[entry.debit] = balance.get(entry.debit, 0) - entry.amount
    assert {account: centi for account, centi in balance.items() if centi} == {}
    left = {each.lot_id: each.centi for each in held("M1", lots, entries) if each.centi}
    assert left == {each.lot_id: each.centi for each in lots if each.centi}


def held(who: str, lots: Iterable[Lot], entries: Iterable[Entry]) -> tuple[Lot, ...]:
    """A member's lots after the entries; none ever holds less than nothing."""
    now = {each.lot_id: each for each in lots}
    account = f"member:{who}"
    for entry in entries:
        sign = (entry.credit == account) - (entry.debit == account)
        if sign:
            assert entry.lot_id is not None
            before = now.get(entry.lot_id) or Lot(
                lot_id=entry.lot_id, centi=Points(0), usable_from=entry.usable_from, expires_at=entry.expires_at
            )
            now[entry.lot_id] = replace(before, centi=Points(before.centi + sign * entry.amount))
            assert now[entry.lot_id].centi >= 0
    return tuple(now.values())


@LAW
@given(st.data())
def test_the_till_never_asks_for_money_and_only_the_last_return_says_so(data: st.DataObject) -> None:
    answer, _ = data.draw(sales())
    done = returned_all(answer, data.draw(parts_of(answer)))
    assert all(each.refund_minor - each.charged_minor >= 0 for each in done)
    assert [each.is_last for each in done] == [False] * (len(done) - 1) + [True]
    assert sum(each.refund_minor - each.charged_minor for each in done) == answer.due_minor


@LAW
@given(st.data())
def test_uses_fall_by_whole_applications_and_never_below_what_is_kept(data: st.DataObject) -> None:
    """Ten small returns leave the limits where one large one leaves them."""
    answer, _ = data.draw(sales())
    parts = data.draw(parts_of(answer))
    done = returned_all(answer, parts)
    fallen: dict[str, int] = {}
    for each in done:
        for used in each.uses:
            assert used.times >= 0 and used.minor >= 0 and used.times + used.minor > 0
            fallen[used.rule] = fallen.get(used.rule, 0) + used.times
    assert fallen.items() <= {use.rule: use.times for use in answer.uses}.items()
    assert {rule for rule, times in fallen.items() if times} == {use.rule for use in answer.uses if use.times}
