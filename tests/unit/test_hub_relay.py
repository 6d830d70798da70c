"""The store's hub as a relay: it changes no byte, calls nothing safe that head office has not got, and may burn down."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.errors import HeadOfficeGoneError, LogForkError, LogGapError, StoreFullError, TokenError, WireError
from pos_loyalty.store import outbox, relay
from pos_loyalty.store.db import write
from pos_loyalty.store.verify import verify
from pos_loyalty.values import decode, encode
from sync import push
from sync.hub import keeping, telling
from sync.hub.keeping import Hub
from sync.identity import Holder
from sync.local import begin_pull, begin_push, keep_ack, next_batch, next_question
from sync.server import enrol, steps
from sync.wire import FACTS_MAX, Ack, ChangesRequest, Reply, deflate, inflate, problem
from tests.simulation.shop import NOW, OFFICE_PUBLIC, HeadOffice, Till, half, json_reply, log_of
from tests.unit.test_sync_identity import enrolled

MASTER = bytes(range(32))


class RelayHub:
    """A hub's relay without a process."""

    def __init__(self, folder: Path, office: HeadOffice, name: str = "HUB") -> None:
        self.till = Till(folder, name)
        enrolled(office, self.till, "aa" * 32)
        self.till.here = replace(self.till.here, is_hub=True)
        self.path = folder / f"{name}.relay"
        self.open()

    def open(self) -> None:
        self.relay = relay.open_relay(self.path)
        credential = self.till.here.signer.credential
        self.hub = Hub(credential=credential, master_key=MASTER, head_office_key=OFFICE_PUBLIC)

    def burn(self) -> None:
        self.relay.close()
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink()
        self.open()

    def push(self, till: Till, batch: bytes) -> Ack:
        return keeping.receive(self.relay, self.hub, till.name, batch, NOW)

    def carry(self, office: HeadOffice, till: str, body: bytes) -> Reply:
        holder = Holder(till=self.till.name, epoch=self.hub.credential.epoch)
        try:
            return json_reply(200, encode(steps.receive_carried(office.store, till, holder, body, NOW, OFFICE_PUBLIC)))
        except LogGapError as error:
            return json_reply(409, encode(problem("log-gap", 409, str(error), error.expected_seq)))
        except TokenError as error:
            return json_reply(401, encode(problem("token", 401, str(error))))
        except WireError as error:
            return json_reply(422, encode(problem("wire", 422, str(error))))

    def bring(self, office: HeadOffice, count: int = 1_000) -> int:
        """To head office, so many batches at most."""
        for n in range(count):
            waiting = keeping.next_up(self.relay, self.hub)
            if waiting is None:
                return n
            keeping.brought(self.relay, waiting, self.carry(office, waiting.till, waiting.body))
        return count


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


@pytest.fixture
def hub(tmp_path: Path, office: HeadOffice) -> RelayHub:
    return RelayHub(tmp_path, office)


def tills(tmp_path: Path, office: HeadOffice, names: str = "AB") -> dict[str, Till]:
    made = {name: Till(tmp_path, name) for name in names}
    for name, till in made.items():
        enrolled(office, till, f"{ord(name):02x}" * 32)
    return made


def next_body(till: Till, state: push.PushState) -> bytes | None:
    return next_batch(till.db, till.here, state, NOW).send


def send(till: Till, hub: RelayHub, cap: int = 3) -> push.PushState:
    """All of a till's log to the hub, as its daemon does."""
    state = begin_push(till.db, cap, NOW)
    while (body := next_body(till, state)) is not None:
        try:
            step = push.received(state, json_reply(200, encode(hub.push(till, body))), NOW, half)
        except LogGapError as error:
            step = push.failed(state, error, NOW, half)
        state = step.state
        if step.held is not None:
            keep_ack(till.db, step.held)
    return state


def test_a_log_goes_up_by_the_hub_byte_for_byte(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    for name, till in made.items():
        till.enrol(f"M{name}", f"20000000000{ord(name)}")
        for n in range(7):
            till.sell(f"{name}{n}", f"M{name}", earn=10)
        send(till, hub)
    assert [outbox.unsent_count(till.db) for till in made.values()] == [8, 8], "nothing is safe before head office has it"
    hub.bring(office)
    for name, till in made.items():
        assert log_of(office.db, name) == log_of(till.db, name)
        send(till, hub)
        till.sell(f"{name}last", f"M{name}", earn=10)
        send(till, hub)
        assert outbox.unsent_count(till.db) == 1, "the hub told how far head office is"
    assert relay.waiting_count(hub.relay) == 2
    hub.bring(office)
    assert verify(office.db) == () and relay.waiting_count(hub.relay) == 0


def question_of(till: Till) -> ChangesRequest:
    """What it asks next."""
    asked = next_question(till.db, till.here, begin_pull(till.db, NOW), NOW).send
    assert asked is not None
    return decode(asked, ChangesRequest)


def test_the_data_keys_that_travel_in_a_batch_rest_sealed(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    till = tills(tmp_path, office)["A"]
    till.enrol("M1", "2000000000015")
    body = next_body(till, begin_push(till.db, 5, NOW))
    assert body is not None
    hub.push(till, body)
    stored = b"".join(bytes(row[0]) for row in hub.relay.execute("SELECT body FROM kept_batch"))
    assert len(stored) > len(body) and body[20:60] not in stored
    waiting = keeping.next_up(hub.relay, hub.hub)
    assert waiting is not None and waiting.body == body


def test_the_hub_takes_nothing_that_the_till_did_not_sign(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    made["A"].sell("1")
    body = next_body(made["A"], begin_push(made["A"].db, 5, NOW))
    assert body is not None
    with pytest.raises(WireError, match="sent the log of"):
        keeping.receive(hub.relay, hub.hub, "B", body, NOW)
    forged = inflate(body, 1 << 20).replace(b'"sale_id":"1"', b'"sale_id":"9"')
    with pytest.raises(WireError):
        keeping.receive(hub.relay, hub.hub, "A", deflate(forged), NOW)
    made["A"].here = replace(made["A"].here, signer=replace(made["A"].here.signer, private_key="77" * 32))
    by_another = next_body(made["A"], begin_push(made["A"].db, 5, NOW))
    with pytest.raises(WireError, match="not signed"):
        keeping.receive(hub.relay, hub.hub, "A", by_another or b"", NOW)
    assert relay.all_kept(hub.relay) == ()


def test_a_gap_and_a_fork_are_told_as_head_office_tells_them(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    for n in range(4):
        made["A"].sell(f"{n}")
    state = begin_push(made["A"].db, 1, NOW)
    bodies = [next_body(made["A"], push.begin(seq, 1, NOW)) for seq in range(4)]
    assert all(bodies)
    assert hub.push(made["A"], bodies[0] or b"").applied_seq == 1
    with pytest.raises(LogGapError) as gap:
        hub.push(made["A"], bodies[2] or b"")
    assert gap.value.expected_seq == 2
    assert hub.push(made["A"], bodies[0] or b"").applied_seq == 1, "what is kept is passed over"
    (tmp_path / "other").mkdir()
    other = Till(tmp_path / "other", "A")
    other.sell("another")
    twin = next_batch(other.db, made["A"].here, push.begin(0, 1, NOW), NOW).send
    assert twin is not None
    with pytest.raises(LogForkError):
        hub.push(made["A"], twin)
    assert state.seq == 0 and relay.kept(hub.relay, "A").seq == 1  # type: ignore[union-attr]


def test_a_gap_is_told_from_the_first_fact_that_is_missing(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """Head office was put back to before the till's first fact, and the hub knows what the till gave it back up to fact 2."""
    till = tills(tmp_path, office)["A"]
    for n in range(4):
        till.sell(f"{n}")
    with write(hub.relay):
        relay.keep(hub.relay, relay.Kept(till="A", epoch=1, seq=0, hash=None))
    for start in (1, 2, 3):
        body = next_body(till, push.begin(start, 1, NOW))
        with pytest.raises(LogGapError) as gap:
            keeping.read_batch(hub.relay, hub.hub, "A", body or b"", (1, 2))
        assert gap.value.expected_seq == 1, "a till that starts afresh with each question comes no further otherwise"


def test_a_hub_that_burned_down_lost_nothing(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    for n in range(9):
        made["A"].sell(f"{n}")
    send(made["A"], hub)
    hub.bring(office, 1)
    hub.burn()
    send(made["A"], hub)
    hub.bring(office)
    assert log_of(office.db, "A") == log_of(made["A"].db, "A")


def test_head_office_restored_from_a_backup_gets_all_again(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    saved = tmp_path / "saved.db"
    for n in range(4):
        made["A"].sell(f"{n}")
    send(made["A"], hub)
    hub.bring(office)
    office.db.execute("VACUUM INTO ?", (str(saved),))
    for n in range(4, 9):
        made["A"].sell(f"{n}")
    send(made["A"], hub)
    hub.bring(office)
    send(made["A"], hub)
    office.restore(saved)
    made["A"].sell("after")
    for _ in range(3):
        send(made["A"], hub)
        hub.bring(office)
    assert log_of(office.db, "A") == log_of(made["A"].db, "A")


def test_a_log_that_head_office_names_no_more_is_safe_nowhere(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """It was put back to before it heard of that till; the other till's log it held before, and names."""
    shop = tills(tmp_path, office)
    for till in shop.values():
        till.sell(f"{till.name}-1")
        send(till, hub)
    hub.bring(office)
    for till in shop.values():
        send(till, hub)
    names = dict(office.rows("SELECT till, COUNT(*) FROM txn GROUP BY till"))
    kept = {one.till: one for one in relay.all_kept(hub.relay)}
    assert all(kept[name].safe is not None and kept[name].seq == names[name] for name in shop)
    keeping.note_holds(hub.relay, [("A", kept["A"].safe)])  # type: ignore[list-item]
    told = {one.till: one for one in relay.all_kept(hub.relay)}
    assert (told["A"].safe, told["A"].seq) == (kept["A"].safe, kept["A"].seq)
    assert told["B"].safe is not None and (told["B"].safe.seq, told["B"].seq) == (0, 0)
    again = begin_push(shop["B"].db, 3, NOW)
    step = next_batch(shop["B"].db, shop["B"].here, replace(again, seq=0), NOW)
    assert step.send is not None and hub.push(shop["B"], step.send).applied_seq > 0


def test_head_offices_refusal_of_one_till_stops_that_till_alone(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    for till in made.values():
        till.sell("1")
        send(till, hub)
    hub.bring(office)
    enrol.revoke(office.store, "A", "M9", NOW)
    for till in made.values():
        till.sell("2")
        send(till, hub)
    hub.bring(office)
    assert [len(log_of(office.db, name)) for name in "AB"] == [1, 2]
    made["A"].sell("3")
    body = next_body(made["A"], begin_push(made["A"].db, 5, NOW))
    with pytest.raises(WireError, match="was revoked"):
        hub.push(made["A"], body or b"")
    assert keeping.refused(hub.relay) == ("A",)


def test_of_a_machine_that_is_a_till_no_more_nobody_asks_why_its_log_was_refused(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    till = tills(tmp_path, office)["A"]
    till.sell("1")
    send(till, hub)
    enrol.revoke(office.store, "A", "M9", NOW)
    hub.bring(office)
    asked = replace(question_of(hub.till), is_hub=True)
    telling.note_page(hub.relay, steps.changes(office.store, asked, NOW))
    assert keeping.refused(hub.relay) == ()


def test_a_hub_that_was_let_go_marks_none_of_its_tills(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    made = tills(tmp_path, office)
    made["A"].sell("1")
    send(made["A"], hub)
    enrol.revoke(office.store, "HUB", "M9", NOW)
    with pytest.raises(HeadOfficeGoneError):
        hub.bring(office)
    send(made["A"], hub)
    assert relay.kept(hub.relay, "A").refused is None and log_of(office.db, "A") == []  # type: ignore[union-attr]


def test_by_either_road_in_any_order_every_fact_comes_once(tmp_path: Path, office: HeadOffice, hub: RelayHub) -> None:
    """Switching in the midst of a batch, with answers lost, and a hub that burns now and then."""
    rng = random.Random(6)
    made = tills(tmp_path, office)
    states = {name: begin_push(till.db, 3, NOW) for name, till in made.items()}
    for n in range(300):
        name = rng.choice("AB")
        till = made[name]
        if rng.random() < 0.5:
            till.sell(f"{n}")
        body = next_body(till, states[name])
        if body is not None:
            states[name] = one_exchange(rng, till, hub, office, states[name], body)
        if rng.random() < 0.2:
            hub.bring(office, 1)
        if rng.random() < 0.02:
            hub.burn()
        if rng.random() < 0.05:
            states[name] = begin_push(till.db, 3, NOW)
    for till in made.values():
        send(till, hub)
    hub.bring(office)
    for name, till in made.items():
        send(till, hub)
        assert log_of(office.db, name) == log_of(till.db, name)
    assert verify(office.db) == ()


def one_exchange(
    rng: random.Random, till: Till, hub: RelayHub, office: HeadOffice, state: push.PushState, body: bytes
) -> push.PushState:
    try:
        reply = json_reply(200, encode(hub.push(till, body))) if rng.random() < 0.6 else office.push(till.name, body)
        if rng.random() < 0.2:
            return state  # the answer is lost
        step = push.received(state, reply, NOW, half)
    except LogGapError as error:
        step = push.failed(state, error, NOW, half)
    if step.held is not None:
        keep_ack(till.db, step.held)
    return push.begin(step.state.seq, 3, NOW)


def test_a_hub_on_a_full_disk_says_so_at_its_first_question(tmp_path: Path) -> None:
    """The life of its file is written then, as all that a hub writes: in a transaction whose failure has a name."""
    db = relay.open_relay(tmp_path / "hub.db.relay")
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreFullError):
        for number in range(1_000):
            with write(db):
                relay.put_word(db, f"word {number:04}", bytes(40))
    with pytest.raises(StoreFullError):
        relay.life(db)
    db.close()


def test_a_list_of_logs_that_may_be_cut_says_nothing_of_those_that_it_does_not_name(
    tmp_path: Path, office: HeadOffice, hub: RelayHub
) -> None:
    till = tills(tmp_path, office, "A")["A"]
    till.sell("by the hub")
    send(till, hub)
    hub.bring(office)
    kept = relay.kept(hub.relay, "A")
    assert kept is not None and kept.safe is not None
    named = [(f"B{n}", kept.safe) for n in range(FACTS_MAX)]
    keeping.note_holds(hub.relay, named)
    assert relay.kept(hub.relay, "A") == kept
    keeping.note_holds(hub.relay, named[1:])
    now_kept = relay.kept(hub.relay, "A")
    assert now_kept is not None and now_kept.safe is not None and now_kept.safe.seq == 0
