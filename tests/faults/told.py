"""What a seller said, held against what a file says: every acknowledged fact stands, and no fact stands twice."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

from pysqlite3 import dbapi2

ONCE = "SELECT COUNT(*), COUNT(DISTINCT id), COUNT(DISTINCT seq) FROM txn WHERE till = 'T1'"


def say(words: str) -> None:
    """A line in one write: another thread may have something to say."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def spoken(log: Path) -> tuple[dict[int, str], int]:
    """Acknowledged acts with the facts that they made, and the last number that was tried."""
    text = log.read_text(encoding="utf-8", errors="replace")
    acked = {int(number): facts for number, facts in re.findall(r"^ACK (\d+) (.+)$", text, re.M)}
    return acked, max((int(number) for number in re.findall(r"^TRY (\d+)$", text, re.M)), default=0)


def kinds_of(acked: dict[int, str]) -> dict[str, int]:
    """How many facts of each kind were acknowledged."""
    return dict(sorted(Counter(fact.partition("=")[0] for facts in acked.values() for fact in facts.split(",")).items()))


def check_once(path: Path, acked: dict[int, str]) -> None:
    """Nothing acknowledged is lost in this file, nothing is doubled."""
    told = {fact for facts in acked.values() for fact in facts.split(",")}
    assert told
    db = dbapi2.connect(str(path))
    try:
        stood = Counter(_word_of(*row) for row in db.execute("SELECT kind, payload FROM txn WHERE till = 'T1'"))
        facts, ids, numbers = db.execute(ONCE).fetchone()
    finally:
        db.close()
    del stood[""]
    assert told - stood.keys() == set(), "acknowledged and lost"
    assert {fact: times for fact, times in stood.items() if times > 1} == {}, "doubled"
    assert facts == ids == numbers


def _word_of(kind: str, payload: bytes) -> str:
    """A fact as the seller names it; "" for those that made the shop."""
    fact = json.loads(payload)
    about = fact.get("sale") or fact.get("end") or fact.get("claim") or fact.get("adjustment") or fact.get("gift_card")
    if (returned := fact.get("returned")) is not None:
        return f"{kind}={returned['return_id']}"
    if (enrolment := fact.get("enrolment")) is not None:
        return f"{kind}={enrolment['card']}"
    if about is None:
        return ""
    if kind == "gift_card.changed" and not about.get("reason"):
        return f"{kind}={about['act']} {about['card_id']} {about.get('sale_id')}"
    return f"{kind}={about.get('sale_id') or about['reason']}"
