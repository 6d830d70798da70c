"""What is unfinished at a start and what to do about it; and an attempt that outlives its till."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.errors import ProgrammeError
from pos_loyalty.store import prints
from pos_loyalty.store.db import write
from pos_loyalty.store.verify import verify
from pos_loyalty.till.unfinished import UnfinishedItem
from pos_loyalty.wiring import open_till
from tests.shop import CONFIG, Shop

ROOT = Path(__file__).parents[2]
DIES = """
import os, signal, sys
from pathlib import Path
from pos_loyalty.engine.model import Basket
from pos_loyalty.store import ledger
from pos_loyalty.till.model import QuoteRequest, SaleRequest
from pos_loyalty.values import decode
from pos_loyalty.wiring import open_till

till = open_till(sys.argv[1])
quote = till.quote(QuoteRequest(basket=decode(Path(sys.argv[2]).read_bytes(), Basket), card=sys.argv[3]))
ledger.append = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
till.authorise(SaleRequest(sale_id="sale-1", quote_id=quote.quote_id, due_minor=quote.due_minor, complete=True), "key sale-1")
"""


def items(shop: Shop) -> dict[str, UnfinishedItem]:
    return {item.kind: item for item in shop.till.unfinished().items}


def test_nothing_is_unfinished_in_a_new_shop(shop: Shop) -> None:
    shop.sell()
    assert shop.till.unfinished().items == ()
    shop.reopen()
    assert shop.till.unfinished().items == ()
    assert shop.till.health().problems == ()


def test_each_thing_has_its_next_command(shop: Shop) -> None:
    shop.sell("open-1", complete=False)
    with write(shop.db):
        job = prints.PrintDraft(sale_id="open-1", receipt_no="T1-1-000099", kind="sale", body=b"x", state="failed")
        prints.enqueue(shop.db, job, shop.now)
    found = items(shop)
    assert found["sale"].id == "open-1"
    assert found["sale"].next == ("pos-loyalty unfinished --complete open-1", "pos-loyalty unfinished --cancel open-1")
    assert found["print"].next == ("pos-loyalty unfinished --print open-1",)


def test_the_commands_do_what_they_say(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    for sale_id in ("open-1", "open-2"):
        shop.sell(sale_id, complete=False)
    shop.close()
    config = ["--config", str(shop.config)]
    assert main(["unfinished", *config]) == 0
    assert "pos-loyalty unfinished --cancel open-2" in capsys.readouterr().out
    assert main(["unfinished", "--complete", "open-1", *config]) == 0
    assert main(["unfinished", "--cancel", "open-2", "--json", *config]) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert [item["kind"] for item in json.loads(told)["items"]] == []
    assert main(["nightly", *config]) == 0
    assert "expire: 0" in capsys.readouterr().out
    assert main(["clock", *config]) == 0
    assert main(["clock", "--confirm", "--json", *config]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["is_sure"] is True
    shop.open()
    assert [shop.till.sale(sale_id).state for sale_id in ("open-1", "open-2")] == ["completed", "cancelled"]


def test_an_attempt_outlives_a_kill_and_its_sale_gets_its_id(shop: Shop, tmp_path: Path) -> None:
    from pos_loyalty.values import encode
    from tests.shop import CARD, make_basket

    (tmp_path / "basket.json").write_bytes(encode(make_basket()))
    shop.close()
    command = [sys.executable, "-c", DIES, str(shop.config), str(tmp_path / "basket.json"), CARD]
    died = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    shop.open()
    (txn,) = shop.db.execute("SELECT txn FROM attempt WHERE sale_id = 'sale-1'").fetchone()
    opened = shop.db.execute("SELECT opened_ms FROM attempt").fetchone()[0]
    shop.now = shop.now.fromtimestamp(opened // 1000 + 60, shop.now.tzinfo)
    assert items(shop)["attempt"].id == "sale-1"
    answer = shop.sell("sale-1")
    assert answer.state == "completed"
    assert shop.db.execute("SELECT txn FROM sale WHERE sale_id = 'sale-1'").fetchall() == [(txn,)]
    assert "attempt" not in items(shop)
    assert verify(shop.db) == ()


def test_a_crash_is_told_at_the_next_start_and_forgotten_after_an_orderly_end(shop: Shop) -> None:
    shop.till._desk._began = False  # as after kill -9: nobody closed the run
    shop.reopen()
    assert items(shop)["crash"].next == ("pos-loyalty verify",)
    assert any("not stopped in order" in problem for problem in shop.till.health().problems)
    shop.reopen()
    assert "crash" not in items(shop)


def test_what_is_unsent_is_told_only_where_there_is_a_head_office(tmp_path: Path) -> None:
    shop = Shop(tmp_path, CONFIG + '[head_office]\nurl = "http://127.0.0.1:9"\n')
    shop.sell()
    assert items(shop)["unsent"].next == ("pos-loyalty sync",)
    shop.close()


def test_a_till_that_cannot_start_lets_go_of_its_file(tmp_path: Path) -> None:
    """The programme that the config names is no programme: the start fails, and nobody keeps the file open."""
    shop = Shop(tmp_path, programme="")
    shop.close()
    shop.config.write_text(CONFIG.replace("[till]", '[till]\nprogramme = "wrong.toml"'), encoding="utf-8")
    (tmp_path / "wrong.toml").write_text("format = 9", encoding="utf-8")
    with pytest.raises(ProgrammeError) as caught:
        open_till(shop.config)
    opened = [os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    assert not [name for name in opened if name.startswith(str(tmp_path))], caught.value
