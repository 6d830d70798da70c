"""Our tills and a head office by another hand (``independent_office.py``, from docs/sync.md alone): they come to the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest

from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.engine.model import Basket, Line, Tender
from pos_loyalty.till import Till
from pos_loyalty.till.model import IdentifyRequest, QuoteRequest, SaleAnswer, SaleRequest, VoidRequest
from pos_loyalty.values import Minor, Thousandths
from tests.faults.independent_office import Answers, Json, Office, RefusedError
from tests.faults.nodes import rows, until
from tests.shop import CONFIG
from tests.simulation.escrow import PROGRAMME

ROOT = Path(__file__).parents[2]
CARD = "2200000000019"
LOG = "SELECT payload FROM txn WHERE till = '{till}' ORDER BY seq"
OPENING_CENTI = 20_000


class Counter:
    """A till of ours, enrolled at that head office."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        folder.mkdir()
        self.name, self.config = name, folder / "config.toml"
        text = CONFIG.replace('id = "T1"\n', f'id = "{name}"\nidentity = "till.json"\n')
        self.config.write_text(f'{text}\n[head_office]\nurl = "{url}"\nbatch_facts_max = 3\n', encoding="utf-8")
        wiring.make_secrets(self.config)
        wiring.enrol_till(wiring.settings(self.config), "ABCD" * 8)
        self.till: Till = wiring.open_till(self.config)

    @property
    def database(self) -> Path:
        return self.config.with_name("till.db")

    def sync(self) -> None:
        assert self.sync_tries() == 0

    def sync_tries(self) -> int:
        """One go of the daemon; how many facts are left."""
        done = wiring.sync_once(wiring.settings(self.config))
        assert not done.needs_person, done.trouble
        return done.unsent_facts

    def sell(self, sale_id: str, price_minor: int, redeem: str | None = None) -> SaleAnswer:
        line = Line(line_id="1", sku="1", quantity_milli=Thousandths(1_000), price_minor=Minor(price_minor))
        basket = Basket(
            basket_id=sale_id, store="S1", till=self.name, opened_at=utc_now(), currency="RUB", lines=(line,),
            redeem=redeem,  # type: ignore[arg-type]
        )  # fmt: skip
        quote = self.till.quote(QuoteRequest(basket=basket, card=CARD))
        paid = (Tender(kind="cash", amount_minor=quote.due_minor),)
        request = SaleRequest(
            sale_id=sale_id, quote_id=quote.quote_id or "", due_minor=quote.due_minor, tenders=paid, complete=True
        )
        return self.till.authorise(request, sale_id)

    def shown(self) -> tuple[int, int]:
        """The member's points, and what they may redeem here. Looking wakes who asks for rights."""
        answer = self.till.identify(IdentifyRequest(card=CARD))
        return answer.usable_centi, answer.redeemable_centi


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office(PROGRAMME)
    answers = type("Here", (Answers,), {"office": made, "lock": Lock()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), answers)
    made.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def counters(tmp_path: Path, office: Office) -> Iterator[tuple[Counter, Counter]]:
    made = tuple(Counter(name, tmp_path / name, office.url) for name in ("T1", "T2"))  # type: ignore[attr-defined]
    yield made[0], made[1]
    for counter in made:
        counter.till.close()


def test_it_is_by_another_hand() -> None:
    text = (ROOT / "tests/faults/independent_office.py").read_text(encoding="utf-8")
    assert "import pos_loyalty" not in text and "from pos_loyalty" not in text and "from sync" not in text


def test_our_tills_sync_with_a_head_office_that_was_written_from_the_page(
    office: Office, counters: tuple[Counter, Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules and members come from it; its points redeem at one till; what that earns is seen at the other; answers are lost."""
    office.add_member("M7", CARD, OPENING_CENTI)
    first, second = counters
    for counter in counters:
        counter.sync()
    assert first.shown() == (OPENING_CENTI, 0), "its points, and no right to them yet"
    until(lambda: first.shown() == (OPENING_CENTI, OPENING_CENTI), "no rights come")
    paid = first.sell("T1-1", 10_000, redeem="max")
    assert paid.quote.redemption is not None
    redeemed = paid.quote.redemption.centi
    assert redeemed == 9_000, "nine tenths of the price"
    for number in range(2, 7):
        first.sell(f"T1-{number}", 10_000)
    first.till.void("T1-6", VoidRequest(reason="wrong"), "void")
    books, lost = office.receive, [True, False, True]

    def receive(till: str, body: bytes) -> Json:
        """Booked, and sometimes nobody hears of it."""
        ack = books(till, body)
        if lost and lost.pop():
            raise RefusedError("busy", 503, "the answer is lost")
        return ack

    monkeypatch.setattr(office, "receive", receive)
    second.sell("T2-1", 5_000)
    for counter in counters:
        until(lambda counter=counter: not counter.sync_tries(), "it is never sent")  # type: ignore[misc]
    assert lost == []
    for counter in (*counters, first):
        counter.sync()  # what the other one sent after this one had asked
        kept = [bytes(row) for (row,) in rows(counter.database, LOG.format(till=counter.name))]  # type: ignore[arg-type]
        assert kept == office.logs[counter.name] and len(kept) > 0, "byte for byte"
    assert [json.loads(fact)["kind"] for fact in office.logs["T1"]].count("rights.taken") == 1
    whole = OPENING_CENTI - redeemed + 4 * 4_000 + 400 + 2_000
    assert sum(lot["centi"] for lot in office.lots.values()) == whole, (
        "40 % of what was paid in money; the void took its own back"
    )
    assert all(centi >= 0 for centi in office.held.values())
    assert first.shown()[0] == second.shown()[0] == whole
    for counter in counters:
        counter.till.close()
        assert wiring.verify(counter.database) == ()
