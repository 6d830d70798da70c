"""What many tests stand on, and how they are shared out among processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pos_loyalty.store import db
from tests import sharing
from tests.at_once import tables_at_once
from tests.shop import CONFIG, Shop


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For ``make test``."""
    return sharing.scheduler(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Among several processes the order is theirs; else it is that of the folders."""
    if hasattr(config, "workerinput"):
        sharing.longest_first(items)


@pytest.fixture(scope="session", autouse=True)
def new_files_in_one_step() -> Iterator[None]:
    """In the processes of the tests; what they start makes its files step by step, as a shop does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "MIGRATIONS", tables_at_once())
        yield


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Opens shops by config, and closes them."""
    shops: list[Shop] = []

    def make(config: str = CONFIG) -> Shop:
        folder = tmp_path / f"shop-{len(shops)}"
        folder.mkdir()
        shops.append(Shop(folder, config))
        return shops[-1]

    yield make
    for shop in shops:
        shop.close()


@pytest.fixture
def shop(make_shop: Callable[..., Shop]) -> Shop:
    """A till that stands alone, with one member."""
    return make_shop()
