"""What a hub takes for head office's word on a till's log, and what it says that waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import HeadOfficeGoneError
from pos_loyalty.store import relay
from pos_loyalty.store.db import write
from pos_loyalty.store.till_facts import Place
from sync.hub import keeping
from tests.simulation.shop import HeadOffice, log_of
from tests.unit.test_hub_relay import RelayHub, hub, office, send, tills

__all__ = ["hub", "office"]


def test_the_answer_to_an_earlier_batch_says_nothing_of_this_one(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """A bad line brings it once more: it is of another log, and of a number that the hub cannot look up in this one."""
    made = tills(tmp_path, office)
    for name in "BA":
        for n in range(3 if name == "B" else 1):
            made[name].sell(f"{name}{n}")
        send(made[name], hub)
    first = keeping.next_up(hub.relay, hub.hub)
    assert first is not None and first.till == "B"
    reply = hub.carry(office, "B", first.body)
    keeping.brought(hub.relay, first, reply)
    second = keeping.next_up(hub.relay, hub.hub)
    assert second is not None and second.till == "A"
    with pytest.raises(HeadOfficeGoneError, match="another log"):
        keeping.brought(hub.relay, second, reply)
    kept = relay.kept(hub.relay, "A")
    assert kept is not None and kept.safe is None
    hub.bring(office)
    assert log_of(office.db, "A") == log_of(made["A"].db, "A")


def test_what_a_machine_before_wrote_waits_no_longer_once_the_next_one_is_heard(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """It sent the rest past the hub; what a new machine writes is counted from its own beginning."""
    till = tills(tmp_path, office)["A"]
    for n in range(3):
        till.sell(f"{n}")
    send(till, hub)
    hub.bring(office)
    keeping.note_holds(hub.relay, [("A", Place(epoch=2, seq=1, hash="00" * 32))])
    assert relay.waiting_count(hub.relay) == 0
    (one,) = relay.all_kept(hub.relay)
    with write(hub.relay):
        relay.keep(hub.relay, replace(one, epoch=1, seq=3, safe=Place(epoch=0, seq=9, hash="00" * 32)))
    assert relay.waiting_count(hub.relay) == 3
