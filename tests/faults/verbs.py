"""Every verb of the till and of the daemon, each as one call that may be made again: the same request under the same key."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from msgspec.structs import replace

from pos_loyalty.cli.main import main
from pos_loyalty.errors import QuoteStaleError, StoreError
from pos_loyalty.till.drawer import DrawerRequest
from pos_loyalty.till.gift_card_model import FreezeRequest, IssueRequest, PayBackRequest
from pos_loyalty.till.member_model import (
    CardRequest,
    ChangeRequest,
    EraseRequest,
    GiveConsent,
    MakeReferralCode,
    SetAttribute,
    SetName,
    SetPhone,
)
from pos_loyalty.till.model import (
    AwardRequest,
    CancelRequest,
    CompleteRequest,
    EnrolRequest,
    PrintRequest,
    QuoteRequest,
    SaleRequest,
    VoidRequest,
)
from pos_loyalty.till.returns_model import LineBack, ReturnRequest, UnsoldLine
from pos_loyalty.till.staff_model import AdjustRequest, ClaimRequest, MergeRequest, SecretRequest
from pos_loyalty.till.tier_model import TierRequest
from pos_loyalty.values import Minor, Points, Thousandths
from tests.faults.world import ANNA, BORIS, HERS, World
from tests.gifts import basket_of, cash, gift, line
from tests.shop import CARD, MEMBER, NOW, OTHER_CARD, make_basket
from tests.tables import card_of

Act = Callable[[World], object]


class Verb(NamedTuple):
    """``steps``: in several transactions, so that a part of it may stand. ``file``: whose disk fails."""

    name: str
    act: Act
    steps: bool = False
    file: str = "till.db"


class AskedWronglyError(StoreError):
    """A command or a nightly job that says that it failed."""


def sold(make: Callable[[World], SaleRequest]) -> Act:
    """A sale: asked again with its own quote while the till holds it; a restarted till is asked with a new quote and key.

    A host that lost its key asks for a sale that stands with another one, and gets it by its attempt.
    """

    def act(world: World) -> object:
        asked = world.answers.get("asked")
        if not isinstance(asked, SaleRequest):
            asked = world.answers["asked"] = make(world)
        key = f"key {asked.quote_id}"
        if world.answers.get("answered") == key:
            return world.till.authorise(asked, "another key")
        try:
            answer = world.till.authorise(asked, key)
        except QuoteStaleError:
            assert not world.db.execute("SELECT 1 FROM sale WHERE sale_id = ?", (asked.sale_id,)).fetchone()
            asked = world.answers["asked"] = make(world)
            key = f"key {asked.quote_id}"
            answer = world.till.authorise(asked, key)
        world.answers["answered"] = key
        return answer

    return act


def _quoted(world: World, basket: Any, sale_id: str, card: str | None = CARD, **more: Any) -> SaleRequest:
    quote = world.till.quote(QuoteRequest(basket=replace(basket, basket_id=sale_id), card=card))
    assert quote.quote_id is not None
    more.setdefault("tenders", (cash(quote.due_minor),))
    return SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, **more)


def _reserve(world: World) -> SaleRequest:
    return _quoted(world, make_basket(redeem="max", coupons=("SPRING",)), "new")


def _sell(world: World) -> SaleRequest:
    return _quoted(world, make_basket(redeem=7_000, coupons=("SPRING",)), "new", complete=True)


def _sell_card(world: World) -> SaleRequest:
    return _quoted(world, basket_of(line("1", "GC", 50_000), line("2", "4601", 9_900)), "new", complete=True)


def _top_up(world: World) -> SaleRequest:
    return _quoted(world, basket_of(line("7", "GC", 50_000)), "new", None, complete=True, top_ups={"7": world.card.code})


def _pay_by_card(world: World) -> SaleRequest:
    tenders = (gift(20_000, world.card.code), cash(30_000))
    return _quoted(world, basket_of(line("1", "4601", 50_000)), "new", None, complete=True, tenders=tenders)


def _exchange(world: World) -> SaleRequest:
    back = ReturnRequest(return_id="x1", sale_id="sold", lines=(_part("1"),), cashier="C7")
    basket = basket_of(line("1", "4602", 20_000))
    return _quoted(world, basket, "new", CARD, complete=True, tenders=(cash(6_500),), returns=back)


def _part(count: str) -> LineBack:
    return LineBack(line_id="1", quantity_milli=Thousandths(1000 * int(count)))


def _return_part(world: World) -> object:
    return world.till.return_goods("whole", ReturnRequest(return_id="r1", lines=(_part("1"),), cashier="C7"), "back")


def _return_all(world: World) -> object:
    return world.till.return_goods("whole", ReturnRequest(return_id="r2", all=True, cashier="C7"), "back")


def _return_unsold(world: World) -> object:
    goods = (UnsoldLine(line_id="1", sku="4601", quantity_milli=Thousandths(1000), price_minor=Minor(9_900)),)
    asked = ReturnRequest(return_id="r3", goods=goods, cashier="C7", approval=BORIS, member_id=MEMBER)
    return world.till.return_goods(None, asked, "back")


def _enrol(world: World) -> object:
    asked = EnrolRequest(card=card_of(777), name="Olga", phone="+7 900 765-43-21", birthday="05-17", consents=("data",))
    return world.till.enrol(asked, "enrol new")


def _change(world: World) -> object:
    changes = (
        GiveConsent(purpose="advertising", given=True),
        SetName(name="Maria"),
        SetPhone(phone="+7 900 111-22-33"),
        SetAttribute(name="pet", value="dog"),
        MakeReferralCode(),
    )
    return world.till.change(world.erased, ChangeRequest(changes=changes, cashier="C7"), "change")


def _adjust(centi: int) -> Act:
    asked = AdjustRequest(centi=Points(centi), reason="till was down", by=ANNA, approval=BORIS)
    return lambda world: world.till.adjust(MEMBER, asked, "adjust")


def _claim(world: World) -> object:
    return world.till.claim("bare", ClaimRequest(card=OTHER_CARD, by="C7", approval=BORIS), "claim")


def _merge(world: World) -> object:
    return world.till.merge(HERS, MergeRequest(into=MEMBER, reason="one person", by=ANNA, approval=BORIS), "merge")


def _night(world: World) -> object:
    world.now = NOW + timedelta(days=366)
    report = world.till.nightly()
    told = [job.trouble for job in report.jobs if job.trouble is not None]
    if told:
        raise AskedWronglyError("; ".join(told))
    return None


def _restart(world: World) -> object:
    world.till.close()
    world.open()
    return None


def _command(table: str, *words: str) -> Act:
    def act(world: World) -> object:
        path = world.folder / "table.csv"
        path.write_text(table, encoding="utf-8")
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            done = main(["import", *words, str(path), "--config", str(world.config)])
        if done != 0:
            raise AskedWronglyError(said.getvalue())
        return None

    return act


def _sync(world: World) -> object:
    trouble = world.sync().trouble
    if trouble is not None:
        raise AskedWronglyError(trouble)
    return None


def _freeze(world: World) -> object:
    return world.till.freeze_gift_card(FreezeRequest(card=str(world.card.code), by=BORIS, reason="lost"), "freeze")


def _thaw(world: World) -> object:
    if "frozen" not in world.answers:
        world.answers["frozen"] = _freeze(world)
    return world.till.unfreeze_gift_card(FreezeRequest(card=str(world.card.code), by=BORIS, reason="found"), "thaw")


def _pay_back(world: World) -> object:
    asked = PayBackRequest(card=str(world.card_2.code), by=BORIS, reason="asked")
    return world.till.pay_back_gift_card(asked, "pay back")


def _issue(world: World) -> object:
    return world.till.issue_gift_card(
        IssueRequest(series="thanks", amount_minor=Minor(30_000), by=BORIS, reason="sorry"), "issue"
    )


MEMBERS = f"id;card;phone;name\nM-1;{card_of(901)};8 900 333-22-11;Ivan\nM-2;{card_of(902)};;Petr\n"
CARDS = f"member id;card\nmember-1;{card_of(903)}\n"
BALANCES = "member id;points\nmember-1;12.50\nmember-2;1\n"
YES = ("--yes", "--by", "olga")

VERBS: tuple[Verb, ...] = (
    Verb("start", _restart, steps=True),
    Verb("authorise", sold(_reserve)),
    Verb("sell in one step", sold(_sell)),
    Verb("complete", lambda world: world.till.complete("open", CompleteRequest(), "complete")),
    Verb("complete by gift card", lambda world: world.till.complete("held", CompleteRequest(), "complete")),
    Verb("cancel", lambda world: world.till.cancel("open-2", CancelRequest(reason="no money"), "cancel")),
    Verb("cancel by gift card", lambda world: world.till.cancel("held", CancelRequest(), "cancel")),
    Verb("void", lambda world: world.till.void("whole", VoidRequest(cashier="C7", reason="wrong"), "void")),
    Verb("return a part", _return_part),
    Verb("return all", _return_all),
    Verb("return without receipt", _return_unsold),
    Verb("exchange", sold(_exchange)),
    Verb("enrol", _enrol),
    Verb("change a member", _change),
    Verb(
        "change cards", lambda world: world.till.change_cards(MEMBER, CardRequest(card=card_of(55), lost=CARD, by=ANNA), "cards")
    ),
    Verb("erase a member", lambda world: world.till.erase(world.erased, EraseRequest(by=BORIS, reason="asked"), "erase")),
    Verb("award", lambda world: world.till.award(MEMBER, AwardRequest(act="review", cashier="C7"), "award")),
    Verb("adjust up", _adjust(5_000)),
    Verb("adjust down", _adjust(-5_000)),
    Verb("claim", _claim),
    Verb("merge members", _merge),
    Verb(
        "set a secret",
        lambda world: world.till.set_secret(MEMBER, SecretRequest(pin="4321", qr=True, cashier="C7", by=BORIS), "secret"),
    ),
    Verb("sell a gift card", sold(_sell_card)),
    Verb("top up a gift card", sold(_top_up)),
    Verb("pay by gift card", sold(_pay_by_card)),
    Verb("issue a gift card", _issue),
    Verb("freeze a gift card", _freeze),
    Verb("unfreeze a gift card", _thaw, steps=True),
    Verb("pay a gift card back", _pay_back),
    Verb("set a tier", lambda world: world.till.set_tier(MEMBER, TierRequest(tier="silver", by=BORIS, reason="loyal"), "tier")),
    Verb("open the drawer", lambda world: world.till.open_drawer(DrawerRequest(cashier="C7", reason="change"), "drawer")),
    Verb("print again", lambda world: world.till.print_again("sold", PrintRequest(), "print")),
    Verb("import coupons", _command("code\nAAAA-1\nAAAA-2\nAAAA-3\n", "coupons", "--series", "flyer"), steps=True),
    Verb("import members", _command(MEMBERS, "members", *YES), steps=True),
    Verb("import cards", _command(CARDS, "cards", *YES), steps=True),
    Verb("import balances", _command(BALANCES, "balances", *YES), steps=True),
    Verb("nightly", _night, steps=True),
    Verb("sync at the till", _sync, steps=True),
    Verb("sync at head office", _sync, steps=True, file="office.db"),
)
