"""The bank's books: what must hold between tills and head office when all is quiet, by plain SQL and the sellers' own words."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pos_loyalty import wiring
from tests.faults.bank_seller import POINTS_SKU
from tests.faults.nodes import Hub, Office, Shopfloor, rows
from tests.faults.told import spoken
from tests.gifts import GIFT_PROGRAMME

if TYPE_CHECKING:
    from tests.faults.chain import Chain

BASE_RULE = r"\[\[rule\]\]\nid = \"base\".*?(?=\n\[\[)"
POINTS_RULE = f"""[[rule]]
id = "points"
then = [{{ do = "points", fixed = "100", per = "receipt", on = {{ sku = ["{POINTS_SKU}"] }} }}]
"""
PROGRAMME = re.sub(BASE_RULE, POINTS_RULE, GIFT_PROGRAMME, flags=re.S)
"""Nothing is earned but by what a test orders: so the points of the whole chain are known, wherever they are."""
EARNED_CENTI = 10_000
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
OFFICE_LOG = "head-office"
LOG_END = "SELECT epoch, seq, hash FROM txn WHERE till = '{till}' ORDER BY epoch DESC, seq DESC LIMIT 1"
OWNER = "SELECT value FROM meta WHERE key = 'owner'"
UNSENT = "SELECT seq, acked_seq FROM txn, sync_state WHERE till = '{till}' ORDER BY epoch DESC, seq DESC LIMIT 1"
KEPT = "SELECT epoch, seq, lower(hex(hash)), safe_epoch, safe_seq, safe_hash FROM kept_till WHERE till = '{till}'"
WAITING = "SELECT till, last_seq FROM kept_batch"
OVERDRAWN = "SELECT reason, COUNT(*) FROM suspense_case WHERE reason GLOB 'lot.*' OR reason GLOB 'gift_card.*' GROUP BY reason"
SUSPENSE = "SELECT coalesce(SUM(amount), 0) FROM entry WHERE debit_acct = 'suspense'"
FACTS = "SELECT kind, CAST(payload AS TEXT) ->> '$.sale.sale_id', CAST(payload AS TEXT) ->> '$.end.sale_id', \
CAST(payload AS TEXT) ->> '$.returned.return_id' FROM txn WHERE till = '{till}'"


def knows_all(till: Path) -> bool:
    """Whether a till was told the programme and all members."""
    if not till.exists():
        return False
    return len(rows(till, LOTS)) == len(MEMBERS) and rows(till, "SELECT 1 FROM programme") != []


def is_even(database: Path, office: Path) -> bool:
    """Whether a till or a hub has sent all, knows that it is held, and shows the lots that head office shows."""
    ((name,),) = rows(database, OWNER)
    ((last, acked),) = rows(database, UNSENT.format(till=name))
    end = LOG_END.format(till=name)
    return last == acked and rows(database, end) == rows(office, end) and rows(database, LOTS) == rows(office, LOTS)


def keeps_all(hub: Hub, behind: Sequence[Shopfloor]) -> bool:
    """Whether a hub keeps each log behind it to its end, knows that head office holds it, and has nothing to bring."""
    for till in behind:
        ((epoch, seq, hash_),) = rows(till.database, LOG_END.format(till=till.name))
        end = (epoch, seq, bytes(hash_).hex())  # type: ignore[arg-type]
        if rows(hub.relay, KEPT.format(till=till.name)) != [end + end]:
            return False
    return rows(hub.relay, WAITING) == []


def check(chain: Chain, *, earned: int = 0) -> Mapping[str, int]:
    """All that the bank test holds when the chain is quiet; answers figures worth telling. ``earned``: how often points were."""
    office, figures = chain.office, {"acknowledged acts": 0, "facts": 0}
    for machine in (*chain.tills, *([chain.hub] if chain.hub else [])):
        assert wiring.verify(machine.database) == (), machine.name
        log = LOG.format(till=machine.name)
        assert rows(machine.database, log) == rows(office.database, log), f"{machine.name}: not the same log"
        assert rows(machine.database, LOTS) == rows(office.database, LOTS), f"{machine.name} shows other lots than head office"
        assert rows(machine.database, BELOW) == []
    assert wiring.verify(office.database) == ()
    for till in chain.tills:
        figures["acknowledged acts"] += _told_once(till, office)
        figures["facts"] += len(rows(till.database, LOG.format(till=till.name)))
    if chain.hub is not None:
        assert keeps_all(chain.hub, chain.behind)
        assert "hub.restored" not in chain.hub.process.said
    assert rows(office.database, BELOW) == []
    assert rows(office.database, OVERDRAWN) == [], "rights let nobody redeem what another has"
    assert rows(office.database, SUSPENSE) == [(0,)]
    assert rows(office.database, "SELECT till, seq, reason FROM suspense_case") == []
    rights_stand(office)
    (in_lots,), (redeemed,) = rows(office.database, IN_LOTS)[0], rows(office.database, REDEEMED)[0]
    assert isinstance(in_lots, int) and isinstance(redeemed, int)
    assert in_lots + redeemed == OPENING_CENTI * len(MEMBERS) + EARNED_CENTI * earned, "points came or went"
    assert redeemed > 0, "nobody redeemed anything"
    return figures | {"redeemed_centi": redeemed}


def rights_stand(office: Office) -> None:
    """By the payloads of all logs: nobody holds less than nothing of a lot, and all together no more than is left of it."""
    left = Counter({f"opening:{member}": centi for member, _, centi in MEMBERS})
    held, grants = Counter[tuple[str, str, int]](), set[str]()
    for till, payload in rows(office.database, "SELECT till, CAST(payload AS TEXT) FROM txn"):
        fact = json.loads(str(payload))
        whose = str(till), int(fact["epoch"])
        for entry in fact.get("entries") or ():
            gain = entry["amount"] * (entry["credit"].startswith("member:") - entry["debit"].startswith("member:"))
            left[entry["lot_id"]] += gain
            if till != OFFICE_LOG:
                held[entry["lot_id"], *whose] += gain
        grant, back = fact.get("grant"), fact.get("give_back")
        if grant is not None and grant["grant_id"] not in grants:  # the giver's log tells of it, and the taker's
            grants.add(grant["grant_id"])
            _move(held, grant["lines"], grant.get("giver"), grant)
        if back is not None:
            _move(held, back["lines"], {"till": whose[0], "epoch": whose[1]}, back.get("to"))
    assert grants, "nobody got rights"
    assert {key: centi for key, centi in held.items() if centi < 0} == {}
    by_lot = Counter[str]()
    for (lot, _, _), centi in held.items():
        by_lot[lot] += centi
    assert {lot: (centi, left[lot]) for lot, centi in by_lot.items() if centi > left[lot]} == {}, "held twice"


def _move(held: Counter[tuple[str, str, int]], lines: list[Any], giver: Any, taker: Any) -> None:
    """Rights go from one to another; None: from what is free, or to it."""
    for line in lines:
        for whose, centi in ((giver, -line["centi"]), (taker, line["centi"])):
            if whose is not None:
                held[line["lot_id"], whose["till"], whose["epoch"]] += centi


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
