"""Writes the set of files that the next version will call ``before``: ``python -m tests.versions.make_before FOLDER``.

Run it in the tree of the version that has landed, and keep what it wrote under tests/versions/before. What the head office of
that version refuses of the next one's words (``refused_*.json``) is recorded by hand, once the next one speaks differently.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import msgspec
from pysqlite3 import dbapi2

from pos_loyalty.store.db import Connection, open_store
from pos_loyalty.store.facts import Fact
from pos_loyalty.store.versions import FILE_VERSION, FIRST_BUILD
from pos_loyalty.values import decode, encode
from sync import local, push
from sync.identity import EnrolAnswer, EnrolRequest
from sync.local import Here, next_batch
from sync.rights import RightsAnswer, RightsRequest
from sync.server import steps
from sync.server.sqlite import SqliteLedgerStore
from sync.snapshot_wire import Manifest
from sync.wire import (
    PLAIN_BYTES_MAX,
    Ack,
    BatchHeader,
    Changes,
    ChangesRequest,
    Problem,
    SaleFound,
    SaleQuestion,
    inflate,
)
from tests.faults.rich import RichWorld
from tests.simulation.shop import NOW, OFFICE, OFFICE_PUBLIC, signer_of

WORDS: Final = (
    Fact, BatchHeader, Ack, ChangesRequest, Changes, SaleQuestion, SaleFound, RightsRequest, RightsAnswer, EnrolRequest,
    EnrolAnswer, Manifest, Problem,
)  # fmt: skip
"""What is said on the line."""
TOLD: Final = {"title", "description", "default"}


def make(folder: Path, work: Path) -> None:
    """All files of the set."""
    rich = RichWorld(work)
    key = rich.master_key
    rich.shut()
    for name in ("till.db", "office.db"):
        _keep(work / name, folder / f"{name}.gz")
    here = Here(till="T1", master_key=key, signer=signer_of("T1"), head_office_key=OFFICE_PUBLIC)
    till = open_store(work / "till.db", role="till", owner="T1", now=NOW, master_key=key.hex())
    store = SqliteLedgerStore(_office(work / "office.db", key), key)
    batch = next_batch(till, here, local.begin_push(till, 500, NOW), NOW).send or b""
    (folder / "batch.ndjson").write_bytes(inflate(batch, PLAIN_BYTES_MAX))
    (folder / "ack.json").write_bytes(encode(steps.receive(store, "T1", batch, NOW, OFFICE_PUBLIC)))
    question = local.next_question(till, here, local.begin_pull(till, NOW), NOW).send or b""
    (folder / "question.json").write_bytes(question)
    page = steps.changes(store, decode(question, ChangesRequest), NOW, OFFICE.private_key)
    (folder / "page.json").write_bytes(encode(page))
    fresh = SqliteLedgerStore(_office(work / "fresh.db", key), key)
    log = next_batch(till, here, push.begin(0, 500, NOW), NOW).send or b""
    (folder / "log.ndjson.gz").write_bytes(gzip.compress(inflate(log, PLAIN_BYTES_MAX), 9, mtime=0))
    (folder / "log_ack.json").write_bytes(encode(steps.receive(fresh, "T1", log, NOW, OFFICE_PUBLIC)))
    (folder / "words.json.gz").write_bytes(gzip.compress(_words(), 9, mtime=0))
    (folder / "said.json").write_text(json.dumps({"master_key": key.hex(), "build": FIRST_BUILD, "version": FILE_VERSION}))


def _words() -> bytes:
    """A JSON schema of all that this version says and reads, with its limits: ``tests/simulation/of_before.py`` holds it against
    what the next version says."""
    hook = lambda _: {"type": "string"}  # noqa: E731 - quantities are decimal strings
    _, parts = msgspec.json.schema_components(WORDS, schema_hook=hook, ref_template="#/$defs/{name}")
    return json.dumps({name: _bare(part) for name, part in parts.items()}, sort_keys=True, separators=(",", ":")).encode()


def _bare(part: Any) -> Any:
    """Without what is for people."""
    if isinstance(part, list):
        return [_bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    kept = {key: value for key, value in part.items() if key not in TOLD}
    return {key: {n: _bare(v) for n, v in value.items()} if key == "properties" else _bare(value) for key, value in kept.items()}


def _office(path: Path, key: bytes) -> Connection:
    return open_store(path, role="head_office", owner="head-office", now=NOW, master_key=key.hex())


def _keep(source: Path, target: Path) -> None:
    """The database whole and small."""
    plain = target.with_suffix("")
    db = dbapi2.connect(str(source), isolation_level=None)
    db.execute("VACUUM INTO ?", (str(plain),))
    db.close()
    target.write_bytes(gzip.compress(plain.read_bytes(), 9, mtime=0))
    plain.unlink()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        place = Path(sys.argv[1])
        place.mkdir(parents=True, exist_ok=True)
        make(place, Path(made))
