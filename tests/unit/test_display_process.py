"""A till process with a display on its line: the buyer sees a sale made over HTTP, also with the display pulled out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.config import load_config
from pos_loyalty.errors import ConfigError
from pos_loyalty.wiring.displays import display_of, greetings_of
from tests.emulators.display import PtyDisplay, obey
from tests.emulators.panel import Kind
from tests.shop import CARD, CONFIG, PROGRAMME, Shop

ROOT = Path(__file__).parents[2]
LINE = {"line_id": "1", "sku": "1", "name": "Латте", "quantity": "1", "price_minor": 20_000, "category": "drinks/coffee"}


class Host:
    """A host POS that talks to one till."""

    def __init__(self, port: int) -> None:
        self.port = port

    def post(self, path: str, body: object, key: str | None = None) -> Any:
        """The answer, which must be good."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        assert answer.status == 200, said
        return said

    def quote(self, *lines: dict[str, Any]) -> Any:
        """The price of a basket of the member's."""
        named = {"basket_id": "K1", "store": "S1", "till": "T1", "currency": "RUB"}
        basket = {**named, "opened_at": "2026-11-21T12:30:05+03:00", "lines": lines}
        return self.post("/v1/quote", {"basket": basket, "card": CARD})


@pytest.mark.parametrize("kind", ["epson", "cd5220"])
def test_the_buyer_sees_the_sale(tmp_path: Path, kind: Kind) -> None:
    link = tmp_path / "by-id-display"
    (tmp_path / "programme.toml").write_text(PROGRAMME, encoding="utf-8")
    more = f'[display]\nkind = "{kind}"\npath = "{link}"\ngreeting = {{ ru = "Кофейня на углу", en = "Corner" }}\n'
    shop = Shop(tmp_path, CONFIG.replace("port = 0", 'port = 0\nprogramme = "programme.toml"') + more)
    shop.close()
    command = [sys.executable, "-m", "pos_loyalty.cli.main", "till", "--config", str(shop.config)]
    with PtyDisplay(link, kind) as display:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        try:
            host = Host(_port(process.stdout))
            assert display.wait_for(lambda lines: lines == ("  Кофейня на углу", ""))
            quote = host.quote(LINE)
            assert display.wait_for(lambda lines: lines == ("Латте         180,00", "К оплате      180,00"))
            display.unplug()
            sale = {"sale_id": "s1", "quote_id": quote["quote_id"], "due_minor": quote["due_minor"], "complete": True,
                    "tenders": [{"kind": "cash", "amount_minor": 50_000}]}  # fmt: skip
            assert host.post("/v1/sales", sale, "k1")["state"] == "completed"
            display.plug()
            assert display.wait_for(lambda lines: lines == ("Сдача         320,00", "Начислено         +9"))
            host.quote(LINE, {**LINE, "line_id": "2", "name": "Эклер", "category": "bakery"})
            assert display.wait_for(lambda lines: lines[0].startswith("Эклер"))
            host.post("/v1/display/clear", {})
            assert display.wait_for(lambda lines: lines == ("  Кофейня на углу", ""))
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()
        assert display.wait_for(lambda lines: lines == ("", ""))
        assert display.panel.faults == []


def _port(stdout: Any) -> int:
    for line in stdout:
        found = re.search(r"127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError("the till did not start")


def test_what_stands_in_the_config_is_built(tmp_path: Path) -> None:
    shop = Shop(tmp_path, CONFIG + '[display]\nkind = "screen"\ngreeting = "Привет"\n')
    config = load_config(shop.config)
    assert display_of(config, shop.till.buyer) is None
    assert greetings_of(config) == {"ru": "Привет", "en": "Привет"}
    shop.close()


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ('kind = "epson"', "display.path"),
        ('kind = "screen"\npath = "/dev/ttyS0"', "display.path"),
        ('kind = "dsp800"\npath = "/x"', "display.kind"),
        ('kind = "epson"\npath = "/x"\ncolumns = 40', "display.columns"),
        ('kind = "epson"\npath = "/x"\nslot = 256', "display.slot"),
    ],
)
def test_a_display_that_cannot_be_is_told_with_its_place(tmp_path: Path, table: str, place: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG + f"[display]\n{table}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(place)):
        load_config(path)


def test_the_emulator_does_what_is_typed(tmp_path: Path) -> None:
    with PtyDisplay(tmp_path / "display") as display:
        for word in ("silent", "slow", "ok", "cycle", "unplug", "plug"):
            assert obey(display, word) == f"{word}: done"
        assert "type one of" in obey(display, "dance")
