"""``pos-loyalty``: parses, calls one verb, prints. Exit 0: done; 1: it failed; 2: you asked wrongly."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

import pos_loyalty
from pos_loyalty import log
from pos_loyalty.cli import (
    case,
    code,
    config,
    coupons,
    demo,
    doctor,
    export,
    gift_card,
    import_receipts,
    keys,
    member,
    programme,
    quote,
    receipt,
    reconcile,
    report,
    return_goods,
    sale,
    serve,
    staff,
    store,
    upkeep,
)
from pos_loyalty.errors import InputError, LoyaltyError
from pos_loyalty.payment_cards import without_numbers

EXIT_DONE, EXIT_FAILED, EXIT_ASKED_WRONGLY, EXIT_INTERRUPTED = 0, 1, 2, 130
COMMANDS = (
    demo, serve, quote, sale, return_goods, member, staff, gift_card, programme, report, import_receipts, coupons, export, store,
    receipt, upkeep, keys, case, reconcile, config, code, doctor,
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit status."""
    if argv is None:
        log.shield_crashes()
    parser, words = _parser(), sys.argv[1:] if argv is None else argv
    for word in words:
        if word != word.encode("utf-8", "replace").decode():
            parser.error(f"{word!a} is not UTF-8; type it anew, or rename the file")
    args = parser.parse_args(words)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
        return status
    except InputError as error:
        print(f"pos-loyalty: {error}", file=sys.stderr)
        return EXIT_ASKED_WRONGLY
    except LoyaltyError as error:
        print(f"pos-loyalty: {error}", file=sys.stderr)
        return EXIT_FAILED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


WRONG_WORD = re.compile(r"invalid choice: '(?P<word>[^']*)' \(choose from (?P<words>.*)\)")
"""As argparse says it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """What was asked wrongly, without payment cards' numbers, and what may have been meant."""
        super().error(without_numbers(_meant(message)))


def _meant(message: str) -> str:
    """Of a mistyped word what it is like, instead of all that there are, which ``--help`` tells better."""
    found = WRONG_WORD.search(message)
    like = get_close_matches(found["word"], re.findall("'([^']*)'", found["words"]), n=1) if found else []
    return f"{message[: found.start()]}there is no '{found['word']}'; did you mean '{like[0]}'?" if found and like else message


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="pos-loyalty", description="A loyalty programme for any till that works with the network cable pulled out."
    )
    parser.add_argument("--version", action="version", version=f"pos-loyalty {pos_loyalty.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for module in COMMANDS:
        module.register(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
