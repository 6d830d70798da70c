"""A small shop for sync tests: tills that enrol, sell, cancel and void on real SQLite files, and a head office without HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from pos_loyalty.engine import ledger as points
from pos_loyalty.engine.model import Accrual, Basket, Line, Lot, LotUse, Proof, Quote, QuoteLine, Redemption
from pos_loyalty.errors import LogForkError, LogGapError, PeerError, TokenError, WireError
from pos_loyalty.store import ledger, members, sales, seal
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.store.facts import Enrolment, Fact, SaleEnd, SaleFact
from pos_loyalty.store.till_facts import Place
from pos_loyalty.values import Minor, Points, Thousandths, decode, encode
from sync import identity, pull, push
from sync.identity import Credential, Office, Signer
from sync.local import Here, apply_changes, begin_pull, begin_push, keep_ack, next_batch, next_question
from sync.server import steps
from sync.server.sqlite import SqliteLedgerStore
from sync.server.sqlite_rights import Policy
from sync.wire import CardChange, Changes, ChangesRequest, LotChange, MemberChange, ProblemKind, Reply, problem

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = bytes(range(32))
HEAD_OFFICE_KEY = bytes(range(32, 64))
PROGRAMME = "shop@1#sha256:" + "0" * 64
PRICE_MINOR = 10_000
NO_POWER_CUT = "PRAGMA synchronous = OFF"
"""Processes end in these tests, the machine does not: waiting for the disk would only make them slow."""


OFFICE = Office(private_key="0a" * 32, token_secret="0b" * 32)
OFFICE_PUBLIC = identity.public_of(OFFICE.private_key)


def signer_of(till: str, epoch: int = 1, continues: Place | None = None, private_key: str = "") -> Signer:
    """A till that this head office enrolled, by its own key."""
    private_key = private_key or sha256(f"{till} {epoch}".encode()).hexdigest()
    made = Credential(till=till, epoch=epoch, store="S1", public_key=identity.public_of(private_key), continues=continues)
    return Signer(credential=identity.certify(made, OFFICE.private_key), private_key=private_key)


def token_of(till: str, epoch: int = 1) -> str:
    """What such a till shows."""
    return identity.token_of(OFFICE.token_secret, till, epoch)


def half() -> float:
    """No chance at all: the middle of every jitter."""
    return 0.5


class Till:
    """One till: its file and its name. Every verb is one transaction, as at the checkout."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.path = folder / f"{name}.db"
        self.here = Here(till=name, master_key=KEY, signer=signer_of(name), head_office_key=OFFICE_PUBLIC)
        self.open()

    def open(self) -> None:
        self.db: Connection = open_store(self.path, role="till", owner=self.name, now=NOW, master_key=KEY.hex())
        self.db.execute(NO_POWER_CUT)

    def restart(self) -> None:
        self.db.close()
        self.open()

    def enrol(self, member_id: str, card: str) -> Fact:
        key = seal.make_key()
        known = seal.Personal(name="Анна", phone_index=sha256(member_id.encode()).hexdigest())
        enrolment = Enrolment(member_id=member_id, card=card, personal=seal.seal_personal(member_id, known, key))
        with write(self.db):
            members.add(self.db, enrolment, seal.seal_key(member_id, key, KEY.hex()), NOW)
            return self._append("member.enrolled", member=member_id, body=enrolment)

    def sell(self, sale_id: str, member_id: str | None = None, *, earn: int = 0, spend: int = 0, completes: bool = True) -> Fact:
        quote = self._quote(sale_id, member_id, earn, spend)
        entries = points.reserve(quote, self._ref(sale_id))
        if completes:
            entries += points.settle(quote, self._ref(sale_id), NOW)
        sale = SaleFact(
            sale_id=sale_id,
            basket=basket(self.name, sale_id),
            quote=quote,
            tenders=(),
            offline_centi=Points(spend),
            biz_day=20_778,
            completed=completes,
        )
        with write(self.db):
            head = ledger.head(self.db)
            number = f"{self.name}-{head.epoch}-{head.seq + 1:06d}"
            kind = "sale.completed" if completes else "sale.authorised"
            fact = self._append(kind, member=member_id, entries=entries, body=sale, programme=PROGRAMME, receipt_no=number)
            sales.add(self.db, fact)
        return fact

    def complete(self, sale_id: str) -> None:
        self._end(sale_id, "sale.completed", points.settle(self._stored(sale_id).quote, self._ref(sale_id), NOW))

    def cancel(self, sale_id: str) -> None:
        self._end(sale_id, "sale.cancelled", points.release(self._stored(sale_id).quote, self._ref(sale_id)))

    def void(self, sale_id: str) -> None:
        stored = self._stored(sale_id)
        lots = self.reachable(stored.quote.member_id) if stored.quote.member_id else ()
        entries = points.reverse(ledger.sale_entries(self.db, self.name, sale_id), lots, self._ref(sale_id), NOW)
        self._end(sale_id, "sale.reversed", entries, reverses=stored.txn)

    def new_id(self) -> UUID:
        """Of the next fact: no two machines that go on from one copy make the same, once they are in epochs of their own."""
        head = ledger.head(self.db)
        return UUID(int=int.from_bytes(self.name.encode().rjust(8, b"\0")[-8:], "big") << 64 | head.epoch << 32 | head.seq + 1)

    def spendable(self, member_id: str) -> tuple[Lot, ...]:
        """What a sale may take."""
        return ledger.lots_of(self.db, member_id)

    def reachable(self, member_id: str) -> tuple[Lot, ...]:
        """Where a void may take what was earned."""
        return ledger.all_lots_of(self.db, member_id)

    def balance(self, member_id: str) -> int:
        return sum(lot.centi for lot in ledger.lots_of(self.db, member_id))

    def state_of(self, sale_id: str) -> str:
        return self._stored(sale_id).state

    def _stored(self, sale_id: str) -> sales.StoredSale:
        stored = sales.by_id(self.db, self.name, sale_id)
        assert stored is not None
        return stored

    def _ref(self, sale_id: str) -> str:
        return f"{self.name}/{sale_id}"

    def _quote(self, sale_id: str, member_id: str | None, earn: int, spend: int) -> Quote:
        uses, left = [], spend
        for lot in self.spendable(member_id) if member_id else ():
            part = min(left, lot.centi)
            if part:
                uses.append(LotUse(lot_id=lot.lot_id, centi=Points(part)))
            left -= part
        assert left == 0, "the till spends only what it sees"
        return quote_of(sale_id, member_id, earn, tuple(uses))

    def _end(self, sale_id: str, kind: str, entries: tuple[points.Entry, ...], reverses: UUID | None = None) -> None:
        stored = self._stored(sale_id)
        with write(self.db):
            end = SaleEnd(sale_id=sale_id)
            member_id = stored.quote.member_id
            fact = self._append(kind, member=member_id, entries=entries, body=end, programme=PROGRAMME, reverses=reverses)
            sales.end(self.db, fact)

    def _append(self, kind: str, **fields: object) -> Fact:
        return ledger.append(self.db, ledger.Draft(id=self.new_id(), kind=kind, store="S1", **fields), NOW)  # type: ignore[arg-type]


class HeadOffice:
    """Head office without HTTP: bytes in, replies out, the way app.py words them."""

    def __init__(self, folder: Path, policy: Policy = "escrow") -> None:
        self.path = folder / "head_office.db"
        self.policy = policy
        self.open()

    def open(self) -> None:
        self.db = open_store(self.path, role="head_office", owner="head-office", now=NOW)
        self.db.execute(NO_POWER_CUT)
        self.store = SqliteLedgerStore(self.db, HEAD_OFFICE_KEY, policy=self.policy)

    def restart(self) -> None:
        self.db.close()
        self.open()

    def restore(self, saved: Path) -> None:
        """Put a backup in the place of the file, and start again."""
        self.db.close()
        for name in (self.path.name, f"{self.path.name}-wal", f"{self.path.name}-shm"):
            self.path.with_name(name).unlink(missing_ok=True)
        self.path.write_bytes(saved.read_bytes())
        self.open()

    def push(self, till: str, batch: bytes, now: datetime = NOW) -> Reply:
        try:
            return json_reply(200, encode(steps.receive(self.store, till, batch, now, OFFICE_PUBLIC)))
        except LogGapError as error:
            return json_reply(409, encode(problem("log-gap", 409, str(error), error.expected_seq)))
        except LogForkError as error:
            return json_reply(409, encode(problem("log-fork", 409, str(error))))
        except TokenError as error:
            return json_reply(401, encode(problem("token", 401, str(error))))
        except WireError as error:
            kind: ProblemKind = "peer" if isinstance(error, PeerError) else "wire"
            return json_reply(422, encode(problem(kind, 422, str(error))))

    def changes(self, question: bytes, now: datetime = NOW) -> Reply:
        return json_reply(200, encode(steps.changes(self.store, decode(question, ChangesRequest), now, OFFICE.private_key)))

    def give_points(self, member_id: str, card: str, centi: int) -> None:
        lot = LotChange(lot_id=f"opening:{member_id}", centi=Points(centi), amount_centi=Points(centi))
        lots = (lot,) if centi else ()
        steps.import_members(self.store, [MemberChange(member_id=member_id, cards=(CardChange(number=card),), lots=lots)], NOW)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return list(self.db.execute(sql).fetchall())


def json_reply(status: int, body: bytes) -> Reply:
    """A reply as head office words it."""
    return Reply(status=status, content_type="application/json" if status == 200 else "application/problem+json", body=body)


def push_all(till: Till, office: HeadOffice, cap: int = 500) -> push.PushState:
    """Send until nothing is left or something is in the way."""
    state = begin_push(till.db, cap, NOW)
    for _ in range(1000):
        step = next_batch(till.db, till.here, state, NOW)
        state = step.state
        if step.send is None:
            return state
        step = push.received(state, office.push(till.name, step.send), NOW, half)
        state = step.state
        if step.held is not None:
            keep_ack(till.db, step.held)
    raise AssertionError("sending does not end")


def pull_all(till: Till, office: HeadOffice) -> list[Changes]:
    """Fetch until complete; the pages that came."""
    state, pages = begin_pull(till.db, NOW), []
    for _ in range(1000):
        step = next_question(till.db, till.here, state, NOW)
        if step.send is None:
            return pages
        step = pull.received(state, office.changes(step.send), NOW, 60.0, half)
        assert step.changes is not None, step.state.trouble
        apply_changes(till.db, till.here, step.changes, NOW)
        pages.append(step.changes)
        state = step.state
    raise AssertionError("fetching does not end")


def log_of(db: Connection, till: str) -> list[tuple[int, bytes, bytes]]:
    """The log of a till in a file, by plain SQL."""
    return list(db.execute("SELECT seq, payload, hash FROM txn WHERE till = ? ORDER BY seq", (till,)).fetchall())


def basket(till: str, sale_id: str) -> Basket:
    """One coffee."""
    line = Line(line_id="1", sku="4601234567893", quantity_milli=Thousandths(1000), price_minor=Minor(PRICE_MINOR))
    return Basket(basket_id=sale_id, store="S1", till=till, opened_at=NOW, currency="RUB", lines=(line,))


def quote_of(sale_id: str, member_id: str | None, earn: int, uses: tuple[LotUse, ...]) -> Quote:
    """A quote of that basket: points spent are money off, one to one."""
    spent = sum(use.centi for use in uses)
    line = QuoteLine(
        line_id="1",
        gross_minor=Minor(PRICE_MINOR),
        net_minor=Minor(PRICE_MINOR),
        points_minor=Minor(spent),
        vat_minor=Minor(0),
        adjustments=(),
        fiscal=(),
    )
    accrual = Accrual(rule="base", centi=Points(earn), usable_from=NOW, expires_at=NOW + timedelta(days=365))
    return Quote(
        basket_id=sale_id,
        programme=PROGRAMME,
        at=NOW,
        member_id=member_id,
        gross_minor=Minor(PRICE_MINOR),
        total_minor=Minor(PRICE_MINOR),
        due_minor=Minor(PRICE_MINOR - spent),
        lines=(line,),
        redemption=Redemption(centi=Points(spent), off_minor=Minor(spent), max_centi=Points(spent), lots=uses),
        accruals=(accrual,) if earn else (),
        applied=(),
        refusals=(),
        proof=Proof(value_minor=Minor(0), bound_minor=Minor(0), proven=True, nodes=0),
    )
