"""Rights: whatever is lost, doubled, delayed or restored, no point is redeemed twice, and none is lost to its member."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import Lot
from pos_loyalty.errors import TokenError, WireError
from pos_loyalty.store import epochs, ledger, right_asking, right_holds
from pos_loyalty.store.db import write
from pos_loyalty.store.verify import verify
from sync import rights
from sync.identity import Holder
from sync.rights import RightsAnswer, RightsRequest, Want
from sync.server import rights as granting
from sync.server.rights import RightTerms
from tests.simulation.shop import NOW, HeadOffice, Till, pull_all
from tests.unit.test_sync_identity import enrolled, sync_fully

MEMBER, CARD = "M1", "2000000000015"
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
        return rights.question(self.db, ask_id, [Want(member_id=member, much=much)])  # type: ignore[arg-type]

    def take(self, answer: RightsAnswer) -> int:
        return rights.take(self.db, self.name, answer, "S1", self.new_id, self.now).grants

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
    """Head office that grants."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.now = NOW
        self._made = 0

    def new_id(self) -> UUID:
        self._made += 1
        return UUID(int=random.Random(f"{self._made}{self.store.rights.own_head().epoch}").getrandbits(128))

    def answer(self, till: Till, asked: RightsRequest) -> RightsAnswer:
        holder = Holder(till=till.name, epoch=till.here.signer.credential.epoch)
        return granting.answer(self.store, holder, asked, TERMS, self.new_id, self.now)


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
    heard = right_asking.state(a.db).told
    assert heard is not None
    office.restore(tmp_path / "night.db")
    seen = b.question()
    with write(b.db):  # of the same day's answers: any till that heard of what is gone tells it
        right_asking.told(b.db, heard)
    told = office.answer(b, b.question())
    assert seen.seen is None
    assert (told.grants, told.held_back) == ((), "hello")
    b.take(told)
    assert office.answer(c, c.question()).held_back == "hello"
    assert office.answer(b, b.question()).held_back == "hello", "A still holds what nobody here knows of"
    assert office.answer(a, a.question()).held_back == "log", "a hello counts with the whole log"
    sync_fully(a, office)
    sync_fully(a, office)
    office.answer(a, a.question())
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


@pytest.mark.parametrize("seed", range(40))
def test_no_point_is_redeemed_twice_whatever_happens_on_the_way(tmp_path: Path, seed: int) -> None:
    """Three tills, delays, doubles, losses, restores of head office from any backup, tills restored and enrolled anew."""
    chance = random.Random(seed)
    office = Bureau(tmp_path)
    tills = world(tmp_path, office)
    backups: list[Path] = []
    posted: list[tuple[str, RightsRequest, RightsAnswer]] = []
    newest: dict[str, str] = {}
    for step in range(60):
        till = chance.choice(list(tills.values()))
        act = chance.choice(
            ["earn", "redeem", "redeem", "ask", "ask", "arrive", "arrive", "sync", "sync", "backup", "restore", "void", "days"]
        )
        if act == "earn":
            till.sell(f"S{step}", MEMBER, earn=chance.randrange(1, 300))
        elif act == "redeem":
            till.redeem(f"S{step}", chance.randrange(1, 600))
        elif act == "void":
            done = [
                row[0] for row in till.db.execute("SELECT sale_id FROM sale WHERE state = 'completed' AND till = ?", (till.name,))
            ]
            if done:
                till.void(chance.choice(done))
        elif act == "ask":
            asked = till.question(chance.choice(["all", "home"]))
            newest[till.name] = asked.ask_id
            answer = office.answer(till, asked)
            if chance.random() < 0.7:
                posted.append((till.name, asked, answer))
            if chance.random() < 0.2:
                posted.append((till.name, asked, answer))
        elif act == "arrive" and posted:
            name, asked, answer = posted.pop(chance.randrange(len(posted)))
            if newest[name] == asked.ask_id:
                tills[name].take(answer)
        elif act == "sync" and chance.random() < 0.8:
            sync_fully(till, office)
        elif act == "backup":
            backups.append(tmp_path / f"backup{step}.db")
            office.db.execute("VACUUM INTO ?", (str(backups[-1]),))
        elif act == "restore" and backups and chance.random() < 0.5:
            told = office.store.rights.own_head()
            office.restore(chance.choice(backups))
            with office.store.write():  # the mark beside the file, which the backup did not bring back
                granting.look_back(office.store, told, office.now)
        elif act == "days":
            at: datetime = office.now + timedelta(days=chance.choice([0, 1, 20]))
            office.now = at
            for each in tills.values():
                each.now = at
    for _ in range(3):
        for till in tills.values():
            sync_fully(till, office)
            till.take(office.answer(till, till.question("home")))
    for till in tills.values():
        sync_fully(till, office)
        pull_all(till, office)
    assert [row for row in overdrawn(office) if "overdrawn" in str(row[2])] == []
    assert verify(office.db) == ()
    for (lot,) in office.rows("SELECT id FROM lot"):
        remaining = office.rows(f"SELECT remaining FROM lot WHERE id = '{lot}'")[0][0]
        assert isinstance(remaining, int)
        assert right_holds.held_by_all(office.db, str(lot)) <= remaining, "what tills hold is there"
    shown = {till.balance(MEMBER) for till in tills.values()}
    assert shown == {sum(lot.centi for lot in ledger.lots_of(office.db, MEMBER))}
    for till in tills.values():
        assert verify(till.db) == ()
