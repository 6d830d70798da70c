"""A till on a real disk that is full: nothing is half sold, quotes go on, and the same sale succeeds when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import StoreFullError
from pos_loyalty.store.verify import verify
from pos_loyalty.till.model import QuoteRequest
from tests.shop import Shop, make_basket

DISK_BYTES = 3 * 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    may_mount = shutil.which("mount") is not None and os.geteuid() == 0
    if not may_mount or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a small disk on this machine")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            return filler


def test_a_full_disk_sells_nothing_and_keeps_everything(disk: Path) -> None:
    shop = Shop(disk)
    try:
        sold = [shop.sell("sale-0").receipt_no]
        filler = _fill(disk)
        request = None
        with pytest.raises(StoreFullError, match="disk is full"):
            for number in range(1, 1000):
                request = replace(shop.ask(redeem=100), sale_id=f"sale-{number}", complete=True)
                sold.append(shop.till.authorise(request, f"key {number}").receipt_no)
        assert request is not None
        assert shop.till.quote(QuoteRequest(basket=make_basket())).due_minor == 27_000
        stored = [row[0] for row in shop.db.execute("SELECT receipt_no FROM sale ORDER BY receipt_no")]
        assert stored == sorted(sold)
        filler.unlink()
        answer = shop.till.authorise(request, "key again")
        assert answer.state == "completed" and answer.receipt_no not in sold
        assert verify(shop.db) == ()
    finally:
        shop.close()
