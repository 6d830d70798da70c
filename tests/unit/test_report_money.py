"""Reports of a shop that sold, took back, voided and sold gift cards: the same figures as its receipts and its ledger."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import IssueRequest, PayBackRequest
from pos_loyalty.till.model import QuoteRequest, VoidRequest
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Minor
from tests.gifts import GIFT_PROGRAMME, IVANOVA, basket_of, gift, gift_shop, line, sell, sold_card
from tests.shop import NOW, OPENING_CENTI, Shop

SATURDAY, SUNDAY = date(2026, 11, 21), date(2026, 11, 22)
PAY_BACK = "\n[gift_cards]\npay_back = true\n"
HOLDERS = ("member:", "held:", "owed:")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """First a gift card of 1000, goods for 900 of it, goods that are voided at once, goods with points. The next day goods come
    back, an old sale is voided, a card is given and one is paid back."""
    shop = gift_shop(tmp_path_factory.mktemp("shop"))
    shop.publish(GIFT_PROGRAMME.replace("version = 1", "version = 2", 1) + PAY_BACK)
    card = sold_card(shop)
    sell(shop, basket_of(line("1", "BOOK", 100_000)), "by-card", (gift(90_000, card.card_id),))
    sell(shop, basket_of(line("1", "PEN", 5_000)), "wrong")
    shop.till.void("wrong", VoidRequest(cashier="C7", reason="wrong"), "void wrong")
    sell(shop, basket_of(line("1", "PEN", 5_000, 2)), "late")
    sell(shop, basket_of(line("1", "CUP", 20_000), line("2", "GC", 50_000)), "mixed")
    shop.sell("points", redeem=1_000)
    shop.now = NOW + timedelta(days=1)
    shop.till.return_goods("by-card", ReturnRequest(return_id="r1", all=True), "r1")
    shop.till.return_goods("points", ReturnRequest(return_id="r2", all=True), "r2")
    shop.till.void("late", VoidRequest(cashier="C7", reason="late", approval=IVANOVA), "void late")
    shop.till.issue_gift_card(IssueRequest(series="thanks", amount_minor=Minor(30_000), by=IVANOVA, reason="sorry"), "issue")
    shop.till.pay_back_gift_card(PayBackRequest(card=card.card_id, by=IVANOVA, reason="wish"), "pay back")
    shop.till.quote(QuoteRequest(basket=basket_of(line("1", "BOOK", 1_000))))
    assert verify(shop.db) == ()
    yield shop
    shop.close()


def report(shop: Shop, name: str) -> Any:
    asked = ["report", name, "--from", str(SATURDAY), "--to", str(SUNDAY), "--json", "--config", str(shop.config)]
    done = subprocess.run(
        [sys.executable, "-m", "pos_loyalty.cli.main", *asked], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_gift_cards_are_no_turnover_and_what_came_back_lowers_its_own_day(shop: Shop) -> None:
    saturday, sunday = report(shop, "day")["days"]
    paid = dict(shop.db.execute("SELECT sale_id, due_minor FROM sale WHERE sale_id IN ('by-card', 'late', 'mixed', 'points')"))
    assert paid["by-card"] == 90_000 and paid["late"] == 9_000 and paid["mixed"] == 18_000 + 50_000
    goods = sum(paid.values()) - 50_000
    assert (saturday["sales"], saturday["due_minor"], saturday["turnover_minor"]) == (4, goods, goods)
    assert (saturday["gift_cards_minor"], saturday["by_gift_card_minor"]) == (150_000, 90_000)
    assert (saturday["reversed_sales"], saturday["reversed_due_minor"]) == (1, 4_500)
    assert (saturday["returns"], saturday["refunded_minor"]) == (0, 0)
    back = paid["by-card"] + paid["points"] + paid["late"]
    assert (sunday["sales"], sunday["due_minor"], sunday["average_minor"]) == (0, 0, None)
    assert (sunday["returns"], sunday["refunded_minor"], sunday["turnover_minor"]) == (3, back, -back)
    total = report(shop, "day")["total"]
    assert total["turnover_minor"] == 18_000, "of all goods only the cup was kept"
    assert total["average_minor"] == round(goods / 4)


def test_gift_cards_hold_what_came_onto_them_less_what_left(shop: Shop) -> None:
    saturday, sunday = (row["figures"] for row in report(shop, "gift-cards")["days"])
    assert (saturday["sold_minor"], saturday["redeemed_minor"], saturday["outstanding_minor"]) == (150_000, 90_000, 60_000)
    assert (sunday["given_back_minor"], sunday["paid_out_minor"], sunday["given_minor"]) == (90_000, 100_000, 30_000)
    held = "SELECT SUM(amount) FROM balance WHERE account LIKE 'gift:%' OR account LIKE 'gifts:held:%'"
    assert sunday["outstanding_minor"] == shop.db.execute(held).fetchone()[0] == 80_000


def test_points_are_those_of_the_ledger_added_up_by_hand(shop: Shop) -> None:
    days = {row["day"]: row["figures"] for row in report(shop, "points")["days"]}
    by_hand: dict[str, Counter[str]] = {str(SATURDAY): Counter(), str(SUNDAY): Counter()}
    select = """SELECT t.wall_ms, e.debit_acct, e.credit_acct, e.amount FROM entry AS e JOIN txn AS t ON t.id = e.txn
    WHERE unit = 'point'"""
    sunday_ms = int((NOW + timedelta(days=1)).timestamp()) * 1000
    for wall_ms, debit, credit, amount in shop.db.execute(select):
        day = by_hand[str(SUNDAY if wall_ms >= sunday_ms else SATURDAY)]
        if credit.startswith(HOLDERS) and not debit.startswith(HOLDERS):
            day["in " + debit.rpartition(":")[2]] += amount
        if debit.startswith(HOLDERS) and not credit.startswith(HOLDERS):
            day["out " + credit.rpartition(":")[2]] += amount
    for day, moved in by_hand.items():
        told = {"in issued": "issued_centi", "in redeemed": "given_back_centi", "out issued": "taken_back_centi"}
        told |= {"out redeemed": "redeemed_centi", "out expired": "expired_centi"}
        assert {column: days[day].get(column, 0) for column in told.values()} == {told[key]: moved[key] for key in told}
    assert by_hand[str(SATURDAY)]["in issued"] > OPENING_CENTI and by_hand[str(SUNDAY)]["out issued"] > 0
    last = days[str(SUNDAY)]
    held = "SELECT SUM(amount) FROM balance WHERE account LIKE 'member:%' OR account LIKE 'held:%'"
    assert last["outstanding_centi"] == shop.db.execute(held).fetchone()[0]
    assert last["outstanding_centi"] == shop.usable_centi()


@pytest.mark.parametrize("name", ["points", "gift-cards"])
def test_a_person_reads_a_table_and_a_spreadsheet_whole_numbers(shop: Shop, name: str) -> None:
    asked = [sys.executable, "-m", "pos_loyalty.cli.main", "report", name, "--from", str(SATURDAY), "--config", str(shop.config)]
    table = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=True).stdout
    assert "outstanding" in table and f"{SATURDAY} to {SATURDAY}" in table and "total" in table
    rows = subprocess.run([*asked, "--csv"], capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert len(rows) == 2 and rows[0].startswith("day,") and rows[1].startswith(str(SATURDAY)) and "." not in rows[1]
