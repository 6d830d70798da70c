"""The log and what follows from it: chain, lots, balances, whoever's facts they are and in whatever order they come."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pos_loyalty.engine.model import LotUse
from pos_loyalty.errors import ConflictError, InputError
from pos_loyalty.store import ledger
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.store.facts import PAYLOAD_BYTES_MAX, Fact, fact_of, payload_of
from pos_loyalty.store.ledger import Draft
from pos_loyalty.values import Points
from tests.unit.store_facts import NOW, accrue, lot_centi, release, reserve, sale_draft, sell, settle, till_store, uuid_of


@pytest.fixture
def db(tmp_path: Path) -> Connection:
    return till_store(tmp_path / "till.db")


def _append(db: Connection, n: int, *entries: object, member: str | None = None) -> Fact:
    with write(db):
        draft = Draft(id=uuid_of(n), kind="points.adjusted", store="S1", entries=entries, member=member)  # type: ignore[arg-type]
        return ledger.append(db, draft, NOW + timedelta(seconds=n))


def test_every_fact_is_chained_to_the_one_before(db: Connection) -> None:
    for n in range(1, 6):
        sell(db, n, "M1")
    hash_ = bytes(32)
    rows = db.execute("SELECT seq, payload, prev_hash, hash FROM txn ORDER BY seq").fetchall()
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5]
    for _, payload, prev_hash, stored in rows:
        assert prev_hash == hash_
        hash_ = sha256(prev_hash + payload).digest()
        assert stored == hash_
    last = ledger.head(db)
    assert (last.epoch, last.seq, last.hash) == (1, 5, hash_)


def test_a_fact_reads_back_as_it_was_logged(db: Connection) -> None:
    fact = sell(db, 1, "M1")
    assert ledger.by_id(db, uuid_of(1)) == fact
    assert ledger.by_id(db, uuid_of(2)) is None
    assert ledger.entries_of(db, uuid_of(1)) == fact.entries
    payload = db.execute("SELECT payload FROM txn").fetchone()[0]
    assert payload == payload_of(fact) and fact_of(payload) == fact


def test_a_fact_that_could_not_be_sent_is_refused_before_anything_is_written(db: Connection) -> None:
    room = PAYLOAD_BYTES_MAX - len(payload_of(_append(db, 1)))
    before = db.total_changes
    with write(db), pytest.raises(InputError, match=rf"at most {PAYLOAD_BYTES_MAX} fit"):
        ledger.append(db, Draft(id=uuid_of(2), kind="points.adjusted", store="S" * (room + 200)), NOW)
    assert db.total_changes == before
    with write(db):
        ledger.append(db, Draft(id=uuid_of(2), kind="points.adjusted", store="S" * (room - 200)), NOW)


def test_the_logical_clock_grows_when_the_wall_clock_goes_back(db: Connection) -> None:
    with write(db):
        for n, at in enumerate((NOW, NOW - timedelta(days=1), NOW - timedelta(days=1), NOW + timedelta(hours=1)), start=1):
            ledger.append(db, Draft(id=uuid_of(n), kind="points.adjusted", store="S1"), at)
    clocks = [row[0] for row in db.execute("SELECT hlc FROM txn ORDER BY seq")]
    assert clocks == sorted(set(clocks)) and len(clocks) == 4
    assert clocks[3] >> 16 == int((NOW + timedelta(hours=1)).timestamp() * 1000)


def test_nothing_before_the_first_fact(db: Connection) -> None:
    last = ledger.head(db)
    assert (last.epoch, last.seq, last.hash) == (1, 0, bytes(32))


def test_points_go_round_and_come_back(db: Connection) -> None:
    _append(db, 1, accrue("M1", "L1", 1000))
    _append(db, 2, reserve("M1", "L1", 300, "T1/s"))
    assert (lot_centi(db, "L1"), ledger.balance_of(db, "held:T1/s")) == (700, 300)
    _append(db, 3, release("M1", "L1", 300, "T1/s"))
    assert (lot_centi(db, "L1"), ledger.balance_of(db, "held:T1/s")) == (1000, 0)
    _append(db, 4, reserve("M1", "L1", 400, "T1/r"), settle("M1", "L1", 400, "T1/r"))
    assert (lot_centi(db, "L1"), ledger.balance_of(db, "member:M1")) == (600, 600)
    assert ledger.balance_of(db, "programme:shop:redeemed") == 400
    assert db.execute("SELECT COUNT(*) FROM balance WHERE amount = 0").fetchone() == (0,)
    assert db.execute("SELECT SUM(amount) FROM balance").fetchone() == (0,)


def test_a_lot_gives_no_more_than_it_holds_and_then_nothing_is_written(db: Connection) -> None:
    _append(db, 1, accrue("M1", "L1", 1000))
    _append(db, 2, reserve("M1", "L1", 1000, "T1/a"))
    for entry in (reserve("M1", "L1", 1, "T1/b"), reserve("M1", "no such lot", 1, "T1/b")):
        with pytest.raises(ConflictError):
            _append(db, 3, accrue("M1", "L9", 5), entry)
    assert (lot_centi(db, "L1"), lot_centi(db, "L9"), ledger.head(db).seq) == (0, None, 2)


def test_lots_burn_soonest_first_and_empty_ones_are_not_shown(db: Connection) -> None:
    from msgspec.structs import replace

    forever = replace(accrue("M1", "A", 10), expires_at=None)
    soon = replace(accrue("M1", "B", 20), expires_at=NOW + timedelta(days=1))
    _append(db, 1, forever, accrue("M1", "D", 30, NOW), soon, accrue("M1", "C", 40), accrue("M2", "E", 50))
    _append(db, 2, reserve("M1", "C", 40, "T1/x"))
    lots = ledger.lots_of(db, "M1")
    assert [lot.lot_id for lot in lots] == ["B", "D", "A"]
    assert [(lot.centi, lot.usable_from, lot.expires_at) for lot in lots] == [
        (20, None, NOW + timedelta(days=1)),
        (30, NOW, NOW + timedelta(days=90)),
        (10, None, None),
    ]


def test_entries_of_a_sale_are_those_of_all_its_facts(db: Connection) -> None:
    sell(db, 1, "M1")
    sell(db, 2, "M1", (LotUse(lot_id="T1/sale-1:base", centi=Points(200)),))
    assert [(entry.kind, entry.amount) for entry in ledger.sale_entries(db, "T1", "sale-2")] == [
        ("redeem", 200),
        ("redeem", 200),
        ("accrue", 500),
    ]
    assert ledger.sale_entries(db, "T1", "sale-2")[2].expires_at is not None
    assert ledger.sale_entries(db, "T2", "sale-2") == ()


def test_a_case_stands_at_the_head_or_at_its_fact(db: Connection) -> None:
    first = sell(db, 1)
    sell(db, 2)
    with write(db):
        ledger.open_case(db, reason="a", detail="b")
        ledger.open_case(db, reason="c", detail="d", fact=first)
    assert db.execute("SELECT till, epoch, seq, reason, detail FROM suspense_case ORDER BY id").fetchall() == [
        ("T1", 1, 2, "a", "b"),
        ("T1", 1, 1, "c", "d"),
    ]


def _office(path: Path) -> Connection:
    return open_store(path, role="head_office", owner="HO", now=NOW)


def _state(db: Connection) -> tuple[object, ...]:
    lots = db.execute("SELECT id, member, amount, remaining FROM lot ORDER BY id").fetchall()
    return lots, db.execute("SELECT account, amount FROM balance ORDER BY account").fetchall()


def test_head_office_comes_to_the_same_in_whatever_order_tills_are_heard(tmp_path: Path) -> None:
    logs = []
    for till in ("T1", "T2"):
        db = till_store(tmp_path / f"{till}.db", till)
        facts = [_append(db, 10 if till == "T1" else 20, accrue("M1", f"{till}/l", 100))]
        with write(db):  # both tills spend the first till's lot: the second one knows it from head office
            db.execute(
                "INSERT OR IGNORE INTO lot (id, member, unit, usable_from, amount, remaining, base_remaining)"
                " VALUES ('T1/l', 'M1', 'point', 0, 100, 100, 100)"
            )
        facts += [_append(db, 11 if till == "T1" else 21, reserve("M1", "T1/l", 80, f"{till}/s"))]
        facts += [_append(db, 12 if till == "T1" else 22, release("M1", "T1/l", 30, f"{till}/s"))]
        rows = db.execute("SELECT payload, prev_hash, hash FROM txn ORDER BY seq").fetchall()
        logs.append([(fact, *row) for fact, row in zip(facts, rows, strict=True)])
        db.close()
    first, second = logs
    states = []
    for n, order in enumerate((first + second, second + first, [*first[:2], *second, first[2]])):
        office = _office(tmp_path / f"office{n}.db")
        with write(office):
            shortfalls = [ledger.store_fact(office, *row) for row in order]
        assert any(shortfalls)
        states.append(_state(office))
        office.close()
    assert states[0] == states[1] == states[2]
    assert ("T1/l", "M1", 100, 0) in states[0][0]  # type: ignore[operator]


STEPS = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 60), st.booleans()), max_size=25)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_lots_and_balances_are_the_sum_of_what_was_accepted(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, bool]]
) -> None:
    db = till_store(tmp_path_factory.mktemp("laws") / "till.db")
    _append(db, 1, *(accrue("M1", lot, 100) for lot in "ABC"))
    held = dict.fromkeys("ABC", 100)
    balance: defaultdict[str, int] = defaultdict(int, {"member:M1": 300, "programme:shop:issued": -300})
    for n, (lot, centi, takes) in enumerate(steps, start=2):
        if takes and held[lot] < centi:
            with pytest.raises(ConflictError):
                _append(db, n, reserve("M1", lot, centi, "x"))
            continue
        if not takes and held[lot] + centi > 100:
            continue
        sign = -1 if takes else 1
        held[lot] += sign * centi
        balance["member:M1"] += sign * centi
        balance["held:x"] -= sign * centi
        _append(db, n, (reserve if takes else release)("M1", lot, centi, "x"))
    assert {lot: lot_centi(db, lot) for lot in "ABC"} == held
    stored = dict(db.execute("SELECT account, amount FROM balance").fetchall())
    assert stored == {account: amount for account, amount in balance.items() if amount}
    db.close()


def test_the_same_id_twice_is_refused(db: Connection) -> None:
    from pos_loyalty.errors import StoreError

    sell(db, 1)
    with pytest.raises(StoreError), write(db):
        ledger.append(db, sale_draft(1), NOW)
    assert ledger.head(db).seq == 1
