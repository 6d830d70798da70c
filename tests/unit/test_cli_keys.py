"""``pos-loyalty keys``: what a person reads of tills that were enrolled, given a new key, and let go."""

from __future__ import annotations

from pathlib import Path

import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.store.db import open_store
from pos_loyalty.store.facts import GENESIS
from pos_loyalty.store.till_facts import Place
from sync import identity
from sync.identity import EnrolRequest
from sync.server import enrol
from sync.server.sqlite import SqliteLedgerStore
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE
from tests.tables import Folder


def redeem(folder: Path, till: str, private_key: str) -> None:
    """A machine becomes the till by a new code, as ``pos-loyalty sync --enrol`` does it."""
    store = SqliteLedgerStore(open_store(folder / "office.db", role="head_office", owner="head-office", now=NOW), HEAD_OFFICE_KEY)
    code = enrol.make_code(store, till, NOW)
    head = Place(epoch=1, seq=0, hash=GENESIS.hex())
    public_key = identity.public_of(private_key)
    enrol.enrol(store, EnrolRequest(code=code, till=till, store="S1", public_key=public_key, head=head), OFFICE, NOW)
    store.close()


def test_only_the_newest_key_of_a_till_is_called_active(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(Folder(tmp_path).config)
    for till, private_key in (("T1", "01" * 32), ("T2", "02" * 32), ("T1", "03" * 32)):
        redeem(tmp_path, till, private_key)
    assert main(["keys", "list", "--config", config]) == 0
    said = [line.split(",")[:2] for line in capsys.readouterr().out.splitlines()]
    assert said == [["till T1", " epoch 1: replaced"], ["till T1", " epoch 2: active"], ["till T2", " epoch 1: active"]]
    assert main(["keys", "revoke", "--till", "T1", "--by", "M9", "--config", config]) == 0
    assert "till T1 is revoked (epoch 2)" in capsys.readouterr().out
    assert main(["keys", "list", "--config", config]) == 0
    assert "till T1, epoch 2: revoked" in capsys.readouterr().out


def test_an_epoch_that_is_none_loses_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(Folder(tmp_path).config)
    redeem(tmp_path, "T1", "01" * 32)
    for epoch in ("0", "-1", "one", "9" * 20):
        with pytest.raises(SystemExit):
            main(["keys", "lost", "--till", "T1", f"--epoch={epoch}", "--by", "M9", "--config", config])
        assert "is not an epoch" in capsys.readouterr().err
    assert main(["keys", "lost", "--till", "T1", "--epoch", "7", "--by", "M9", "--config", config]) == 1
    assert "No epoch 7 of till T1 was enrolled here" in capsys.readouterr().err
    assert main(["keys", "list", "--config", config]) == 0
    assert "till T1, epoch 1: active" in capsys.readouterr().out


HUB = '\n[head_office]\nurl = "http://127.0.0.1:1"\n[hub]\nserve = true\nid = "S1-HUB"\n'
ABOUT_OFFICE = (
    ("keys", "list"), ("keys", "code", "--till", "T1"), ("keys", "revoke", "--till", "T1", "--by", "M9"), ("case", "list"),
    ("programme", "back", "--by", "M9"), ("programme", "publish", "demo/programme.toml"),
)  # fmt: skip


@pytest.mark.parametrize("words", ABOUT_OFFICE, ids=" ".join)
def test_a_mistyped_database_is_told_and_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """An empty one would say that no case waits, and give codes that no head office knows."""
    config, mistyped = str(Folder(tmp_path).config), tmp_path / "ofice.db"
    redeem(tmp_path, "T1", "01" * 32)
    assert main([*words, "--database", str(mistyped), "--config", config]) == 1
    assert f"There is no database at {mistyped}" in capsys.readouterr().err
    assert not mistyped.exists()


def test_a_machine_that_is_not_enrolled_says_by_which_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Folder(tmp_path).config
    config.write_text(config.read_text(encoding="utf-8") + HUB, encoding="utf-8")
    assert main(["hub", "--config", str(config)]) == 1
    assert "pos-loyalty hub --enrol CODE" in capsys.readouterr().err
    assert main(["keys", "code", "--till", "S1-HUB", "--config", str(config)]) == 0
    assert "pos-loyalty hub --enrol" in capsys.readouterr().out
