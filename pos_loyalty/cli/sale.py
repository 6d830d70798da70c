"""``pos-loyalty sale``: sell one basket through the till's own verbs, without HTTP; for trying out and for scripts."""

from __future__ import annotations

import argparse
from pathlib import Path

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json, read_bytes
from pos_loyalty.engine.model import Basket, Quote, Tender
from pos_loyalty.errors import ConflictError, NotFoundError, QuoteStaleError
from pos_loyalty.till import Till
from pos_loyalty.till.model import QuoteRequest, SaleAnswer, SaleRequest
from pos_loyalty.values import decode


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("sale", help="sell one basket: quote, authorise and complete in one go")
    parser.add_argument("--basket", metavar="B.json", type=Path, required=True, help="the basket")
    parser.add_argument("--card", help="the member's card")
    parser.add_argument("--sale-id", help="the sale's id (the basket's); the same id sells once")
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Sell, then print the receipt. The same sale again is shown, never sold twice; another one under its id is refused."""
    basket = decode(read_bytes(args.basket), Basket, place=f"{args.basket}: basket")
    sale_id = args.sale_id or basket.basket_id
    with wiring.till_in_process(args.config) as till:
        quote = till.quote(QuoteRequest(basket=basket, card=args.card))
        answer = _stored(till, sale_id, quote) or _sell(till, quote, sale_id)
        if args.json:
            print_json(answer)
        else:
            print(till.receipt_text(sale_id))
    return 0


def _stored(till: Till, sale_id: str, quote: Quote) -> SaleAnswer | None:
    try:
        stored = till.sale(sale_id)
    except NotFoundError:
        return None
    if _goods(stored.quote) != _goods(quote):
        raise ConflictError(f"Sale id {sale_id} stands for another sale ({stored.state}); name a new one with --sale-id.")
    return stored


def _goods(quote: Quote) -> tuple[object, ...]:
    """What a sale is known again by: prices may move, the goods and the member do not."""
    return quote.basket_id, quote.at, quote.member_id, tuple((line.line_id, line.gross_minor) for line in quote.lines)


def _sell(till: Till, quote: Quote, sale_id: str) -> SaleAnswer:
    """Where the price hangs on the kind of payment, the till answers with the price for cash: that one is paid."""
    try:
        return _pay(till, quote, sale_id)
    except QuoteStaleError as error:
        if error.quote is None:
            raise
        return _pay(till, decode(error.quote, Quote), sale_id)


def _pay(till: Till, quote: Quote, sale_id: str) -> SaleAnswer:
    assert quote.quote_id is not None
    tenders = (Tender(kind="cash", amount_minor=quote.due_minor),)
    request = SaleRequest(sale_id=sale_id, quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=tenders, complete=True)
    return till.authorise(request, key=f"sale {sale_id} {quote.quote_id}")
