"""A served till ends when it is told to: at once, quietly, with a page still listening, and the caller goes on to close up."""

from __future__ import annotations

import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pos_loyalty.errors import ConfigError
from pos_loyalty.web.serve import listen

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


def test_a_busy_port_is_named_with_its_mend() -> None:
    first = listen("127.0.0.1", 0)
    port = first.getsockname()[1]
    with pytest.raises(ConfigError, match=rf"^127\.0\.0\.1:{port}: another program .* set another port in config\.toml$"):
        listen("127.0.0.1", port)
    first.close()
    listen("127.0.0.1", port).close()


def test_an_address_of_another_computer_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^192\.0\.2\.1:8765: nobody can listen there \(.+\); set another host"):
        listen("192.0.2.1", 8765)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly_with_a_page_open(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    connection = HTTPConnection("127.0.0.1", int(process.stdout.readline()), timeout=60)
    connection.request("GET", "/v1/scans")
    answer = connection.getresponse()
    assert answer.readline().startswith(b"retry:")
    process.send_signal(number)
    told, failed = process.communicate(timeout=60)
    connection.close()
    assert (process.returncode, told, failed) == (0, "closed\n", "")
