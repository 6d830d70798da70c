"""Bad lines to head office or to a hub: an HTTP proxy that loses, tears, swallows, drips, doubles and reorders requests.

Run as ``python -m tests.faults.bad_line SEED FOLDER HOST:PORT=HOST:PORT …``: it listens here and brings to there. While the file
``calm-PORT`` is in the folder every request to that port passes. It prints the fate of each request behind its port, a line each,
and ``overtaken`` for each that went up after a newer one of the same till had gone.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

FATES = (
    "passed", "passed", "passed", "request lost", "request torn", "reordered", "reply lost", "reply torn", "reply dripped",
    "half-open", "doubled", "doubled late", "refused",
)  # fmt: skip
HALF_OPEN_S = 6.0
LATE_S = 2.5
HELD_S = 20.0
"""A request is held no longer than that for a newer one to overtake it."""
LOOK_S = 0.05
DRIP_BYTES, DRIP_S = 64, 0.02
PARTITION_OF, PARTITION_REQUESTS = 0.02, 15
OVERTAKEN = "overtaken"
Place = tuple[str, int]
"""A till, and the number of its request on this line."""


class BadLine:
    """Requests come whole (by Content-Length), and each goes up on a connection of its own. Fates come as cards of a deck: each
    has had its turn before the next begins."""

    def __init__(self, port: int, to: tuple[str, int], random: Random, calm: Path) -> None:
        self._port, self._to, self._random, self._calm = port, to, random, calm
        self._cut = 0
        self._deck: list[str] = []
        self._late: set[asyncio.Task[None]] = set()
        self._came, self._went = Counter[str](), Counter[str]()
        """By till: the number of its newest request, and of the newest that went up."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, until its fate or its client ends it."""
        try:
            while (request := await _message(reader)) is not None:
                fate, till = self._fate(), _till_of(request)
                self._came[till] += 1
                self._tell(fate)
                if not await self._meet(fate, request, (till, self._came[till]), writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _tell(self, fate: str) -> None:
        print(self._port, fate, flush=True)

    def _fate(self) -> str:
        if self._calm.exists():
            return "passed"
        if self._random.random() < PARTITION_OF:
            self._cut = self._random.randint(1, PARTITION_REQUESTS)
        if self._cut:
            self._cut -= 1
            return "refused"
        if not self._deck:
            self._deck = self._random.sample(FATES, len(FATES))
        return self._deck.pop()

    async def _meet(self, fate: str, request: bytes, place: Place, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        match fate:
            case "refused" | "request lost":
                return False
            case "half-open":
                await asyncio.sleep(HALF_OPEN_S)
                return False
            case "request torn":
                await self._up(request[: self._random.randrange(len(request))], place, reads=False)
                return False
            case "reordered":  # its client gives up and asks again meanwhile
                self._later(request, place, self._is_overtaken)
                await asyncio.sleep(HALF_OPEN_S)
                return False
            case "doubled late":
                self._later(request, place, lambda _: False, LATE_S)
        reply = await self._up(request, place)
        if fate == "doubled":
            reply = await self._up(request, place)
        if fate == "reply lost":
            return False
        if fate == "reply torn":
            writer.write(reply[: self._random.randrange(len(reply) or 1)])
            await writer.drain()
            return False
        step = DRIP_BYTES if fate == "reply dripped" else len(reply) or 1
        for start in range(0, len(reply), step):
            writer.write(reply[start : start + step])
            await writer.drain()
            await asyncio.sleep(DRIP_S if fate == "reply dripped" else 0)
        return bool(reply)

    def _is_overtaken(self, place: Place) -> bool:
        return self._went[place[0]] > place[1]

    def _later(self, request: bytes, place: Place, is_time: Callable[[Place], bool], longest_s: float = HELD_S) -> None:
        async def send() -> None:
            waited_s = 0.0
            while waited_s < longest_s and not is_time(place):
                await asyncio.sleep(LOOK_S)
                waited_s += LOOK_S
            await self._up(request, place)

        task = asyncio.create_task(send())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _up(self, data: bytes, place: Place, *, reads: bool = True) -> bytes:
        """The whole answer; empty when there is none."""
        try:
            reader, writer = await asyncio.open_connection(*self._to)
        except OSError:
            return b""
        if self._is_overtaken(place):
            self._tell(OVERTAKEN)
        self._went[place[0]] = max(self._went[place[0]], place[1])
        try:
            writer.write(data)
            await writer.drain()
            return (await _message(reader) or b"") if reads else b""
        except (OSError, asyncio.IncompleteReadError):
            return b""
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """A whole request or answer as bytes; None at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


def _till_of(request: bytes) -> str:
    found = re.match(rb"\w+ /v1/tills/([^/ ]+)/", request)
    return found[1].decode() if found else ""


async def main(seed: int, folder: Path, routes: Sequence[str]) -> None:
    """Listen until killed."""
    for number, route in enumerate(routes):
        (host, port), (to_host, to_port) = (end.split(":") for end in route.split("="))
        line = BadLine(int(port), (to_host, int(to_port)), Random(f"{seed} {number}"), folder / f"calm-{port}")
        await asyncio.start_server(line.serve, host, int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
