"""What is held on a member: consents given and withdrawn, cards, birthday, state, own code, attributes that rules ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from drivers.symbology import gtin_holds
from pos_loyalty.errors import ConflictError, InputError, MemberBlockedError, NotAllowedError, NotFoundError, WrongPinError
from pos_loyalty.store import profiles
from pos_loyalty.store.verify import verify
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.member_model import (
    CardRequest,
    ChangeRequest,
    GiveConsent,
    LetInRequest,
    MakeReferralCode,
    SetAttribute,
    SetBirthday,
    SetDate,
    SetName,
    SetPhone,
    SetState,
    Wish,
)
from pos_loyalty.till.model import AwardRequest, CompleteRequest, EnrolRequest, IdentifyRequest, QuoteRequest
from tests.shop import CARD, CONFIG, MEMBER, OTHER_CARD, PROGRAMME, Shop, make_basket

THIRD_CARD = "2200000000033"
PHONE = "+7 900 123-45-67"
OWN_RANGE = 'own_prefix = "2291"\nsymbologies = ["ean13", "qr"]\n'
ACTS = """
[[coupon]]
id = "lead"
title = { ru = "Первый купон", en = "First coupon" }
[[rule]]
id = "lead"
stage = "act"
act = "lead"
title = { ru = "Купон", en = "Coupon" }
then = [{ do = "issue_coupon", series = "lead", days = 30 }]
[[rule]]
id = "dog"
stage = "customer"
title = { ru = "Собачникам", en = "For dogs" }
when = [{ is = "profile", key = "pet", value = ["dog"] }]
then = [{ do = "percent", percent = "50%" }]
"""


def word(shop: Shop) -> Approval:
    """A person of the shop, and their PIN."""
    boss = Approval(person="boss", pin="8642")
    staff.add(shop.db, boss.person, "senior", boss.pin, shop.till._desk.secrets.pepper)
    return boss


def changed(shop: Shop, *wishes: Wish, member: str = MEMBER, by: Approval | None = None) -> profiles.Profile:
    shop.new_id()
    shop.till.change(member, ChangeRequest(changes=wishes, cashier="C7", by=by), f"change {shop.new_id().hex}")
    found = profiles.by_id(shop.db, member)
    assert found is not None
    return found


@pytest.fixture
def printing(tmp_path: Path) -> Iterator[Shop]:
    config = CONFIG + OWN_RANGE + f'[printer]\nkind = "file"\npath = "{tmp_path / "paper.bin"}"\n'
    shop = Shop(tmp_path, config)
    yield shop
    shop.close()


def test_two_consents_are_given_and_withdrawn_apart(shop: Shop) -> None:
    answer = shop.till.enrol(EnrolRequest(card=OTHER_CARD, consents=("data", "advertising"), cashier="C7"), "key")
    assert answer.consents == ("advertising", "data")
    changed(shop, GiveConsent(purpose="advertising", given=False, channel="letter"), member=answer.member_id)
    assert shop.till.identify(IdentifyRequest(card=OTHER_CARD)).consents == ("data",)
    changed(shop, GiveConsent(purpose="advertising", given=True, text_version="2026-12"), member=answer.member_id)
    history = profiles.consents_of(shop.db, answer.member_id)
    assert [(one.purpose, one.given, one.text_version, one.channel, one.cashier) for one in history] == [
        ("data", True, "1", "till", "C7"),
        ("advertising", True, "1", "till", "C7"),
        ("advertising", False, "", "letter", "C7"),
        ("advertising", True, "2026-12", "till", "C7"),
    ]
    assert all(one.at == shop.now for one in history)
    assert verify(shop.db) == ()


def test_no_consent_is_taken_for_granted(shop: Shop) -> None:
    assert shop.till.enrol(EnrolRequest(card=OTHER_CARD), "key").consents == ()


def test_a_lead_has_a_phone_and_a_coupon_before_any_card(shop: Shop) -> None:
    shop.publish(PROGRAMME.replace("version = 1", "version = 2") + ACTS)
    lead = shop.till.enrol(EnrolRequest(phone=PHONE, consents=("data",), origin="site", drive="spring"), "key")
    assert lead.card is None
    coupon = shop.till.award(lead.member_id, AwardRequest(act="lead"), "award").coupons[0]
    assert coupon.series == "lead"
    assert shop.till.identify(IdentifyRequest(phone=PHONE)).member_id == lead.member_id
    shop.till.change_cards(lead.member_id, CardRequest(card=OTHER_CARD), "card")
    assert shop.till.identify(IdentifyRequest(card=OTHER_CARD)).member_id == lead.member_id
    found = profiles.by_id(shop.db, lead.member_id)
    assert found is not None and (found.origin, found.drive) == ("site", "spring")
    assert verify(shop.db) == ()


def test_a_coupon_that_tills_would_take_for_a_payment_card_is_not_given(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.publish(PROGRAMME.replace("version = 1", "version = 2") + ACTS)
    drawn = iter([55065667151928923708, 7])
    monkeypatch.setattr("pos_loyalty.till.coupons.random_bits", lambda _: next(drawn))
    lead = shop.till.enrol(EnrolRequest(phone=PHONE), "key")
    coupon = shop.till.award(lead.member_id, AwardRequest(act="lead"), "award").coupons[0]
    assert coupon.code == "7".zfill(20)


def test_a_series_whose_codes_are_all_like_payment_cards_is_given_all_the_same(shop: Shop) -> None:
    like_visa = '[[coupon]]\nid = "lead"\nprefix = "42"\ndigits = 14\ncheck = "luhn"\n'
    shop.publish(PROGRAMME.replace("version = 1", "version = 2") + ACTS.replace('[[coupon]]\nid = "lead"\n', like_visa))
    lead = shop.till.enrol(EnrolRequest(phone=PHONE), "key")
    assert len(shop.till.award(lead.member_id, AwardRequest(act="lead"), "award").coupons) == 1


def test_a_card_that_is_made_is_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = 'prefix = "220112"\nlength = 22\ncheck = "none"\nown_prefix = "220112"\nsymbologies = ["qr"]\n'
    shop = Shop(tmp_path, CONFIG.replace('prefix = "22"\nlength = 13\n', wide))
    drawn = iter([4111111111111111, 4111111111111112])
    monkeypatch.setattr("pos_loyalty.till.card_numbers.random_bits", lambda _: next(drawn))
    made = shop.till.enrol(EnrolRequest(new_card=True), "key").made_card
    shop.close()
    assert made == "2201124111111111111112", "behind the prefix no number of a payment card stands: no reader hands that on"


def test_who_has_neither_card_nor_phone_cannot_be_enrolled(shop: Shop) -> None:
    with pytest.raises(InputError, match="a card or a phone"):
        shop.till.enrol(EnrolRequest(name="Анна"), "key")


def test_a_card_is_made_at_once_and_printed(printing: Shop) -> None:
    made = printing.till.enrol(EnrolRequest(new_card=True), "key")
    assert made.made_card is not None and made.card is not None and made.card.endswith(made.made_card[-4:])
    assert made.made_card.startswith("2291") and len(made.made_card) == 13 and gtin_holds(made.made_card)
    assert printing.till.enrol(EnrolRequest(new_card=True), "key") == made, "the same key makes no second card"
    assert printing.till.identify(IdentifyRequest(card=made.made_card)).member_id == made.member_id
    jobs = printing.db.execute("SELECT kind, body FROM print_job").fetchall()
    assert [kind for kind, _ in jobs] == ["card"] and made.made_card.encode() in jobs[0][1]
    assert verify(printing.db) == ()


def test_a_till_without_a_range_makes_no_card(shop: Shop) -> None:
    with pytest.raises(ConflictError, match="own_prefix"):
        shop.till.enrol(EnrolRequest(new_card=True), "key")


def test_a_lost_card_is_named_as_the_profile_shows_it(shop: Shop) -> None:
    (shown,) = [card.card for card in shop.till.profile(MEMBER).cards]
    assert shown != CARD and shown.endswith(CARD[-4:])
    assert [card.state for card in shop.till.change_cards(MEMBER, CardRequest(lost=shown), "lost").cards] == ["lost"]
    found = CardRequest(found=shown, by=word(shop))
    assert [card.state for card in shop.till.change_cards(MEMBER, found, "found").cards] == ["active"]
    with pytest.raises(InputError):
        shop.till.change_cards(MEMBER, CardRequest(lost="*" * 9 + "9999"), "other")


def test_a_new_card_takes_over_from_a_lost_one(shop: Shop) -> None:
    answer = shop.till.change_cards(MEMBER, CardRequest(lost=CARD, card=OTHER_CARD, by=word(shop)), "key")
    assert [(card.card[-4:], card.state) for card in answer.cards] == [(CARD[-4:], "lost"), (OTHER_CARD[-4:], "active")]
    with pytest.raises(ConflictError, match="is lost"):
        shop.till.identify(IdentifyRequest(card=CARD))
    assert shop.till.identify(IdentifyRequest(card=OTHER_CARD)).balance_centi == 50_000
    shop.till.change_cards(MEMBER, CardRequest(card=THIRD_CARD), "third")
    with pytest.raises(NotAllowedError, match="on a person's word"):
        shop.till.change_cards(MEMBER, CardRequest(found=CARD, cashier="C7"), "nobody's")
    shop.till.change_cards(MEMBER, CardRequest(found=CARD, by=word(shop)), "found")
    for card in (CARD, OTHER_CARD, THIRD_CARD):
        assert shop.till.identify(IdentifyRequest(card=card)).member_id == MEMBER
    assert verify(shop.db) == ()


def test_nobody_loses_the_card_of_another(shop: Shop) -> None:
    shop.add_member("member-2", OTHER_CARD, 100)
    for request in (CardRequest(lost=OTHER_CARD), CardRequest(card=OTHER_CARD), CardRequest(lost=THIRD_CARD)):
        with pytest.raises(ConflictError):
            shop.till.change_cards(MEMBER, request, "key")
    with pytest.raises(InputError):
        shop.till.change_cards(MEMBER, CardRequest(), "key")


def test_a_blocked_member_may_not_act_until_a_person_lets_them(shop: Shop) -> None:
    with pytest.raises(InputError, match="answers for it"):
        changed(shop, SetState(state="blocked"))
    with pytest.raises(NotAllowedError):
        changed(shop, SetState(state="blocked"), by=Approval(person="boss", pin="8642"))
    boss = word(shop)
    with pytest.raises(NotAllowedError):
        changed(shop, SetState(state="blocked"), by=replace(boss, pin="8643"))
    assert shop.till.profile(MEMBER).state == "active"
    assert changed(shop, SetState(state="blocked"), by=boss).state == "blocked"
    with pytest.raises(ConflictError, match="is blocked"):
        shop.till.identify(IdentifyRequest(card=CARD))
    with pytest.raises(NotFoundError):
        shop.till.quote(QuoteRequest(basket=make_basket(), member_id=MEMBER))
    assert shop.till.profile(MEMBER).state == "blocked"
    changed(shop, SetState(state="active"), by=boss)
    told = [(each.kind, each.by) for each in shop.till.acts().acts]
    assert told[:2] == [("member.changed", "boss")] * 2, "each act stands in the log under the name whose PIN was shown"
    assert shop.till.identify(IdentifyRequest(card=CARD)).member_id == MEMBER
    assert verify(shop.db) == ()


def test_a_blocked_member_is_let_in_by_their_card_and_a_persons_word(shop: Shop) -> None:
    boss = word(shop)
    changed(shop, SetState(state="blocked"), by=boss)
    wrong = replace(boss, pin="8643")
    for card in (CARD, OTHER_CARD, "not a card"):
        with pytest.raises(WrongPinError) as told:
            shop.till.let_in(LetInRequest(card=card, by=wrong), "k1")
        assert "card" not in str(told.value).lower(), "without a word nobody learns whose card it is"
    with pytest.raises(MemberBlockedError):
        shop.till.identify(IdentifyRequest(card=CARD))
    with pytest.raises(NotFoundError):
        shop.till.let_in(LetInRequest(card=OTHER_CARD, by=boss), "k1")
    assert shop.till.let_in(LetInRequest(card=CARD, by=boss, cashier="C7"), "k1").state == "active"
    assert shop.till.identify(IdentifyRequest(card=CARD)).member_id == MEMBER
    with pytest.raises(ConflictError, match="nobody to let in"):
        shop.till.let_in(LetInRequest(card=CARD, by=boss), "k2")
    act = shop.till.acts().acts[0]
    assert (act.kind, act.by) == ("member.changed", "boss")
    changed(shop, SetState(state="blocked"), by=boss)
    shop.till.change_cards(MEMBER, CardRequest(lost=CARD), "lost")
    with pytest.raises(ConflictError, match="is lost"):
        shop.till.let_in(LetInRequest(card=CARD, by=boss), "k3")
    assert shop.till.profile(MEMBER).state == "blocked", "whoever found a lost card is not its member"
    assert verify(shop.db) == ()


def test_a_birthday_is_entered_once(shop: Shop) -> None:
    assert changed(shop, SetBirthday(birthday="05-17")).birthday == "05-17"
    assert changed(shop, SetBirthday(birthday="05-17")).birthday == "05-17"
    with pytest.raises(ConflictError, match="entered before"):
        changed(shop, SetBirthday(birthday="11-21"))
    assert changed(shop, SetBirthday(birthday="11-21"), by=word(shop)).birthday == "11-21"
    assert verify(shop.db) == ()


def test_a_friends_own_code_does_for_their_card(shop: Shop) -> None:
    code = changed(shop, MakeReferralCode()).referral_code
    assert code is not None and len(code) == 8
    assert changed(shop, MakeReferralCode()).referral_code == code, "asking again makes no other"
    answer = shop.till.enrol(EnrolRequest(card=OTHER_CARD, referrer_code=code.lower()), "key")
    found = profiles.by_id(shop.db, answer.member_id)
    assert found is not None and found.referred_by == MEMBER
    with pytest.raises(NotFoundError, match="friend"):
        shop.till.enrol(EnrolRequest(card=THIRD_CARD, referrer_code="NOBODY22"), "other")
    with pytest.raises(ConflictError, match="another member"):
        changed(shop, MakeReferralCode(code=code), member=answer.member_id)


def test_rules_ask_for_attributes_that_stand_only_sealed(shop: Shop) -> None:
    shop.publish(PROGRAMME.replace("version = 1", "version = 2") + ACTS)
    basket = make_basket()
    before = shop.till.quote(QuoteRequest(basket=basket, member_id=MEMBER)).total_minor
    changed(shop, SetAttribute(name="pet", value="dog"), SetDate(name="child", day="2019-03-08"))
    assert shop.till.quote(QuoteRequest(basket=basket, member_id=MEMBER)).total_minor < before
    held = shop.till.held_on(MEMBER)
    assert held.person is not None and (held.person.attributes, held.person.dates) == ({"pet": "dog"}, {"child": "2019-03-08"})
    changed(shop, SetAttribute(name="pet", value=None))
    assert shop.till.quote(QuoteRequest(basket=basket, member_id=MEMBER)).total_minor == before
    payloads = b"".join(bytes(row[0]) for row in shop.db.execute("SELECT payload FROM txn"))
    assert b"2019-03-08" not in payloads and b'"dog"' not in payloads
    assert verify(shop.db) == ()


def test_export_gives_all_that_is_held(shop: Shop) -> None:
    member = shop.till.enrol(EnrolRequest(card=OTHER_CARD, name="Анна", phone=PHONE, consents=("data",)), "key").member_id
    changed(shop, SetName(name="Анна Снегина"), member=member)
    shop.till.authorise(shop.ask(card=OTHER_CARD), "sale")
    shop.till.complete("sale-1", CompleteRequest(), "done")
    held = shop.till.held_on(member)
    assert held.person is not None and (held.person.name, held.person.phone) == ("Анна Снегина", PHONE)
    assert {"card", "entry", "lot", "member", "member_attribute", "member_consent", "sale", "txn"} <= held.tables.keys()
    assert held.tables["card"][0]["number"] == OTHER_CARD
    assert held.tables["sale"][0]["basket"]["lines"][0]["name"] == "Кофе"
    assert held.tables["txn"][0]["payload"]["enrolment"]["consents"][0]["purpose"] == "data"
    assert not held.tables.keys() & {"member_key", "phone_code"}


def test_a_phone_belongs_to_one_member(shop: Shop) -> None:
    shop.till.enrol(EnrolRequest(card=OTHER_CARD, phone=PHONE), "key")
    with pytest.raises(ConflictError, match="another member"):
        changed(shop, SetPhone(phone="8 900 123-45-67"))
    assert changed(shop, SetPhone(phone="+7 900 000-00-01")).phone == "unverified"
    assert changed(shop, SetPhone(phone=None)).phone == "none"
    assert verify(shop.db) == ()


def test_the_same_key_changes_once_and_all_or_nothing(shop: Shop) -> None:
    request = ChangeRequest(changes=(GiveConsent(purpose="data", given=True),))
    assert shop.till.change(MEMBER, request, "key") == shop.till.change(MEMBER, request, "key")
    assert len(profiles.consents_of(shop.db, MEMBER)) == 1
    before = shop.rows()
    with pytest.raises(InputError):
        changed(shop, GiveConsent(purpose="advertising", given=True), SetState(state="blocked"))
    assert shop.rows() == before
