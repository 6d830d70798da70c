"""A snapshot of head office at size: ``python -m bench.snapshot [--members 1000000] [--json]``.

Head office and the till's daemon are processes of their own with HTTP between them, the till sells in this one. Bounds for a
million members: built in ≤ 60 s, downloaded and applied in ≤ 60 s, ≤ 150 MB of memory in builder, server and daemon, and the
p99 of a quote while it is applied ≤ 2 × idle. Cards are in no order of the members. Beside it stands a floor: the same rows by a
bare executemany into the same tables, in transactions of the same size.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

from bench import shop
from bench.common import Series, finish, series
from pos_loyalty.store import member_bulk, members, tiers
from pos_loyalty.store.db import open_store, write
from pos_loyalty.store.members import PulledCard, PulledLot, PulledMember
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.till.till import Till
from pos_loyalty.values import Points, encode
from pos_loyalty.wiring import open_till
from sync import taking

MILLION = 1_000_000
SECONDS, MEMORY_MB, FACTOR = 60.0, 150.0, 2.0
HERE, IDLE_QUOTES, PAUSE_S = 100, 600, 0.02
AT_ONCE = 20_000
SEED = 20261122
PEAK = """
def peak():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024
"""
SERVER = (
    """import resource, socket, sys, threading, time, uvicorn, json
from pathlib import Path
from pos_loyalty.clock import utc_now
from pos_loyalty.store.db import open_store
from sync.identity import Office
from sync.server.app import head_office_app
from sync.server.desk import Beside
from sync.server.snapshots import SnapshotShelf
from sync.server.sqlite import SqliteLedgerStore
path = Path(sys.argv[1])
office = Office(private_key="0a" * 32, token_secret="0b" * 32)
shelf = SnapshotShelf(path, office.private_key)
def open_ledger():
    return SqliteLedgerStore(open_store(path, role="head_office", owner="head-office", now=utc_now()), bytes(32))
"""
    + PEAK
    + """
if __name__ == "__main__":
    began = time.monotonic()
    shelf.build(utc_now())
    wall = time.monotonic() - began
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    app = head_office_app(open_ledger, office, utc_now, Beside(shelf=shelf, changes_max=50_000))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", ws="none"))
    listener = socket.socket(); listener.bind(("127.0.0.1", 0))
    told = {"s": wall, "cpu_s": spent.ru_utime + spent.ru_stime, "mb": spent.ru_maxrss / 1024, "port": listener.getsockname()[1]}
    threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
    print(json.dumps(told), flush=True)
    sys.stdin.readline()
    print(json.dumps({"mb": peak(), "cpu_s": time.process_time()}), flush=True)
"""
)
DAEMON = (
    """import sys, time, json
from pathlib import Path
from pos_loyalty.clock import utc_now
from pos_loyalty.store.db import open_store
from sync import identity
from sync.client import HttpHeadOffice
from sync.daemon import Pace, Syncer
from sync.identity import Credential, Signer
from sync.local import Here
office_key, till_key = "0a" * 32, "0c" * 32
made = Credential(till="T1", epoch=1, store="S1", public_key=identity.public_of(till_key))
signer = Signer(credential=identity.certify(made, office_key), private_key=till_key)
here = Here(till="T1", master_key=bytes([17]) * 32, signer=signer, head_office_key=identity.public_of(office_key))
db = open_store(Path(sys.argv[1]), role="till", owner="T1", now=utc_now())
line = HttpHeadOffice(sys.argv[2], "T1", identity.token_of("0b" * 32, "T1", 1), 20.0)
"""
    + PEAK
    + """
before, began = time.process_time(), time.monotonic()
report = Syncer(db, here, Pace(interval_s=15, batch_facts_max=500), line, lambda: 0.5).once(utc_now)
told = {"s": time.monotonic() - began, "cpu_s": time.process_time() - before, "mb": peak()}
print(json.dumps(told | {"members": report.fetched_members, "trouble": report.trouble}), flush=True)
"""
)


def main() -> int:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=MILLION, help="at head office (1000000)")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures, passed = _measured(Path(name), args.members)
    return finish("snapshot", figures, passed, as_json=args.json)


def _measured(folder: Path, count: int) -> tuple[dict[str, object], bool]:
    share = count / MILLION
    cards = [shop.card_of(n) for n in range(count)]
    random.Random(SEED).shuffle(cards)
    _write_office(folder / "office.db", cards)
    goods = shop.goods()
    config = shop.write_shop(folder, goods, HERE)
    baskets = shop.baskets(goods, 200)
    server = _child(SERVER, str(folder / "office.db"))
    built = _told(server)
    till = open_till(config)
    try:
        idle = _quotes(till, baskets, IDLE_QUOTES, Event())
        done = Event()
        daemon = _child(DAEMON, str(folder / "till.db"), f"http://127.0.0.1:{built['port']}")
        applied: dict[str, float] = {}
        watcher = Thread(target=lambda: (applied.update(_told(daemon)), done.set()))
        watcher.start()
        busy = _quotes(till, baskets, 10**9, done)
        watcher.join()
    finally:
        till.close()
    assert server.stdin is not None
    server.stdin.write("\n")
    server.stdin.flush()
    served = _told(server)
    floor_s, floor_cpu_s = _floor(folder / "floor.db", cards)
    assert applied["members"] == count and applied["trouble"] is None, applied
    ratio = busy.p99 / idle.p99
    figures: dict[str, object] = {
        "members": f"{count:,}",
        "allowed": f"{SECONDS * share:.0f} s each, {MEMORY_MB:.0f} MB",
        "built": f"{built['s']:.1f} s ({built['cpu_s']:.1f} s of CPU), {built['mb']:.0f} MB",
        "applied": f"{applied['s']:.1f} s ({applied['cpu_s']:.1f} s of CPU), {applied['mb']:.0f} MB",
        "floor: bare rows": f"{floor_s:.1f} s ({floor_cpu_s:.1f} s of CPU)",
        "applied by floor": f"{applied['s'] / floor_s:.2f} x by the clock, {applied['cpu_s'] / floor_cpu_s:.2f} x of CPU",
        "server": f"{served['mb']:.0f} MB",
        "quote, idle": idle,
        "quote while it is applied": busy,
        "p99 by idle": f"{ratio:.2f} x; allowed {FACTOR:.0f} x",
    }
    memory = max(built["mb"], applied["mb"], served["mb"])
    passed = max(built["s"], applied["s"]) <= SECONDS * share and ratio <= FACTOR and memory <= MEMORY_MB
    return figures, passed


def _write_office(path: Path, cards: list[str]) -> None:
    """Head office's file: members with a card and a lot each, in bulk."""
    db = open_store(path, role="head_office", owner="head-office", now=shop.NOW)
    db.execute("PRAGMA synchronous = OFF")
    for start in range(0, len(cards), AT_ONCE):
        told = [_member(n, card) for n, card in enumerate(cards[start : start + AT_ONCE], start)]
        with write(db):
            db.executemany(members.PULLED_UPSERT, [members.pulled_row(one, 0) for one in told])
            db.executemany(members.CARD_UPSERT, [(card.number, one.member_id, card.state) for one in told for card in one.cards])
            db.executemany(members.LOT_UPSERT, [members.lot_row(one, lot, 0) for one in told for lot in one.lots])
    with write(db):
        db.execute("INSERT OR IGNORE INTO version_mark (from_version, mark) VALUES (1, ?)", ("ab" * 16,))
    db.close()


def _member(n: int, card: str) -> PulledMember:
    lot = PulledLot(lot_id=f"T{n % 97}/s{n}:base", amount_centi=Points(5_000), remaining_centi=Points(1_000 + n % 4_000))
    return PulledMember(
        member_id=f"m{n}", version=n + 1, joined_ms=1_700_000_000_000 + n, cards=(PulledCard(number=card),), lots=(lot,)
    )


def _floor(path: Path, cards: list[str]) -> tuple[float, float]:
    """The same rows into the same tables, and nothing else."""
    db = open_store(path, role="till", owner="T1", now=shop.NOW)
    told = sorted((_member(n, card) for n, card in enumerate(cards)), key=lambda one: one.member_id)
    word = tiers.TierWord(tier=None, biz_day=0)
    portions = []
    for start in range(0, len(told), taking.PORTION):
        some = told[start : start + taking.PORTION]
        portions.append(
            (
                [members.pulled_row(one, 0) for one in some],
                [(card.number, one.member_id, card.state) for one in some for card in one.cards],
                [members.lot_row(one, lot, 0) for one in some for lot in one.lots],
                [(one.member_id, 0, encode(one)) for one in some],
                [(one.member_id, *tiers.word_row(word)) for one in some],
            )
        )
    statements = (
        members.PULLED_UPSERT,
        members.CARD_UPSERT,
        members.LOT_UPSERT,
        member_bulk.WORD_INSERT,
        member_bulk.TIER_INSERT,
    )
    began, cpu = time.monotonic(), time.process_time()
    for portion in portions:
        with write(db):
            for statement, rows in zip(statements, portion, strict=True):
                db.executemany(statement, rows)
    spent = time.monotonic() - began, time.process_time() - cpu
    db.close()
    return spent


def _quotes(till: Till, baskets: list[shop.Basket], count: int, done: Event) -> Series:
    times: list[int] = []
    for n in range(count):
        if done.is_set() and times:
            break
        request = QuoteRequest(basket=baskets[n % len(baskets)], member_id=f"m{n % HERE}")
        began = time.monotonic_ns()
        till.quote(request)
        times.append(time.monotonic_ns() - began)
        time.sleep(PAUSE_S)
    return series(times)


def _child(source: str, *args: str) -> "subprocess.Popen[str]":
    script = Path(tempfile.mkdtemp()) / "child.py"
    script.write_text(source)
    return subprocess.Popen([sys.executable, str(script), *args], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def _told(child: "subprocess.Popen[str]") -> dict[str, float]:
    """The child's next word; what it logs before is passed over."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith("{"):
            found: dict[str, float] = json.loads(line)
            if "mb" in found:
                return found
    raise AssertionError("the child ended without a word")


if __name__ == "__main__":
    raise SystemExit(main())
