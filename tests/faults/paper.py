"""What came out of an emulated printer and its drawer beside what the till's file says: every receipt accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pos_loyalty.clock import utc_now
from pos_loyalty.store import prints
from pos_loyalty.store.db import Connection
from pos_loyalty.till.model import PrintRequest
from pos_loyalty.till.spool import Spool
from tests.emulators.mechanism import Mechanism
from tests.shop import CONFIG, Shop

MARK = "КОПИЯ / повторная печать"
FINAL = ("printed", "sent_unconfirmed", "uncertain", "failed", "expired")
ROUNDS_MAX = 400


def shop_with(folder: Path, port: int, more: str = "") -> Shop:
    """A till with a printer on this port, with a drawer; its clock is the machine's, as the worker's is."""
    table = f'\n[printer]\nkind = "tcp"\nport = {port}\ntimeout_s = 1.0\ndrawer = true\n{more}'
    shop = Shop(folder, CONFIG + table)
    shop.now = utc_now()
    return shop


def on_paper(printer: Mechanism, receipt_no: str) -> tuple[int, int]:
    """How often a receipt stands whole on paper: without a mark, and as a marked copy. A torn one is no receipt."""
    slips = [slip for slip in printer.receipts if slip.is_cut and receipt_no in slip.text]
    marked = sum(MARK in slip.text for slip in slips)
    return len(slips) - marked, marked


def jobs_of(db: Connection) -> list[tuple[str, int, str]]:
    """Receipt number, copy, state of every job."""
    rows = db.execute("SELECT receipt_no, copy, state FROM print_job ORDER BY id")
    return [(str(receipt_no), int(copy), str(state)) for receipt_no, copy, state in rows]


def settle(spool: Spool, db: Connection) -> None:
    """Let the worker go round until nothing waits."""
    for _ in range(ROUNDS_MAX):
        spool.round()
        if not prints.waiting(db):
            return
    raise AssertionError(f"receipts wait for ever: {jobs_of(db)}")


def copy_what_is_uncertain(shop: Shop, sale_id: str) -> bool:
    """What a cashier does about an uncertain receipt."""
    states = [state for _, _, state in jobs_of(shop.db)]
    if states[-1] != "uncertain":
        return False
    shop.till.print_again(sale_id, PrintRequest(), f"copy-{sale_id}-{len(states)}")
    return True


def judge(printer: Mechanism, shop: Shop, receipt_no: str) -> tuple[str, int, int, int]:
    """State of the original, prints without a mark, with one, drawer kicks. Fails when paper and file contradict each other."""
    jobs = jobs_of(shop.db)
    first = next(state for number, copy, state in jobs if number == receipt_no and copy == 0)
    unmarked, marked = on_paper(printer, receipt_no)
    assert unmarked in (0, 1), f"{receipt_no} is on paper {unmarked} times without a mark"
    assert first in FINAL and (unmarked == 1 or first != "printed"), f"{receipt_no} is {first} and on paper {unmarked} times"
    assert printer.kicks <= 1, f"the drawer opened {printer.kicks} times"
    return first, unmarked, marked, printer.kicks


def table(title: str, rows: Sequence[tuple[str, Counter[str]]]) -> str:
    """A table of counts, for people."""
    names = sorted({name for _, counts in rows for name in counts})
    lines = [title, "| where | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    lines += [f"| {where} | " + " | ".join(str(counts[name]) for name in names) + " |" for where, counts in rows]
    return "\n".join(lines)
