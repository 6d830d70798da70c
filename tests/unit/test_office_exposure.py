"""What a manager reads at head office before it happens: how much tills that are cut off could redeem twice."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from pos_loyalty.config import OfflineConfig
from pos_loyalty.store.overview import Exposure
from pos_loyalty.values import Points
from sync.server import enrol
from tests.browser.test_office_pages import Served
from tests.simulation.shop import NOW, HeadOffice, Till
from tests.unit.test_sync_identity import enrolled, sync_fully


def chain(folder: Path) -> HeadOffice:
    """Members with 500.00, 40.00 and nothing; three tills, of which one was let go."""
    office = HeadOffice(folder)
    office.give_points("M1", "2000000000015", 50_000)
    office.give_points("M2", "2000000000022", 4_000)
    for n, name in enumerate(("T1", "T2", "T3")):
        till = Till(folder, name)
        enrolled(office, till, f"{n + 1:02x}" * 32)
        till.enrol("M3", "2000000000039") if n == 0 else till.sell(f"{n}")
        sync_fully(till, office)
        till.db.close()
    enrol.revoke(office.store, "T3", "M9", NOW)
    return office


def exposure(office: HeadOffice, cap: int) -> Exposure:
    with office.store.write():
        return office.store.truth.overview(0, NOW, Points(cap)).exposure


def test_it_is_the_cap_of_each_member_as_far_as_they_have_points_at_each_till_in_force(tmp_path: Path) -> None:
    office = chain(tmp_path)
    assert (exposure(office, 10_000).twice_centi, exposure(office, 10_000).tills) == ((10_000 + 4_000) * 2, 2)
    assert exposure(office, 3_000).twice_centi == 3_000 * 2 * 2
    assert exposure(office, 0).twice_centi == 0


@pytest.mark.parametrize(
    ("offline", "figure", "sentence"),
    [
        (
            OfflineConfig(policy="allowance", cap_per_member_day="100"),
            "280.00",
            "up to 100.00 points of a member in a day; 2 tills",
        ),
        (OfflineConfig(policy="escrow", cap_per_member_day="100"), "0.00", "nothing is redeemed twice"),
        (OfflineConfig(policy="refuse", cap_per_member_day="100"), "0.00", "redeem nothing"),
    ],
    ids=lambda value: value.policy if isinstance(value, OfflineConfig) else None,
)
def test_the_page_tells_it_with_the_reason(tmp_path: Path, offline: OfflineConfig, figure: str, sentence: str) -> None:
    office = chain(tmp_path)
    office.db.close()
    served = Served(office.path, offline)
    page = requests.get(f"{served.url}/manager?language=en", timeout=60).text
    served.close()
    row = page.partition("Could be redeemed twice in a day while cut off")[2].partition("</tr>")[0]
    assert f">{figure}<" in row and sentence in page
