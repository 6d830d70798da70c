"""``pos-loyalty quote``: price a basket without a store. ``--basket -`` reads one a line and writes one a line."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path

from pos_loyalty.cli.common import Commands, add_json, instant, print_json, read_bytes
from pos_loyalty.cli.quote_table import quote_table
from pos_loyalty.engine import load_programme
from pos_loyalty.engine import quote as ask_engine
from pos_loyalty.engine.model import Basket, Instant, Member, Quote, State
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.toml_text import BOM
from pos_loyalty.errors import InputError
from pos_loyalty.near import nearest
from pos_loyalty.values import Value, decode

LINE_BYTES_MAX = 8 * 1024 * 1024


class Question(Value):
    """One line of NDJSON: a basket with what goes with it."""

    basket: Basket
    member: Member | None = None
    state: State | None = None
    at: Instant | None = None


class Defaults(Value):
    """What the options give for lines that do not say it themselves."""

    member: Member | None
    state: State | None
    at: datetime | None


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("quote", help="price a basket by a programme file, without a store")
    parser.add_argument("--programme", metavar="P.toml", type=Path, required=True, help="the programme to sell by")
    parser.add_argument(
        "--basket", metavar="B.json", required=True, help="the basket; - reads one JSON a line from standard input"
    )
    parser.add_argument("--member", metavar="M.json", type=Path, help="the member, with lots")
    parser.add_argument("--state", metavar="S.json", type=Path, help="uses, budgets and unique coupons")
    parser.add_argument("--at", metavar="INSTANT", type=instant, help="decide at this instant instead of the basket's opened_at")
    parser.add_argument("--language", choices=("ru", "en"), default="en", help="of the sentences beneath the table (en)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Price one basket, or a stream of them."""
    programme = _load(args.programme)
    member = decode(_json(args.member), Member, place=f"{args.member}: member") if args.member else None
    state = decode(_json(args.state), State, place=f"{args.state}: state") if args.state else None
    doubt = _tier_doubt(member, programme)
    if doubt is not None:
        print(f"pos-loyalty: warning: {args.member}: {doubt}", file=sys.stderr)
    if args.basket == "-":
        return _stream(programme, Defaults(member=member, state=state, at=args.at))
    basket = decode(_json(Path(args.basket)), Basket, place=f"{args.basket}: basket")
    try:
        answer = _ask(programme, Question(basket=basket, member=member, state=state, at=args.at))
    except InputError as error:
        file = getattr(args, error.place.partition(".")[0], None)
        raise InputError(error.place if file is None else f"{file}: {error.place}", error.message) from error
    if args.json:
        print_json(answer)
    else:
        print(quote_table(answer, basket, programme, args.language))
    return 0


def _tier_doubt(member: Member | None, programme: Programme) -> str | None:
    """A member on a tier that the programme does not name is on none of its tiers: a slip, or another programme's member."""
    if member is None or member.tier is None or member.tier in programme.tiers:
        return None
    near = nearest(member.tier, programme.tiers)
    meant = f'; did you mean "{near}"?' if near is not None else ""
    return f'member.tier: "{member.tier[:40]}" is not among the [[tier]] tables, so no condition on tiers holds{meant}'


def _json(path: Path) -> bytes:
    """A file's bytes without the mark that some editors put before UTF-8."""
    return read_bytes(path).removeprefix(BOM)


def _load(path: Path) -> Programme:
    body = read_bytes(path)
    try:
        return load_programme(body)
    except InputError as error:
        raise InputError(f"{path}: {error.place}" if error.place else str(path), error.message) from error


def _ask(programme: Programme, question: Question) -> Quote:
    at = question.at or question.basket.opened_at
    return ask_engine(question.basket, question.member, programme, question.state or State(), at)


def _stream(programme: Programme, defaults: Defaults) -> int:
    """A bad line gets an answer of its own, in its place; the stream goes on and the command ends with 2."""
    status = 0
    for number, line in enumerate(iter(lambda: sys.stdin.buffer.readline(LINE_BYTES_MAX), b""), start=1):
        if not line.strip():
            continue
        try:
            question = _question(line.removeprefix(BOM), defaults)
            print_json(_ask(programme, question))
        except InputError as error:
            status = 2
            print_json({"line": number, "error": str(error), "place": error.place})
    return status


def _question(line: bytes, defaults: Defaults) -> Question:
    fields = decode(line, dict)
    if "basket" not in fields:
        return Question(basket=decode(line, Basket, place="basket"), member=defaults.member, state=defaults.state, at=defaults.at)
    asked = decode(line, Question)
    return Question(
        basket=asked.basket,
        member=asked.member or defaults.member,
        state=asked.state or defaults.state,
        at=asked.at or defaults.at,
    )
