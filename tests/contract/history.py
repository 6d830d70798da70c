"""One fixed history of a chain: what three tills sent and head office did. Each store gets the same bytes in the same order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path

from msgspec.structs import replace

from pos_loyalty.store.db import Connection
from pos_loyalty.values import Points
from sync import push
from sync.local import Here, next_batch
from sync.server import steps
from sync.server.expiry import expire_due
from sync.server.ledger_store import LedgerStore
from sync.server.nightly import move_tiers
from sync.wire import CardChange, LotChange, MemberChange, decode_batch
from tests.faults.rich import FAR, ISSUING, RichWorld
from tests.faults.world import PROGRAMME
from tests.simulation.shop import NOW, OFFICE_PUBLIC, signer_of
from tests.tables import card_of
from tests.unit.test_sync_identity import sync_fully
from tests.unit.test_sync_rights import Bureau, Clerk, world

SEED = 6
ACTS = 330
BATCH_MAX = 23
"""An odd size, so that batches of the tills come in between one another."""
YEARS_LATER = NOW + timedelta(days=800)


@dataclass(frozen=True)
class History:
    """Batches in the order of their arrival: which till sent it, and its bytes."""

    batches: tuple[tuple[str, bytes], ...]

    def told_to(self, store: LedgerStore) -> None:
        """Head office hears it all, imports and publishes before, books what has run out after."""
        steps.publish_programme(store, (PROGRAMME.replace("version = 1", "version = 2") + ISSUING).encode(), NOW)
        steps.import_members(store, _imported(), NOW)
        for till, batch in self.batches:
            steps.receive(store, till, batch, NOW, OFFICE_PUBLIC)
        with store.write():
            for till in sorted({till for till, _ in self.batches}):
                store.asked(till, YEARS_LATER)
        expire_due(store, YEARS_LATER)
        move_tiers(store, YEARS_LATER)


def made(folder: Path) -> History:
    """Real tills make it: one does every verb there is, two share a member by rights and sell by chance."""
    (folder / "rich").mkdir()
    rich = RichWorld(folder / "rich")
    here = Here(till="T1", master_key=rich.master_key, signer=signer_of("T1"), head_office_key=OFFICE_PUBLIC)
    sent = [list(_sent(rich.till_db, here))]
    rich.shut()
    bureau = Bureau(folder)
    clerks = world(folder, bureau, "AB", 40_000)
    _trade(clerks, bureau)
    for clerk in clerks.values():
        sent.append(list(_sent(clerk.db, clerk.here)))
        clerk.db.close()
    bureau.db.close()
    return History(batches=tuple(each for row in zip_longest(*sent) for each in row if each is not None))


def _trade(clerks: dict[str, Clerk], bureau: Bureau) -> None:
    chance = random.Random(SEED)
    open_sales: list[tuple[Clerk, str, bool]] = []
    for n in range(ACTS):
        clerk = chance.choice(list(clerks.values()))
        sale_id = f"{clerk.name}-{n}"
        match chance.randrange(9):
            case 0 | 1 | 2:
                clerk.sell(sale_id, "M1" if n % 3 else None, earn=chance.randrange(300) if n % 3 else 0)
                open_sales.append((clerk, sale_id, True))
            case 3 | 4:
                clerk.sell(sale_id, "M1", earn=chance.randrange(300), completes=False)
                open_sales.append((clerk, sale_id, False))
            case 5 if open_sales:
                _end(*open_sales.pop(chance.randrange(len(open_sales))))
            case 6:
                clerk.take(bureau.answer(clerk, clerk.question()))
            case 7:
                clerk.redeem(sale_id, chance.randrange(1, 700))
            case _:
                clerk.enrol(f"N{n}", card_of(1_000 + n))
        if n % 20 == 19:
            sync_fully(clerk, bureau)
    for clerk in clerks.values():
        sync_fully(clerk, bureau)
        clerk.now = YEARS_LATER  # leases have ended: what is left goes back
        clerk.take(bureau.answer(clerk, clerk.question()))


def _end(clerk: Clerk, sale_id: str, is_complete: bool) -> None:
    if is_complete:
        clerk.void(sale_id)
    elif len(sale_id) % 2:
        clerk.complete(sale_id)
    else:
        clerk.cancel(sale_id)


def _imported() -> tuple[MemberChange, ...]:
    lot = LotChange(lot_id="far/1", centi=Points(900), amount_centi=Points(900), expires_at=NOW + timedelta(days=90))
    cards = (CardChange(number=card_of(31)), CardChange(number=card_of(32), state="lost"))
    far = MemberChange(member_id=FAR, segments=("vip",), lots=(lot,), joined_at=NOW, cards=cards, birthday="05-17", tier="silver")
    opening = LotChange(lot_id="opening:M1", centi=Points(40_000), amount_centi=Points(40_000))
    return far, replace(far, member_id="M1", cards=(), lots=(opening,), birthday=None, tier=None)


def _sent(db: Connection, here: Here) -> Iterator[tuple[str, bytes]]:
    """A till's whole log in batches, as to a head office that has nothing."""
    seq = 0
    while True:
        step = next_batch(db, here, push.begin(seq, BATCH_MAX, NOW), NOW)
        if step.send is None:
            return
        yield here.till, step.send
        seq += decode_batch(step.send).header.count
