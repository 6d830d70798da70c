"""Lots by which head office evened a member out. Rule: the name of such a lot tells all of it.

A head office that was restored from a backup forgot those that it made since, and tills may hold rights to them. So the first
fact of a till that names one makes it known again, by a fact of head office's own log, and the member is evened out anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from itertools import count
from typing import Final

from pos_loyalty.clock import NewId, from_ms, to_ms
from pos_loyalty.engine.lapsed import EVENED
from pos_loyalty.engine.ledger import ADJUSTMENT, member_account
from pos_loyalty.engine.lots import moved_name, says_grace
from pos_loyalty.engine.model import CENTI_MAX, Entry, Instant, Lot
from pos_loyalty.store import epochs, ledger
from pos_loyalty.store.db import Connection
from pos_loyalty.store.facts import Fact
from pos_loyalty.values import Points

NAMED: Final = re.compile(r"[0-9a-f]{32}\.([0-9]{1,15})\.([0-9]{1,14})\.([0-9]{1,14})(?:\+grace)?:[0-9]{1,9}")


def name(owner: str, member_id: str, lot: Lot, taken: Collection[str]) -> str:
    """What a lot is called that takes a lot's place, with so much and its dates: where the same comes about again, the same."""
    place = blake2b(f"{member_id} {lot.lot_id}".encode(), digest_size=16).hexdigest()
    ref = f"{owner}/{place}.{lot.centi}.{_ms(lot.usable_from)}.{_ms(lot.expires_at)}"
    names = (moved_name(ref, n, is_graced=says_grace(lot.lot_id)) for n in count())
    return next(each for each in names if each not in taken)


def known_again(db: Connection, fact: Fact, owner: str, new_id: NewId, now: datetime) -> tuple[str, ...]:
    """Book the lots that a till's fact names and that were forgotten; answers whose they are. Called inside a transaction.

    ``owner``: of the log in which it stands. Where nothing was ever forgotten no such lot is taken for one.
    """
    forgotten = {lot: who for lot, who in _named(fact, owner).items() if not _is_known(db, lot)}
    if not forgotten or epochs.epoch_of(db) == 1:
        return ()
    by_member: defaultdict[str, list[str]] = defaultdict(list)
    for lot_id, who in forgotten.items():
        by_member[who].append(lot_id)
    for who, lots in by_member.items():
        entries = tuple(_made(lot_id, who) for lot_id in lots)
        draft = ledger.Draft(id=new_id(), kind="points.settled", store=owner, member=who, entries=entries)
        ledger.append(db, draft, now)
    return tuple(by_member)


def _named(fact: Fact, owner: str) -> Mapping[str, str]:
    """Lots that are called so, and whose they are by this fact."""
    found = {lot: who for lot, who in _all_named(fact) if lot.startswith(f"{owner}/")}
    return {lot: who for lot, who in found.items() if (parts := _parts(lot)) is not None and 0 < parts[0] <= CENTI_MAX}


def _all_named(fact: Fact) -> Iterator[tuple[str, str]]:
    for entry in fact.entries:
        is_own = entry.member_id is not None and member_account(entry.member_id) in (entry.debit, entry.credit)
        if is_own and entry.kind != "accrue" and entry.lot_id is not None and entry.member_id is not None:
            yield entry.lot_id, entry.member_id
    for line in () if fact.grant is None else fact.grant.lines:
        yield line.lot_id, line.member_id


def _made(lot_id: str, member_id: str) -> Entry:
    parts = _parts(lot_id)
    assert parts is not None
    centi, usable_from, expires_at = parts
    return Entry(
        kind="accrue", debit=ADJUSTMENT, credit=member_account(member_id), amount=Points(centi), member_id=member_id,
        lot_id=lot_id, rule=EVENED, usable_from=usable_from, expires_at=expires_at,
    )  # fmt: skip


def _parts(lot_id: str) -> tuple[int, Instant | None, Instant | None] | None:
    told = NAMED.fullmatch(lot_id.partition("/")[2])
    if told is None:
        return None
    centi, usable_ms, expires_ms = (int(part) for part in told.groups())
    return centi, from_ms(usable_ms) if usable_ms else None, from_ms(expires_ms) if expires_ms else None


def _ms(at: Instant | None) -> int:
    return 0 if at is None else to_ms(at)


def _is_known(db: Connection, lot_id: str) -> bool:
    return db.execute("SELECT 1 FROM lot WHERE id = :lot", {"lot": lot_id}).fetchone() is not None
