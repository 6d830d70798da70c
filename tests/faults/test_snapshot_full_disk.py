"""A full disk while a snapshot comes down over HTTP: the till gets back what the download took, and takes it in later."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import StoreFullError
from sync.snapshot_files import SnapshotFiles
from tests.faults.disk import fill
from tests.simulation.shop import Till
from tests.unit.test_snapshot_http import Served, is_whole, served, synced

__all__ = ["served"]


def test_a_full_disk_gives_back_what_the_download_took(served: Served, tmp_path: Path, small_disk: Path) -> None:
    till = Till(small_disk, "T1")
    filler = fill(small_disk)
    with filler.open("r+b") as file:
        file.truncate(filler.stat().st_size - 4 * 4096)
    manifest = served.shelf.newest()
    assert manifest is not None
    files = SnapshotFiles(till.path)
    with pytest.raises(StoreFullError, match="disk is full"):
        for at in range(0, 10**6, 8192):
            files.keep(manifest.id, replace(manifest.chunks[2], bytes=10**6), at, b"x" * 8192)
    assert not list(small_disk.glob("*.snapshot"))
    filler.unlink()
    assert synced(till, served.url).trouble is None
    assert is_whole(till)
    till.db.close()
