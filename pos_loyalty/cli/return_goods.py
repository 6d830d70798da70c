"""``pos-loyalty return``: take goods of a sale back through the till's own verb, without HTTP."""

from __future__ import annotations

import argparse

from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json
from pos_loyalty.cli.pins import ask_approval
from pos_loyalty.till.returns_model import LineBack, ReturnRequest
from pos_loyalty.values import quantity


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("return", help="take goods of a sale back: refund, points and counters; prints the slip")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--sale-id", help="the sale")
    which.add_argument("--receipt", metavar="CODE", help="what the QR of the receipt holds, ours or the fiscal one")
    parser.add_argument("--till", help="the till that sold it (this one)")
    parser.add_argument("--return-id", required=True, help="a new id; the same id returns once")
    goods = parser.add_mutually_exclusive_group(required=True)
    goods.add_argument("--line", type=_line, action="append", metavar="LINE=QUANTITY", help="so much of a line; may stand often")
    goods.add_argument("--all", action="store_true", help="everything that is left of the sale")
    parser.add_argument("--cashier", default="", help="who takes it back")
    parser.add_argument(
        "--approval", metavar="PERSON", help="the senior who approves it, where one is needed; their PIN is asked for"
    )
    parser.add_argument("--reason", default="", help="why, in the customer's words")
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Return, then print the slip. The same return again is shown, never booked twice."""
    request = ReturnRequest(
        return_id=args.return_id,
        sale_id=args.sale_id,
        sale_till=args.till,
        receipt=args.receipt or "",
        lines=tuple(args.line or ()),
        all=args.all,
        cashier=args.cashier,
        approval=ask_approval(args.approval),
        reason=args.reason,
    )
    with wiring.till_in_process(args.config) as till:
        answer = till.return_goods(None, request, key=f"return {args.return_id}")
        if args.json:
            print_json(answer)
        else:
            print(till.return_text(answer.return_id))
    return 0


def _line(text: str) -> LineBack:
    line_id, _, count = text.rpartition("=")
    try:
        return LineBack(line_id=line_id, quantity_milli=quantity(count)) if line_id else _refuse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _refuse(text: str) -> LineBack:
    raise ValueError(f'"{text}" names no line and quantity; write such as 1=2, or 3=0.345 for goods by weight')
