"""The demo: a café with head office, till, scanner and printer sells through a network cut, then proves that nothing was lost.

``python -m demo.run --out FOLDER`` ends with 0 when till and head office agree, with 1 when anything went wrong. On a terminal it
goes on serving the till's page until Ctrl-C.
"""

from __future__ import annotations

import argparse
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from demo import agree, head_office, shop, table
from demo.cable import Cable
from demo.cashier import Cashier, Sold
from demo.processes import DemoError, Processes, run
from demo.till_http import Scans, Till
from demo.visits import CUT_BEFORE, MENDED_BEFORE, visits
from pos_loyalty import wiring
from pos_loyalty.errors import LoyaltyError
from pos_loyalty.till import staff
from tests.emulators.scanner import PtyScanner
from tests.emulators.tcp_printer import TcpPrinter

MARK = "demo-of-pos-loyalty"
"""A file of this name says that the folder is the demo's own and may be emptied."""
WAIT_S = 60.0
"""The daemon, too, is patient after a cut."""
POLL_S = 0.05
RECEIPT_NO = re.compile(r"\b[A-Z0-9]+-\d+-\d{6}\b")


class Floor:
    """Everything that runs in the shop. Built and torn down by the stack it is given."""

    def __init__(self, out: Path, stack: ExitStack) -> None:
        self.out = out
        self.config = out / "config.toml"
        self.cable = stack.enter_context(Cable())
        self.printer = stack.enter_context(TcpPrinter())
        self.scanner = stack.enter_context(PtyScanner(out / "scanner"))
        self.processes = stack.enter_context(Processes(out / "logs"))

    @property
    def databases(self) -> tuple[Path, Path]:
        """The till's file and head office's."""
        return self.out / "till.db", self.out / "head_office.db"


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m demo.run", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("demo/out"), help="emptied first; receipts and databases stay"
    )
    parser.add_argument(
        "--baskets", metavar="N", type=int, default=shop.SALES, choices=range(1, shop.SALES + 1), help="sell fewer"
    )
    args = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with ExitStack() as stack:
            return _guarded(Floor(_emptied(args.out), stack), stack, args.baskets)
    except (DemoError, LoyaltyError) as error:
        print(f"\nthe demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; everything is shut down")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def _guarded(floor: Floor, stack: ExitStack, count: int) -> int:
    """The day; when it fails, the ends of the logs stand before the reason. Closing the shop is not interrupted again."""
    try:
        return _day(floor, stack, count)
    except (DemoError, LoyaltyError):
        print(floor.processes.tails(), file=sys.stderr)
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)


def _day(floor: Floor, stack: ExitStack, count: int) -> int:
    begun = time.monotonic()
    till = _opened_shop(floor, stack)
    cashier = Cashier(till, floor.scanner, stack.enter_context(Scans(till.url)))
    sold, exposed_centi = _sell(floor, till, cashier, count)
    unsent = _drained(floor, till)
    _wait(lambda: not till.health()["prints_waiting"], "the printer did not finish", floor)
    slips = _keep_receipts(floor)
    day = table.Day(
        exposed_centi=exposed_centi,
        longest_queue=max(each.unsent for each in sold),
        unsent=unsent,
        slips=slips,
        second_pictures=cashier.second_pictures,
        answered_ms=tuple(till.answered_ms),
    )
    print(f"\nThe day\n{table.summary(sold, day)}")
    differences = _proved(floor)
    print(f"\nLook at {floor.out}: receipts/*.png, till.db, head_office.db, logs/   ({time.monotonic() - begun:.0f} s)")
    if not differences and sys.stdin.isatty() and sys.stdout.isatty():
        _serve_on(floor, till.url)
    return 1 if differences else 0


def _opened_shop(floor: Floor, stack: ExitStack) -> Till:
    """Head office, a first sync, the till, the sync daemon: all as processes of their own."""
    print("Opening the shop")
    floor.config.write_text(
        shop.config_text(scanner=floor.scanner.path.absolute(), printer_port=floor.printer.port, cable_port=floor.cable.port),
        encoding="utf-8",
    )
    config = ("--config", str(floor.config))
    run("config", "secrets", *config)
    _say(f"programme {run('programme', 'publish', str(shop.PROGRAMME), *config).partition('#')[0]} is published at head office")
    _say(f"{head_office.import_members(floor.config)} members with cards and points stand at head office")
    floor.processes.start("head-office", "head-office", "--port", "0", *config)
    url = floor.processes.wait_ready("head-office")
    floor.cable.lay(str(urlsplit(url).hostname), int(urlsplit(url).port or 80))
    _say(f"head office answers at {url}; the till reaches it only through the cable at port {floor.cable.port}")
    code = run("keys", "code", "--till", shop.TILL, *config).split()[0]
    _say(f"enrolled with a code: {run('sync', '--enrol', code, *config).strip()}")
    _say(f"first sync: {run('sync', *config)}")
    _hire(floor.config)
    floor.processes.start("till", "till", *config)
    till = stack.enter_context(Till(floor.processes.wait_ready("till")))
    floor.processes.start("sync", "sync", "--follow", *config)
    if not floor.scanner.wait_open():
        raise DemoError("the till did not open its scanner")
    _wait(lambda: till.health()["head_office"] == "answers", "the sync daemon did not reach head office", floor)
    _say(f"till, printer and scanner are up; the cashier page is {till.url}")
    print(f"\n{table.allowance()}\n\n{table.heading()}")
    return till


def _hire(config: Path) -> None:
    """A senior on the till's staff, as ``pos-loyalty staff add`` does it, which asks for the PIN."""
    pepper = wiring.secrets_of(wiring.settings(config)).pepper
    with wiring.beside_till(config) as db:
        staff.add(db, shop.SENIOR, "senior", shop.SENIOR_PIN, pepper)


def _sell(floor: Floor, till: Till, cashier: Cashier, count: int) -> tuple[list[Sold], int]:
    """All visits, and how many hundredths were redeemed while cut off and unconfirmed."""
    sold: list[Sold] = []
    exposed_centi = 0
    is_cut = False
    for visit in visits(count):
        if visit.number == CUT_BEFORE:
            floor.cable.cut()
            is_cut = True
            _wait(lambda: till.health()["head_office"] == "silent", "the till did not notice the cut", floor)
            print(f"    ── the network is cut; the till noticed after {shop.SILENCE_S:.0f} s of silence and sells on ──")
        if visit.number == MENDED_BEFORE:
            exposed_centi = _mend(floor, till)
            is_cut = False
        sold.append(cashier.serve(visit))
        print(table.row(sold[-1]), flush=True)
    if is_cut:
        exposed_centi = _mend(floor, till)
    return sold, exposed_centi


def _mend(floor: Floor, till: Till) -> int:
    """Plug the cable in and wait until head office has everything; gives what was redeemed unconfirmed until then."""
    before = till.health()
    begun = time.monotonic()
    floor.cable.plug()
    _drained(floor, till)
    print(
        f"    ── the network is back; {before['unsent_facts']} waiting facts reached head office "
        f"{time.monotonic() - begun:.1f} s later ──"
    )
    return int(before["offline_redeemed_centi"])


def _drained(floor: Floor, till: Till) -> int:
    """Wait until nothing is unsent and head office answers."""

    def is_drained() -> bool:
        health = till.health()
        return not health["unsent_facts"] and health["head_office"] == "answers"

    _wait(is_drained, "the queue did not empty", floor)
    return 0


def _keep_receipts(floor: Floor) -> int:
    """What the printer put on paper, as pictures named by receipt; a second slip of a receipt is its reversal."""
    folder = floor.out / "receipts"
    folder.mkdir()
    for place, slip in enumerate(floor.printer.receipts, start=1):
        found = RECEIPT_NO.search(slip.text)
        (folder / f"{place:02d}-{found.group() if found else 'unnumbered'}.png").write_bytes(slip.png())
    if floor.printer.faults:
        raise DemoError("the printer did not understand: " + "; ".join(floor.printer.faults))
    return len(floor.printer.receipts)


def _proved(floor: Floor) -> int:
    """Each file verified against its own log, then both compared by SQL; gives how many figures differ."""
    print("\nEach file against its own log (pos-loyalty verify)")
    for path in floor.databases:
        _say(run("verify", "--database", str(path), "--config", str(floor.config)))
    print("\nTill against head office, by SQL on both files (python -m demo.agree till.db head_office.db)")
    return agree.compare(*floor.databases)


def _serve_on(floor: Floor, url: str) -> None:
    print(f"\nThe shop stays open: {url}   Ctrl-C closes it", flush=True)
    try:
        while True:
            floor.processes.check()
            time.sleep(1)
    except KeyboardInterrupt:
        print("\nclosed")


def _wait(holds: Callable[[], bool], sorry: str, floor: Floor) -> None:
    until = time.monotonic() + WAIT_S
    while not holds():
        floor.processes.check()
        if time.monotonic() > until:
            raise DemoError(f"{sorry} within {WAIT_S:.0f} s")
        time.sleep(POLL_S)


def _emptied(out: Path) -> Path:
    """The folder, empty but for our mark. One with something else in it is left alone."""
    if out.exists():
        if not out.is_dir() or (not (out / MARK).is_file() and any(out.iterdir())):
            raise DemoError(f"{out} is not an empty folder, nor one that the demo made; name another with --out")
        shutil.rmtree(out)
    (out / "logs").mkdir(parents=True)
    (out / MARK).touch()
    return out


def _say(sentence: str) -> None:
    print("  " + sentence.replace("\n", "\n  "), flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
