"""Many tills in one night window, and the memory of head office and of a till's daemon under a long backlog.

``python -m bench.window [--tills N] [--facts N] [--backlogs N …] [--json]``. The window: so many tills, each with so many facts,
over loopback HTTP into one head office process with SQLite, eight at a time; a million facts by counting. A backlog: one till's
daemon, in a process of its own, sends a log of that length.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from bench.common import finish
from bench.replication import (
    PATIENCE_S,
    ROOT,
    SEED,
    BusyTill,
    cpu_of,
    free_port,
    make_log,
    office_process,
)
from pos_loyalty.clock import new_id, utc_now
from pos_loyalty.store.db import write
from pos_loyalty.store.facts import chain, fact_of, payload_of
from sync import push
from sync.client import HttpHeadOffice
from sync.daemon import Pace, Syncer
from sync.local import next_batch
from sync.wire import FACTS_MAX, decode_batch
from tests.simulation.shop import NOW, token_of

AT_ONCE = 8
WINDOW_FACTS = 1_000_000
WINDOW_S = 600
RSS_MB_MAX = 150
KB_PER_MB = 1024
SOLD = 1_000


class Window(NamedTuple):
    """What a window took. ``halves_s``: by the clock, for each half of the batches: the second meets a fuller database."""

    facts: int
    halves_s: tuple[float, float]
    cpu_s: float
    rss_mb: float


def main() -> int:
    """Measure, print, and say by the exit status whether the bounds hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--tills", type=int, default=40)
    parser.add_argument("--facts", type=int, default=250, help="of each till (250)")
    parser.add_argument("--backlogs", type=int, nargs="*", default=[10_000])
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    parser.add_argument("--daemon", nargs=2, metavar=("FOLDER", "PORT"), help="be the daemon of the bench")
    args = parser.parse_args()
    if args.daemon:
        return _daemon(Path(args.daemon[0]), int(args.daemon[1]))
    folder = Path(tempfile.mkdtemp(prefix="window"))
    try:
        window = _window(folder, args.tills, args.facts)
        backlogs = {facts: _backlog(folder, facts) for facts in args.backlogs}
    finally:
        shutil.rmtree(folder)
    figures: dict[str, object] = {}
    seconds = sum(window.halves_s)
    counted_s = WINDOW_FACTS * seconds / window.facts
    figures[f"{args.tills} tills with {args.facts} facts each"] = (
        f"{window.facts / seconds:.0f} facts/s by the clock, {window.facts / window.cpu_s:.0f} for a second of the office's CPU; "
        f"halves {window.halves_s[0]:.1f} and {window.halves_s[1]:.1f} s; head office at most {window.rss_mb:.0f} MB"
    )
    figures["1,000 tills with 1,000 facts, by counting"] = f"{counted_s / 60:.1f} min, at most {WINDOW_S / 60:.0f} asked"
    peaks = [window.rss_mb]
    for facts, (office_mb, daemon_mb, backlog_s) in backlogs.items():
        figures[f"a backlog of {facts} facts"] = f"head office {office_mb:.0f} MB, daemon {daemon_mb:.0f} MB, {backlog_s:.0f} s"
        peaks += [office_mb, daemon_mb]
    return finish("window", figures, counted_s <= WINDOW_S and max(peaks) <= RSS_MB_MAX, as_json=args.json)


def _window(folder: Path, tills: int, facts: int) -> Window:
    logs = [_batches(folder, f"T{n}", facts) for n in range(tills)]
    halves = [log for n, log in enumerate(logs) if n < tills // 2], [log for n, log in enumerate(logs) if n >= tills // 2]
    port = free_port()
    with office_process(folder, port) as server, ThreadPoolExecutor(AT_ONCE) as senders:
        cpu, took = cpu_of(server.pid), []
        for half in halves:
            begun = time.perf_counter()
            list(senders.map(lambda log: _send(port, *log), half))
            took.append(time.perf_counter() - begun)
        return Window(tills * facts, (took[0], took[1]), cpu_of(server.pid) - cpu, peak_mb(server.pid))


def _batches(folder: Path, name: str, facts: int) -> tuple[str, list[bytes]]:
    (folder / name).mkdir()
    till = make_log(folder / name, facts, name)
    batches, seq = [], 0
    while (step := next_batch(till.db, till.here, push.begin(seq, FACTS_MAX, NOW), NOW)).send is not None:
        batches.append(step.send)
        seq += decode_batch(step.send).header.count
    till.db.close()
    shutil.rmtree(folder / name)
    return name, batches


def _send(port: int, name: str, batches: Sequence[bytes]) -> None:
    office = HttpHeadOffice(f"http://127.0.0.1:{port}", name, token_of(name), PATIENCE_S)
    for batch in batches:
        reply = office.push(batch)
        assert reply.status == 200, reply.body
    office.close()


def _backlog(folder: Path, facts: int) -> tuple[float, float, float]:
    """Peaks of head office and daemon in MB, and seconds."""
    here = folder / f"backlog{facts}"
    here.mkdir()
    _long_log(here, facts)
    port = free_port()
    with office_process(here, port) as server:
        begun = time.perf_counter()
        command = (sys.executable, "-m", "bench.window", "--daemon", str(here), str(port))
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return peak_mb(server.pid), float(done.stdout.split()[-1]), time.perf_counter() - begun


def _long_log(folder: Path, facts: int) -> None:
    """A log of a thousand facts, and then the last sale to nobody over and over, as rows of the log alone: more is not sent."""
    till = make_log(folder, min(facts, SOLD))
    columns = [name for _, name, *_ in till.db.execute("PRAGMA table_info(txn)")]
    last = dict(zip(columns, till.db.execute(f"SELECT * FROM txn WHERE seq = {SOLD - 1}").fetchone(), strict=True))
    (prev_hash,) = till.db.execute("SELECT hash FROM txn ORDER BY seq DESC LIMIT 1").fetchone()
    model, rows = fact_of(last["payload"]), []
    assert model.sale is not None and model.member is None
    for seq in range(SOLD + 1, facts + 1):
        made, number = new_id(), f"T1-1-{seq:06d}"
        sale = replace(model.sale, sale_id=str(made))
        payload = payload_of(replace(model, id=made.hex, seq=seq, hlc=model.hlc + seq, receipt_no=number, sale=sale))
        hash_ = chain(prev_hash, payload)
        row = last | {"id": made.bytes, "seq": seq, "receipt_no": number, "sale_id": str(made), "payload": payload}
        rows.append(row | {"prev_hash": prev_hash, "hash": hash_})
        prev_hash = hash_
    with write(till.db):
        till.db.executemany(f"INSERT INTO txn VALUES ({', '.join(f':{name}' for name in columns)})", rows)
    till.db.close()


def _daemon(folder: Path, port: int) -> int:
    till = BusyTill(folder, "T1")
    office = HttpHeadOffice(f"http://127.0.0.1:{port}", "T1", token_of("T1"), PATIENCE_S)
    pace = Pace(interval_s=60, batch_facts_max=FACTS_MAX, wants=None)
    report = Syncer(till.db, till.here, pace, office, Random(SEED).random).once(utc_now)
    assert (report.unsent_facts, report.trouble) == (0, None), report
    print(peak_mb(os.getpid()))  # getrusage tells the peak of who started the process, too
    return 0


def peak_mb(pid: int) -> float:
    """The most memory that a process has held so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / KB_PER_MB


if __name__ == "__main__":
    sys.exit(main())
