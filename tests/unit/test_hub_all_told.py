"""Whether all that a till wrote is at head office when it asks there: what stands at its store's hub may still come."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from sync.server import steps
from tests.simulation.shop import NOW, HeadOffice
from tests.unit.test_hub_relay import RelayHub, hub, office, question_of, send, tills

__all__ = ["hub", "office"]
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_till_whose_sales_stand_at_its_hub_has_not_told_head_office_all(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    """Whatever it asks there: what it redeemed may still come, so no lot ends and nothing is taken from its rights before."""
    till = tills(tmp_path, office)["A"]
    till.sell("1")
    send(till, hub)
    asked = question_of(till)
    steps.changes(office.store, asked, NOW)
    assert office.store.all_asked_by() == NEVER
    hub.bring(office)
    steps.changes(office.store, asked, NOW)
    assert office.store.all_asked_by() == NOW


@pytest.mark.parametrize("is_of_hub", [False, True])
def test_a_till_that_does_not_say_how_far_its_log_goes_is_waited_for_in_a_store_with_a_hub(
    tmp_path: Path, office: HeadOffice, hub: RelayHub, is_of_hub: bool
) -> None:
    """It asks in the protocol of before, in which there were no hubs."""
    till = tills(tmp_path, office)["A"]
    if is_of_hub:
        steps.changes(office.store, replace(question_of(hub.till), is_hub=True, waiting=1), NOW)
    asked = question_of(till)
    steps.changes(office.store, replace(asked, peer=till.here.peer(0), head=UNSET), NOW)
    assert (office.store.all_asked_by() == NOW) is not is_of_hub


def test_a_till_whose_file_was_put_back_has_not_told_all(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """What it wrote after the backup it has forgotten, and part of that may stand at its hub."""
    till = tills(tmp_path, office)["A"]
    till.sell("1")
    asked = question_of(till)
    till.sell("2")
    send(till, hub)
    hub.bring(office)
    till.sell("3")
    send(till, hub)
    steps.changes(office.store, asked, NOW)
    assert office.store.all_asked_by() == NEVER
    hub.bring(office)
    steps.changes(office.store, question_of(till), NOW)
    assert office.store.all_asked_by() == NOW
