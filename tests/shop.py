"""A small shop for tests: a real till over a real file, a fixed clock, a programme that can be read at a glance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from pos_loyalty import wiring
from pos_loyalty.engine.model import Basket, Entry, Line, Tender
from pos_loyalty.store import ledger, members, programmes
from pos_loyalty.store.db import Connection, write
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till import Till, staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.model import QuoteRequest, SaleAnswer, SaleRequest
from pos_loyalty.till.unmade import SlipMaker
from pos_loyalty.values import Minor, quantity

NOW = datetime(2026, 11, 21, 9, 30, 5, tzinfo=UTC)
CARD, MEMBER = "2200000000019", "member-1"
OTHER_CARD = "2200000000026"
OPENING_CENTI = 50_000
SENIOR = Approval(person="M9", pin="864209")

PROGRAMME = """
format = 1
id = "test"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
title = { ru = "Проба", en = "Trial" }

[points]
value = "1.00"
lifetime_days = 180

[redeem]
limit = "50%"
minimum_money = "1.00"

[[rule]]
id = "coffee"
stage = "item"
title = { ru = "Кофе -10%", en = "Coffee 10% off" }
then = [{ do = "percent", percent = "10%", on = { category = ["drinks/coffee"] } }]

[[rule]]
id = "base"
title = { ru = "Баллы 5%", en = "Points 5%" }
when = [{ is = "customer", member = true }]
then = [{ do = "points", rate = "5%" }]
"""

CONFIG = """
secrets = "secrets.toml"
[store]
id = "S1"
name = "Проба"
[till]
id = "T1"
database = "till.db"
port = 0
[[card]]
prefix = "22"
length = 13
"""


class Shop:
    """A till with a member of 500 points, and hands to turn its clock and open its file."""

    def __init__(self, folder: Path, config: str = CONFIG, programme: str = PROGRAMME) -> None:
        self.folder = folder
        self.now = NOW
        self._made = 0
        self.config = folder / "config.toml"
        self.config.write_text(config, encoding="utf-8")
        wiring.make_secrets(self.config)
        self.till = self.open()
        if programme:
            self.publish(programme)
        self.add_member(MEMBER, CARD, OPENING_CENTI)

    def open(self) -> Till:
        """The till, opened (again)."""
        self.till = wiring.open_till(self.config, clock=lambda: self.now, ids=self.new_id)
        return self.till

    def close(self) -> None:
        """Let go of the file."""
        self.till.close()

    def reopen(self) -> Till:
        """As after a crash: nothing but the file remains."""
        self.till.close()
        return self.open()

    def new_id(self) -> UUID:
        """Ids that come in a known order."""
        self._made += 1
        return UUID(int=(0x7 << 76) | (0b10 << 62) | self._made)

    @property
    def db(self) -> Connection:
        """The till's own connection."""
        return self.till._desk.db

    def publish(self, text: str) -> None:
        """Store a programme, as the sync does."""
        version = int(text.split("version = ")[1].split()[0])
        with write(self.db):
            programmes.add(self.db, "test", version, text.encode(), self.now)

    def add_member(self, member_id: str, card: str, centi: int) -> None:
        """A member with one lot that expires in a year."""
        with write(self.db):
            enrolment = Enrolment(member_id=member_id, card=card)
            members.add(self.db, enrolment, None, self.now)
            enrolled = Draft(id=self.new_id(), kind="member.enrolled", store="S1", member=member_id, body=enrolment)
            ledger.append(self.db, enrolled, self.now)
            entry = Entry(
                kind="accrue",
                debit="programme:test:issued",
                credit=f"member:{member_id}",
                amount=centi,
                member_id=member_id,
                lot_id=f"opening-{member_id}",
                usable_from=NOW - timedelta(days=30),
                expires_at=NOW + timedelta(days=365),
            )
            draft = Draft(id=self.new_id(), kind="points.adjusted", store="S1", member=member_id, entries=(entry,))
            ledger.append(self.db, draft, self.now)

    def senior(self) -> Approval:
        """A senior on the staff, who gives their word."""
        staff.add(self.db, SENIOR.person, "senior", SENIOR.pin, self.till._desk.secrets.pepper)
        return SENIOR

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that is stored, table by table, but for the sums of it."""
        select = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'witness' ORDER BY name"
        tables = [row[0] for row in self.db.execute(select)]
        return {table: self.db.execute(f"SELECT * FROM {table}").fetchall() for table in tables}

    def slips(self) -> list[tuple[str, bytes]]:
        """Kind and bytes of every job of the spool, as the print worker sends them."""
        make = SlipMaker(self.till._desk.config)
        rows = self.db.execute("SELECT kind, body, is_made FROM print_job ORDER BY id").fetchall()
        return [(kind, body if is_made else make(body)) for kind, body, is_made in rows]

    def usable_centi(self, member_id: str = MEMBER) -> int:
        """The member's points by SQL."""
        return int(self.db.execute("SELECT coalesce(SUM(remaining), 0) FROM lot WHERE member = ?", (member_id,)).fetchone()[0])

    def ask(self, basket: Basket | None = None, card: str | None = CARD, redeem: int | str | None = None) -> SaleRequest:
        """Quote a basket and make the request that would pay it."""
        quote = self.till.quote(QuoteRequest(basket=basket or make_basket(redeem=redeem), card=card))
        assert quote.quote_id is not None
        tenders = (Tender(kind="cash", amount_minor=quote.due_minor),)
        return SaleRequest(sale_id="sale-1", quote_id=quote.quote_id, due_minor=quote.due_minor, tenders=tenders)

    def sell(self, sale_id: str = "sale-1", *, redeem: int | str | None = None, complete: bool = True) -> SaleAnswer:
        """One sale through quote and authorise."""
        from msgspec.structs import replace

        return self.till.authorise(replace(self.ask(redeem=redeem), sale_id=sale_id, complete=complete), f"key {sale_id}")


def make_basket(*, redeem: int | str | None = None, price_minor: int = 15_000, count: str = "2", **more: object) -> Basket:
    """Two coffees at 150.00 in store S1 at till T1."""
    line = Line(
        line_id="1",
        sku="4601",
        name="Кофе",
        quantity_milli=quantity(count),
        price_minor=Minor(price_minor),
        category="drinks/coffee",
    )
    return Basket(
        basket_id="B1", store="S1", till="T1", cashier="C7", opened_at=NOW, currency="RUB", lines=(line,), redeem=redeem, **more  # type: ignore[arg-type]
    )  # fmt: skip
