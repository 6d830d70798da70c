"""A till that says it was told of an epoch of head office's own log which cannot be: one question stops nobody for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import WireError
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import decode, encode
from sync.rights import RightsAnswer
from tests.unit.test_sync_identity import sync_fully
from tests.unit.test_sync_rights import Bureau, says_hello, world


@pytest.mark.parametrize("epoch", [2**31, 2**31 - 1, 1_000_000])
def test_an_epoch_that_cannot_be_is_the_tills_fault(tmp_path: Path, epoch: int) -> None:
    """Head office's log went on in the epoch after the last one: no till could read its answers, and it did not open again."""
    office = Bureau(tmp_path)
    a, b = world(tmp_path, office, "AB").values()
    seen = Place(epoch=epoch, seq=7, hash="ab" * 32)
    with pytest.raises(WireError):
        office.answer(a, replace(a.question(), seen=seen))
    assert office.store.rights.own_head().epoch == 1
    decode(encode(office.answer(b, b.question())), RightsAnswer)
    office.db.close()
    office.open()


def test_an_epoch_of_restores_that_were_forgotten_is_believed(tmp_path: Path) -> None:
    office = Bureau(tmp_path)
    a, b = world(tmp_path, office, "AB").values()
    told = office.answer(a, replace(a.question(), seen=Place(epoch=40, seq=7, hash="ab" * 32)))
    assert (told.head.epoch, told.held_back) == (41, "hello")
    for till in (a, b):
        sync_fully(till, office)
        assert says_hello(office, till) == "hello", "a person has to say that there are no others"
