"""Codes of gift cards stand nowhere but on their slip; guessing locks; a COMMIT of unknown outcome sells and pays once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from drivers.symbology import scan_of
from pos_loyalty.errors import CommitUnknownError, ConflictError, InputError, LoyaltyError, NotFoundError
from pos_loyalty.store import gift_codes, prints
from pos_loyalty.store.db import write
from pos_loyalty.store.verify import verify
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardRequest, IssueRequest, PayBackRequest
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.values import Minor
from tests.gifts import IVANOVA, asked, basket_of, cash, gift, gift_shop, line, on_card, sell, sold_card
from tests.shop import CONFIG, NOW, Shop

GOODS = basket_of(line("1", "4601", 50_000))
DUE = 45_000
PRINTER = '[printer]\nkind = "file"\npath = "paper.bin"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = gift_shop(tmp_path)
    yield made
    made.close()


def test_a_code_has_more_than_128_random_bits() -> None:
    drawn = {gift_codes.new_code("qr").text for _ in range(200)}
    assert len(drawn) == 200 and math.log2(32) * 26 >= 128
    assert all(code.startswith("PLG1|") and set(code[5:]) <= set(gift_codes.LETTERS) and len(code) == 31 for code in drawn)
    assert {letter for code in drawn for letter in code[5:]} == set(gift_codes.LETTERS)


def test_people_may_type_a_code_in_groups_and_small_letters() -> None:
    code, pepper = gift_codes.new_code("qr").text, "ab" * 32
    typed = " ".join(code[5:].lower()[i : i + 4] for i in range(0, 26, 4))
    assert gift_codes.mark_of(typed, pepper) == gift_codes.mark_of(code, pepper) != code
    assert gift_codes.mark_of("2200000000019", pepper) is None and gift_codes.mark_of("", pepper) is None


def test_no_number_that_is_drawn_is_taken_for_a_payment_card() -> None:
    """Its first 16 digits may be one by chance, and the rest an expiry: what a scanner reads of that is kept nowhere."""
    assert scan_of("55065667151928923708", ()).kind == "payment", "such a number was drawn once"
    for _ in range(500):
        number = gift_codes.new_code("number").text
        for read in (number, " ".join(number[at : at + 4] for at in range(0, 20, 4))):
            assert scan_of(read, ()).kind == "code", "sold, and no till takes it"


def test_no_code_stands_in_the_file(tmp_path: Path) -> None:
    shop = gift_shop(tmp_path, CONFIG + PRINTER)
    qr, pin = sold_card(shop), sold_card(shop, 100_000, "GC-PIN", "c2")
    given = shop.till.issue_gift_card(IssueRequest(series="thanks", amount_minor=Minor(30_000), by=IVANOVA, reason="r"), "i")
    secrets = [each for card in (qr, pin, given) for each in (card.code, card.pin) if each is not None]
    assert len(secrets) == 4 and pin.pin is not None
    sell(shop, GOODS, "s", (gift(1_000, qr.code), gift(1_000, pin.code, pin.pin), cash(DUE - 2_000)))
    shop.till.freeze_gift_card(FreezeRequest(card=given.code or "", by=IVANOVA, reason="r"), "f")
    shop.till.pay_back_gift_card(PayBackRequest(card=pin.code or "", by=IVANOVA, reason="r", pin=pin.pin), "p")
    slips = [job for (job,) in shop.db.execute("SELECT id FROM print_job WHERE kind = 'gift_card' ORDER BY id")]
    assert len(slips) == 3
    bodies = [bytes(prints.by_job_id(shop.db, job).body) for job in slips]  # type: ignore[union-attr]
    assert (qr.code or "").encode() in bodies[0] and pin.pin.encode() in bodies[1]
    with write(shop.db):
        for job in slips:
            prints.move(shop.db, job, "sending", NOW)
            prints.move(shop.db, job, "sent_unconfirmed", NOW)
    assert shop.rows() and verify(shop.db) == ()
    stored = repr(shop.rows())
    assert [secret for secret in secrets if secret in stored or secret.removeprefix("PLG1|") in stored] == []
    shop.close()


def test_a_slip_waits_for_its_printer_and_dies_with_the_wire(tmp_path: Path) -> None:
    shop = gift_shop(tmp_path, CONFIG + PRINTER)
    sold_card(shop)
    with write(shop.db):
        assert prints.expire(shop.db, NOW + timedelta(days=9), NOW + timedelta(days=9)) == 1
        slip = prints.next_queued(shop.db)
        assert slip is not None and slip.kind == "gift_card" and slip.body
        prints.move(shop.db, slip.job_id, "sending", NOW)
        prints.restart(shop.db, NOW)
        after = prints.by_job_id(shop.db, slip.job_id)
    assert after is not None and (after.state, after.body) == ("uncertain", b"")
    shop.close()


def test_the_answer_hands_the_code_out_until_the_till_restarts(shop: Shop) -> None:
    request = asked(shop, basket_of(line("1", "GC", 100_000)), "card", complete=True)
    code = shop.till.authorise(request, "k").gift_cards[0].code
    assert code is not None and shop.till.authorise(request, "k").gift_cards[0].code == code
    shop.reopen()
    assert shop.till.authorise(request, "k").gift_cards[0].code is None


def test_a_plan_of_payment_names_no_card(shop: Shop) -> None:
    from msgspec.structs import replace

    with pytest.raises(InputError, match="named when it pays"):
        shop.till.quote(QuoteRequest(basket=replace(GOODS, tenders=(gift(1, "PLG1|" + "A" * 26),))))


def test_wrong_pins_lock_a_card_and_the_right_one_opens_it_later(shop: Shop) -> None:
    card = sold_card(shop, 100_000, "GC-PIN")
    assert card.code is not None and card.pin is not None
    wrong = f"{(int(card.pin) + 1) % 10**6:06d}"
    with pytest.raises(InputError, match="PIN"):
        shop.till.gift_card(GiftCardRequest(card=card.code))
    for n in range(4):
        with pytest.raises(ConflictError, match="is wrong"):
            sell(shop, GOODS, f"s{n}", (gift(DUE, card.code, wrong),))
    assert shop.till.gift_card(GiftCardRequest(card=card.code, pin=card.pin)).balance_minor == 100_000
    for _ in range(5):
        with pytest.raises(ConflictError, match="is wrong"):
            shop.till.gift_card(GiftCardRequest(card=card.code, pin=wrong))
    for presented in (card.code, card.card_id):
        with pytest.raises(ConflictError, match="locked"):
            sell(shop, GOODS, "t", (gift(DUE, presented, card.pin),))
    shop.now -= timedelta(days=1)
    with pytest.raises(ConflictError, match="locked"):
        shop.till.gift_card(GiftCardRequest(card=card.code, pin=card.pin))
    shop.now += timedelta(days=1, hours=1)
    sell(shop, GOODS, "u", (gift(DUE, card.code, card.pin),))
    assert on_card(shop, card) == 100_000 - DUE and verify(shop.db) == ()


def test_unknown_codes_lock_the_till_for_a_while(shop: Shop) -> None:
    card = sold_card(shop)
    for n in range(10):
        with pytest.raises(NotFoundError):
            shop.till.gift_card(GiftCardRequest(card=f"guess {n}"))
    with pytest.raises(ConflictError, match="Too many"):
        shop.till.gift_card(GiftCardRequest(card=card.code or ""))
    shop.now += timedelta(minutes=10)
    assert shop.till.gift_card(GiftCardRequest(card=card.code or "")).balance_minor == 100_000


def test_a_card_that_is_shown_again_and_again_locks_nothing(shop: Shop) -> None:
    """A cashier does so until the line is back; it is one guess."""
    card, elsewhere = sold_card(shop), f"PLG1|{'B' * 26}"

    def shown(code: str) -> None:
        with pytest.raises(NotFoundError):
            shop.till.gift_card(GiftCardRequest(card=code))

    for _ in range(30):
        shown(elsewhere)
    assert shop.till.gift_card(GiftCardRequest(card=card.code or "")).balance_minor == 100_000
    for n in range(9):
        shown(elsewhere)
        shown(f"guess {n}")
    with pytest.raises(ConflictError, match="Too many"):
        shop.till.gift_card(GiftCardRequest(card=card.code or ""))


class Torn:
    """Writes as usual, then says that it is not known whether the COMMIT stood; ``stands`` decides."""

    def __init__(self, stands: bool) -> None:
        self.stands = stands
        self.left = 0

    def arm(self, monkeypatch: pytest.MonkeyPatch, module: object) -> None:
        from contextlib import contextmanager

        @contextmanager
        def torn(db: object) -> Iterator[None]:
            is_last = self.left == 1
            self.left -= 1
            if not is_last:
                with write(db):  # type: ignore[arg-type]
                    yield
                return
            try:
                with write(db):  # type: ignore[arg-type]
                    yield
                    if not self.stands:
                        raise CommitUnknownError("power cut")
            finally:
                pass
            raise CommitUnknownError("power cut")

        monkeypatch.setattr(module, "write", torn)


@pytest.mark.parametrize("stands", [True, False])
@pytest.mark.parametrize("step", ["sell", "pay", "freeze", "pay_back"])
def test_a_commit_of_unknown_outcome_moves_money_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, stands: bool, step: str
) -> None:
    from pos_loyalty.till import checkout, gift_cards

    card = sold_card(shop)
    torn = Torn(stands)
    verbs: dict[str, Callable[[], object]] = {
        "sell": lambda: sell(shop, basket_of(line("1", "GC", 50_000)), "s"),
        "pay": lambda: sell(shop, GOODS, "s", (gift(DUE, card.card_id),)),
        "freeze": lambda: shop.till.freeze_gift_card(FreezeRequest(card=card.card_id, by=IVANOVA, reason="r"), "f"),
        "pay_back": lambda: shop.till.pay_back_gift_card(PayBackRequest(card=card.card_id, by=IVANOVA, reason="r"), "p"),
    }
    torn.left = 2 if step in ("sell", "pay") else 1  # the first commit of a sale is its attempt
    torn.arm(monkeypatch, checkout if step in ("sell", "pay") else gift_cards)
    verbs[step]()
    left = {"sell": 100_000, "pay": 100_000 - DUE, "freeze": 100_000, "pay_back": 0}[step]
    assert on_card(shop, card) == left
    assert shop.db.execute("SELECT COUNT(*) FROM gift_card").fetchone() == (2 if step == "sell" else 1,)
    assert verify(shop.db) == ()


def test_forged_rows_are_found(shop: Shop) -> None:
    card = sold_card(shop)
    sell(shop, GOODS, "s", (gift(DUE, card.code),))
    forgeries = {
        "UPDATE gift_card SET face_minor = face_minor + 1": "face_minor",
        "UPDATE gift_card SET state = 'frozen'": "is frozen",
        "UPDATE gift_card SET code_hash = zeroblob(32)": "code_hash",
        "UPDATE balance SET amount = amount + 1 WHERE account LIKE 'gift:%'": "stands at",
        "DELETE FROM gift_card": "missing",
        "UPDATE sale SET advance_minor = advance_minor + 1": "advance_minor",
        "UPDATE entry SET amount = amount + 1 WHERE debit_acct = 'gifts:sold'": "entries",
        "INSERT INTO gift_card SELECT 'x', code_hash, pin_hash, kind, series, currency, face_minor, expires_ms, txn, till,"
        " sale_id, line_id, state, state_hlc, state_till FROM gift_card": "no fact",
    }
    for sql, word in forgeries.items():
        shop.db.execute("BEGIN IMMEDIATE")
        shop.db.execute(sql)
        found = verify(shop.db)
        shop.db.execute("ROLLBACK")
        assert any(word in sentence for sentence in found), (sql, found)
    assert verify(shop.db) == ()


def test_the_ledger_itself_refuses_an_overdraft(shop: Shop) -> None:
    from pos_loyalty.engine.gift_ledger import unload
    from pos_loyalty.store import ledger

    card = sold_card(shop, 50_000)
    with pytest.raises(ConflictError, match="1 minor units short"), write(shop.db):
        entry = unload(card.card_id, "adjust", "gifts:paid_back", 50_001, "RUB")
        ledger.append(shop.db, ledger.Draft(id=shop.new_id(), kind="points.adjusted", store="S1", entries=(entry,)), NOW)
    assert on_card(shop, card) == 50_000


def test_errors_do_not_tell_the_code(shop: Shop) -> None:
    card = sold_card(shop)
    assert card.code is not None
    shop.till.freeze_gift_card(FreezeRequest(card=card.code, by=IVANOVA, reason="r"), "f")
    with pytest.raises(LoyaltyError) as caught:
        sell(shop, GOODS, "s", (gift(DUE, card.code),))
    assert card.code[5:] not in str(caught.value) and card.label in str(caught.value)
