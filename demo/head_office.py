"""Head office before its first day: the shop's members are imported into its file by the project's own steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo import shop
from pos_loyalty import wiring
from pos_loyalty.clock import utc_now
from pos_loyalty.store.db import open_store
from sync.server.sqlite import SqliteLedgerStore
from sync.server.steps import import_members as take_in
from sync.wire import CardChange, LotChange, MemberChange

SHOP_DAY = datetime(2026, 11, 21, tzinfo=UTC)
"""The day that the demo's baskets and cards were made for."""


def import_members(config: Path) -> int:
    """Import the forty; gives how many. Importing again changes nothing."""
    settings = wiring.settings(config)
    now = utc_now()
    db = open_store(settings.server_database, role="head_office", owner=wiring.HEAD_OFFICE, now=now)
    store = SqliteLedgerStore(db, bytes.fromhex(wiring.secrets_of(settings).master_key))
    try:
        # The till redeems by its own clock: on a later day the members' points end as far ahead as on the shop's day.
        later = max(timedelta(0), now - SHOP_DAY)
        members = tuple(_change(member, later) for member in shop.members())
        take_in(store, members, now)
        return len(members)
    finally:
        store.close()


def _change(member: shop.DemoMember, later: timedelta) -> MemberChange:
    lots = tuple(
        LotChange(
            lot_id=lot.lot_id,
            centi=lot.centi,
            amount_centi=lot.centi,
            usable_from=lot.usable_from,
            expires_at=lot.expires_at + later,
        )
        for lot in member.lots
    )
    return MemberChange(
        member_id=member.member_id,
        tier=member.tier,
        joined_at=member.joined_at,
        cards=(CardChange(number=member.card),),
        lots=lots,
    )
