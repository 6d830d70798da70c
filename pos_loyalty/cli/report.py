"""``pos-loyalty report NAME|list``: read-only answers from a till's or head office's database, while it works."""

from __future__ import annotations

import argparse
from datetime import date
from zoneinfo import ZoneInfo

from pos_loyalty.cli.common import Commands, add_config, add_json, only_file, print_json
from pos_loyalty.clock import utc_now
from pos_loyalty.errors import InputError

REPORTS = {
    "day": "what each business day sold, saved and gave in points",
    "acts": "what people did by hand: who, with whose word, when and why",
    "points": "points issued, redeemed, expired and adjusted each day, owed, and what stands as a liability",
    "gift-cards": "money onto gift cards and off them each day, and what stands on them",
    "coupons": "each series of coupons: made, open, used, used twice, money given",
    "exposure": "how many points a till that is cut off may redeem that others may redeem too",
}


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="a report from a till's or head office's database, while it works")
    parser.add_argument("name", choices=("list", *REPORTS), help="which report; list names them all")
    parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="first business day, such as 2026-11-01 (today)")
    parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="last business day, included (the first)")
    parser.add_argument("--database", type=only_file, metavar="PATH", help="a till's or head office's file (the config's till)")
    parser.add_argument("--csv", action="store_true", help="print CSV: one row a day, whole minor units and hundredths")
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the report."""
    if args.name == "list":
        return _list(args)
    if args.json and args.csv:
        raise InputError("--csv", "contradicts --json; ask for one of them")
    if args.name == "acts":
        return _acts(args)
    if args.name == "coupons":
        return _coupons(args)
    if args.name == "exposure":
        return _exposure(args)
    if args.name in ("points", "gift-cards"):
        return _flows(args)
    from pos_loyalty import wiring
    from pos_loyalty.reports.day import day_report
    from pos_loyalty.reports.table import as_csv, as_table

    settings = wiring.settings(args.config)
    first = args.first or utc_now().astimezone(ZoneInfo(settings.config.store.timezone)).date()
    zone = ZoneInfo(settings.config.store.timezone)
    report = day_report(args.database or settings.till_database, first, args.last or first, zone)
    if args.json:
        print_json(report)
    elif args.csv:
        print(as_csv(report), end="")
    else:
        store = settings.config.store
        print(as_table(report, store.currency, ZoneInfo(store.timezone)), end="")
    return 0


def _flows(args: argparse.Namespace) -> int:
    from pos_loyalty import wiring
    from pos_loyalty.engine.currencies import EXPONENTS
    from pos_loyalty.reports import flows, gift_cards, points

    settings = wiring.settings(args.config)
    store, path = settings.config.store, args.database or settings.till_database
    zone = ZoneInfo(store.timezone)
    first = args.first or utc_now().astimezone(zone).date()
    last = args.last or first
    columns: tuple[str, ...] = points.COLUMNS
    if args.name == "points":
        report, exponent = points.points_report(path, first, last, zone), points.EXPONENT
    else:
        report = gift_cards.gift_card_report(path, first, last, zone, store.currency)
        columns, exponent = gift_cards.COLUMNS, EXPONENTS.get(store.currency, 2)
    if args.json:
        print_json(report)
    else:
        print(flows.as_csv(report, columns) if args.csv else flows.as_lines(report, columns, exponent), end="")
    return 0


def _acts(args: argparse.Namespace) -> int:
    from pos_loyalty import wiring
    from pos_loyalty.reports import acts

    settings = wiring.settings(args.config)
    zone = ZoneInfo(settings.config.store.timezone)
    first = args.first or utc_now().astimezone(zone).date()
    report = acts.acts_report(args.database or settings.till_database, first, args.last or first, zone)
    if args.json:
        print_json(report)
    else:
        print(acts.as_csv(report) if args.csv else acts.as_lines(report, zone), end="")
    return 0


def _coupons(args: argparse.Namespace) -> int:
    if args.csv or args.first is not None or args.last is not None:
        raise InputError("--csv, --from, --to", "are not for this report: it counts all that the file holds")
    from pos_loyalty import wiring
    from pos_loyalty.reports.coupons import as_lines, coupon_report

    settings = wiring.settings(args.config)
    report = coupon_report(args.database or settings.till_database)
    if args.json:
        print_json(report)
    else:
        print(as_lines(report, settings.config.store.currency))
    return 0


def _exposure(args: argparse.Namespace) -> int:
    if args.csv or args.first is not None or args.last is not None:
        raise InputError("--csv, --from, --to", "are not for this report: it tells how the till stands now")
    from pos_loyalty import wiring
    from pos_loyalty.reports.exposure import as_lines, exposure_report

    settings = wiring.settings(args.config)
    report = exposure_report(args.database or settings.till_database, settings.config)
    if args.json:
        print_json(report)
    else:
        print(as_lines(report))
    return 0


def _list(args: argparse.Namespace) -> int:
    if args.json:
        print_json(REPORTS)
    else:
        for name, question in REPORTS.items():
            print(f"{name}  {question}")
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f'"{text}" is not a day; write it such as 2026-11-21') from error
