"""Rights: whatever is lost, doubled, delayed or restored, no point is redeemed twice, and none is lost to its member."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Lot
from pos_loyalty.errors import ConflictError, NotFoundError, TokenError, WireError
from pos_loyalty.store import epochs, ledger, right_holds
from pos_loyalty.store.verify import verify
from sync import rights
from sync.identity import Holder
from sync.rights import Asks, RightsAnswer, RightsRequest, Want
from sync.server import enrol
from sync.server.right_desk import FileMark, RightDesk
from sync.server.rights import RightTerms
from tests.simulation.shop import NOW, HeadOffice, Till, pull_all
from tests.unit.test_sync_identity import enrolled, sync_fully

MEMBER, CARD = "M1", "2000000000015"
ACTS = ["earn", "redeem", "redeem", "ask", "ask", "arrive", "sync", "sync", "backup", "restore", "void", "days", "new", "night"]
TERMS = RightTerms(share_bp=8_000, lease_days=30)


class Clerk(Till):
    """A till that redeems only what it holds."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(folder, name)
        self.now = NOW
        self._asked = 0

    def question(self, much: str = "all", member: str = MEMBER) -> RightsRequest:
        self._asked += 1
        ask_id = UUID(int=int.from_bytes(self.name.encode(), "big") << 32 | self._asked)
        return rights.question(self.db, ask_id, Asks(wants=(Want(member_id=member, much=much),)))  # type: ignore[arg-type]

    def take(self, answer: RightsAnswer) -> int:
        return rights.take(self.db, rights.Taker(till=self.name, store="S1"), answer, self.new_id, self.now).grants

    def spendable(self, member_id: str) -> tuple[Lot, ...]:
        lots = ledger.lots_of(self.db, member_id)
        held = right_holds.held(self.db, self.name, epochs.epoch_of(self.db), tuple(lot.lot_id for lot in lots), self.now)
        return tuple(replace(lot, centi=min(lot.centi, held[lot.lot_id].usable_centi)) for lot in lots if lot.lot_id in held)

    def reachable(self, member_id: str) -> tuple[Lot, ...]:
        lots = ledger.all_lots_of(self.db, member_id)
        held = right_holds.held(self.db, self.name, epochs.epoch_of(self.db), tuple(lot.lot_id for lot in lots), self.now)
        return tuple(replace(lot, centi=min(lot.centi, held[lot.lot_id].centi if lot.lot_id in held else 0)) for lot in lots)

    def usable(self, member: str = MEMBER) -> int:
        return sum(lot.centi for lot in self.spendable(member))

    def redeem(self, sale_id: str, centi: int, member: str = MEMBER) -> None:
        """By lots, as far as it holds them."""
        left = min(centi, self.usable(member))
        if left > 0:
            self.sell(sale_id, member, spend=left)


class Bureau(HeadOffice):
    """Head office that grants, with its mark beside its file."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self._made = 0
        self.mark = folder / "head_office.mark"
        super().__init__(folder)

    def open(self) -> None:
        super().open()
        self.desk = RightDesk(TERMS, FileMark(self.mark))
        self.desk.opened(self.store, self.now)

    def new_id(self) -> UUID:
        self._made += 1
        return UUID(int=random.Random(f"{self._made}{self.store.rights.own_head().epoch}").getrandbits(128))

    def answer(self, till: Till, asked: RightsRequest) -> RightsAnswer:
        holder = Holder(till=till.name, epoch=till.here.signer.credential.epoch)
        return self.desk.answer(self.store, holder, asked, self.new_id, self.now)

    def saved(self, path: Path) -> Path:
        self.db.execute("VACUUM INTO ?", (str(path),))
        return path

    def restore_elsewhere(self, saved: Path) -> None:
        """On another machine: what stood beside the file is gone."""
        self.mark.unlink()
        self.restore(saved)


@pytest.fixture
def office(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


def world(tmp_path: Path, office: Bureau, names: str = "ABC", points: int = 1_000) -> dict[str, Clerk]:
    office.give_points(MEMBER, CARD, points)
    tills = {name: Clerk(tmp_path, name) for name in names}
    for name, till in tills.items():
        enrolled(office, till, f"{ord(name):02x}" * 32)
        sync_fully(till, office)
    return tills


def says_hello(office: Bureau, till: Clerk) -> str:
    """Answers why nothing is granted. It asks once more, knowing how far head office's log is."""
    rights.hear(till.db, office.answer(till, till.question()))
    return office.answer(till, till.question()).held_back


def overdrawn(office: HeadOffice) -> list[tuple[object, ...]]:
    return office.rows("SELECT till, seq, reason, detail FROM suspense_case")


def test_what_is_granted_to_one_is_free_no_more(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office)
    first = tills["A"].question()
    answer = office.answer(tills["A"], first)
    assert [(line.lot_id, line.centi) for grant in answer.grants for line in grant.lines] == [(f"opening:{MEMBER}", 1_000)]
    assert office.answer(tills["B"], tills["B"].question()).grants == ()
    again = office.answer(tills["A"], tills["A"].question())
    assert again.grants == answer.grants, "what was lost on the way is told again, and it is not more"
    assert (tills["A"].take(again), tills["A"].take(again), tills["A"].usable()) == (1, 0, 1_000)
    tills["A"].redeem("S1", 700)
    sync_fully(tills["A"], office)
    assert tills["A"].usable() == 300
    assert verify(office.db) == verify(tills["A"].db) == () and overdrawn(office) == []


def test_nothing_can_be_redeemed_without_a_right_and_what_was_earned_here_is_one(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office)
    assert tills["A"].balance(MEMBER) == 1_000 and tills["A"].usable() == 0
    tills["A"].sell("S1", MEMBER, earn=50)
    assert tills["A"].usable() == 50
    sync_fully(tills["A"], office)
    sync_fully(tills["B"], office)
    assert tills["B"].balance(MEMBER) == 1_050 and tills["B"].usable() == 0
    assert sum(line.centi for grant in office.answer(tills["B"], tills["B"].question()).grants for line in grant.lines) == 1_000


def test_a_share_goes_to_the_store_that_the_member_visits(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office, "AB")
    tills["A"].sell("S1", MEMBER)
    sync_fully(tills["A"], office)
    granted = [office.answer(till, till.question("home")).grants for till in tills.values()]
    assert [sum(line.centi for grant in grants for line in grant.lines) for grants in granted] == [400, 400], "80 % by two tills"
    assert office.answer(tills["A"], tills["A"].question("home")).grants == granted[0]


def test_a_till_whose_log_is_not_all_here_gets_nothing_new(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office)
    tills["A"].sell("S1")
    answer = office.answer(tills["A"], tills["A"].question())
    assert (answer.grants, answer.held_back) == ((), "log")
    sync_fully(tills["A"], office)
    assert office.answer(tills["A"], tills["A"].question()).held_back == ""


def test_after_its_lease_a_grant_is_used_no_more_and_goes_back(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office)
    a = tills["A"]
    a.take(office.answer(a, a.question()))
    a.redeem("S1", 600)
    a.sell("S2", MEMBER, earn=25)
    a.now = office.now = NOW + timedelta(days=30)
    assert a.usable() == 25, "what it earned is its own"
    sync_fully(a, office)
    a.take(office.answer(a, a.question("home")))
    assert a.usable() == 25
    sync_fully(a, office)
    b = tills["B"]
    assert sum(line.centi for grant in office.answer(b, b.question()).grants for line in grant.lines) == 400
    assert verify(office.db) == verify(a.db) == ()


def test_the_answer_to_an_older_question_is_not_taken(office: Bureau, tmp_path: Path) -> None:
    from pos_loyalty.values import encode
    from tests.simulation.shop import json_reply

    tills = world(tmp_path, office)
    old, new = tills["A"].question(), tills["A"].question()
    reply = json_reply(200, encode(office.answer(tills["A"], old)))
    with pytest.raises(WireError, match="another question"):
        rights.read_answer(reply, new)
    assert rights.read_answer(reply, old).ask_id == old.ask_id


def test_a_restored_head_office_grants_nothing_until_every_till_said_hello(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office)
    office.db.execute("VACUUM INTO ?", (str(tmp_path / "night.db"),))
    a, b, c = tills.values()
    a.take(office.answer(a, a.question()))
    assert a.usable() == 1_000
    office.restore(tmp_path / "night.db")
    told = office.answer(b, b.question())
    assert (told.grants, told.held_back) == ((), "hello"), "its mark says that it told of what is not there"
    b.take(told)
    assert says_hello(office, c) == "hello"
    assert says_hello(office, b) == "hello", "A still holds what nobody here knows of"
    assert office.answer(a, a.question()).held_back == "log", "a hello counts with the whole log"
    sync_fully(a, office)
    sync_fully(a, office)
    says_hello(office, a)
    answer = office.answer(b, b.question())
    assert (answer.grants, answer.held_back) == ((), ""), "nothing is free: A holds it"
    a.redeem("S1", 1_000)
    sync_fully(a, office)
    assert overdrawn(office) == [] and verify(office.db) == ()


def test_a_till_that_is_lost_holds_nothing_any_more_and_is_not_waited_for(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office)
    a, b, _ = tills.values()
    a.take(office.answer(a, a.question()))
    key = office.store.keys.key("A", 1)
    assert key is not None
    with office.store.write():
        office.store.keys.book(replace(key, state="lost", by="boss"), NOW)
    with pytest.raises(TokenError):
        office.answer(a, a.question())
    assert sum(line.centi for grant in office.answer(b, b.question()).grants for line in grant.lines) == 1_000


def test_a_till_that_was_enrolled_after_the_backup_is_waited_for(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office, "AB")
    night = office.saved(tmp_path / "night.db")
    d = Clerk(tmp_path, "D")
    enrolled(office, d, "d0" * 32)
    sync_fully(d, office)
    d.take(office.answer(d, d.question()))
    assert d.usable() == 1_000
    office.restore(night)
    for till in tills.values():
        sync_fully(till, office)
        assert says_hello(office, till) == "hello", "all that it knows said hello; D holds all there is"
    d.redeem("S1", 900)
    sync_fully(d, office)
    assert says_hello(office, d) == ""
    a = tills["A"]
    assert (office.answer(a, a.question()).grants, overdrawn(office), verify(office.db)) == ((), [], ())


def test_without_its_mark_a_person_says_that_there_are_no_other_tills(office: Bureau, tmp_path: Path) -> None:
    """Nobody but the till itself knows that it was enrolled and holds something."""
    tills = world(tmp_path, office, "AB")
    a, b = tills.values()
    a.take(office.answer(a, a.question("home")))
    night = office.saved(tmp_path / "night.db")
    d = Clerk(tmp_path, "D")
    enrolled(office, d, "d0" * 32)
    sync_fully(d, office)
    d.take(office.answer(d, d.question()))
    office.restore_elsewhere(night)
    for till in (a, b):
        sync_fully(till, office)
        assert says_hello(office, till) == "hello"
    sync_fully(d, office)
    says_hello(office, d)
    assert office.answer(b, b.question()).held_back == "hello", "there may be others like D"
    assert enrol.name_all(office.store) and not enrol.name_all(office.store)
    last = office.answer(b, b.question())
    assert (last.grants, last.held_back) == ((), "")
    assert verify(office.db) == ()


def test_a_head_office_without_tills_needs_no_mark(office: Bureau, tmp_path: Path) -> None:
    office.give_points("M9", "2000000000114", 10)
    office.mark.unlink()
    office.restart()
    tills = world(tmp_path, office, "A")
    assert office.answer(tills["A"], tills["A"].question()).held_back == ""


def test_a_till_is_given_up_when_its_grants_ended_or_when_head_office_forgot_it(office: Bureau, tmp_path: Path) -> None:
    tills = world(tmp_path, office, "AB")
    a, b = tills.values()
    night = office.saved(tmp_path / "night.db")
    a.take(office.answer(a, a.question()))
    with pytest.raises(ConflictError, match="2026-12-21"):
        enrol.lose(office.store, "A", None, "boss", NOW + timedelta(days=30))
    with pytest.raises(NotFoundError):
        enrol.lose(office.store, "X", None, "boss", NOW)
    lost = enrol.lose(office.store, "A", None, "boss", NOW + timedelta(days=31))
    assert (lost.epoch, lost.centi) == (1, 1_000)
    assert sum(line.centi for grant in office.answer(b, b.question()).grants for line in grant.lines) == 1_000
    d = Clerk(tmp_path, "D")
    enrolled(office, d, "d0" * 32)
    office.answer(d, d.question())
    office.give_points("M9", "2000000000114", 10)
    office.answer(d, d.question(member="M9"))
    office.restore(night)
    assert set(office.store.rights.waits_for()) == {"A", "B", "D"}
    sync_fully(b, office)
    says_hello(office, b)
    assert office.store.rights.waits_for() == ("A", "D")
    late = b.question()
    assert enrol.lose(office.store, "D", None, "boss", NOW).epoch == 0
    assert office.store.rights.waits_for() == ("A", "B"), "D may have been a hub, and B may have got something of it since"
    office.answer(b, late)
    assert office.store.rights.waits_for() == ("A", "B"), "it was asked before that"
    says_hello(office, b)
    assert office.store.rights.waits_for() == ("A",)


@pytest.mark.parametrize("seed", range(40))
def test_no_point_is_redeemed_twice_whatever_happens_on_the_way(tmp_path: Path, seed: int) -> None:
    """Three tills, and others that come later; delays, doubles, losses; head office restored from any backup, with what stands
    beside its file or without; a person names all tills when they are.
    """
    chance = random.Random(seed)
    office = Bureau(tmp_path)
    for n, member in enumerate(["MD", "ME", "MF"]):
        office.give_points(member, f"200000000010{n}", 1_000)
    tills = world(tmp_path, office)
    backups: list[Path] = []
    posted: list[tuple[str, RightsRequest, RightsAnswer]] = []
    newest: dict[str, str] = {}
    members = [MEMBER, "MD", "ME", "MF"]
    for step in range(60):
        till = chance.choice(list(tills.values()))
        act = chance.choice(ACTS)
        if act == "earn":
            till.sell(f"S{step}", chance.choice(members), earn=chance.randrange(1, 300))
        elif act == "redeem":
            till.redeem(f"S{step}", chance.randrange(1, 600), chance.choice(members))
        elif act == "void":
            done = [
                row[0] for row in till.db.execute("SELECT sale_id FROM sale WHERE state = 'completed' AND till = ?", (till.name,))
            ]
            if done:
                till.void(chance.choice(done))
        elif act == "ask":
            asked = till.question(chance.choice(["all", "home"]), chance.choice(members))
            newest[till.name] = asked.ask_id
            answer = office.answer(till, asked)
            if chance.random() < 0.7:
                posted.append((till.name, asked, answer))
            if chance.random() < 0.2:
                posted.append((till.name, asked, answer))
        elif act == "arrive" and posted:
            name, asked, answer = posted.pop(chance.randrange(len(posted)))
            if newest.get(name) == asked.ask_id:
                tills[name].take(answer)
        elif act == "sync" and chance.random() < 0.8:
            sync_fully(till, office)
        elif act == "backup":
            backups.append(office.saved(tmp_path / f"backup{step}.db"))
        elif act == "restore" and backups and chance.random() < 0.5:
            restore = office.restore_elsewhere if chance.random() < 0.3 else office.restore
            restore(chance.choice(backups))
        elif act == "night":  # all but one, who is cut off
            away = chance.choice(list(tills))
            for name in sorted(tills, key=lambda _: chance.random()):
                if name != away:
                    sync_fully(tills[name], office)
                    newest.pop(name, None)
                    tills[name].take(office.answer(tills[name], tills[name].question("all", chance.choice(members))))
        elif act == "new" and len(tills) < 6 and chance.random() < 0.5:
            name = "ABCDEF"[len(tills)]
            backups.append(office.saved(tmp_path / f"before{name}.db"))
            tills[name] = Clerk(tmp_path, name)
            enrolled(office, tills[name], f"{ord(name):02x}" * 32)
            tills[name].now = office.now
            sync_fully(tills[name], office)
            tills[name].take(office.answer(tills[name], tills[name].question(member=f"M{name}")))
        elif act == "days":
            at: datetime = office.now + timedelta(days=chance.choice([0, 1, 20]))
            office.now = at
            for each in tills.values():
                each.now = at
    for turn in range(3):
        for till in tills.values():
            sync_fully(till, office)
            if turn == 1:
                enrol.name_all(office.store)
            till.take(office.answer(till, till.question("home")))
    for till in tills.values():
        sync_fully(till, office)
        pull_all(till, office)
    assert not office.store.rights.is_waiting()
    assert [row for row in overdrawn(office) if "overdrawn" in str(row[2])] == []
    assert verify(office.db) == ()
    for (lot,) in office.rows("SELECT id FROM lot"):
        remaining = office.rows(f"SELECT remaining FROM lot WHERE id = '{lot}'")[0][0]
        assert isinstance(remaining, int)
        assert right_holds.held_by_all(office.db, str(lot)) <= remaining, "what tills hold is there"
    for member in members:
        shown = {till.balance(member) for till in tills.values()}
        assert shown == {sum(lot.centi for lot in ledger.lots_of(office.db, member))}
    for till in tills.values():
        assert verify(till.db) == ()
