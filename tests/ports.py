"""Free TCP ports for servers that stop and start again in a test."""

from __future__ import annotations

import socket
from random import SystemRandom

BELOW_EPHEMERAL = range(20_000, 32_000)
"""No outgoing connection takes one of these: a port stays free while its server is down."""


def free_port() -> int:
    """A port of the loopback on which nobody listens."""
    for port in SystemRandom().sample(BELOW_EPHEMERAL, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
