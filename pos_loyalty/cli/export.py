"""``pos-loyalty export members|cards|balances|catalogue|gift-cards``: a table in the columns that an import reads."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pos_loyalty import log, wiring
from pos_loyalty.cli.common import Commands, add_config, new_file, only_file
from pos_loyalty.clock import utc_now
from pos_loyalty.config import Language
from pos_loyalty.errors import InputError

if TYPE_CHECKING:
    from pos_loyalty.spreadsheet.exporting import Table
    from pos_loyalty.store.db import Connection

WHAT = ("members", "cards", "balances", "catalogue", "gift-cards")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help="write members, cards, balances, gift cards or the catalogue as CSV or XLSX")
    kinds = parser.add_subparsers(dest="what", required=True, metavar="what")
    for what in WHAT:
        kind = kinds.add_parser(what, help=f"write {what}")
        kind.add_argument("file", metavar="FILE", type=new_file, help="the new file; its name ends with .csv or .xlsx")
        kind.add_argument("--language", choices=("ru", "en"), help="of the headings (the shop's first)")
        if what == "members":
            kind.add_argument("--personal", action="store_true", help="names, phones, birthdays and consents too; needs --by")
        if what != "catalogue":
            kind.add_argument("--by", metavar="WHO", default="", help="who takes it; stands in the log")
            kind.add_argument("--database", metavar="PATH", type=only_file, help="a till's or head office's file (the config's)")
        add_config(kind)
        kind.set_defaults(run=run_catalogue if what == "catalogue" else run)


def run(args: argparse.Namespace) -> int:
    """Export from one state of the store, beside whoever works on it."""
    from pos_loyalty.cli.table_store import to_read
    from pos_loyalty.spreadsheet.writing import write_table
    from pos_loyalty.store.db import snapshot

    known = wiring.settings(args.config)
    is_personal = args.what == "members" and args.personal
    if is_personal and not args.by:
        raise InputError("--by", "is missing; who takes personal data is named in the log")
    if is_personal:
        log.setup()
        log.info("personal.exported", by=args.by, file=str(args.file))
    db = to_read(known, args.database)
    try:
        with snapshot(db):
            count = write_table(args.file, _table(args.what, known, db, is_personal), _language(args, known))
    finally:
        db.close()
    print(f"{count} rows written to {args.file}")
    return 0


def run_catalogue(args: argparse.Namespace) -> int:
    """Export the catalogue file."""
    from pos_loyalty.cli.import_table import catalogue_file
    from pos_loyalty.engine.currencies import EXPONENTS
    from pos_loyalty.spreadsheet.catalogue import standing
    from pos_loyalty.spreadsheet.exporting import catalogue_table
    from pos_loyalty.spreadsheet.writing import write_table

    known = wiring.settings(args.config)
    exponent = EXPONENTS.get(known.config.store.currency, 2)
    table = catalogue_table(standing(catalogue_file(known)), exponent)
    print(f"{write_table(args.file, table, _language(args, known))} rows written to {args.file}")
    return 0


def _table(what: str, known: wiring.Settings, db: Connection, is_personal: bool) -> Table:
    from pos_loyalty.spreadsheet import exporting

    store = known.config.store
    zone = ZoneInfo(store.timezone)
    match what:
        case "members":
            return exporting.members_table(db, zone, wiring.secrets_of(known).master_key if is_personal else None)
        case "cards":
            return exporting.cards_table(db)
        case "balances":
            return exporting.balances_table(db, zone)
        case _:
            return exporting.gift_cards_table(db, zone, utc_now())


def _language(args: argparse.Namespace, known: wiring.Settings) -> Language:
    return "en" if (args.language or known.config.store.languages[0]) == "en" else "ru"
