"""A served till ends when it is told to: at once, quietly, with a page still listening, and the caller goes on to close up."""

from __future__ import annotations

import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from pathlib import Path
from pos_loyalty.web.app import application
from pos_loyalty.web.scans import ScanBoard
from pos_loyalty.web.serve import listen, serve
from tests.browser.serving import SHOP
from tests.shop import Shop

shop, board = Shop(Path(sys.argv[1])), ScanBoard()
listener = listen("127.0.0.1", 0)
print(listener.getsockname()[1], flush=True)
serve(application(shop.till, SHOP, scans=board), listener, leaving=board.close)
shop.close()
print("closed", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly_with_a_page_open(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    connection = HTTPConnection("127.0.0.1", int(process.stdout.readline()), timeout=20)
    connection.request("GET", "/v1/scans")
    answer = connection.getresponse()
    assert answer.readline().startswith(b"retry:")
    process.send_signal(number)
    told, failed = process.communicate(timeout=20)
    connection.close()
    assert (process.returncode, told, failed) == (0, "closed\n", "")
