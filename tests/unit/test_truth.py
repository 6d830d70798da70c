"""Head office's second look at sales, cases that a person closes, rules stopped at a till, the way back to the version before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import ConflictError, InputError, NotFoundError, QuoteStaleError
from pos_loyalty.store import follow, ledger, rule_stops
from pos_loyalty.store.cases import CaseName, name_of
from pos_loyalty.store.db import open_store, write
from pos_loyalty.store.decision_facts import CaseClosedFact, RuleStopFact
from pos_loyalty.store.facts import FactKind, SaleFact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.verify import verify
from pos_loyalty.till import stops
from pos_loyalty.till.model import CompleteRequest, QuoteRequest
from pos_loyalty.values import Minor, Points
from sync import pull
from sync.local import apply_changes, begin_pull, next_question
from sync.server import steps, truth
from sync.server.truth import Recomputer, recompute_all
from sync.wire import Changes
from tests.shop import CARD, PROGRAMME, make_basket
from tests.simulation.shop import NOW, HeadOffice, Till, half, pull_all, push_all, quote_of
from tests.unit.test_coupon_sync import Linked, sync
from tests.unit.test_sync_identity import enrolled, sync_fully

FULL, COFFEE = 30_000, 27_000
STOP = RuleStopFact(rule="coffee", by="M9", reason="wrong price in the leaflet")
Rows = list[tuple[object, ...]]


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    made = HeadOffice(tmp_path)
    steps.publish_programme(made.store, PROGRAMME.encode(), NOW)
    return made


@pytest.fixture
def till(tmp_path: Path, office: HeadOffice) -> Iterator[Linked]:
    made = Linked(tmp_path / "one", "T1")
    sync(made, office)
    yield made
    made.shop.close()


def sell(till: Linked, sale_id: str, *, redeem: int | None = None, complete: bool = True) -> int:
    request = till.shop.ask(make_basket(redeem=redeem))
    answer = till.shop.till.authorise(replace(request, sale_id=sale_id, complete=complete), f"key {sale_id}")
    return int(answer.quote.total_minor)


def look(office: HeadOffice) -> int:
    return recompute_all(office.store, Recomputer())


def verdicts(office: HeadOffice) -> Rows:
    return office.rows("SELECT till, agreed, partly, unknown, differs FROM recompute_mark ORDER BY till")


def forge(till: Linked, change: object) -> None:
    """What a till says whose program somebody changed: its last sale with other figures, in order with the chain."""
    stored = till.db.execute("SELECT payload FROM txn WHERE sale_id = 'honest'").fetchone()
    fact = steps.fact_of(stored[0])
    assert fact.sale is not None
    quote: Quote = change(fact.sale.quote)  # type: ignore[operator]
    body = SaleFact(
        sale_id="forged", basket=fact.sale.basket, quote=quote, tenders=(), offline_centi=Points(0), biz_day=1, completed=False
    )  # fmt: skip
    draft = Draft(
        id=till.shop.new_id(), kind="sale.authorised", store="S1", programme=fact.programme, receipt_no="T1-1-forged",
        member=fact.member, body=body,
    )  # fmt: skip
    from pos_loyalty.store import sales

    with write(till.db):
        sales.add(till.db, ledger.append(till.db, draft, NOW))


def test_honest_sales_agree_and_are_looked_at_once(office: HeadOffice, till: Linked) -> None:
    sell(till, "one")
    sell(till, "two", redeem=5_000)
    sell(till, "three", redeem=1_000, complete=False)
    till.shop.till.complete("three", CompleteRequest(), "k three")
    sync(till, office)
    assert look(office) == 1
    assert verdicts(office) == [("T1", 4, 0, 0, 0)], "three sales in four facts"
    assert look(office) == 0
    office.restart()
    assert look(office) == 0, "how far it got stands in the file"
    assert office.store.truth.cases(10) == () or all(
        each.name.reason != "sale.recomputed" for each in office.store.truth.cases(10)
    )
    assert verify(office.db) == ()


def test_a_forged_figure_opens_a_case_and_blocks_nothing(office: HeadOffice, till: Linked) -> None:
    sell(till, "honest")
    forge(till, lambda quote: replace(quote, due_minor=Minor(quote.due_minor - 5_000)))
    sell(till, "after")
    sync(till, office)
    assert office.rows("SELECT COUNT(*) FROM sale") == [(3,)], "the forged sale is taken like any"
    look(office)
    assert verdicts(office) == [("T1", 2, 0, 0, 1)]
    (case,) = [each for each in office.store.truth.cases(10) if each.name.reason == "sale.recomputed"]
    assert case.sale_id == "forged"
    assert case.details == ("sale forged: due_minor is 22000, the lines make 27000",)
    assert verify(office.db) == (), "a case of this kind excuses no difference between log and tables"


def test_points_that_the_rules_do_not_give_are_found(office: HeadOffice, till: Linked) -> None:
    sell(till, "honest")
    forge(till, lambda quote: replace(quote, accruals=tuple(replace(each, centi=Points(9_999)) for each in quote.accruals)))
    sync(till, office)
    look(office)
    (case,) = [each for each in office.store.truth.cases(10) if each.name.reason == "sale.recomputed"]
    assert case.details == ("sale forged: accruals are 9999, the pinned programme gives 1350",)


def test_a_discount_that_no_rule_gives_is_found(office: HeadOffice, till: Linked) -> None:
    sell(till, "honest")

    def free(quote: Quote) -> Quote:
        line = quote.lines[0]
        off = replace(line.adjustments[0], off_minor=Minor(FULL))
        fiscal = tuple(replace(each, price_minor=Minor(0)) for each in line.fiscal)
        line = replace(line, net_minor=Minor(0), adjustments=(off,), fiscal=fiscal, earned=(), earning_minor=Minor(0))
        return replace(quote, lines=(line,), total_minor=Minor(0), due_minor=Minor(0), accruals=(), earning=None)

    forge(till, free)
    sync(till, office)
    look(office)
    (case,) = [each for each in office.store.truth.cases(10) if each.name.reason == "sale.recomputed"]
    assert case.details == ("sale forged: total_minor is 0, the pinned programme gives 27000",)


def test_what_cannot_be_asked_again_is_counted_only(office: HeadOffice, tmp_path: Path) -> None:
    stranger = Till(tmp_path, "T7")
    stranger.sell("S1")
    push_all(stranger, office)
    look(office)
    assert verdicts(office) == [("T7", 0, 0, 1, 0)], "its programme never came to this head office"
    assert office.store.truth.cases(10) == ()


def test_one_turn_is_bounded_and_the_next_goes_on(office: HeadOffice, tmp_path: Path) -> None:
    many = Till(tmp_path, "T8")
    for n in range(truth.FACTS_IN_TURN + 3):
        many.sell(f"S{n}")
    push_all(many, office)
    recomputer = Recomputer()
    turn = recomputer.gather(office.store)
    assert turn is not None and len(turn.sold) == truth.FACTS_IN_TURN
    recomputer.note(office.store, recomputer.judge(turn))
    office.restart()
    assert look(office) == 1
    assert verdicts(office) == [("T8", 0, 0, truth.FACTS_IN_TURN + 3, 0)]


def test_a_stop_acts_from_the_next_quote_on_without_the_network(office: HeadOffice, till: Linked) -> None:
    held = till.shop.ask()
    assert held.due_minor == COFFEE
    assert stops.stop(till.shop.till._desk, STOP)
    assert not stops.stop(till.shop.till._desk, STOP), "again changes nothing"
    with pytest.raises(QuoteStaleError):
        till.shop.till.authorise(replace(held, sale_id="held", complete=True), "k held")
    quote = till.shop.till.quote(QuoteRequest(basket=make_basket(), card=CARD))
    assert quote.total_minor == FULL
    assert [(each.rule, each.condition) for each in quote.refusals if each.rule == "coffee"] == [("coffee", "stopped")]
    assert sell(till, "dear") == FULL
    assert stops.resume(till.shop.till._desk, STOP)
    assert not stops.resume(till.shop.till._desk, STOP)
    assert sell(till, "cheap") == COFFEE
    assert verify(till.db) == ()


def test_head_office_hears_of_a_stop_and_recomputes_by_it(office: HeadOffice, till: Linked) -> None:
    sell(till, "before")
    stops.stop(till.shop.till._desk, STOP)
    sell(till, "while")
    sync(till, office)
    (stop,) = rule_stops.standing(office.db)
    assert (stop.till, stop.rule, stop.by, stop.reason) == ("T1", "coffee", "M9", "wrong price in the leaflet")
    stops.resume(till.shop.till._desk, STOP)
    sell(till, "after")
    sync(till, office)
    assert rule_stops.standing(office.db) == ()
    look(office)
    assert verdicts(office) == [("T1", 3, 0, 0, 0)], "each sale by the rules that its till left out then"
    assert verify(office.db) == ()


def test_a_stop_for_the_store_reaches_its_other_tills_and_the_last_word_counts(office: HeadOffice, tmp_path: Path) -> None:
    """Of three tills of a store the third hears late; what it heard late is no word of its own."""
    one, two, three = tills = [Till(tmp_path, name) for name in ("T1", "T2", "T3")]
    for number, each in enumerate(tills):
        enrolled(office, each, f"{number + 16:02x}" * 32)

    def says(till: Till, kind: str, minute: int, *, wide: bool = True) -> None:
        at = NOW + timedelta(minutes=minute)
        said = RuleStopFact(rule="coffee", by="M9", reason="leaflet", is_wide=wide)
        with write(till.db):
            follow.book(till.db, Draft(id=till.new_id(), kind=kind, store="S1", body=said), at)  # type: ignore[arg-type]

    says(three, "rule.stopped", 1, wide=False)
    for each in tills:
        sync_fully(each, office)
    assert [rule_stops.here(each.db) for each in tills] == [(), (), ("coffee",)], "at one till alone"
    says(three, "rule.resumed", 2, wide=False)
    sync_fully(three, office)
    says(one, "rule.stopped", 3)
    sync_fully(one, office)
    assert set(rule_stops.not_yet(office.db)) == {("T2", "coffee"), ("T3", "coffee")}
    page = pull_page(three, office)
    for _ in range(2):
        sync_fully(two, office)
    assert rule_stops.here(two.db) == ("coffee",) and rule_stops.not_yet(office.db) == (("T3", "coffee"),)
    says(two, "rule.resumed", 4)
    sync_fully(two, office)
    apply_changes(three.db, three.here, page, NOW + timedelta(minutes=5))
    assert rule_stops.here(three.db) == ("coffee",), "it hears late of what was taken back"
    for _ in range(2):
        for each in tills:
            sync_fully(each, office)
    assert [rule_stops.here(each.db) for each in tills] == [(), (), ()]
    assert rule_stops.standing(office.db) == ()
    assert [verify(each.db) for each in (office, *tills)] == [(), (), (), ()]


def test_a_till_where_a_person_let_the_rule_act_again_is_not_one_that_has_not_heard(office: HeadOffice, tmp_path: Path) -> None:
    one, two = tills = [Till(tmp_path, name) for name in ("T1", "T2")]
    for number, each in enumerate(tills):
        enrolled(office, each, f"{number + 16:02x}" * 32)

    def says(till: Till, kind: FactKind, minute: int, *, wide: bool) -> None:
        said = RuleStopFact(rule="coffee", by="M9", reason="leaflet", is_wide=wide)
        with write(till.db):
            follow.book(till.db, Draft(id=till.new_id(), kind=kind, store="S1", body=said), NOW + timedelta(minutes=minute))
        sync_fully(till, office)

    says(one, "rule.stopped", 1, wide=True)
    assert rule_stops.not_yet(office.db) == (("T2", "coffee"),)
    sync_fully(two, office)
    says(two, "rule.resumed", 2, wide=False)
    assert rule_stops.here(two.db) == () and rule_stops.not_yet(office.db) == ()
    says(one, "rule.resumed", 3, wide=True)
    says(one, "rule.stopped", 4, wide=True)
    assert rule_stops.not_yet(office.db) == (("T2", "coffee"),), "of the next stop it has to hear"


def pull_page(till: Till, office: HeadOffice) -> Changes:
    """What head office would tell now, kept on its way."""
    step = next_question(till.db, till.here, begin_pull(till.db, NOW), NOW)
    assert step.send is not None
    got = pull.received(step.state, office.changes(step.send), NOW, 60.0, half)
    assert got.changes is not None
    return got.changes


def test_a_stop_names_a_rule_that_there_is_at_this_very_till(till: Linked) -> None:
    desk = till.shop.till._desk
    with pytest.raises(NotFoundError, match="did you mean coffee"):
        stops.stop(desk, replace(STOP, rule="cofee"))
    with pytest.raises(InputError, match="of store"):
        stops.check_here(desk, "S2", None)
    with pytest.raises(InputError, match="run it there"):
        stops.check_here(desk, "S1", "T2")
    stops.check_here(desk, "S1", "T1")


def test_a_closed_case_stays_closed_and_is_named_by_its_fact(office: HeadOffice, tmp_path: Path) -> None:
    one, two = Till(tmp_path, "T1"), Till(tmp_path, "T2")
    for each in (one, two):
        each.enrol("M1", "2000000000015")
        push_all(each, office)
    name = CaseName(till="T2", epoch=1, seq=1, reason="member.twice")
    assert [each.name for each in office.store.truth.cases(10)] == [name]
    assert name_of(str(name)) == name
    closed = truth.close_case(office.store, name, "the same person, two tills", "M9", NOW)
    assert closed.closed is not None and (closed.closed.by, closed.closed.note) == ("M9", "the same person, two tills")
    assert office.store.truth.cases(10) == ()
    assert [each.name for each in office.store.truth.all_cases(10)] == [name]
    with pytest.raises(ConflictError, match="closed by M9"):
        truth.close_case(office.store, name, "again", "M8", NOW)
    facts = office.rows("SELECT count(*) FROM txn")
    assert truth.close_case(office.store, name, "the same person, two tills", "M9", NOW + timedelta(minutes=1)) == closed
    assert office.rows("SELECT count(*) FROM txn") == facts
    with pytest.raises(NotFoundError, match="case list"):
        truth.close_case(office.store, replace(name, seq=9), "no such", "M8", NOW)
    kinds = office.rows("SELECT kind FROM txn WHERE till = 'head-office'")
    assert ("case.closed",) in kinds
    assert verify(office.db) == ()


@pytest.mark.parametrize(
    "text", ["", "T1", "T1/1/42", "T1/x/42/lot.overdrawn", "/1/2/lot.unknown", "T1/1/٤/lot.unknown", "T1/1/42/"]
)
def test_a_case_that_nobody_could_mean_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="till/epoch/number/reason"):
        name_of(text)


def test_a_till_with_a_stroke_in_its_name_has_cases_too() -> None:
    name = CaseName(till="T/1", epoch=1, seq=2, reason="lot.unknown")
    assert name_of(str(name)) == name


def test_the_chain_goes_back_to_the_version_before(office: HeadOffice, till: Linked) -> None:
    steps.publish_programme(office.store, PROGRAMME.replace("version = 1", "version = 2").replace("10%", "20%", 3).encode(), NOW)
    sync(till, office)
    assert sell(till, "two") == 24_000
    said = truth.programme_back(office.store, "M9", "margins", NOW)
    assert (said.from_version, said.to_version, said.by) == (2, 1, "M9")
    sync(till, office)
    assert sell(till, "one") == COFFEE
    sync(till, office)
    look(office)
    assert verdicts(office) == [("T1", 2, 0, 0, 0)], "each sale by the version that it is pinned to"
    with pytest.raises(NotFoundError, match="no version before"):
        truth.programme_back(office.store, "M9", "", NOW)
    assert office.rows("SELECT kind FROM txn WHERE kind = 'programme.back'") == [("programme.back",)]
    assert verify(office.db) == () and verify(till.db) == ()


def test_no_till_may_say_what_only_head_office_may(office: HeadOffice, tmp_path: Path) -> None:
    thief = Till(tmp_path, "T9")
    thief.enrol("M1", "2000000000015")
    before = office.rows("SELECT * FROM txn")
    with write(thief.db):
        said = CaseClosedFact(till="T1", epoch=1, seq=1, reason="lot.unknown", note="nothing to see", by="M9")
        ledger.append(thief.db, Draft(id=thief.new_id(), kind="case.closed", store="S1", body=said), NOW)
    state = push_all(thief, office)
    assert state.trouble is not None and "only head office may say" in state.trouble
    assert office.rows("SELECT * FROM txn") == before


def test_a_fact_without_what_it_is_about_is_refused_and_breaks_nothing(office: HeadOffice, tmp_path: Path) -> None:
    broken = Till(tmp_path, "T9")
    with write(broken.db):
        ledger.append(broken.db, Draft(id=broken.new_id(), kind="rights.taken", store="S1"), NOW)
    state = push_all(broken, office)
    assert state.trouble is not None and "rights.taken that tells of" in state.trouble
    assert pull_all(broken, office)


def test_points_settled_otherwise_than_quoted_are_found(office: HeadOffice, tmp_path: Path) -> None:
    from pos_loyalty.engine import ledger as points
    from pos_loyalty.store import sales

    till = Till(tmp_path, "T5")
    till.enrol("M1", "2000000000015")
    quote = replace(quote_of("x", "M1", 100, ()), programme=_name(office))
    fat = replace(quote, accruals=(replace(quote.accruals[0], centi=Points(9_000)),))
    from tests.simulation.shop import basket

    sale = SaleFact(
        sale_id="x", basket=basket("T5", "x"), quote=quote, tenders=(), offline_centi=Points(0), biz_day=1, completed=True
    )  # fmt: skip
    draft = Draft(
        id=till.new_id(), kind="sale.completed", store="S1", entries=points.settle(fat, "T5/x", NOW), programme=quote.programme,
        receipt_no="T5-1", member="M1", body=sale,
    )  # fmt: skip
    with write(till.db):
        sales.add(till.db, ledger.append(till.db, draft, NOW))
    push_all(till, office)
    look(office)
    (case,) = office.store.truth.cases(10)
    assert case.details == ("sale x: entries move 9000 hundredths of a point, the quote 100",)


def _name(office: HeadOffice) -> str:
    from pos_loyalty.engine import load_programme

    body = office.store.programme_in_force(NOW)
    assert body is not None
    return load_programme(body.body).name


def test_a_file_from_before_has_these_tables_after_its_migration(tmp_path: Path) -> None:
    db = open_store(tmp_path / "t.db", role="till", owner="T1", now=NOW)
    for table in ("rule_stop", "case_closed", "recompute_mark", "sale_recomputed"):
        assert db.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)
    db.close()
