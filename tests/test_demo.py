"""The demo: a small run ends well, its comparing step sees every planted difference, its data is what its maker makes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pysqlite3 import dbapi2

from demo import agree, make_data, shop
from demo.visits import visits
from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.model import Member, State
from pos_loyalty.values import decode
from pos_loyalty.web.verbs import Product

ROOT = Path(__file__).parents[1]
BASKETS = 3
RUN_S = 280

ONE_SALE = "sale_id = (SELECT min(sale_id) FROM sale)"
LAST = "seq = (SELECT max(seq) FROM txn)"
TILL, OFFICE = "till.db", "head_office.db"
PLANTED = {
    "a lot at the till": (
        TILL,
        "UPDATE lot SET remaining = remaining - 1 WHERE id = (SELECT min(id) FROM lot WHERE remaining > 1)",
    ),
    "a lot at head office": (OFFICE, "UPDATE lot SET remaining = 0 WHERE id = (SELECT max(id) FROM lot WHERE remaining > 0)"),
    "points moved between the lots of one member": (
        OFFICE,
        "UPDATE lot SET remaining = remaining + CASE WHEN id LIKE 'opening/%' THEN 1 ELSE -1 END WHERE member = 'M002'",
    ),
    "an entry of the till": (OFFICE, "UPDATE entry SET amount = amount + 1 WHERE n = 0 AND txn = (SELECT max(txn) FROM entry)"),
    "an entry of head office": (
        OFFICE,
        "UPDATE entry SET amount = amount + 1 WHERE n = 0 AND txn = (SELECT min(txn) FROM entry)",
    ),
    "an entry that is missing": (TILL, "DELETE FROM entry WHERE n = 0 AND txn = (SELECT max(txn) FROM entry)"),
    "a byte of the log": (OFFICE, "UPDATE txn SET payload = CAST(payload || ' ' AS BLOB) WHERE seq = 2"),
    "a hash that fits nothing": (TILL, f"UPDATE txn SET hash = zeroblob(32) WHERE {LAST}"),
    "the last fact": (OFFICE, f"DELETE FROM txn WHERE {LAST}"),
    "the due of a sale": (OFFICE, f"UPDATE sale SET due_minor = due_minor + 1 WHERE {ONE_SALE}"),
    "the state of a sale": (TILL, f"UPDATE sale SET state = 'reversed' WHERE {ONE_SALE}"),
    "money off a line": (TILL, f"UPDATE adjustment SET off_minor = off_minor - 1 WHERE {ONE_SALE}"),
    "what head office says that it holds": (OFFICE, "UPDATE till SET applied_seq = applied_seq - 1"),
    "a contradiction": (OFFICE, "INSERT INTO suspense_case (till, epoch, seq, reason, detail) VALUES ('T1', 1, 1, 'x', 'x')"),
}


@pytest.fixture(scope="module")
def shop_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a small run leaves: real processes, three sales, a sync."""
    out = tmp_path_factory.mktemp("demo") / "out"
    command = [sys.executable, "-m", "demo.run", "--out", str(out), "--baskets", str(BASKETS)]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "AGREE in all" in done.stdout
    return out


def test_a_run_leaves_receipts_and_databases(shop_files: Path) -> None:
    assert len(list((shop_files / "receipts").glob("*.png"))) == BASKETS
    assert _exit_of_comparing(shop_files) == 0


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_difference_is_seen(name: str, shop_files: Path, tmp_path: Path) -> None:
    said: list[str] = []
    differences = agree.compare(*_with(name, shop_files, tmp_path), say=said.append)
    assert differences > 0
    assert sum(line.strip().startswith("DIFFER") for line in said) == differences


def test_a_planted_difference_ends_with_status_1(shop_files: Path, tmp_path: Path) -> None:
    _with("a lot at the till", shop_files, tmp_path)
    assert _exit_of_comparing(tmp_path) == 1


def test_nothing_planted_nothing_seen(shop_files: Path) -> None:
    said: list[str] = []
    assert agree.compare(shop_files / "till.db", shop_files / "head_office.db", say=said.append) == 0
    assert not [line for line in said if "DIFFER" in line]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    command = [sys.executable, "-m", "demo.run", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_committed_files_are_what_the_maker_makes(tmp_path: Path) -> None:
    make_data.write_all(tmp_path)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.json"))
    assert len(made) == 2 + shop.SALES
    for path in made:
        assert (tmp_path / path).read_bytes() == (shop.HERE / path).read_bytes(), path


def test_goods_members_and_baskets_fit_together() -> None:
    goods = {product.sku: product for product in decode(shop.CATALOGUE.read_bytes(), tuple[Product, ...])}
    members = shop.members()
    assert (len(goods), len(members), len({member.card for member in members})) == (150, shop.MEMBERS, shop.MEMBERS)
    codes = [*goods, *(member.card for member in members)]
    assert all(
        len(code) == 13 and sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(code)) % 10 == 0 for code in codes
    )
    assert all(member.card.startswith(shop.CARD_PREFIX) for member in members)
    for visit in visits():
        for line in shop.basket(visit.number).lines:
            product = goods[line.sku]
            assert (line.name, line.price_minor, line.category) == (product.name, product.price_minor, product.category)


def test_every_rule_but_the_ended_coupon_acts_in_some_basket() -> None:
    programme = load_programme(shop.PROGRAMME.read_bytes())
    applied: set[str] = set()
    for visit in visits():
        basket = shop.basket(visit.number)
        who = None if visit.member is None else shop.members()[visit.member]
        member = None if who is None else Member(member_id=who.member_id, tier=who.tier)
        applied |= set(quote(basket, member, programme, State(), basket.opened_at).applied)
    assert {rule.id for rule in programme.rules} - applied == {"summer-coupon"}


def _weighed_sum(ean: str) -> int:
    return sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(ean))


def _with(name: str, shop_files: Path, folder: Path) -> tuple[Path, Path]:
    """Copies of both files, with one difference planted in one of them."""
    for file in ("till.db", "head_office.db"):
        shutil.copy(shop_files / file, folder / file)
    where, change = PLANTED[name]
    db = dbapi2.connect(str(folder / where))
    assert db.execute(change).rowcount > 0
    db.commit()
    db.close()
    return folder / "till.db", folder / "head_office.db"


def _exit_of_comparing(folder: Path) -> int:
    command = [sys.executable, "-m", "demo.agree", str(folder / "till.db"), str(folder / "head_office.db")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=RUN_S, check=False).returncode
