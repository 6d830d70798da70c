"""``pos-loyalty code``: what a code is, by the shop's own nomenclature, as every scanner and the page would take it."""

from __future__ import annotations

import argparse

from drivers.symbology import Scan, scan_of
from pos_loyalty import wiring
from pos_loyalty.cli.common import Commands, add_config, add_json, print_json


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("code", help="say what a code is, and by which table of the config")
    add_config(parser)
    add_json(parser)
    parser.add_argument("code", help='as the scanner sends it; "]E0" and the like may stand before it, GS is written \\x1d')
    parser.set_defaults(run=run_code)


def run_code(args: argparse.Namespace) -> int:
    """Judge one code. Of a payment card nothing is told."""
    scan = scan_of(args.code.replace("\\x1d", "\x1d"), wiring.settings(args.config).config.nomenclature)
    if args.json:
        print_json(scan)
    else:
        print("\n".join(f"{name:<9}{text}" for name, text in _told(scan) if text))
    return 0


def _told(scan: Scan) -> tuple[tuple[str, str], ...]:
    weight = "" if scan.quantity_milli is None else f"{scan.quantity_milli} g"
    return (
        ("kind", scan.kind),
        ("payload", scan.text.replace("\x1d", "\\x1d")),
        ("printed", scan.symbology or ""),
        ("rule", scan.rule or _why_none(scan)),
        ("sku", scan.sku),
        ("weight", weight),
        ("price", "" if scan.price_minor is None else f"{scan.price_minor} minor units"),
        *((f"({identifier})", value) for identifier, value in scan.gs1.items()),
    )


def _why_none(scan: Scan) -> str:
    if scan.kind == "payment":
        return "a payment card: nothing of it is kept, shown or logged"
    return "none but for the check digit: mistyped or misread" if scan.is_mistyped else "none"
