"""A chain at work: head office, tills that sell to one set of members, bad lines between them, and maybe a store's hub."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.faults import bank
from tests.faults.namespaces import Ends, Wires
from tests.faults.nodes import INTERVAL_S, Hub, Office, Process, Shopfloor, until
from tests.faults.told import spoken
from tests.ports import free_port

OFFICE, TILLS, HUB, OTHER = "office", "tills", "hub", "other"
OUTSIDE, LAN, ABROAD = ((OFFICE, HUB), (OFFICE, TILLS)), ((HUB, TILLS),), ((OFFICE, OTHER),)
"""The wires of a store with a hub: its two to head office, its own, and the one of another store."""
ESCROW = '\n[offline]\npolicy = "escrow"\n'
SEED = 20261122
QUIET_S = 300


class Chain:
    """``behind``: the tills of store S1 that have its hub; ``abroad``: those of store S2, on wires of their own. A till with a
    hub has two lines, to the hub and to head office."""

    def __init__(
        self, folder: Path, wires: Wires, tills: Sequence[str], *, behind: Sequence[str] = (), abroad: Sequence[str] = ()
    ) -> None:
        self.folder, self.wires = folder, wires
        self.lines: list[Process] = []
        self._ports: dict[Ends, int] = {}
        self._behind = tuple(behind)
        port = free_port()
        self._office_port, self._hub_port = port, free_port()
        host = "0.0.0.0" if wires.machines else "127.0.0.1"
        self.office = Office(folder / OFFICE, port, host=host, inside=wires.inside(OFFICE))
        self.office.prepare(bank.PROGRAMME, bank.MEMBERS)
        to_office = self._line(TILLS, OFFICE, *([HUB] if behind else []))
        self.hub: Hub | None = None
        if behind:
            self.hub = Hub(self.office, folder / HUB, self._line(HUB, OFFICE), wires, (host, self._hub_port), inside=HUB)
        beyond = self._line(OTHER, OFFICE) if abroad else ""
        self.tills = []
        for name in tills:
            more = ESCROW
            if name in behind:
                more += f'\n[hub]\nurl = "{self._url(TILLS, HUB)}"\ninterval_s = {INTERVAL_S}\n'
            store, inside, url = ("S2", OTHER, beyond) if name in abroad else ("S1", TILLS, to_office)
            self.tills.append(Shopfloor(self.office, name, folder / name, url, wires, inside=inside, store=store, more=more))

    def till(self, name: str) -> Shopfloor:
        """One of them."""
        return next(till for till in self.tills if till.name == name)

    def open(self) -> None:
        """All runs, every machine is enrolled, and every till knows the programme and all members."""
        self.office.process.start()
        for line in self.lines:
            line.start()
        if self.hub is not None:
            self.hub.enrol(self.office.code(self.hub.name))
            self.hub.process.start()
        for till in self.tills:
            till.enrol(self.office.code(till.name))
            till.daemon.start()
        for till in self.tills:
            until(lambda till=till: bank.knows_all(till.database), f"{till.name} is told nothing: {till.daemon.said[-2000:]}")  # type: ignore[misc]

    def sell(self, last: int = sys.maxsize, pause_s: float = 0.0) -> None:
        """Every seller begins; ``last``: the act after which it ends."""
        for till in self.tills:
            till.begin(SEED, last, pause_s)

    def wait(self, number: int) -> None:
        """Until every till has acknowledged an act."""
        for till in self.tills:
            until(lambda till=till: f"ACK {number} " in till.seller.said, till.seller.said[-2000:], QUIET_S)  # type: ignore[misc]

    def wait_for_more(self, acts: int) -> None:
        """Until every till has acknowledged so many acts more."""
        goals = [(till, len(spoken(till.seller.log)[0]) + acts) for till in self.tills]
        for till, goal in goals:
            until(lambda till=till, goal=goal: len(spoken(till.seller.log)[0]) >= goal, till.seller.said[-2000:], QUIET_S)  # type: ignore[misc]

    def calm(self, *lines: Ends) -> None:
        """These lines are good, or all."""
        for line in lines or tuple(self._ports):
            self._calm(line).touch()

    def roughen(self, *lines: Ends) -> None:
        """These lines are bad, or all."""
        for line in lines or tuple(self._ports):
            self._calm(line).unlink(missing_ok=True)

    @property
    def behind(self) -> list[Shopfloor]:
        """The tills that have the hub."""
        return [till for till in self.tills if till.name in self._behind]

    @property
    def fates(self) -> Counter[str]:
        """What became of the requests on all lines."""
        return sum((self.fates_on(line) for line in self._ports), Counter[str]())

    def fates_on(self, line: Ends) -> Counter[str]:
        """What became of the requests on one line."""
        told = (row.partition(" ") for process in self.lines for row in process.said.splitlines())
        return Counter(fate for port, _, fate in told if port == str(self._ports[line]))

    def parts(self) -> list[tuple[str, Shopfloor | None]]:
        """Whom one may kill: the side, and whose it is."""
        hub = [("hub", None)] if self.hub else []
        return [("office", None), *hub, *((side, till) for till in self.tills for side in ("seller", "daemon"))]

    def process(self, side: str, whose: Shopfloor | None) -> Process:
        """The process of a part."""
        if whose is not None:
            return whose.seller if side == "seller" else whose.daemon
        return self.hub.process if side == "hub" and self.hub is not None else self.office.process

    def kill_each(self, times: int, random: Random, pause_s: float = 0.0) -> Counter[str]:
        """Each side is killed so often and started again, in turn by chance, at moments of chance."""
        killed = Counter[str]()
        while any(killed[side] < times for side, _ in self.parts()):
            till = random.choice(self.tills)
            goal = len(spoken(till.seller.log)[0]) + random.randint(0, 2)
            until(lambda till=till, goal=goal: len(spoken(till.seller.log)[0]) >= goal, till.seller.said[-2000:])  # type: ignore[misc]
            time.sleep(random.random() * 0.3)
            side, whose = min(self.parts(), key=lambda part: (killed[part[0]], random.random()))
            killed[side] += 1
            process = self.process(side, whose)
            process.kill()
            if whose is not None and side == "seller":
                whose.begin(SEED, pause_s=pause_s)
            else:
                process.start()
        return killed

    def settle(self) -> None:
        """The lines are mended, every seller ends its act, and all that runs sends and fetches until nothing is left."""
        self.calm()
        for till in self.tills:
            if not till.seller.is_done:
                till.order("stop")
        for till in self.tills:
            until(lambda till=till: till.seller.is_done, f"{till.name}: {till.seller.said[-2000:]}", QUIET_S)  # type: ignore[misc]
        for till in self.tills:  # one that heard nothing for long may wait for minutes: a shop would restart it
            if not bank.is_even(till.database, self.office.database):
                till.daemon.kill()
                till.daemon.start()
        self.end()

    def end(self) -> None:
        """End all when nobody has anything to tell: a daemon may write while another is looked at, so all hold still for it."""
        until(self._are_tills_even, "tills and head office differ", QUIET_S)
        while True:
            until(self._is_quiet, "hub, tills and head office differ", QUIET_S)
            running = (self.office.process, *([self.hub.process] if self.hub else []), *(till.daemon for till in self.tills))
            for process in running:
                process.hold()
            if self._is_quiet():
                break
            for process in running:
                process.let_go()
        self.close()

    def _are_tills_even(self) -> bool:
        return all(bank.is_even(till.database, self.office.database) for till in self.tills)

    def _is_quiet(self) -> bool:
        hub = self.hub
        return self._are_tills_even() and (
            hub is None or (bank.is_even(hub.database, self.office.database) and bank.keeps_all(hub, self.behind))
        )

    def close(self) -> None:
        """End all."""
        for process in (*self.lines, self.office.process, *([self.hub.process] if self.hub else [])):
            process.kill()
        for till in self.tills:
            till.kill()

    def _line(self, machine: str, *targets: str) -> str:
        """A bad line from one machine to others; answers where it listens for head office."""
        routes = []
        for target in targets:
            self._ports[machine, target] = free_port()
            to_port = self._hub_port if target == HUB else self._office_port
            routes.append(f"127.0.0.1:{self._ports[machine, target]}={self.wires.host(target, machine)}:{to_port}")
        inside = self.wires.inside(machine)
        command = (*inside, sys.executable, "-m", "tests.faults.bad_line", str(SEED + len(self.lines)), str(self.folder), *routes)
        self.lines.append(Process(f"line-{machine}", self.folder, *command))
        self.calm()
        return self._url(machine, OFFICE)

    def _url(self, machine: str, target: str) -> str:
        return f"http://127.0.0.1:{self._ports[machine, target]}"

    def _calm(self, line: Ends) -> Path:
        return self.folder / f"calm-{self._ports[line]}"
