"""Till files of a wanted size that agree with themselves, for the ledger's benches: written in bulk by the store's own rows.

They hold sales of two lines as the engine prices them, every figure and hash in its place; in two rounds of three each member
redeems the lot of the round before.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from bench.shop import CARD, NOW
from pos_loyalty.clock import to_ms
from pos_loyalty.engine import load_programme, quote, reserve, settle
from pos_loyalty.engine.model import ENGINE_VERSION, Basket, Entry, Line, Lot, LotUse, Member, Quote, State
from pos_loyalty.replay.model import card_number
from pos_loyalty.store import ledger, sales
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.store.facts import GENESIS, Fact, SaleFact, chain, payload_of
from pos_loyalty.store.members import PulledCard, PulledMember, put_pulled
from pos_loyalty.store.migrations import SCHEMA
from pos_loyalty.store.witness import watched
from pos_loyalty.values import Minor, Points, Thousandths

PROGRAMME = """
format = 1
id = "bench"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
[points]
value = "1.00"
lifetime_days = 180
[redeem]
limit = "50%"
[[rule]]
id = "drinks"
stage = "item"
then = [{ do = "percent", percent = "10%", on = { category = "drinks" } }]
[[rule]]
id = "base"
then = [{ do = "points", rate = "5%" }]
"""
REDEEMED_CENTI = Points(4_000)
AT_ONCE = 2_000
ROWS_AT_ONCE = 20_000
SLIP = b"\x1b@" + b"-" * 400


def card_of(member: int) -> str:
    """The card of a member by number."""
    return card_number(member, CARD)


def write_config(folder: Path) -> Path:
    """A config over ``till.db`` in the folder; the value is its path."""
    (folder / "programme.toml").write_text(PROGRAMME)
    secrets = folder / "secrets.toml"
    secrets.write_text(f'pepper = "{"0" * 64}"\nmaster_key = "{"1" * 64}"\ntoken = "{"t" * 32}"\n')
    secrets.chmod(0o600)
    config = folder / "config.toml"
    config.write_text(
        'secrets = "secrets.toml"\n[store]\nid = "S1"\nname = "Bench"\n'
        '[till]\nid = "T1"\ndatabase = "till.db"\nprogramme = "programme.toml"\nport = 0\n'
        f'[[card]]\nprefix = "{CARD.prefix}"\nlength = {CARD.length}\n'
    )
    return config


def write_whole(path: Path, members: int, entries: int) -> int:
    """A till's file with at least so many entries, which ``verify`` finds right; answers how many sales it holds."""
    db = open_store(path, role="till", owner="T1", now=NOW)
    put_members(db, members)
    books = _Books(db)
    made = whole_sales(members)
    while books.entries < entries:
        with write(db):
            books.add(list(islice(made, AT_ONCE)))
    with write(db):
        books.close()
    db.close()
    return books.sales


def put_members(db: Connection, members: int) -> None:
    """Members with a card each, as head office tells of them."""
    for start in range(0, members, ROWS_AT_ONCE):
        numbers = range(start, min(members, start + ROWS_AT_ONCE))
        with write(db):
            told = (PulledMember(member_id=f"m{n}", version=n + 1, cards=(PulledCard(number=card_of(n)),)) for n in numbers)
            put_pulled(db, told, as_of_seq=0)


def whole_sales(members: int) -> Iterator[Fact]:
    """Facts of sales without end, member by member and round by round."""
    plain, redeeming = _templates()
    for number in count():
        is_redeeming = number // members % 3 != 0
        who = f"m{number % members}"
        quoted = redeeming if is_redeeming else plain
        lots = (LotUse(lot_id=f"T1/s{number - members}:base", centi=quoted.redemption.centi),) if is_redeeming else ()
        redemption = replace(quoted.redemption, lots=lots)
        quoted = replace(quoted, member_id=who, basket_id=f"B{number}", redemption=redemption, quote_id=f"q{number}")
        yield _fact(number, who, quoted)


def _templates() -> tuple[Quote, Quote]:
    """The same basket without points, and with the points of the first paid back in."""
    programme = load_programme(PROGRAMME.encode())
    nothing = State(uses={}, budgets={}, coupons={})
    plain = quote(_basket(0), Member(member_id="m"), programme, nothing, NOW)
    lot = Lot(lot_id="l", centi=REDEEMED_CENTI)
    redeeming = quote(replace(_basket(0), redeem="max"), Member(member_id="m", lots=(lot,)), programme, nothing, NOW)
    assert redeeming.redemption.centi == lot.centi <= min(accrual.centi for accrual in (*plain.accruals, *redeeming.accruals))
    return plain, redeeming


def _basket(number: int) -> Basket:
    lines = tuple(
        Line(
            line_id=str(n),
            sku=f"46000000000{n}",
            name="Кофе в зёрнах" if n == 1 else "Печенье",
            category="drinks" if n == 1 else "food",
            quantity_milli=Thousandths(2000),
            price_minor=Minor(24_900 + n),
            vat_bp=2200,
        )
        for n in (1, 2)
    )
    return Basket(
        basket_id=f"B{number}", store="S1", till="T1", cashier="C1", opened_at=NOW, currency="RUB", lines=lines
    )  # fmt: skip


def _fact(number: int, who: str, quoted: Quote) -> Fact:
    at = NOW + timedelta(milliseconds=number)
    sale_id = f"s{number}"
    ref = f"T1/{sale_id}"
    return Fact(
        schema=SCHEMA,
        id=UUID(int=(to_ms(at) << 80) + (0x7 << 76) + (0b10 << 62) + number).hex,
        store="S1",
        till="T1",
        epoch=1,
        seq=number + 1,
        kind="sale.completed",
        at=at,
        boot_id="bench",
        mono_ns=number,
        hlc=to_ms(at) << ledger.LOGICAL_BITS,
        engine=ENGINE_VERSION,
        programme=quoted.programme,
        receipt_no=f"T1-1-{number + 1:06d}",
        cashier="C1",
        member=who,
        entries=reserve(quoted, ref) + settle(quoted, ref, at),
        sale=SaleFact(
            sale_id=sale_id,
            basket=_basket(number),
            quote=quoted,
            tenders=(),
            offline_centi=Points(0),
            biz_day=20_778,
            completed=True,
        ),
    )


class _Books:
    """What follows from facts, gathered to be written in bulk."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._hash = GENESIS
        self._balances: dict[str, int] = {}
        self.entries = 0
        self.sales = 0

    def add(self, made: list[Fact]) -> None:
        """Write these facts and their rows; what they take from lots is taken."""
        rows: dict[str, list[Any]] = {
            name: [] for name in ("txn", "entry", "lot", "sale", "line", "adjustment", "attempt", "job")
        }
        taken: list[tuple[int, str]] = []
        for fact in made:
            payload = payload_of(fact)
            hash_ = chain(self._hash, payload)
            rows["txn"].append(ledger.columns_of(fact) | {"payload": payload, "prev_hash": self._hash, "hash": hash_})
            self._hash = hash_
            self._add_entries(fact, rows, taken)
            row = sales.sale_row(fact)
            rows["sale"].append(row)
            rows["line"].extend(sales.line_rows(fact))
            rows["adjustment"].extend(sales.adjustment_rows(fact))
            rows["attempt"].append((row["sale_id"], row["txn"], row["authorised_ms"], bytes(32)))
            rows["job"].append((row["sale_id"], row["receipt_no"], SLIP, row["authorised_ms"], row["authorised_ms"]))
        last_job = self._db.execute("SELECT coalesce(MAX(id), 0) FROM print_job").fetchone()
        with (
            watched(self._db, "attempt", "opened_ms >= ?", (to_ms(made[0].at),)),
            watched(self._db, "print_job", "id > ?", last_job),
        ):
            for name, statement in STATEMENTS.items():
                self._db.executemany(statement, rows[name])
        self._db.executemany("UPDATE lot SET remaining = remaining - ? WHERE id = ?", taken)
        self.sales += len(made)

    def close(self) -> None:
        """Write the balances."""
        held = [(account, amount) for account, amount in self._balances.items() if amount]
        self._db.executemany("INSERT INTO balance (account, unit, amount) VALUES (?, 'point', ?)", held)

    def _add_entries(self, fact: Fact, rows: dict[str, list[Any]], taken: list[tuple[int, str]]) -> None:
        txn = bytes.fromhex(fact.id)
        for n, entry in enumerate(fact.entries):
            rows["entry"].append((txn, n, *ledger.entry_row(entry)))
            self._move(entry)
            if ledger.makes_lot(entry):
                rows["lot"].append(ledger.lot_row(txn, entry) | {"remaining": entry.amount})
            elif entry.debit.startswith(ledger.MEMBER):
                taken.append((entry.amount, entry.lot_id or ""))
        self.entries += len(fact.entries)

    def _move(self, entry: Entry) -> None:
        self._balances[entry.debit] = self._balances.get(entry.debit, 0) - entry.amount
        self._balances[entry.credit] = self._balances.get(entry.credit, 0) + entry.amount


STATEMENTS = {
    "txn": ledger.TXN_INSERT,
    "entry": ledger.ENTRY_INSERT,
    "lot": ledger.LOT_INSERT.replace(":amount, 0)", ":amount, :remaining)"),
    "sale": sales.SALE_INSERT,
    "line": sales.LINE_INSERT,
    "adjustment": sales.ADJUSTMENT_INSERT,
    "attempt": "INSERT INTO attempt (sale_id, txn, opened_ms, content_hash) VALUES (?, ?, ?, ?)",
    "job": "INSERT INTO print_job (sale_id, receipt_no, kind, state, body, queued_ms, moved_ms)"
    " VALUES (?, ?, 'sale', 'printed', ?, ?, ?)",
}
