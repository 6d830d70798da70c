"""The engine: values and pure functions. No I/O, clock, random, database or log.

A quote, from the question to the answer:

- programme (the file: rules, conditions, effects, selectors, figures) → checks … (what it may not say) → ready (made ready);
- quote → decide: lines and shelf, floors (prices and floors of lines), gates and lacks … (which rules hold);
- combine (rules that exclude one another) → stages → pools (drafts, kinds, search …, laying, chain), order, caps;
- payment (redeem_for, redeem) → spread and fiscal (back to the basket's lines);
- accruals and earning …, issue, referral (what the sale brings); reasons_of, idle, hints, again, explain … (why).

Beside it: ledger, lots, returns (entries of points), acts (points for other acts), coupons and check_digits, filling (of sets
with units), schema and meanings, warnings and rule_doubts (what may be said and is probably not meant).
"""

from __future__ import annotations

from pos_loyalty.engine.ledger import expire, release, reserve, reverse, settle
from pos_loyalty.engine.programme import Programme, load_programme
from pos_loyalty.engine.quote import quote

__all__ = ["Programme", "expire", "load_programme", "quote", "release", "reserve", "reverse", "settle"]
