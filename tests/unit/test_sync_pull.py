"""What a till may believe of head office: when it counts as heard, after a restore, with large sums, with another programme."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from pos_loyalty.engine.model import CENTI_MAX, MINOR_MAX
from pos_loyalty.errors import ConflictError, HeadOfficeGoneError
from pos_loyalty.store import members, outbox, programmes, publications
from pos_loyalty.store.db import backup, write
from pos_loyalty.store.verify import verify
from sync import pull
from sync.daemon import Pace, Syncer
from sync.local import apply_changes, begin_pull, next_question
from sync.server import expiry, steps
from sync.wire import Ack, Changes, LotChange, MemberChange, Reply, decode, encode
from tests.shop import PROGRAMME
from tests.simulation.shop import NOW, HeadOffice, Till, half, json_reply, pull_all, push_all

CARD = "2000000000015"
OTHER_TEXT = PROGRAMME + "\n# saved by another editor\n"
PACE = Pace(interval_s=60.0, batch_facts_max=500)


@pytest.fixture
def office(tmp_path: Path) -> HeadOffice:
    return HeadOffice(tmp_path)


@pytest.fixture
def till(tmp_path: Path) -> Till:
    return Till(tmp_path, "T1")


class Direct:
    """Head office without HTTP, as the daemon sees it. ``down``: nothing answers."""

    def __init__(self, office: HeadOffice, till: str) -> None:
        self.office = office
        self.till = till
        self.down = False

    def push(self, batch: bytes) -> Reply:
        self._answer()
        return self.office.push(self.till, batch)

    def changes(self, question: bytes) -> Reply:
        self._answer()
        return self.office.changes(question)

    def rights(self, question: bytes) -> Reply:
        raise HeadOfficeGoneError("this head office grants nothing")

    def _answer(self) -> None:
        if self.down:
            raise HeadOfficeGoneError("head office does not answer")


def test_an_ack_alone_does_not_count_as_hearing_head_office(till: Till, office: HeadOffice) -> None:
    """Balances may be old until all changes are here: a till that only sends must keep to its offline rights."""
    till.sell("S1")
    assert push_all(till, office).trouble is None
    assert outbox.unsent_count(till.db) == 0
    assert outbox.state(till.db).heard_ms is None
    pull_all(till, office)
    assert outbox.state(till.db).heard_ms is not None, "an empty page is an answer too, when it is the last"


def test_head_office_is_heard_with_the_last_page_only(till: Till, office: HeadOffice) -> None:
    steps.import_members(office.store, [MemberChange(member_id=f"N{n:04d}") for n in range(700)], NOW)
    state = begin_pull(till.db, NOW)
    heard = []
    for _ in range(2):
        question = next_question(till.db, till.here, state, NOW).send
        assert question is not None
        step = pull.received(state, office.changes(question), NOW, 60.0, half)
        assert step.changes is not None
        apply_changes(till.db, till.here, step.changes, NOW)
        heard.append(outbox.state(till.db).heard_ms is not None)
        state = step.state
    assert heard == [False, True]


class Elsewhere(Direct):
    """Answers each question about changes as if another one had been asked; every so often the right one."""

    asked = 0
    right_every = 0

    def changes(self, question: bytes) -> Reply:
        self.asked += 1
        reply = super().changes(question)
        if self.right_every and self.asked % self.right_every == 0:
            return reply
        page = decode(reply.body, Changes)
        return json_reply(200, encode(replace(page, since=page.since + 7)))


def test_who_always_answers_another_question_is_a_fault_and_not_asked_for_ever(till: Till, office: HeadOffice) -> None:
    office.give_points("M1", CARD, 500)
    other = Elsewhere(office, till.name)
    syncer = Syncer(till.db, till.here, PACE, other, half)
    report = syncer.once(lambda: NOW)
    assert other.asked == 3 and report.trouble is not None and "since 7" in report.trouble
    assert report.wake_at - NOW == timedelta(minutes=15), "as for bytes that are no page"
    assert outbox.state(till.db).trouble == report.trouble, "a person is told"
    assert members.by_card(till.db, CARD) is None
    syncer.once(lambda: NOW + timedelta(minutes=5))
    assert other.asked == 3
    other.right_every = 3
    later = NOW + timedelta(minutes=16)
    assert syncer.once(lambda: later).trouble is None, "one or two late answers are no fault"
    assert members.by_card(till.db, CARD) is not None


def test_sums_above_what_one_sale_may_be_reach_the_till(till: Till, office: HeadOffice) -> None:
    office.give_points("M1", CARD, CENTI_MAX)
    office.give_points("M2", "2000000000022", 500)
    with write(office.db):
        office.db.execute("UPDATE member SET spent_minor = ?, owed_centi = ?", (MINOR_MAX * 3, CENTI_MAX * 3))
    pull_all(till, office)
    found = members.by_card(till.db, CARD)
    assert found is not None and found.sales is not None
    assert (found.sales.spent_minor, found.owed_centi) == (MINOR_MAX * 3, CENTI_MAX * 3)
    assert (till.balance("M1"), till.balance("M2")) == (CENTI_MAX, 500)


def test_a_large_import_is_split_over_facts_that_fit(office: HeadOffice) -> None:
    names = [f"{n:06d}" + "Щ" * 194 for n in range(8000)]
    lots = tuple(LotChange(lot_id=name, centi=100, amount_centi=100) for name in names)  # type: ignore[arg-type]
    steps.import_members(office.store, [MemberChange(member_id="M1", lots=lots)], NOW)
    assert office.rows("SELECT COUNT(*), SUM(remaining) FROM lot") == [(8000, 800_000)]
    assert verify(office.db) == ()


def test_head_offices_programme_takes_the_place_of_a_seeded_one_of_the_same_version(till: Till, office: HeadOffice) -> None:
    office.give_points("M1", CARD, 500)
    with write(till.db):
        programmes.add(till.db, "test", 1, PROGRAMME.encode(), NOW)
    steps.publish_programme(office.store, OTHER_TEXT.encode(), NOW)
    pull_all(till, office)
    assert publications.body_in_force(till.db, NOW) == OTHER_TEXT.encode()
    assert list(publications.bodies_in_force(till.db, NOW)) == [OTHER_TEXT.encode(), PROGRAMME.encode()]
    assert till.balance("M1") == 500
    assert [page.programmes for page in pull_all(till, office)] == [None], "it is not sent again"
    with pytest.raises(ConflictError):
        steps.publish_programme(office.store, PROGRAMME.encode(), NOW)


def test_the_programme_that_head_office_goes_back_to_is_in_force_again(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    one, two = PROGRAMME, PROGRAMME.replace("version = 1", "version = 2")
    steps.publish_programme(office.store, one.encode(), NOW)
    backup(office.db, tmp_path / "old.db")
    steps.publish_programme(office.store, two.encode(), NOW - timedelta(hours=5))
    pull_all(till, office)
    assert publications.body_in_force(till.db, NOW) == two.encode(), "the last to be published, whatever the clock said"
    office.restore(tmp_path / "old.db")
    pull_all(till, office)
    assert publications.body_in_force(till.db, NOW) == one.encode()
    assert [page.programmes for page in pull_all(till, office)] == [None]


def test_a_damaged_programme_is_left_out_and_members_are_taken(till: Till, office: HeadOffice) -> None:
    office.give_points("M1", CARD, 500)
    steps.publish_programme(office.store, PROGRAMME.encode(), NOW)
    with write(office.db):
        office.db.execute("UPDATE programme SET body = ?", (OTHER_TEXT.encode(),))
    pull_all(till, office)
    assert publications.body_in_force(till.db, NOW) is None
    assert till.balance("M1") == 500


@pytest.mark.parametrize("restarts", [0, 1])
def test_a_change_that_hides_behind_a_restored_head_office_is_fetched(
    till: Till, office: HeadOffice, tmp_path: Path, restarts: int
) -> None:
    """After the restore the same version numbers are given to other changes; the till must not think that it has those."""
    others = [Till(tmp_path, name) for name in ("T2", "T3")]
    office.give_points("M1", CARD, 10_000)
    office.give_points("M2", "2000000000022", 10_000)
    for one in (till, *others):
        pull_all(one, office)
    for _ in range(restarts):
        office.restart()
    backup(office.db, tmp_path / "old.db")
    others[0].sell("A", "M1", spend=10_000)
    push_all(others[0], office)
    pull_all(till, office)
    others[1].sell("B", "M2", spend=10_000)
    push_all(others[1], office)
    office.restore(tmp_path / "old.db")
    for one in reversed(others):
        pull_all(one, office)
        push_all(one, office)
    assert outbox.state(till.db).pulled_version <= 4
    pull_all(till, office)
    pull_all(till, office)
    assert (till.balance("M1"), till.balance("M2")) == (0, 0)


@pytest.mark.parametrize("restarts", [0, 1])
def test_a_head_office_that_only_starts_again_sends_nothing_twice(till: Till, office: HeadOffice, restarts: int) -> None:
    office.give_points("M1", CARD, 500)
    pull_all(till, office)
    for _ in range(restarts):
        office.restart()
    assert [page.members for page in pull_all(till, office)] == [()]
    office.give_points("M2", "2000000000022", 500)
    office.restart()
    assert [member.member_id for page in pull_all(till, office) for member in page.members] == ["M2"]


def test_a_question_again_gets_the_same_answer(till: Till, office: HeadOffice) -> None:
    office.give_points("M1", CARD, 500)
    question = next_question(till.db, till.here, begin_pull(till.db, NOW), NOW).send
    assert question is not None
    assert office.changes(question) == office.changes(question)


def test_points_that_a_till_saw_are_not_expired_before_it_was_asked(till: Till, office: HeadOffice) -> None:
    """A till that fetched and never sent may be cut off and sell from what it fetched."""
    day = timedelta(days=1)
    lot = LotChange(lot_id="L", centi=100, amount_centi=100, expires_at=NOW + day)  # type: ignore[arg-type]
    steps.import_members(office.store, [MemberChange(member_id="M1", lots=(lot,))], NOW)
    pull_all(till, office)
    assert expiry.expire_due(office.store, NOW + 3 * day) == 0
    till.sell("S1", "M1", spend=100)
    assert push_all(till, office).trouble is None
    assert office.rows("SELECT reason FROM suspense_case") == []
    assert office.rows("SELECT epoch, applied_seq FROM till") == [(1, 1)]
    assert verify(office.db) == ()


def test_what_a_person_has_to_mend_is_kept_until_it_is_mended(till: Till, office: HeadOffice, tmp_path: Path) -> None:
    backup(office.db, tmp_path / "empty.db")
    line = Direct(office, "T1")
    syncer = Syncer(till.db, till.here, PACE, line, half)
    line.down = True
    syncer.once(lambda: NOW)
    assert outbox.state(till.db).trouble is None, "a silent head office is no trouble: the till sells on"
    line.down = False
    (tmp_path / "clone").mkdir()
    clone = Till(tmp_path / "clone", "T1")
    clone.sell("X1")
    push_all(clone, office)
    till.sell("S1")
    till.sell("S2")
    later = NOW + timedelta(hours=1)
    Syncer(till.db, till.here, PACE, line, half).once(lambda: later)
    trouble = outbox.state(till.db).trouble
    assert trouble is not None and "past" in trouble
    line.down = True
    Syncer(till.db, till.here, PACE, line, half).once(lambda: later)
    assert outbox.state(till.db).trouble == trouble, "silence mends nothing"
    line.down = False
    office.restore(tmp_path / "empty.db")
    report = Syncer(till.db, till.here, PACE, line, half).once(lambda: later)
    assert (report.trouble, outbox.state(till.db).trouble) == (None, None)


def test_a_page_that_cannot_be_read_is_told_too(till: Till, office: HeadOffice) -> None:
    class Damaged(Direct):
        def changes(self, question: bytes) -> Reply:
            return json_reply(200, b"{}")

    Syncer(till.db, till.here, PACE, Damaged(office, "T1"), half).once(lambda: NOW)
    trouble = outbox.state(till.db).trouble
    assert trouble is not None and "changes" in trouble


class Asking(Direct):
    """Asks to wait with each answer, as when facts come before those of another till that they speak of."""

    asked = 0

    def push(self, batch: bytes) -> Reply:
        self.asked += 1
        reply = super().push(batch)
        return replace(reply, body=encode(replace(decode(reply.body, Ack), retry_after=15)))


def test_a_daemon_that_was_asked_to_wait_is_woken_by_no_sale(till: Till, office: HeadOffice) -> None:
    till.sell("S1")
    line = Asking(office, till.name)
    syncer = Syncer(till.db, till.here, PACE, line, half)
    syncer.once(lambda: NOW)
    till.sell("S2")
    asked = line.asked
    assert not syncer.has_news(NOW + timedelta(seconds=14)), "else it would ask five times a second"
    syncer.once(lambda: NOW + timedelta(seconds=14))
    assert line.asked == asked
    assert syncer.has_news(NOW + timedelta(seconds=16))
    syncer.once(lambda: NOW + timedelta(seconds=16))
    assert line.asked == asked + 1 and outbox.unsent_count(till.db) == 0
