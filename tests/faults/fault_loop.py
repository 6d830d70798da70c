"""Every write and every sync of every verb fails, at the first time, the second … until the verb runs through.

``python -m tests.faults.fault_loop FOLDER --modes once,twice,ever,cut --every N --verbs NAME,…`` in a process of its own, for
apsw stands in for pysqlite3 in it. It prints a line for each verb, a line of JSON in the end, and exits with 1 when a law broke:

- a verb that was answered stands whole; one that was refused stands whole (only after a COMMIT of unknown outcome) or not at all;
- what stood before it stands byte for byte, and ``verify`` finds nothing;
- asked again with the same request and key it stands whole, once, with the answer that was given before.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.faults import apsw_dbapi2
from tests.faults.faulty_disk import FaultyDisk, Mode

SEED = 20261121
ENDS = 3
"""The last places of a verb are always tried: the COMMIT is there."""
PRIVATE = ("attempt", "idempotency", "trusted_time", "run", "staff", "gift_try", "confirm_try", "version_mark", "sqlite_sequence")
"""Tables that tell of tries, clocks and keys: a verb that failed may leave rows there, and one that is asked twice."""


class State(NamedTuple):
    """What a file says, without ids that are drawn anew: to be compared between trials."""

    facts: tuple[Any, ...]
    payloads: dict[str, tuple[bytes, ...]]
    rows: tuple[tuple[str, int], ...]
    money: tuple[object, ...]

    @property
    def unordered(self) -> State:
        """Without the places of the facts."""
        return self._replace(facts=tuple(sorted(repr((kind, sale_id, who)) for _, kind, sale_id, _, who in self.facts)))


class Tally:
    """What the loop did and found."""

    def __init__(self) -> None:
        self.trials = 0
        self.faults: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.broken: list[str] = []


def state_of(path: Path) -> State:
    """Read through a connection of its own, which may roll a journal back that a failed verb left."""
    db = apsw_dbapi2.connect(f"{path.as_uri()}?mode=rw")
    try:
        facts = db.execute("SELECT seq, kind, sale_id, receipt_no, member FROM txn ORDER BY till, seq").fetchall()
        payloads: dict[str, tuple[bytes, ...]] = {}
        for till, payload in db.execute("SELECT till, payload FROM txn ORDER BY till, seq"):
            payloads[till] = (*payloads.get(till, ()), payload)
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
        rows = tuple(
            (table, db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]) for table in tables if table not in PRIVATE
        )
        money: list[object] = [_named(row) for row in db.execute("SELECT account, unit, amount FROM balance")]
        money += db.execute("SELECT member, remaining, amount FROM lot").fetchall()
        money += [_named(row) for row in db.execute("SELECT debit_acct, credit_acct, amount, kind, rule FROM entry")]
        money += db.execute("SELECT state, sale_id FROM sale").fetchall()
        money += db.execute("SELECT acked_seq FROM sync_state").fetchall()
    finally:
        db.close()
    return State(tuple(map(_named, facts)), payloads, rows, tuple(sorted(map(repr, money))))


def _named(row: Any) -> tuple[object, ...]:
    """Ids that are made anew at each try are all one."""
    return tuple(
        re.sub(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", "*", v) if isinstance(v, str) else v
        for v in row
    )


class Loop:
    """Trials of the verbs over one world."""

    def __init__(self, folder: Path, disk: FaultyDisk) -> None:
        from tests.faults.world import World

        self.world = World(folder)
        self.disk = disk
        self.tally = Tally()
        self.chance = Random(SEED)
        self.has_steps = False
        self.files = (folder / "till.db", folder / "office.db")

    def run(self, verb: Any, modes: tuple[Mode, ...], every: int) -> None:
        """All trials of one verb."""
        self.has_steps = verb.steps
        began = time.process_time()
        trials = self.tally.trials
        count, before, whole = self._measure(verb)
        for mode in modes:
            last = count + 1 if mode == "cut" else count  # the power may go just after the answer
            for at in range(1, last + 1):
                if last - at < ENDS or (at + self.chance.randrange(every)) % every == 0:
                    self._trial(verb, at, mode, before, whole)
        spent_s = time.process_time() - began
        print(f"{verb.name}: {count} writes and syncs, {self.tally.trials - trials} trials, {spent_s:.1f} s of CPU", flush=True)

    def _measure(self, verb: Any) -> tuple[int, list[State], list[State]]:
        """How often the verb writes, what stands before it and after it."""
        world = self.world
        world.fresh()
        before = self._states()
        self.disk.arm(world.folder / verb.file, 0, "once")
        try:
            verb.act(world)
        finally:
            self.disk.disarm()
        count = self.disk.count
        whole = self._states()
        assert count and (verb.steps or whole[0].facts != before[0].facts or whole[0].rows != before[0].rows), verb.name
        verb.act(world)
        assert self._changed(whole, self._states()) == "", f"{verb.name} twice is not {verb.name} once"
        world.shut()
        self._verify(verb.name)
        return count, before, whole

    def _trial(self, verb: Any, at: int, mode: Mode, before: list[State], whole: list[State]) -> None:
        world, disk = self.world, self.disk
        self.tally.trials += 1
        place = f"{verb.name}, {mode} at {at}"
        world.fresh()
        disk.arm(world.folder / verb.file, at, mode)
        answer, error = self._ask(verb, place)
        self.tally.faults.update(f"{mode} {kind}" for kind in disk.met.elements())
        assert disk.met or disk.count < at, place
        if mode in ("ever", "cut"):
            world.shut()
        disk.disarm()
        if mode == "cut":
            disk.fall_back(self.chance)
        if mode in ("ever", "cut") or (verb.name == "start" and error is not None):
            world.open()
        after = self._states()
        self._judge(verb, place, error, (before, after, whole))
        again, failed = self._ask(verb, place)
        if failed is not None:
            self._broke(place, f"asked again it is refused: {failed}")
        elif answer is not None and encoded(again) != encoded(answer):
            self._broke(place, "asked again it is answered otherwise")
        third, _ = self._ask(verb, place)
        if encoded(third) != encoded(again):
            self._broke(place, "asked a third time it is answered otherwise")
        self._compare(place, "after asking again", whole, self._states())
        world.shut()
        self._verify(place)

    def _ask(self, verb: Any, place: str) -> tuple[object, Exception | None]:
        from pos_loyalty.errors import StoreError

        try:
            return verb.act(self.world), None
        except StoreError as error:
            if "\n" in str(error) and not verb.steps:
                self._broke(place, f"what is told is no sentence: {error}")
            return None, error
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no word for a cashier
            self._broke(place, f"{type(error).__name__} is no word for a cashier: {error}")
            return None, error

    def _judge(
        self, verb: Any, place: str, error: Exception | None, states: tuple[list[State], list[State], list[State]]
    ) -> None:
        from pos_loyalty.errors import CommitUnknownError

        before, after, whole = states
        for stood, stands in zip(before, after, strict=True):
            for till, log in stood.payloads.items():
                if stands.payloads.get(till, ())[: len(log)] != log:
                    self._broke(place, f"facts of {till} that stood before are gone or changed")
        if error is None:
            self._compare(place, "after the answer", whole, after)
            self.tally.outcomes["answered"] += 1
        elif verb.steps:
            self.tally.outcomes["cut off between its steps"] += 1
        elif self._changed(before, after) == "":
            self.tally.outcomes["refused, not there"] += 1
        elif self._changed(whole, after) == "":
            self.tally.outcomes["refused, and there (ghost)"] += 1
            if not isinstance(error, CommitUnknownError):
                self._broke(place, f"it stands, and the cashier was told: {error}")
        else:
            self._broke(place, f"a half of it stands: {self._changed(before, after)}")

    def _compare(self, place: str, when: str, wanted: list[State], found: list[State]) -> None:
        changed = self._changed(wanted, found)
        if changed:
            self._broke(place, f"{when}: {changed}")

    def _changed(self, wanted: list[State], found: list[State]) -> str:
        """What differs, but for the log's bytes, which bear instants and ids. After a failure steps may come in another order."""
        parts = []
        for one, other in zip(wanted, found, strict=True):
            if self.has_steps:
                one, other = one.unordered, other.unordered
            for name, a, b in zip(State._fields, one, other, strict=True):
                if name != "payloads" and a != b:
                    parts.append(f"{name} -{sorted(set(a) - set(b), key=repr)[:4]} +{sorted(set(b) - set(a), key=repr)[:4]}")
        return "; ".join(parts)

    def _states(self) -> list[State]:
        return [state_of(path) for path in self.files]

    def _verify(self, place: str) -> None:
        from pos_loyalty import wiring

        for path in self.files:
            for difference in wiring.verify(path):
                self._broke(place, f"{path.name}: {difference}")

    def _broke(self, place: str, what: str) -> None:
        self.tally.broken.append(f"{place}: {what}")
        print(f"BROKEN {place}: {what}", flush=True)


def encoded(answer: object) -> bytes:
    """An answer to compare, without what may change: codes of gift cards are told as long as the process lives that made them,
    and a journal that could not be emptied is, by the next erasure."""
    from pos_loyalty.values import encode

    return b"" if answer is None else re.sub(rb'"(code|pin|is_clean)":("[^"]*"|null|true|false)', b"", encode(answer))


def _quick_scrypt(password: bytes, *, salt: bytes, n: int, r: int, p: int, maxmem: int = 0, dklen: int = 64) -> bytes:
    """The disk is on trial here, not the slowness of hashes."""
    return hashlib.pbkdf2_hmac("sha256", password, salt, 1, dklen)


def main() -> int:
    """Run what was asked for; 1 when a law broke."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--modes", default="once,twice,ever,cut")
    parser.add_argument("--every", type=int, default=1, help="one place in so many, drawn by a fixed seed")
    parser.add_argument("--verbs", default="", help="names, by commas; all when empty")
    parser.add_argument("--journal", choices=("wal", "delete"), default="wal")
    args = parser.parse_args()
    apsw_dbapi2.install(apsw_dbapi2.SAFE if args.journal == "wal" else apsw_dbapi2.UNSAFE)
    disk = FaultyDisk()
    hashlib.scrypt = _quick_scrypt  # type: ignore[assignment]
    sys.unraisablehook = lambda _: None  # apsw tells of each failure that SQLite passes over
    from pos_loyalty import log
    from tests.faults.verbs import VERBS

    log.setup(stream=io.StringIO())
    loop = Loop(args.folder.resolve(), disk)
    chosen = [verb for verb in VERBS if not args.verbs or verb.name in args.verbs.split(",")]
    for verb in chosen:
        loop.run(verb, tuple(args.modes.split(",")), args.every)
    tally = loop.tally
    told = {
        "verbs": len(chosen),
        "trials": tally.trials,
        "faults": tally.faults,
        "outcomes": tally.outcomes,
        "broken": tally.broken,
    }
    print(json.dumps(told | {"cpu_s": round(time.process_time(), 1)}))
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
