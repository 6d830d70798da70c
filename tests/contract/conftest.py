"""What tests of the stores share: one PostgreSQL server for all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tests.postgres import Server, started


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Made when the first test asks."""
    server = started()
    yield server
    server.stop()
    shutil.rmtree(server.folder)
