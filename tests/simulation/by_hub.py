"""How a till of the simulator speaks to its store's hub: the client without HTTP; questions are signed, answers checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pos_loyalty.clock import utc_now
from pos_loyalty.values import encode
from sync import hub_wire
from sync.daemon import Beside, Pace
from sync.elsewhere import HubSales
from sync.hub_client import TIMEOUT_S
from sync.roads import Roads
from sync.wire import Reply, SaleQuestion
from tests.simulation.net import HUB, Question
from tests.simulation.office import PUBLIC

if TYPE_CHECKING:
    from tests.simulation.counter import Counter, Line

ROUTES = {"log": ("POST", "log"), "changes": ("GET", "changes"), "rights": ("POST", "rights"), "sold": ("GET", "sales")}


class Stamped(Reply):
    """An answer with the header in which the hub signs it; None: it bears none."""

    answered: str | None = None


def route(kind: str, till: str) -> tuple[str, str]:
    """Method and path of a question, as the till signs them. What is asked for stands in the body here."""
    method, name = ROUTES[kind]
    return method, f"/v1/tills/{till}/{name}"


class ByHub:
    """The store's own network, as a till uses it."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def push(self, batch: bytes) -> Reply:
        return self._asked("log", batch)

    def changes(self, question: bytes) -> Reply:
        return self._asked("changes", question)

    def rights(self, question: bytes) -> Reply:
        return self._asked("rights", question)

    def sale(self, question: SaleQuestion) -> Reply:
        return self._asked("sold", encode(question))

    def snapshot(self) -> Reply:
        raise AssertionError("a hub passes on no snapshots")

    def chunk(self, snapshot_id: str, n: int, start: int, keep: Callable[[int, bytes], None]) -> None:
        raise AssertionError("a hub passes on no snapshots")

    def close(self) -> None:
        """Nothing to let go of."""

    def _asked(self, kind: str, body: bytes) -> Reply:
        me = self._counter
        for db in me.connections:
            assert not db.in_transaction, "nobody waits for the network within a transaction"
        signer = me.identity.signer
        stamp = hub_wire.stamp_question(signer, *route(kind, me.name), body)
        reply = me.world.net.ask(Question(kind, me.name, stamp, body, me.name + HUB), TIMEOUT_S)
        answered = reply.answered if isinstance(reply, Stamped) else None
        hub_wire.check_answer(answered, stamp, reply.status, reply.body, signer, PUBLIC)
        me.world.heard_of_hub(me, kind, reply)
        return reply


def roads_of(counter: Counter, line: Line, pace: Pace) -> tuple[Roads, Pace, Beside]:
    """As ``wiring.offices`` puts them together for a till whose hub holds the rights: it asks for none by itself."""
    roads = Roads(ByHub(counter), line, utc_now)
    beside = Beside(go_straight=roads.go_straight, go_by_hub=roads.go_by_hub, road=lambda: roads.road, wait=counter.world.sleep)
    return roads, replace(pace, interval_s=counter.world.near_s, wants=None), beside


def sales_of(counter: Counter, line: Line) -> Any:
    """Whom a return asks for another till's sale: head office, and the hub."""
    return HubSales(line, lambda: ByHub(counter))  # type: ignore[arg-type, return-value]
