"""Acts other than buying, and friends who were brought: points for both, facts that head office takes and other tills hear of."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from pos_loyalty.cli.main import main
from pos_loyalty.errors import ConflictError, InputError, NotFoundError
from pos_loyalty.store.facts import fact_of
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import AwardRequest, EnrolRequest, IdentifyRequest, QuoteRequest, VoidRequest
from sync.local import Here
from tests.browser.serving import serving
from tests.shop import CARD, MEMBER, OPENING_CENTI, OTHER_CARD, PROGRAMME, Shop, make_basket
from tests.simulation.shop import KEY, HeadOffice, log_of, pull_all, push_all

ACTS = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[referral]
referrer = "100"
friend = "50"

[[coupon]]
id = "next"

[[rule]]
id = "review"
stage = "act"
act = "review"
limits = { day = 1 }
title = { ru = "За отзыв", en = "For a review" }
then = [{ do = "points", fixed = "30" }]

[[rule]]
id = "survey"
stage = "act"
act = "survey"
then = [
  { do = "issue_coupon", series = "next", days = 5 },
  { do = "privilege", name = "queue", title = { ru = "Без очереди", en = "No queue" }, days = 7 },
  { do = "message", text = { ru = "Спасибо!", en = "Thank you!" } },
]

[[rule]]
id = "silent"
stage = "act"
act = "profile"
control = "99.99%"
then = [{ do = "points", fixed = "5" }]

[[rule]]
id = "by-coupon"
stage = "order"
when = [{ is = "coupon", series = "next" }]
then = [{ do = "percent", percent = "50%" }]
"""
)
FRIEND_CARD = OTHER_CARD


@pytest.fixture
def acting(shop: Shop) -> Shop:
    shop.publish(ACTS)
    assert "@2#" in shop.till.programme().name, shop.till._desk.shelf.fault
    return shop


def befriended(shop: Shop) -> str:
    """A friend of the shop's member, with their first purchase."""
    friend = shop.till.enrol(EnrolRequest(card=FRIEND_CARD, referrer_card=CARD, birthday="05-17"), "enrol").member_id
    quote = shop.till.quote(QuoteRequest(basket=replace(make_basket(), opened_at=shop.now), card=FRIEND_CARD))
    request = replace(shop.ask(card=FRIEND_CARD), sale_id="first", quote_id=quote.quote_id or "", complete=True)
    answer = shop.till.authorise(request, "key first")
    assert answer.balance_centi == 1_350 + 5_000
    return friend


def test_an_act_brings_points_once_for_a_key(acting: Shop) -> None:
    answer = acting.till.award(MEMBER, AwardRequest(act="review", cashier="C7"), "key")
    assert (answer.accrued_centi, answer.balance_centi) == (3_000, OPENING_CENTI + 3_000)
    before = acting.rows()
    assert acting.till.award(MEMBER, AwardRequest(act="review", cashier="C7"), "key") == answer
    assert acting.rows() == before
    assert acting.usable_centi() == OPENING_CENTI + 3_000
    assert verify(acting.db) == ()


def test_limits_of_an_act_hold_and_the_reason_is_said(acting: Shop) -> None:
    acting.till.award(MEMBER, AwardRequest(act="review"), "key 1")
    before = acting.rows()
    with pytest.raises(ConflictError, match=r"Nothing is given for this: .*For a review"):
        acting.till.award(MEMBER, AwardRequest(act="review"), "key 2")
    assert acting.rows() == before
    acting.now += timedelta(days=1)
    assert acting.till.award(MEMBER, AwardRequest(act="review"), "key 3").accrued_centi == 3_000
    assert verify(acting.db) == ()


def test_an_act_issues_coupons_and_privileges(acting: Shop) -> None:
    answer = acting.till.award(MEMBER, AwardRequest(act="survey"), "key")
    (coupon,) = answer.coupons
    assert answer.privileges == ("queue",) and answer.messages[0].text["en"] == "Thank you!"
    (privilege,) = acting.till.identify(IdentifyRequest(card=CARD)).privileges
    assert (privilege.name, privilege.title["ru"]) == ("queue", "Без очереди")
    quote = acting.till.quote(QuoteRequest(basket=make_basket(coupons=(coupon.code,))))
    assert quote.total_minor == 13_500
    acting.now += timedelta(days=8)
    assert acting.till.identify(IdentifyRequest(card=CARD)).privileges == ()
    assert verify(acting.db) == ()


def test_a_control_member_gets_nothing_which_is_noted_and_not_told(acting: Shop) -> None:
    answer = acting.till.award(MEMBER, AwardRequest(act="profile"), "key")
    assert (answer.accruals, answer.accrued_centi) == ((), 0)
    (payload,) = acting.db.execute("SELECT payload FROM txn ORDER BY seq DESC LIMIT 1").fetchone()
    fact = fact_of(bytes(payload))
    assert fact.award is not None and [each.condition for each in fact.award.award.refusals] == ["control"]
    assert verify(acting.db) == ()


def test_what_is_no_act_or_no_member_is_refused(acting: Shop) -> None:
    with pytest.raises(InputError, match=r'\$\.act: no rule of the programme speaks of the act "dance"'):
        acting.till.award(MEMBER, AwardRequest(act="dance"), "key 1")
    with pytest.raises(NotFoundError, match="not known at this till"):
        acting.till.award("nobody", AwardRequest(act="review"), "key 2")


def test_an_award_over_http_and_by_command(acting: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(acting.till) as web:
        path = f"/v1/members/{MEMBER}/awards"
        assert web.post(path, {"act": "review"}).status == 400, "a key is needed"
        answer = web.post(path, {"act": "review"}, "key")
        assert (answer.status, answer.json["accrued_centi"]) == (200, 3_000)
        assert web.post(path, {"act": "Review!"}, "other").status == 422
        assert web.post(path, {"act": "review"}, "third").status == 409
    acting.close()
    asked = ["member", "award", "--config", str(acting.config), "--member", MEMBER, "--act", "survey", "--json"]
    assert main([*asked, "--key", "once"]) == 0 and main([*asked, "--key", "once"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second and json.loads(first)["act"] == "survey"
    assert main([*asked[:-3], "--act", "Dance!"]) == 2
    acting.open()
    assert verify(acting.db) == ()


def test_both_sides_get_points_for_a_friends_first_purchase_and_a_void_takes_them_back(acting: Shop) -> None:
    friend = befriended(acting)
    assert acting.usable_centi(MEMBER) == OPENING_CENTI + 10_000
    assert acting.till.sale("first").quote.member_id == friend
    assert "+63,5" in acting.till.receipt_text("first").replace("\u00a0", " "), "the referrer's points are not the friend's"
    assert acting.db.execute("SELECT accrued_centi FROM sale").fetchone() == (6_350,)
    acting.till.void("first", VoidRequest(), "void")
    assert (acting.usable_centi(MEMBER), acting.usable_centi(friend)) == (OPENING_CENTI, 0)
    assert verify(acting.db) == ()


def test_a_referrer_who_spent_the_points_owes_them_after_the_void(acting: Shop) -> None:
    befriended(acting)
    rich = make_basket(redeem="max", price_minor=134_000, count="1")  # 1,206.00: all 600 points go, 606.00 bring 30.30
    acting.till.authorise(replace(acting.ask(rich), sale_id="spent", complete=True), "key spent")
    assert acting.usable_centi(MEMBER) == 3_030
    acting.till.void("first", VoidRequest(), "void")
    member = acting.till.identify(IdentifyRequest(card=CARD))
    assert (acting.usable_centi(MEMBER), member.owed_centi) == (0, 10_000 - 3_030)
    assert verify(acting.db) == ()


def test_a_friends_birthday_and_referrer_are_kept(acting: Shop) -> None:
    friend = befriended(acting)
    row = acting.db.execute("SELECT referred_by, birthday, birthday_set_ms FROM member WHERE id = ?", (friend,)).fetchone()
    assert row[:2] == (MEMBER, "05-17") and row[2] is not None
    with pytest.raises(NotFoundError, match="not known here"):
        acting.till.enrol(EnrolRequest(card="2200000000057", referrer_card="2200000000033"), "other")


def test_head_office_takes_awards_and_referrals_and_tells_other_tills(acting: Shop, tmp_path: Path) -> None:
    friend = befriended(acting)
    acting.till.award(MEMBER, AwardRequest(act="review"), "key 1")
    acting.till.award(MEMBER, AwardRequest(act="survey"), "key 2")
    office = HeadOffice(tmp_path)
    here = Here(till="T1", master_key=bytes.fromhex(acting.till._desk.secrets.master_key))
    till = SimpleNamespace(name="T1", db=acting.db, here=here)
    assert push_all(till, office).trouble is None  # type: ignore[arg-type]
    assert log_of(office.db, "T1") == log_of(acting.db, "T1")
    assert office.rows("SELECT reason FROM suspense_case") == []
    assert verify(office.db) == ()
    uses = "SELECT * FROM rule_use ORDER BY scope, key, rule"
    assert office.rows(uses) == acting.db.execute(uses).fetchall() != []
    assert office.rows("SELECT COUNT(*) FROM issue") == [(2,)]

    from tests.simulation.shop import Till

    other = Till(tmp_path, "T2")
    pull_all(other, office)
    assert other.balance(MEMBER) == OPENING_CENTI + 10_000 + 3_000
    found = other.db.execute("SELECT referred_by, birthday FROM member WHERE id = ?", (friend,)).fetchone()
    assert found == (MEMBER, "05-17")
    assert KEY and verify(other.db) == ()


def test_points_for_a_referrer_whom_head_office_does_not_know_open_a_case(acting: Shop, tmp_path: Path) -> None:
    befriended(acting)
    office = HeadOffice(tmp_path)
    here = Here(till="T1", master_key=bytes.fromhex(acting.till._desk.secrets.master_key))
    till = SimpleNamespace(name="T1", db=acting.db, here=here)
    push_all(till, office)  # type: ignore[arg-type]
    assert office.rows("SELECT reason FROM suspense_case") == []
    from pos_loyalty.store.db import write

    with write(office.db):
        office.db.execute("UPDATE member SET state = 'blocked' WHERE id = ?", (MEMBER,))
    acting.till.void("first", VoidRequest(), "void")
    push_all(till, office)  # type: ignore[arg-type]
    assert office.rows("SELECT reason FROM suspense_case") == [("member.blocked",)]
    assert verify(office.db) == (f"Member {MEMBER}: state is not what the log or head office's word makes of it.",), (
        "nobody's word"
    )
