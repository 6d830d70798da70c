"""The programme file of a till: in force where the till stands alone, only a seed where there is a head office."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pos_loyalty.cli.main import main
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import programmes
from pos_loyalty.store.verify import verify
from tests.shop import CONFIG, PROGRAMME, Shop

ALONE = CONFIG.replace("[till]", '[till]\nprogramme = "programme.toml"')
CHAIN = ALONE + '[head_office]\nurl = "http://127.0.0.1:9"\n'
SECOND = PROGRAMME.replace("version = 1", "version = 2")
Opened = Callable[..., Shop]
GIFTS = """
[[gift_card]]
id = "plain"
sku = "GC"
amounts = ["500"]
"""


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens a shop by a programme file, and closes it."""
    shops: list[Shop] = []

    def opens(text: str = PROGRAMME, config: str = ALONE) -> Shop:
        (tmp_path / "programme.toml").write_text(text, encoding="utf-8")
        shops.append(Shop(tmp_path, config, programme=""))
        return shops[-1]

    yield opens
    for shop in shops:
        shop.close()


def version(shop: Shop) -> int:
    return int(shop.till.programme().name.split("@")[1].split("#")[0])


def restarted(shop: Shop, text: str | None) -> tuple[int, str]:
    """What is in force after a start with another file, and what the till says about it."""
    path = shop.folder / "programme.toml"
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    shop.reopen()
    return version(shop), " ".join(shop.till.health().problems)


def test_a_till_alone_takes_a_higher_version_when_it_starts(opened: Opened) -> None:
    shop = opened()
    assert restarted(shop, PROGRAMME) == (1, "")
    assert restarted(shop, SECOND) == (2, "")
    assert restarted(shop, SECOND) == (2, "")
    shop.sell()
    assert verify(shop.db) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROGRAMME, "raise its version to 3"),
        (SECOND + "# more\n", "with other words: raise its version to 3"),
        (SECOND.replace("version = 2", "version = 3").replace("RUB", "USD"), "is not the store's"),
        ("format = 9", "format"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_not_newer_is_named_and_the_till_sells_on(opened: Opened, text: str | None, said: str) -> None:
    shop = opened()
    assert restarted(shop, SECOND) == (2, "")
    in_force, problems = restarted(shop, text)
    assert in_force == 2 and said in problems, problems
    assert shop.sell().state == "completed"
    assert restarted(shop, SECOND.replace("version = 2", "version = 3")) == (3, "")


def test_another_programme_is_taken_once_and_the_old_one_does_not_come_back(opened: Opened) -> None:
    shop = opened(SECOND)
    assert restarted(shop, PROGRAMME.replace('id = "test"', 'id = "other"')) == (1, "")
    in_force, problems = restarted(shop, SECOND)
    assert in_force == 1 and "raise its version to 3" in problems


def test_with_a_head_office_the_file_is_a_seed_and_the_log_says_so_once(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    shop = opened(config=CHAIN)
    with caplog.at_level(logging.INFO, logger="pos_loyalty"):
        assert restarted(shop, PROGRAMME) == (1, "")
        assert "programme.file_is_seed" not in caplog.text
        assert restarted(shop, SECOND) == (1, "")
    assert [record.message for record in caplog.records].count("programme.file_is_seed") == 1


def test_a_till_with_nothing_to_sell_by_does_not_start_without_its_file(tmp_path: Path) -> None:
    for config in (ALONE, CHAIN):
        with pytest.raises(NotFoundError, match="cannot be read"):
            Shop(tmp_path, config, programme="")


def test_publish_puts_it_in_force_at_a_till_that_stands_alone_and_sells(
    opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = opened()
    file = tmp_path / "next.toml"
    file.write_text(SECOND + GIFTS, encoding="utf-8")
    command = ["programme", "publish", str(file), "--config", str(shop.config)]
    assert [main(command), main(command)] == [0, 0]
    assert "in force at till T1" in capsys.readouterr().out
    assert version(shop) == 2, "beside the till that sells, without a new start"
    assert not (tmp_path / "head-office.db").exists() and not list(tmp_path.glob("*office*"))
    file.write_text(PROGRAMME, encoding="utf-8")
    assert main(command) == 1
    assert "raise its version to 3" in capsys.readouterr().err


def published(folder: Path, config: str) -> int:
    """``programme publish`` in a folder where nothing was ever started."""
    (folder / "secrets.toml").write_text(f'pepper = "{"0" * 64}"\nmaster_key = "{"1" * 64}"\n', encoding="utf-8")
    (folder / "secrets.toml").chmod(0o600)
    (folder / "config.toml").write_text(config, encoding="utf-8")
    (folder / "programme.toml").write_text(PROGRAMME, encoding="utf-8")
    return main(["programme", "publish", str(folder / "programme.toml"), "--config", str(folder / "config.toml")])


def test_publish_before_the_first_start_of_a_till_that_stands_alone(
    opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It made a head office's file, and from then on the till was taken for one of a chain."""
    assert published(tmp_path, ALONE) == 0
    assert "in force at till T1" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*office*"))
    shop = opened()
    assert version(shop) == 1
    (tmp_path / "next.toml").write_text(SECOND, encoding="utf-8")
    assert main(["programme", "publish", str(tmp_path / "next.toml"), "--config", str(shop.config)]) == 0
    assert version(shop) == 2


@pytest.mark.parametrize("more", ['[server]\ndatabase = "office.db"\n', '[head_office]\nurl = "http://127.0.0.1:9"\n'])
def test_publish_before_the_first_start_of_head_office(tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str) -> None:
    assert published(tmp_path, ALONE + more) == 0
    assert "published at head office" in capsys.readouterr().out
    assert list(tmp_path.rglob("*office*.db")) and not (tmp_path / "till.db").exists()


def test_what_is_published_here_opens_the_series_to_an_import(
    opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = opened()
    (tmp_path / "cards.csv").write_text("gift_card;amount;series\nPLAINCARDABCDEFGHJKLMNPQRSTUV;500.00;plain\n", encoding="utf-8")
    table = ["import", "gift-cards", str(tmp_path / "cards.csv"), "--config", str(shop.config), "--json"]
    assert main(table) == 1, "the programme that is in force has no such series"
    (tmp_path / "next.toml").write_text(SECOND + GIFTS, encoding="utf-8")
    assert main(["programme", "publish", str(tmp_path / "next.toml"), "--config", str(shop.config)]) == 0
    capsys.readouterr()
    assert main(table) == 0
    assert json.loads(capsys.readouterr().out)["outcome"]["accepted"] == 1


def test_publish_to_a_head_office_says_where_it_went(opened: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop = opened(config=CHAIN)
    (tmp_path / "next.toml").write_text(SECOND, encoding="utf-8")
    assert main(["programme", "publish", str(tmp_path / "next.toml"), "--config", str(shop.config)]) == 0
    said = capsys.readouterr().out
    assert "next sync" in said and "nothing from there" not in said
    assert version(shop) == 1
    shop.config.write_text(ALONE, encoding="utf-8")
    assert main(["programme", "publish", str(tmp_path / "next.toml"), "--config", str(shop.config)]) == 0
    assert "takes nothing from there" in capsys.readouterr().out
    assert programmes.highest_version(shop.db, "test") == 1
