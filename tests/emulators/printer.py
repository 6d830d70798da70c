"""The emulated receipt printer as a program, for whoever joins a POS to this till without a printer at hand.

``python -m tests.emulators.printer --port 9100 --out slips/`` or ``--serial /tmp/printer``; see docs/devices.md. Type a mode
(``paper_out``, ``cover``, ``ok``, …), ``reset 120``, ``stall 120``, ``blip 120``, ``rows 5`` or ``cycle`` while it runs.
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import cast, get_args

from tests.emulators.mechanism import MODES, Macros, Mode
from tests.emulators.program import columns, port, running, slot, typed
from tests.emulators.serial_printer import SerialPrinter
from tests.emulators.tcp_printer import TcpPrinter

Printer = TcpPrinter | SerialPrinter


def main() -> None:
    """Serve until Ctrl-C; show every receipt."""
    parser = argparse.ArgumentParser(description="An ESC/POS printer on paper of pixels.")
    parser.add_argument("--port", type=port, default=9100, help="TCP port (9100)")
    parser.add_argument("--serial", type=Path, default=None, metavar="LINK", help="a serial line under this name instead of TCP")
    parser.add_argument("--columns", type=columns, default=48)
    parser.add_argument(
        "--slot", action="append", type=slot, default=[], metavar="N=PAGE", help="code page, as 17=cp866; several"
    )
    parser.add_argument("--mode", choices=MODES, default="ok")
    parser.add_argument("--macros", choices=get_args(Macros), default="answered", help="what it does with GS : and GS ^")
    parser.add_argument("--out", type=Path, default=None, help="folder for the PNG files")
    args = parser.parse_args()
    with running(parser), _printer(args.serial, args.port, args.columns, dict(args.slot) or None) as printer:
        if args.out is not None:
            args.out.mkdir(parents=True, exist_ok=True)
        printer.mode, printer.macros = args.mode, args.macros
        print(f"printer at {printer.path if isinstance(printer, SerialPrinter) else f'127.0.0.1:{printer.port}'}", flush=True)
        threading.Thread(target=_listen, args=(printer,), daemon=True).start()
        try:
            _show(printer, args.out)
        except KeyboardInterrupt:
            printer.faults.clear()


def obey(printer: Printer, words: list[str]) -> str:
    """Do what was typed; answers a sentence."""
    match words:
        case [mode] if mode in MODES:
            printer.mode = cast(Mode, mode)
        case ["reset", count] if count.isdigit():
            printer.reset_at_any = int(count)
        case ["stall", count] if count.isdigit():
            printer.stall_at = int(count)
        case ["blip", count] if count.isdigit():
            printer.blip_at = int(count)
        case ["rows", count] if count.isdigit():
            printer.rows_left = int(count)
        case ["cycle"]:
            printer.power_cycle()
        case _:
            return f"type one of: {' '.join(MODES)}, reset N, stall N, blip N, rows N, cycle"
    return f"{' '.join(words)}: done"


def _printer(link: Path | None, number: int, width: int, slots: dict[int, str] | None) -> Printer:
    if link is not None:
        return SerialPrinter(link, columns=width, slots=slots)
    return TcpPrinter(port=number, columns=width, slots=slots)


def _listen(printer: Printer) -> None:
    for line in typed():
        print(obey(printer, line.split()), flush=True)


def _show(printer: Printer, out: Path | None) -> None:
    shown, kicks, faults = 0, 0, 0
    while True:
        printer.wait_for(shown + 1, 0.5)
        for slip in printer.receipts[shown:]:
            shown += 1
            print(slip.text if slip.is_cut else slip.text + "(torn off)", flush=True)
            if out is not None:
                (out / f"receipt-{shown:03d}.png").write_bytes(slip.png())
        for fault in printer.faults[faults:]:
            faults += 1
            print(f"not understood: {fault}", flush=True)
        for _ in range(printer.kicks - kicks):
            kicks += 1
            print("(the drawer opens)", flush=True)


if __name__ == "__main__":
    main()
