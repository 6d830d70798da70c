"""``pos-loyalty doctor``: finds and tries devices, looks at what a till stands on, and says what to do about each fault."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pos_loyalty.cli.common import Commands, add_config, add_json, print_json
from pos_loyalty.i18n import Language


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("doctor", help="find and try scanners, cameras, printers, displays; say what to mend")
    parser.add_argument("--print", action="store_true", dest="is_printed", help="print the self-test page of each printer too")
    parser.add_argument("--language", choices=("ru", "en"), help="the language (the config's first one)")
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look, print, and leave; also past a driver that hangs in the kernel."""
    from pos_loyalty.cli.doctor_table import as_table, rows
    from pos_loyalty.wiring import doctor

    seen = doctor.diagnose(args.config)
    if args.is_printed:
        seen = doctor.print_pages(args.config, args.language, seen)
    language: Language = args.language or _language(args.config)
    status = 1 if seen.has_fault else 0
    if args.json:
        print_json({"works": not seen.has_fault, "rows": rows(seen, language)})
    else:
        print(as_table(seen, language))
    if seen.is_stuck:
        sys.stdout.flush()
        os._exit(status)
    return status


def _language(path: Path) -> Language:
    from pos_loyalty.salvage import salvage

    known = salvage(path)
    return known.config.store.languages[0] if "store" not in known.lost else "en"
