"""kill -9 at random while a till sells, a daemon syncs and head office receives: nothing is lost, nothing doubled.

The short form runs here; ``make kills`` runs 500, and 300 of the bank, 100 of each side (``KILLS=n``).
The seed is fixed, the moments are the machine's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from pysqlite3 import dbapi2

from pos_loyalty import wiring
from pos_loyalty.errors import HeadOfficeGoneError
from tests.faults import bank
from tests.faults.chain import Chain
from tests.faults.namespaces import LOOPBACK
from tests.faults.nodes import COMMAND, PATIENCE_S, Process
from tests.faults.seller import shop_of
from tests.faults.told import check_once, kinds_of, spoken
from tests.ports import free_port

KILLS = int(os.environ.get("KILLS", "15"))
SEED = 20261121
BANK_KILLS = KILLS * 3 // 5


@pytest.mark.timeout(7200)
def test_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path: Path) -> None:
    port = free_port()
    sync = f'\n[head_office]\nurl = "http://127.0.0.1:{port}"\ninterval_s = 0.2\ntimeout_s = 2.0\nbatch_facts_max = 7\n'
    server = f'\n[server]\ndatabase = "head_office.db"\nport = {port}\n'
    allowance = '\n[offline]\npolicy = "allowance"\ncap_per_member_day = "50.00"\n'
    config = str(shop_of(tmp_path, sync + server + allowance))
    seller = Process("seller", tmp_path, sys.executable, "-m", "tests.faults.seller", config)
    daemon = Process("daemon", tmp_path, *COMMAND, "sync", "--follow", "--config", config)
    head_office = Process("head_office", tmp_path, *COMMAND, "head-office", "--config", config)
    random = Random(SEED)
    kills, killed = 0, Counter[str]()
    try:
        head_office.start()
        _enrol(config)
        daemon.start()
        seller.start(str(SEED), "1")
        while kills < KILLS:
            _wait_for_sales(seller.log, more=random.randint(0, 5))
            time.sleep(random.random() * 0.2)
            victim = min((seller, daemon, head_office), key=lambda side: (killed[side.log.stem], random.random()))
            victim.kill()
            kills += 1
            killed[victim.log.stem] += 1
            if victim is seller:
                acked, tried = spoken(seller.log)
                seller.start(str(SEED), str(tried if tried not in acked else tried + 1))
            else:
                victim.start()
        _wait_for_sales(seller.log, more=3)
        seller.kill()
        daemon.kill()
        _sync_to_the_end(config)
    finally:
        for process in (seller, daemon, head_office):
            process.kill()
    acked, _ = spoken(seller.log)
    kinds = kinds_of(acked)
    print(f"{kills} kills ({dict(killed)}), {len(acked)} acts acknowledged, {sum(kinds.values())} facts: {kinds}")
    _check(tmp_path, acked)


@pytest.mark.timeout(7200)
def test_the_bank_holds_while_any_side_is_killed(tmp_path: Path) -> None:
    """Rights under kills: two tills redeem from the same members, and each side is killed as often, in turn by chance."""
    chain = Chain(tmp_path, LOOPBACK, ("T1", "T2"))
    try:
        chain.open()
        chain.sell()
        killed = chain.kill_each(BANK_KILLS // 3, Random(SEED))
        chain.wait_for_more(2)
        chain.settle()
        figures = bank.check(chain)
    finally:
        chain.close()
    print(f"kills: {dict(killed)}; {dict(figures)}")


def _enrol(config: str) -> None:
    known = wiring.settings(Path(config))
    code = wiring.enrolment_code(known, None, known.config.till.id)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            wiring.enrol_till(known, code)
            return
        except HeadOfficeGoneError:
            assert time.monotonic() < deadline, "head office does not come up"
            time.sleep(0.05)


def _wait_for_sales(log: Path, *, more: int) -> None:
    goal = len(spoken(log)[0]) + more
    deadline = time.monotonic() + PATIENCE_S
    while len(spoken(log)[0]) < goal:
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")[-2000:]
        time.sleep(0.02)


def _sync_to_the_end(config: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        done = subprocess.run([*COMMAND, "sync", "--json", "--config", config], capture_output=True, text=True, check=False)
        if done.returncode == 0 and '"unsent_facts":0' in done.stdout and '"trouble":null' in done.stdout:
            return
        assert time.monotonic() < deadline, done.stdout + done.stderr
        time.sleep(0.2)


def _check(folder: Path, acked: dict[int, str]) -> None:
    till, head_office = folder / "till.db", folder / "head_office.db"
    assert wiring.verify(till) == ()
    assert wiring.verify(head_office) == ()
    for path in (till, head_office):
        check_once(path, acked)
        db = dbapi2.connect(str(path))
        moved = db.execute(
            "SELECT COUNT(*) FROM (SELECT lot, rule, kind, debit_acct, credit_acct, COUNT(*) AS times FROM entry"
            " WHERE debit_acct LIKE 'held:%' GROUP BY 1, 2, 3, 4, 5 HAVING times > 1)"
        ).fetchone()
        assert moved == (0,)
        db.close()
    assert _all(till, "SELECT id, seq, hash FROM txn WHERE till = 'T1' ORDER BY seq") == _all(
        head_office, "SELECT id, seq, hash FROM txn WHERE till = 'T1' ORDER BY seq"
    )
    assert _all(till, "SELECT id, remaining FROM lot ORDER BY id") == _all(
        head_office, "SELECT id, remaining FROM lot ORDER BY id"
    )


def _all(path: Path, sql: str) -> list[tuple[object, ...]]:
    db = dbapi2.connect(str(path))
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()
