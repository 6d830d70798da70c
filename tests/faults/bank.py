"""The bank's books: what must hold between tills and head office when all is quiet, by plain SQL and the sellers' own words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pos_loyalty import wiring
from tests.faults.nodes import Office, Shopfloor, rows
from tests.faults.told import spoken
from tests.gifts import GIFT_PROGRAMME

PROGRAMME = re.sub(r"\[\[rule\]\]\nid = \"base\".*?(?=\n\[\[)", "", GIFT_PROGRAMME, flags=re.S)
"""Nothing is earned: the points of the whole chain stay what they were at the start, wherever they are."""
OPENING_CENTI = 400_000
MEMBERS = tuple(
    (f"member-{n}", card, OPENING_CENTI)
    for n, card in enumerate(("2200000000019", "2200000000026", "2200000000033", "2200000000040"), 1)
)
IN_LOTS = "SELECT coalesce(SUM(remaining), 0) FROM lot WHERE id NOT GLOB 'gift:*'"
SPENT = "(CASE WHEN {side} GLOB 'held:*' OR {side} GLOB 'programme:*:redeemed' THEN amount ELSE 0 END)"
REDEEMED = f"""SELECT coalesce(SUM({SPENT.format(side="credit_acct")} - {SPENT.format(side="debit_acct")}), 0)
FROM entry WHERE unit = 'point'"""
BELOW = "SELECT id, remaining, amount FROM lot WHERE remaining < 0 OR remaining > amount"
LOG = "SELECT epoch, seq, id, hash FROM txn WHERE till = '{till}' ORDER BY epoch, seq"
LOTS = "SELECT id, remaining FROM lot WHERE id NOT GLOB 'gift:*' AND remaining > 0 ORDER BY id"
GIFTS = "SELECT id, remaining FROM lot WHERE id GLOB 'gift:*' ORDER BY id"
OVERDRAWN = "SELECT reason, COUNT(*) FROM suspense_case WHERE reason GLOB 'lot.*' OR reason GLOB 'gift_card.*' GROUP BY reason"
SUSPENSE = "SELECT coalesce(SUM(amount), 0) FROM entry WHERE debit_acct = 'suspense'"
FACTS = "SELECT kind, CAST(payload AS TEXT) ->> '$.sale.sale_id', CAST(payload AS TEXT) ->> '$.end.sale_id', \
CAST(payload AS TEXT) ->> '$.returned.return_id' FROM txn WHERE till = '{till}'"


def check(office: Office, tills: Sequence[Shopfloor], *, total_centi: int = OPENING_CENTI * len(MEMBERS)) -> Mapping[str, int]:
    """All that the bank test holds; answers figures worth telling."""
    assert wiring.verify(office.database) == ()
    figures = {"acknowledged acts": 0, "facts": 0}
    for till in tills:
        assert wiring.verify(till.database) == (), till.name
        log = LOG.format(till=till.name)
        assert rows(till.database, log) == rows(office.database, log), f"{till.name}: not the same log"
        assert rows(till.database, LOTS) == rows(office.database, LOTS), f"{till.name} shows other lots than head office"
        figures["acknowledged acts"] += _told_once(till, office)
        figures["facts"] += len(rows(till.database, log))
    for path in (office.database, *(till.database for till in tills)):
        assert rows(path, BELOW) == []
    assert rows(office.database, OVERDRAWN) == [], "rights let nobody redeem what another has"
    assert rows(office.database, SUSPENSE) == [(0,)]
    (in_lots,), (redeemed,) = rows(office.database, IN_LOTS)[0], rows(office.database, REDEEMED)[0]
    assert isinstance(in_lots, int) and isinstance(redeemed, int)
    assert in_lots + redeemed == total_centi, "points came or went"
    assert redeemed > 0, "nobody redeemed anything"
    return figures | {"redeemed_centi": redeemed}


def _told_once(till: Shopfloor, office: Office) -> int:
    """What the seller was told of stands at both sides, once."""
    acked, _ = spoken(till.seller.log)
    told = [fact for facts in acked.values() for fact in facts.split(",")]
    assert len(told) == len(set(told))
    for path in (till.database, office.database):
        stood = [
            f"{kind}={sale or end or back}"
            for kind, sale, end, back in rows(path, FACTS.format(till=till.name))
            if kind in ("sale.completed", "sale.reversed", "sale.returned")
        ]
        assert set(told) - set(stood) == set(), f"{path}: acknowledged and lost"
        assert len(stood) == len(set(stood)), f"{path}: doubled"
    return len(acked)
