"""``pos-loyalty import catalogue|members|cards|balances|gift-cards``: look at a table first; with ``--yes`` take it in."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pos_loyalty import log, wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, new_file, only_file, print_json
from pos_loyalty.clock import utc_now
from pos_loyalty.errors import InputError

if TYPE_CHECKING:
    from pos_loyalty.spreadsheet.gift_cards import GiftTerms
    from pos_loyalty.spreadsheet.model import Setting
    from pos_loyalty.spreadsheet.running import Outcome, Work
    from pos_loyalty.spreadsheet.sheet import Sheet
    from pos_loyalty.store.db import Connection

SHOWN_MAX = 20
NAME = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
HELP = {
    "members": "members with card, phone, name, birthday, tier, segments, consents",
    "cards": "further cards of members who are here",
    "balances": "points that members have to begin with",
    "gift-cards": "gift cards with the money that is on them",
    "catalogue": "goods for the cashier page, and member prices for a programme",
}


def register(kinds: Commands) -> None:
    """Add the commands beneath ``import``."""
    for what, help_text in HELP.items():
        parser = kinds.add_parser(what, help=f"{help_text}, out of CSV or XLSX")
        parser.add_argument("file", metavar="FILE", type=Path, help="CSV, or XLSX (its first sheet)")
        parser.add_argument("--yes", action="store_true", help="write; without it the rows are only looked at")
        parser.add_argument(
            "--encoding", metavar="NAME", help="of a CSV file that is neither UTF-8 nor windows-1251, such as cp866"
        )
        if what == "catalogue":
            parser.add_argument("--to", metavar="PATH", type=new_file, help="the catalogue file (till.catalogue of the config)")
            parser.add_argument(
                "--price-list", metavar="PATH", type=new_file, help="write member prices as a [[price_list]] here"
            )
        else:
            parser.add_argument("--by", metavar="WHO", default="", help="a name for the log, without a PIN; needed with --yes")
            parser.add_argument(
                "--database", metavar="PATH", type=only_file, help="head office's file, or that of a till alone (the config's)"
            )
        if what == "balances":
            parser.add_argument(
                "--name", metavar="NAME", type=_name, default="opening",
                help="tells this import of balances from another one: under one name points are opened once (opening)",
            )  # fmt: skip
        add_config(parser)
        add_json(parser)
        parser.set_defaults(run=run_catalogue if what == "catalogue" else run)


def run(args: argparse.Namespace) -> int:
    """Look at a table of members, cards, balances or gift cards, and take it in."""
    from pos_loyalty.cli.table_store import opened, place_of
    from pos_loyalty.spreadsheet.columns import ALL
    from pos_loyalty.spreadsheet.sheet import open_sheet
    from pos_loyalty.store.db import own

    known = wiring.settings(args.config)
    if args.yes and not args.by:
        raise InputError("--by", "is missing: say who imports, such as --by olga; it stands in the log, and no PIN is asked for")
    place = place_of(known, args.database)
    sheet = open_sheet(args.file, ALL[args.what], args.encoding)
    with ExitStack() as stack:
        if args.yes:
            stack.enter_context(own(place.path.with_name(place.path.name + ".import")))
        db = opened(known, place)
        stack.callback(db.close)
        setting = setting_of(known, db, args.by, is_office=place.is_office)

        @contextmanager
        def work() -> Iterator[Work[Any]]:
            from pos_loyalty.spreadsheet.people import People

            people = People(db, setting, with_phones="phone" in sheet.names)
            try:
                yield _work(args, db, people)
            finally:
                people.close()

        outcome = go(sheet, work, args.yes)
    log.info("table.imported", what=args.what, by=args.by, accepted=outcome.accepted, refused=outcome.refused_count)
    return tell(args, sheet, outcome, str(place.path))


def run_catalogue(args: argparse.Namespace) -> int:
    """Look at a table of goods, and make the catalogue and the price list of it."""
    from pos_loyalty.spreadsheet import catalogue
    from pos_loyalty.spreadsheet.columns import CATALOGUE
    from pos_loyalty.spreadsheet.sheet import open_sheet

    known = wiring.settings(args.config)
    target = args.to or catalogue_file(known)
    sheet = open_sheet(args.file, CATALOGUE, args.encoding)
    work = catalogue.CatalogueWork(catalogue.standing(target), setting_of(known, None, "", is_office=False))
    try:
        outcome = passed(sheet, work, is_taken=True)
    finally:
        work.close()
    catalogue.check_count(work.products)
    price_list = None if args.price_list is None else work.price_list()
    if args.yes:
        catalogue.save(target, work.products)
        if args.price_list is not None and price_list is not None:
            catalogue.replace_text(args.price_list, price_list)
    return tell(args, sheet, outcome, str(target))


def catalogue_file(known: wiring.Settings) -> Path:
    """The catalogue that the config names. Raises InputError when it names none."""
    if known.config.till.catalogue is None:
        raise InputError("till.catalogue", 'the config names no catalogue; write catalogue = "catalogue.json" under [till]')
    return known.file(known.config.till.catalogue)


def setting_of(known: wiring.Settings, db: Connection | None, by: str, *, is_office: bool) -> Setting:
    """What an import needs to know. Tiers are those of the newest programme, if there is one."""
    from pos_loyalty.engine.currencies import EXPONENTS
    from pos_loyalty.spreadsheet.model import Setting

    config, secrets = known.config, wiring.secrets_of(known)
    return Setting(
        store=wiring.HEAD_OFFICE if is_office else config.store.id,
        zone=ZoneInfo(config.store.timezone),
        exponent=EXPONENTS.get(config.store.currency, 2),
        currency=config.store.currency,
        cards=config.card,
        tiers=None if db is None else _tiers(db),
        pepper=secrets.pepper,
        master_key=secrets.master_key,
        by=by,
        is_office=is_office,
        now=utc_now,
    )


def go(sheet: Sheet, work: Callable[[], Any], is_written: bool) -> Outcome:
    """Look at the whole file first, so that one that is not sound to its end writes nothing; then take it in."""
    with work() as looking:
        outcome = passed(sheet, looking, is_taken=False)
    if not is_written:
        return outcome
    with work() as taking:
        return passed(sheet, taking, is_taken=True)


def passed(sheet: Sheet, work: Work[Any], *, is_taken: bool) -> Outcome:
    """One pass over the rows; those refused go into their file."""
    from pos_loyalty.spreadsheet.refused import RefusedFile
    from pos_loyalty.spreadsheet.running import Tally, look, take

    refused = RefusedFile(sheet)
    tally = Tally(refused.add)
    try:
        if is_taken:
            take(sheet.rows(), work, tally, _said)
        else:
            look(sheet.rows(), work, tally)
    finally:
        refused.close()
    return tally.outcome


def tell(args: argparse.Namespace, sheet: Sheet, outcome: Outcome, target: str) -> int:
    """Say what was done, or would be; 1 when a row was refused."""
    from pos_loyalty.spreadsheet.refused import SUFFIX

    refused_file = f"{sheet.path}{SUFFIX}" if outcome.refused_count else None
    if args.json:
        told = {"file": str(sheet.path), "form": sheet.form, "unread": sheet.unread, "to": target, "written": args.yes}
        print_json(told | {"outcome": outcome, "refused_file": refused_file})
        return 1 if outcome.refused_count else 0
    print(f"{sheet.path}: {sheet.form}")
    for heading in sheet.unread:
        print(f"  not read: column {heading}")
    print(f"{outcome.rows:>9} rows")
    print(f"{outcome.accepted:>9} {'written to' if args.yes else 'would be written to'} {target}")
    print(f"{outcome.stood:>9} stand already, or say nothing to do")
    reasons = f"{outcome.wrong} wrong, {outcome.twice} twice in the file, {outcome.taken} against the store"
    print(f"{outcome.refused_count:>9} refused: {reasons}")
    for refused in outcome.refused[:SHOWN_MAX]:
        print(f"  row {refused.row:<7} {refused.column:<12} {refused.reason}")
    if refused_file is not None:
        print(f"All refused rows stand with their reasons in {refused_file}")
    if not args.yes:
        print("Nothing was written. To write, say it again with --yes" + ("" if args.what == "catalogue" else " --by WHO"))
    return 1 if outcome.refused_count else 0


def _work(args: argparse.Namespace, db: Connection, people: Any) -> Work[Any]:
    from pos_loyalty.spreadsheet.balances import BalanceWork
    from pos_loyalty.spreadsheet.cards import CardWork
    from pos_loyalty.spreadsheet.gift_cards import GiftCardWork
    from pos_loyalty.spreadsheet.members import MemberWork

    match args.what:
        case "members":
            return MemberWork(db, people)
        case "cards":
            return CardWork(db, people)
        case "balances":
            return BalanceWork(db, people, args.name)
        case _:
            return GiftCardWork(db, people, _gift_terms(db))


def _tiers(db: Connection) -> dict[str, str] | None:
    from pos_loyalty.clock import utc_now
    from pos_loyalty.engine import load_programme
    from pos_loyalty.store import publications

    body = publications.body_in_force(db, utc_now())
    if body is None:
        return None
    titles = load_programme(body).tier_titles
    return {name.casefold(): tier for tier, words in titles.items() for name in (tier, *words.values())}


def _gift_terms(db: Connection) -> GiftTerms | None:
    from pos_loyalty.clock import utc_now
    from pos_loyalty.engine import load_programme
    from pos_loyalty.spreadsheet.gift_cards import GiftTerms
    from pos_loyalty.store import publications

    body = publications.body_in_force(db, utc_now())
    if body is None:
        return None
    programme = load_programme(body)
    series = {name: each.kind for name, each in programme.gift_series.items()}
    return GiftTerms(series=series, bought_expire=programme.gift_cards.bought_expire)


def _said(done: int) -> None:
    """A line now and then, for a person who waits."""
    print(f"{done} rows", file=sys.stderr)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("a name is 1 to 32 small letters, digits and dashes")
    return text
