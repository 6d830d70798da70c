"""What the till needs from outside of it, as Protocols; wiring joins them."""

from __future__ import annotations

from typing import Protocol


class CodeGateway(Protocol):
    """Sends short messages. The till waits for it only where a code is asked for, never in a sale."""

    def send(self, phone: str, code: str) -> None:
        """Send a one-time code to a phone, written +79000000000. Raises a LoyaltyError when it was surely not taken."""
        ...
