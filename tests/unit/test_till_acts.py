"""Acts that a person answers for: PINs that lock, two persons, adjustments, forgotten cards, members who are one person."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.model import CancelRequest, EnrolRequest, IdentifyRequest, QuoteRequest, VoidRequest
from pos_loyalty.till.staff_model import AdjustRequest, Approval, ClaimRequest, MergeRequest
from pos_loyalty.values import Points
from tests.shop import CARD, CONFIG, MEMBER, NOW, OPENING_CENTI, OTHER_CARD, PROGRAMME, Shop, make_basket
from tests.unit.test_till_corners import _commits_that_fail as commits_that_fail

ANNA, BORIS = Approval(person="C7", pin="1234"), Approval(person="S1", pin="998877")
WRONG = Approval(person="S1", pin="0000")
CLAIMS = PROGRAMME.replace("version = 1", "version = 2").replace("[points]", "[points]\nclaim_days = 14")


def staffed(shop: Shop) -> Shop:
    pepper = shop.till._desk.secrets.pepper
    staff.add(shop.db, ANNA.person, "cashier", ANNA.pin, pepper)
    staff.add(shop.db, BORIS.person, "senior", BORIS.pin, pepper)
    return shop


@pytest.fixture
def staff_shop(shop: Shop) -> Shop:
    shop.publish(CLAIMS)
    return staffed(shop)


def by_hand(centi: int, **more: object) -> AdjustRequest:
    return AdjustRequest(**({"centi": Points(centi), "reason": "till was down", "by": ANNA, "approval": BORIS} | more))  # type: ignore[arg-type]


def money_of(shop: Shop) -> Counter[str]:
    """Every account by plain sums over the entries."""
    sums: Counter[str] = Counter()
    for debit, credit, amount in shop.db.execute("SELECT debit_acct, credit_acct, amount FROM entry"):
        sums[debit] -= amount
        sums[credit] += amount
    return sums


def lots_of(shop: Shop, member_id: str) -> list[tuple[int, int, int | None]]:
    """What the member's lots hold and their dates."""
    sql = "SELECT remaining, usable_from, expires_at FROM lot WHERE member = ? AND remaining > 0 ORDER BY expires_at, remaining"
    return list(shop.db.execute(sql, (member_id,)).fetchall())


def test_points_are_given_by_two_and_live_as_the_programme_says(staff_shop: Shop) -> None:
    answer = staff_shop.till.adjust(MEMBER, by_hand(5_000), "a1")
    assert staff_shop.till.adjust(MEMBER, by_hand(5_000), "a1") == answer
    assert answer.balance_centi == OPENING_CENTI + 5_000
    days = (answer.expires_at - NOW).days if answer.expires_at else 0
    assert days in (179, 180)
    fact = fact_of(
        staff_shop.db.execute("SELECT payload FROM txn WHERE kind = 'points.adjusted' ORDER BY seq DESC").fetchone()[0]
    )
    assert fact.adjustment is not None
    assert (fact.adjustment.by, fact.adjustment.approved_by, fact.adjustment.centi) == ("C7", "S1", 5_000)
    assert money_of(staff_shop)["adjustment"] == -5_000
    assert verify(staff_shop.db) == ()


@pytest.mark.parametrize(
    "request_",
    [
        by_hand(100, approval=None),
        by_hand(100, by=BORIS, approval=BORIS),
        by_hand(100, by=BORIS, approval=ANNA),
        by_hand(100, by=ANNA, approval=WRONG),
        by_hand(100, by=Approval(person="nobody", pin="1234")),
    ],
)
def test_two_persons_are_two_and_one_of_them_a_senior(staff_shop: Shop, request_: AdjustRequest) -> None:
    before = staff_shop.db.execute("SELECT COUNT(*) FROM txn").fetchone()
    with pytest.raises(NotAllowedError):
        staff_shop.till.adjust(MEMBER, request_, "a1")
    assert staff_shop.db.execute("SELECT COUNT(*) FROM txn").fetchone() == before


def test_a_senior_may_adjust_little_alone(tmp_path: Path) -> None:
    shop = staffed(Shop(tmp_path, CONFIG + "[acts]\nalone_up_to_centi = 1000\n"))
    shop.till.adjust(MEMBER, by_hand(1_000, by=BORIS, approval=None), "a1")
    with pytest.raises(NotAllowedError, match="two persons"):
        shop.till.adjust(MEMBER, by_hand(1_001, by=BORIS, approval=None), "a2")
    with pytest.raises(NotAllowedError, match="senior"):
        shop.till.adjust(MEMBER, by_hand(-1, by=ANNA, approval=None), "a3")
    shop.close()


def test_wrong_pins_lock_for_minutes_and_the_right_one_helps_no_more(staff_shop: Shop) -> None:
    for n in range(staff.ATTEMPTS_MAX):
        with pytest.raises(NotAllowedError, match="not right"):
            staff_shop.till.adjust(MEMBER, by_hand(100, approval=WRONG), f"w{n}")
    staff_shop.reopen()
    with pytest.raises(NotAllowedError, match="locked until"):
        staff_shop.till.adjust(MEMBER, by_hand(100), "a1")
    staff_shop.now += timedelta(minutes=staff.LOCK_MINUTES + 1)
    assert staff_shop.till.adjust(MEMBER, by_hand(100), "a1").centi == 100


def test_no_pin_is_kept_anywhere(staff_shop: Shop) -> None:
    secret = Approval(person="S1", pin="918273645546")
    staff.add(staff_shop.db, "S1", "senior", secret.pin, staff_shop.till._desk.secrets.pepper)
    staff_shop.till.adjust(MEMBER, by_hand(100, approval=secret), "a1")
    for table, rows in staff_shop.rows().items():
        assert secret.pin not in repr(rows), table
    kept = staff_shop.db.execute("SELECT body_hash FROM idempotency WHERE key = 'a1'").fetchone()[0]
    assert staff_shop.till.adjust(MEMBER, by_hand(100, approval=WRONG), "a1").centi == 100, "the stored answer needs no PIN"
    from hashlib import sha256

    from pos_loyalty.values import encode

    guess = b"adjust " + MEMBER.encode() + b"\n" + encode(by_hand(100, approval=secret))
    assert sha256(guess).digest() != kept, "who has the file cannot try PINs against the hash"


def test_taking_cannot_overdraw(staff_shop: Shop) -> None:
    staff_shop.till.adjust(MEMBER, by_hand(700), "more")  # expires before the opening lot
    before = staff_shop.rows()["lot"]
    with pytest.raises(ConflictError, match=r"507\.00 points, 507\.01"):
        staff_shop.till.adjust(MEMBER, by_hand(-OPENING_CENTI - 701), "a1")
    assert staff_shop.rows()["lot"] == before
    staff_shop.till.adjust(MEMBER, by_hand(-800), "a2")
    assert lots_of(staff_shop, MEMBER)[0][0] == OPENING_CENTI - 100, "the soonest to expire went first"
    answer = staff_shop.till.adjust(MEMBER, by_hand(-OPENING_CENTI, owe=True), "a3")
    assert (answer.balance_centi, answer.owed_centi) == (0, 100)
    assert money_of(staff_shop)[f"owed:{MEMBER}"] == -100
    assert staff_shop.till.identify(IdentifyRequest(card=CARD)).owed_centi == 100
    assert verify(staff_shop.db) == ()


def test_nothing_and_nobody_cannot_be_adjusted(staff_shop: Shop) -> None:
    with pytest.raises(InputError):
        staff_shop.till.adjust(MEMBER, by_hand(0), "a1")
    with pytest.raises(NotFoundError):
        staff_shop.till.adjust("nobody", by_hand(100), "a2")


def test_verify_finds_an_adjustment_whose_entries_say_another_amount(staff_shop: Shop) -> None:
    staff_shop.till.adjust(MEMBER, by_hand(700), "a1")
    staff_shop.db.execute("UPDATE entry SET amount = 701 WHERE debit_acct = 'adjustment'")
    assert any("adjusts by 700" in each for each in verify(staff_shop.db))


# --- a forgotten card


def sell_bare(shop: Shop, sale_id: str = "sale-1", **more: object) -> None:
    request = shop.ask(make_basket(**more), card=None)  # type: ignore[arg-type]
    shop.till.authorise(replace(request, sale_id=sale_id, complete=True), f"key {sale_id}")


def word(card: str = CARD) -> ClaimRequest:
    return ClaimRequest(card=card, by="C7", approval=BORIS)


def test_a_forgotten_card_brings_what_it_would_have_brought_and_once(staff_shop: Shop) -> None:
    sell_bare(staff_shop)
    would = staff_shop.till.quote(QuoteRequest(basket=make_basket(), card=CARD)).accruals
    staff_shop.now += timedelta(days=3)
    answer = staff_shop.till.claim("sale-1", word(), "c1")
    assert answer.accruals == would
    assert answer.accrued_centi == 1_350, "5 % of 270.00"
    assert staff_shop.till.claim("sale-1", word(), "c1") == answer
    with pytest.raises(ConflictError, match="claimed already"):
        staff_shop.till.claim("sale-1", word(), "c2")
    assert staff_shop.usable_centi() == OPENING_CENTI + 1_350
    assert verify(staff_shop.db) == ()


def test_a_claimed_sale_that_is_voided_takes_its_points_back(staff_shop: Shop) -> None:
    sell_bare(staff_shop)
    staff_shop.till.claim("sale-1", word(), "c1")
    staff_shop.till.adjust(MEMBER, by_hand(-OPENING_CENTI - 1_000), "spent")
    staff_shop.till.void("sale-1", VoidRequest(), "v1")
    sums = money_of(staff_shop)
    assert sums[f"member:{MEMBER}"] == 0
    assert sums[f"owed:{MEMBER}"] == -1_000, "what was gone is owed"
    assert sums["programme:test:issued"] == -OPENING_CENTI
    assert verify(staff_shop.db) == ()


def test_what_cannot_be_claimed(staff_shop: Shop) -> None:
    sell_bare(staff_shop, "open", count="1")
    staff_shop.sell("with-card")
    sell_bare(staff_shop, "old")
    with pytest.raises(ConflictError, match="to a member already"):
        staff_shop.till.claim("with-card", word(), "c1")
    with pytest.raises(NotAllowedError, match="senior"):
        staff_shop.till.claim("old", replace(word(), approval=ANNA), "c2")
    staff_shop.till.void("open", VoidRequest(), "v")
    with pytest.raises(ConflictError, match="reversed"):
        staff_shop.till.claim("open", word(), "c3")
    staff_shop.now += timedelta(days=1)
    late = staff_shop.till.enrol(EnrolRequest(card=OTHER_CARD), "e").member_id
    with pytest.raises(ConflictError, match="joined after"):
        staff_shop.till.claim("old", replace(word(), card=None, member_id=late), "c4")
    staff_shop.now += timedelta(days=14)
    with pytest.raises(ConflictError, match="too old"):
        staff_shop.till.claim("old", word(), "c5")
    staff_shop.publish(CLAIMS.replace("version = 2", "version = 3").replace("claim_days = 14", "claim_days = 0"))
    with pytest.raises(ConflictError, match="claim_days"):
        staff_shop.till.claim("old", word(), "c6")


MEMBER_PRICE = """
[[rule]]
id = "card-price"
stage = "customer"
when = [{ is = "customer", member = true }]
then = [{ do = "percent", percent = "50%" }]

[[rule]]
id = "first-hundred"
limits = { total = 100 }
when = [{ is = "customer", member = true }]
then = [{ do = "points", fixed = "10", per = "receipt" }]
"""


def test_a_claim_counts_the_money_that_was_paid_and_no_rule_with_limits(staff_shop: Shop) -> None:
    staff_shop.publish(CLAIMS.replace("version = 2", "version = 3") + MEMBER_PRICE)
    sell_bare(staff_shop)
    answer = staff_shop.till.claim("sale-1", word(), "c1")
    assert [(each.rule, each.centi) for each in answer.accruals] == [("base", 1_350)]


def test_points_of_a_day_are_not_claimed_past_its_limit(staff_shop: Shop) -> None:
    staff_shop.publish(CLAIMS.replace("version = 2", "version = 3").replace("claim_days", 'per_day = "20"\nclaim_days'))
    for sale_id in ("one", "two", "three"):
        sell_bare(staff_shop, sale_id)
    got = [staff_shop.till.claim(sale_id, word(), sale_id).accrued_centi for sale_id in ("one", "two")]
    assert got == [1_350, 650]
    with pytest.raises(ConflictError, match="no points"):
        staff_shop.till.claim("three", word(), "three")


def test_verify_finds_a_claim_that_was_forged(staff_shop: Shop) -> None:
    sell_bare(staff_shop)
    staff_shop.till.claim("sale-1", word(), "c1")
    staff_shop.db.execute("UPDATE sale_claim SET member = 'somebody'")
    assert any("claim of sale sale-1" in each for each in verify(staff_shop.db))
    staff_shop.db.execute("DELETE FROM sale_claim")
    assert any("its claim is missing" in each for each in verify(staff_shop.db))


# --- two members who are one person


def together(into: str = MEMBER) -> MergeRequest:
    return MergeRequest(into=into, reason="one person", by=ANNA, approval=BORIS)


@pytest.fixture
def pair(staff_shop: Shop) -> Shop:
    staff_shop.add_member("member-2", OTHER_CARD, 1_234)
    return staff_shop


def test_a_merge_keeps_every_hundredth_and_every_date(pair: Shop) -> None:
    pair.till.adjust("member-2", by_hand(1), "one hundredth")
    before = sorted(lots_of(pair, MEMBER) + lots_of(pair, "member-2"))
    answer = pair.till.merge("member-2", together(), "m1")
    assert pair.till.merge("member-2", together(), "m1") == answer
    assert sorted(lots_of(pair, MEMBER)) == before
    assert lots_of(pair, "member-2") == []
    assert (answer.lots, answer.moved_centi, answer.cards) == (2, 1_235, 1)
    assert "merge:member-2" not in {account for account, sum_ in money_of(pair).items() if sum_}
    assert verify(pair.db) == ()


def test_the_old_card_and_the_old_id_are_the_one_who_stays(pair: Shop) -> None:
    pair.till.merge("member-2", together(), "m1")
    assert pair.till.identify(IdentifyRequest(card=OTHER_CARD)).member_id == MEMBER
    assert pair.till.quote(QuoteRequest(basket=make_basket(), member_id="member-2")).member_id == MEMBER
    assert pair.db.execute("SELECT DISTINCT member FROM card").fetchall() == [(MEMBER,)]


def test_what_is_owed_goes_over_too(pair: Shop) -> None:
    pair.till.adjust("member-2", by_hand(-1_300, owe=True), "a1")
    before = pair.usable_centi(MEMBER)
    answer = pair.till.merge("member-2", together(), "m1")
    assert (answer.owed_centi, answer.settled_centi, answer.balance_centi) == (66, 66, before - 66)
    sums = money_of(pair)
    assert (sums["owed:member-2"], sums[f"owed:{MEMBER}"]) == (0, 0)
    assert sums[f"member:{MEMBER}"] == before - 66
    assert pair.till.identify(IdentifyRequest(card=CARD)).owed_centi == 0
    assert verify(pair.db) == ()


def test_history_counts_for_both(pair: Shop) -> None:
    first = replace(pair.ask(card=OTHER_CARD), sale_id="theirs", complete=True)
    pair.till.authorise(first, "k1")
    pair.sell("mine")
    pair.till.merge("member-2", together(), "m1")
    from pos_loyalty.store import habits, members

    member = members.by_id(pair.db, MEMBER)
    assert member is not None and member.sales is not None
    assert (member.sales.count, member.sales.spent_minor) == (2, 54_000)
    assert [(day.visits, day.net_minor) for day in habits.days_of(pair.db, MEMBER, 0)] == [(2, 54_000)]
    assert len(habits.purchases_of(pair.db, MEMBER, 0)) == 2


def test_a_sale_of_the_old_member_that_is_undone_lands_with_the_new_one(pair: Shop) -> None:
    paid = replace(pair.ask(card=OTHER_CARD, redeem=1_000), sale_id="theirs", complete=True)
    earned = pair.till.authorise(paid, "k1").quote.accruals[0].centi
    held = replace(pair.ask(make_basket(redeem=200, count="1"), card=OTHER_CARD), sale_id="held")
    pair.till.authorise(held, "k2")
    pair.till.merge("member-2", together(), "m1")
    pair.till.cancel("held", CancelRequest(), "k3")
    pair.till.void("theirs", VoidRequest(), "k4")
    sums = money_of(pair)
    assert sums["member:member-2"] == sums["owed:member-2"] == 0
    assert sums[f"member:{MEMBER}"] + sums[f"owed:{MEMBER}"] == OPENING_CENTI + 1_234
    assert earned > 0
    assert verify(pair.db) == ()


def test_merges_that_contradict_are_refused_at_a_till(pair: Shop) -> None:
    third = pair.till.enrol(EnrolRequest(card="2200000000033"), "e").member_id
    with pytest.raises(InputError):
        pair.till.merge(MEMBER, together(), "m0")
    with pytest.raises(NotAllowedError):
        pair.till.merge("member-2", replace(together(), by=BORIS), "m0")
    pair.till.merge("member-2", together(), "m1")
    with pytest.raises(NotFoundError, match="who stays"):
        pair.till.merge(MEMBER, together("member-2"), "m2")
    with pytest.raises(ConflictError, match="went over into"):
        pair.till.merge("member-2", together(third), "m3")
    assert pair.till.merge("member-2", together(), "m4").moved_centi == 0, "again carries over what is left: nothing"
    assert pair.till.merge(MEMBER, together(third), "m5").moved_centi == OPENING_CENTI + 1_234
    assert pair.till.identify(IdentifyRequest(card=OTHER_CARD)).member_id == third
    assert verify(pair.db) == ()


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE member SET merged_into = 'elsewhere' WHERE id = 'member-2'",
        "UPDATE member SET state = 'active', merged_into = NULL, merged_seq = 0 WHERE id = 'member-2'",
        f"UPDATE member SET state = 'merged' WHERE id = '{MEMBER}'",
        "UPDATE card SET member = 'member-2' WHERE number = '" + OTHER_CARD + "'",
    ],
)
def test_verify_finds_a_merge_that_was_forged(pair: Shop, forgery: str) -> None:
    pair.till.merge("member-2", together(), "m1")
    assert verify(pair.db) == ()
    pair.db.execute(forgery)
    assert verify(pair.db) != ()


def test_every_act_stands_in_the_log_with_who_and_when(pair: Shop) -> None:
    pair.till.adjust(MEMBER, by_hand(100), "a1")
    pair.till.merge("member-2", together(), "m1")
    told = pair.till.acts().acts
    assert [(each.kind, each.by, each.approved_by, each.centi) for each in told[:2]] == [
        ("member.merged", "C7", "S1", 0),
        ("points.adjusted", "C7", "S1", 100),
    ]
    assert told[0].about == MEMBER
    assert told[0].at == NOW


def test_a_merge_whose_commit_fails_is_tried_again_and_stands_once(pair: Shop) -> None:
    for number in (2, 6):  # after the till was opened: a try at a PIN; the merge itself
        with commits_that_fail({number}):
            pair.reopen()
            assert pair.till.merge("member-2", together(), "m1").moved_centi == 1_234
    pair.reopen()
    assert pair.db.execute("SELECT COUNT(*) FROM txn WHERE kind = 'member.merged'").fetchone() == (1,)
    assert pair.usable_centi() == OPENING_CENTI + 1_234
    assert verify(pair.db) == ()
