"""What the money laws stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.money.corner import Corner


@pytest.fixture
def make_corner(tmp_path: Path) -> Iterator[Callable[..., Corner]]:
    """Opens the corner shop, with more said in its programme, and closes it."""
    shops: list[Corner] = []

    def make(said: str = "") -> Corner:
        folder = tmp_path / str(len(shops))
        folder.mkdir()
        shops.append(Corner(folder, said))
        return shops[-1]

    yield make
    for shop in shops:
        shop.close()


@pytest.fixture
def corner(make_corner: Callable[..., Corner]) -> Corner:
    """The corner shop."""
    return make_corner()
