"""Serving an application with uvicorn until the process is told to stop."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from pos_loyalty import log
from pos_loyalty.errors import ConfigError
from pos_loyalty.web.places import Place

CONNECTIONS_MAX = 100
OFFICE_CONNECTIONS_MAX = 500
"""Head office hears many tills at once; below the files that a process may commonly open."""
KEEP_ALIVE_S = 30
TICK_S = 0.05
GRACE_S = 3
"""How long requests under way may hold up the end."""
HEADERS_BYTES_MAX = 16 * 1024


def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    leaving: Callable[[], None] | None = None,
    connections_max: int = CONNECTIONS_MAX,
) -> None:
    """Serve on a listening socket until SIGINT or SIGTERM, then return: the caller closes what it holds.

    ``leaving`` is called as soon as the end begins: what streams without end must stop then. Addresses are not logged.
    """
    running = server(app, connections_max)

    def leave(*_: object) -> None:
        running.should_exit = True

    # uvicorn raises its signals once more when it is done; with these in place that ends nothing.
    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        run(running, listener, leaving=leaving)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def server(app: ASGIApp, connections_max: int = CONNECTIONS_MAX) -> uvicorn.Server:
    """A server for those who run it in a thread of their own and end it by ``should_exit``."""
    log.shield("uvicorn.error")
    return uvicorn.Server(
        uvicorn.Config(
            app, access_log=False, log_config=None, server_header=False, proxy_headers=False, http=Place, ws="none",
            loop="asyncio", lifespan="on", limit_concurrency=connections_max, timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S, h11_max_incomplete_event_size=HEADERS_BYTES_MAX,
        )
    )  # fmt: skip


def run(running: uvicorn.Server, listener: socket.socket, *, leaving: Callable[[], None] | None) -> None:
    """Run a server to its end."""
    asyncio.run(_until_left(running, listener, leaving))


async def _until_left(running: uvicorn.Server, listener: socket.socket, leaving: Callable[[], None] | None) -> None:
    serving = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.should_exit and not serving.done():
        await asyncio.sleep(TICK_S)
    if leaving is not None:
        leaving()
    await serving


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket: who connects from now on is answered. Port 0 takes a free one.

    Raises ConfigError, naming host and port and the mend, when nobody can listen there.
    """
    # The protocol is named because asyncio sends small answers at once only on sockets that name it; else each waits 40 ms.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(CONNECTIONS_MAX)
    except OSError as error:
        listener.close()
        raise ConfigError(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", _why_not(error)) from error
    return listener


def _why_not(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there already, perhaps this one twice; stop it, or set another port in config.toml"
    return f"nobody can listen there ({error.strerror or error}); set another host or port in config.toml"
