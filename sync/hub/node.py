"""A hub without threads and sockets: bytes in, answers out, over its two files. The simulator drives it as the process does."""

from __future__ import annotations

from datetime import datetime

from pos_loyalty.clock import to_ms
from pos_loyalty.errors import TokenError
from pos_loyalty.store import outbox, relay
from pos_loyalty.store.db import Connection
from pos_loyalty.values import Value
from sync import hub_wire
from sync.hub import keeping
from sync.hub.keeping import Hub
from sync.hub_wire import Stamp
from sync.wire import Ack

MS_PER_S = 1000


class HubHealth(Value):
    """``waiting_facts``: that head office has not confirmed to the hub; ``silent_s``: since head office was heard, None: never.

    ``refused``: tills whose log head office does not take.
    """

    state: str
    hub: str
    store: str
    tills: tuple[str, ...]
    waiting_facts: int
    silent_s: int | None
    refused: tuple[str, ...]


class HubNode:
    """``db``: the hub's own file, a till's in form, with head office's word and the hub's own log; ``relay_db``: what it keeps of
    its tills' logs. Not for two threads at once."""

    def __init__(self, hub: Hub, db: Connection, relay_db: Connection) -> None:
        self.hub = hub
        self.db = db
        self.relay = relay_db

    def receive(self, till: str, body: bytes, now: datetime) -> Ack:
        """Take a till's batch in: on disk when this returns. Raises as ``keeping.read_batch`` does."""
        came = keeping.read_batch(self.relay, self.hub, till, body)
        kept = keeping.keep_batch(self.relay, self.hub, came, body)
        return keeping.ack_of(kept, now, self.silent_s(now))

    def asker(self, header: str | None, method: str, target: str, body: bytes) -> Stamp:
        """The till that asks: one of this store. Raises TokenError."""
        asked = hub_wire.asker(header, method, target, body, self.hub.head_office_key)
        credential = asked.credential
        if credential.store != self.hub.store:
            raise TokenError(f"till {credential.till} is of store {credential.store}; this is the hub of store {self.hub.store}")
        kept = relay.kept(self.relay, credential.till)
        if kept is not None and kept.epoch > credential.epoch:
            raise TokenError(f"till {credential.till} was enrolled anew since; this machine is not that till any more")
        return asked

    def health(self, now: datetime) -> HubHealth:
        """How the hub is, for whoever looks."""
        return HubHealth(
            state="ok",
            hub=self.hub.credential.till,
            store=self.hub.store,
            tills=tuple(one.till for one in relay.all_kept(self.relay)),
            waiting_facts=relay.waiting_count(self.relay),
            silent_s=self.silent_s(now),
            refused=tuple(one.till for one in relay.all_kept(self.relay) if one.refused is not None),
        )

    def silent_s(self, now: datetime) -> int | None:
        """For how long head office has not told the hub all it has to tell; None for never."""
        heard_ms = outbox.state(self.db).heard_ms
        return None if heard_ms is None else max(0, to_ms(now) - heard_ms) // MS_PER_S

    def close(self) -> None:
        """Let go of both files."""
        self.db.close()
        self.relay.close()
