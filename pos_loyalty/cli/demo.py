"""``pos-loyalty demo``: a small shop with head office, till, scanner and printer, sold through and proved (source tree only)."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from pos_loyalty.cli.common import Commands
from pos_loyalty.errors import InputError


def register(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("demo", help="run the demo shop of the source tree (./demo)")
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("demo/out"), help="where receipts and databases are left"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the demo in a process of its own and pass its status on."""
    script = Path("demo/run.py")
    if not script.is_file():
        raise InputError("demo", "start this from the folder of the source tree: the demo shop stands in its demo/")
    with subprocess.Popen([sys.executable, "-m", "demo.run", "--out", str(args.out)]) as demo:
        while True:
            try:
                return demo.wait()
            except KeyboardInterrupt:  # it got the Ctrl-C too, and closes its shop first
                continue
