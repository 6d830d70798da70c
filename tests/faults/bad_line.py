"""A bad line to head office: an HTTP proxy of our own that loses, tears, swallows, drips, doubles and delays requests.

Run as ``python -m tests.faults.bad_line HOST PORT TO_HOST TO_PORT SEED CALM``: while the file CALM is there every request passes.
It prints the fate of each request, a line each.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from random import Random

FATES = (
    "passed", "passed", "passed", "request lost", "request torn", "request delayed", "reply lost", "reply torn", "reply dripped",
    "half-open", "doubled", "doubled late", "refused",
)  # fmt: skip
HALF_OPEN_S = 6.0
LATE_S = 2.5
DRIP_BYTES, DRIP_S = 64, 0.02
PARTITION_OF, PARTITION_REQUESTS = 0.02, 15


class BadLine:
    """Requests come whole (by Content-Length), and each goes up on a connection of its own."""

    def __init__(self, to: tuple[str, int], random: Random, calm: Path) -> None:
        self._to, self._random, self._calm = to, random, calm
        self._cut = 0
        self._late: set[asyncio.Task[bytes]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection, until its fate or its client ends it."""
        try:
            while (request := await _message(reader)) is not None:
                fate = self._fate()
                print(fate, flush=True)
                if not await self._meet(fate, request, writer):
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _fate(self) -> str:
        if self._calm.exists():
            return "passed"
        if self._random.random() < PARTITION_OF:
            self._cut = self._random.randint(1, PARTITION_REQUESTS)
        if self._cut:
            self._cut -= 1
            return "refused"
        return self._random.choice(FATES)

    async def _meet(self, fate: str, request: bytes, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        match fate:
            case "refused" | "request lost":
                return False
            case "half-open":
                await asyncio.sleep(HALF_OPEN_S)
                return False
            case "request torn":
                await self._up(request[: self._random.randrange(len(request))], reads=False)
                return False
            case "request delayed":
                await asyncio.sleep(LATE_S)  # the client gave up and asks again meanwhile: this one comes after newer ones
            case "doubled late":
                self._later(request)
        reply = await self._up(request)
        if fate == "doubled":
            reply = await self._up(request)
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

    def _later(self, request: bytes) -> None:
        async def send() -> bytes:
            await asyncio.sleep(LATE_S)
            return await self._up(request)

        task = asyncio.create_task(send())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _up(self, data: bytes, *, reads: bool = True) -> bytes:
        """Head office's whole answer; empty when there is none."""
        try:
            reader, writer = await asyncio.open_connection(*self._to)
        except OSError:
            return b""
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


async def main(host: str, port: int, to: tuple[str, int], seed: int, calm: Path) -> None:
    """Listen until killed."""
    line = BadLine(to, Random(seed), calm)
    server = await asyncio.start_server(line.serve, host, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    _host, _port, _to_host, _to_port, _seed, _calm = sys.argv[1:]
    asyncio.run(main(_host, int(_port), (_to_host, int(_to_port)), int(_seed), Path(_calm)))
