"""A till's log to head office over loopback HTTP, beside PouchDB replicating the same facts to express-pouchdb, in one run.

``python -m bench.replication [--facts N] [--rounds R] [--json]``. Ours is the daemon and a head office process with SQLite:
signature, chain, every contradiction looked for, all rows and caches, durable before each ack. The peer stores them in leveldb
and does not wait for the disk; node and npm must be there, the peer is installed by name into var/peers.
"""

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen
from uuid import UUID

from bench import peers
from bench.common import finish, void
from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.store.db import open_reader, open_store
from pos_loyalty.store.verify import verify
from sync import push
from sync.client import HttpHeadOffice
from sync.daemon import Pace, Syncer
from sync.local import next_batch
from sync.server.sqlite import SqliteLedgerStore
from sync.wire import FACTS_MAX, decode_batch
from tests.simulation.shop import HEAD_OFFICE_KEY, NOW, OFFICE, Till, token_of

ROOT = Path(__file__).parent.parent
BOUND = 3.0
WIRE_BYTES_MAX = 260
MEMBERS, FACTS_A_MEMBER = 40, 100
SEED = 20261122
PATIENCE_S = 60
OURS = "ours"
DOCUMENTS = {"peer, batches of 100": 100, "peer, batches of 1000": 1000}
POUCH = peers.Peer(
    name="pouchdb",
    packages=("pouchdb@9.0.0", "express-pouchdb@4.2.0", "express@4.21.2"),
    script="replicate_pouch.js",
    does="replicates",
    bound=BOUND,
)


class Took(NamedTuple):
    """Seconds of one replication: by the clock, and of CPU of both sides."""

    wall_s: float
    cpu_s: float


class BusyTill(Till):
    """A till of the tests whose ids and sale numbers are of chance, as those of a real one: they do not pack."""

    def new_id(self) -> UUID:
        return new_id()


def make_log(folder: Path, facts: int, name: str = "T1") -> BusyTill:
    """A day: half of the sales to members that the till enrolled, one in ten paid in part by points."""
    till, chance = BusyTill(folder, name), Random(f"{SEED} {name}")
    members = max(MEMBERS, facts // FACTS_A_MEMBER)
    for n in range(members):
        till.enrol(f"{name}-M{n}", f"29{name}{n:05d}")
    for n in range(facts - members):
        member = f"{name}-M{chance.randrange(members)}" if n % 2 else None
        spend = 100 if member and n % 10 == 5 and till.balance(member) >= 100 else 0
        till.sell(str(new_id()), member, earn=chance.randrange(1, 900) if member else 0, spend=spend)
    return till


def main() -> int:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--facts", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"), help="be the head office of the bench")
    args = parser.parse_args()
    if args.serve:
        _serve(Path(args.serve[0]), int(args.serve[1]))
        return 0
    missing = peers.install(POUCH)
    if missing is not None:
        return void("replication", f"the peer is not here: {missing}")
    folder = Path(tempfile.mkdtemp(prefix="replication"))
    try:
        return _tell(_measured(folder, args.facts, args.rounds), folder, args)
    finally:
        shutil.rmtree(folder)


def _measured(folder: Path, facts: int, rounds: int) -> dict[str, list[Took]]:
    till = make_log(folder, facts)
    documents = folder / "documents.ndjson"
    payloads = [bytes(payload) for (payload,) in till.db.execute("SELECT payload FROM txn ORDER BY seq")]
    named = (b'{"_id":"%d",' % n + payload[1:] for n, payload in enumerate(payloads))
    documents.write_bytes(b"\n".join(named) + b"\n")
    till.db.close()
    took: dict[str, list[Took]] = {}
    for n in range(rounds):
        here = folder / f"round{n}"
        here.mkdir()
        for name, batch in DOCUMENTS.items():
            took.setdefault(name, []).append(_peers(here, documents, batch, facts))
        took.setdefault(OURS, []).append(_ours(folder / "T1.db", here, facts))
    return took


def _tell(took: dict[str, list[Took]], folder: Path, args: argparse.Namespace) -> int:
    figures: dict[str, object] = {}
    ratios = []
    for what, seconds_of in (("by the clock", lambda each: each.wall_s), ("for a second of CPU", lambda each: each.cpu_s)):
        rates = {name: [args.facts / seconds_of(each) for each in found] for name, found in took.items()}
        middle = {name: statistics.median(found) for name, found in rates.items()}
        ratios.append(middle[OURS] / max(middle[name] for name in DOCUMENTS))
        for name, found in rates.items():
            figures[f"{name}, facts {what}"] = f"{middle[name]:.0f} ({', '.join(f'{each:.0f}' for each in found)})"
        figures[f"ours to the better of the peer, {what}"] = f"{ratios[-1]:.2f}, at least {BOUND} asked"
    sizes = wire(folder, args.facts)
    figures["bytes a fact"] = f"{sizes['plain']:.0f} plain, {sizes['wire']:.0f} on the wire, at most {WIRE_BYTES_MAX} asked"
    return finish("replication", figures, min(ratios) >= BOUND and sizes["wire"] <= WIRE_BYTES_MAX, as_json=args.json)


def wire(folder: Path, facts: int) -> dict[str, float]:
    """Bytes a fact of the till's log in full batches, plain and as sent."""
    till = BusyTill(folder, "T1")
    seq = sent = 0
    while (step := next_batch(till.db, till.here, push.begin(seq, FACTS_MAX, NOW), NOW)).send is not None:
        seq, sent = seq + decode_batch(step.send).header.count, sent + len(step.send)
    (plain,) = till.db.execute("SELECT SUM(length(payload)) FROM txn").fetchone()
    till.db.close()
    return {"plain": plain / facts, "wire": sent / facts}


def _peers(here: Path, documents: Path, batch: int, facts: int) -> Took:
    place = here / f"pouch{batch}"
    place.mkdir()
    script = ("node", str(peers.SCRIPTS / POUCH.script))
    port = free_port()
    with process((*script, "serve", str(port), str(place)), POUCH.folder, f"http://127.0.0.1:{port}/") as server:
        before = cpu_of(server.pid)
        send = (*script, "send", str(port), str(place), str(documents), str(batch))
        done = subprocess.run(send, cwd=POUCH.folder, capture_output=True, text=True, timeout=peers.RUN_S, check=True)
        server_s = cpu_of(server.pid) - before
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["ok"] and told["held"] == facts, told
    return Took(float(told["seconds"]), float(told["cpu_s"]) + server_s)


def _ours(log: Path, here: Path, facts: int) -> Took:
    shutil.copy(log, here / "T1.db")
    till, port = BusyTill(here, "T1"), free_port()
    till.db.execute("PRAGMA synchronous = FULL")
    pace = Pace(interval_s=60, batch_facts_max=FACTS_MAX, wants=None)
    with office_process(here, port) as server:
        office = HttpHeadOffice(f"http://127.0.0.1:{port}", "T1", token_of("T1"), PATIENCE_S)
        syncer = Syncer(till.db, till.here, pace, office, Random(SEED).random)
        wall, cpu = time.perf_counter(), time.process_time() + cpu_of(server.pid)
        report = syncer.once(utc_now)
        took = Took(time.perf_counter() - wall, time.process_time() + cpu_of(server.pid) - cpu)
        assert (report.sent_facts, report.unsent_facts, report.trouble) == (facts, 0, None), report
        office.close()
    till.db.close()
    with closing(open_reader(here / "office.db", master_key=HEAD_OFFICE_KEY.hex())) as db:
        assert not (differences := verify(db)), differences[:3]
    return took


def cpu_of(pid: int) -> float:
    """Seconds of CPU of a process so far, its threads' too."""
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, words[11:13])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def office_process(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Head office in a process of its own, over a database in the folder."""
    command = (sys.executable, "-m", "bench.replication", "--serve", str(folder), str(port))
    with process(command, ROOT, f"http://127.0.0.1:{port}/healthz") as running:
        yield running


@contextmanager
def process(command: Sequence[str], folder: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server, once it answers; it ends with the block."""
    env: dict[str, Any] = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            _wait_for(url)
            yield running
        finally:
            running.terminate()


def _wait_for(url: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urlopen(url, timeout=PATIENCE_S):
                return
        except (URLError, ConnectionError):
            assert time.monotonic() < end, f"nothing answers at {url}"
            time.sleep(0.1)


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serve(folder: Path, port: int) -> None:
    import uvicorn

    from sync.server.app import head_office_app

    def opened() -> SqliteLedgerStore:
        db = open_store(folder / "office.db", role="head_office", owner="head-office", now=utc_now())
        return SqliteLedgerStore(db, HEAD_OFFICE_KEY)

    uvicorn.run(head_office_app(opened, OFFICE, utc_now), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    sys.exit(main())
