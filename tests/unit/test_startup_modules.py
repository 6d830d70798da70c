"""What a till loads up to its first quote, in a fresh process: the list is held, so that a heavy import cannot creep in."""

import json
import subprocess
import sys
from pathlib import Path

HEAVY = {
    *("PIL", "barcode", "cv2", "escpos", "numpy", "serial", "segno", "zxingcpp"),
    *("apsw", "duckdb", "ibis", "pandas", "pyarrow", "sqlglot", "sqlite3", "sqlite_utils"),
    *("asyncio", "cryptography", "http", "jinja2", "requests", "ssl", "starlette", "urllib3", "uvicorn"),
}
THIRD_PARTY = {"msgspec", "pysqlite3", "typing_extensions", "tzdata"}
OURS = {"pos_loyalty", "drivers", "receipts", "sync"}

FIRST_QUOTE = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
before = set(sys.modules)
from pos_loyalty import open_till
from pos_loyalty.engine.model import Basket, Line
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.values import Minor, Thousandths
till = open_till(Path(sys.argv[1]))
line = Line(line_id="1", sku="A", quantity_milli=Thousandths(1000), price_minor=Minor(10000))
at = datetime(2026, 11, 21, 12, tzinfo=UTC)
basket = Basket(basket_id="1", store="S1", till="T1", opened_at=at, currency="RUB", lines=(line,))
quote = till.quote(QuoteRequest(basket=basket))
print(json.dumps([quote.total_minor, sorted({name.partition(".")[0] for name in set(sys.modules) - before})]))
"""

PROGRAMME = """
format = 1
id = "shop"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"

[[rule]]
id = "tenth"
stage = "item"
then = [{ do = "percent", percent = "10%" }]
"""


def loaded(tmp_path: Path) -> tuple[int, set[str]]:
    """The total of the first quote, and the top-level modules that were loaded for it."""
    (tmp_path / "programme.toml").write_text(PROGRAMME)
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(f'pepper = "{"0" * 64}"\nmaster_key = "{"1" * 64}"\n')
    secrets.chmod(0o600)
    config = tmp_path / "config.toml"
    config.write_text(
        'secrets = "secrets.toml"\n[store]\nid = "S1"\nname = "Shop"\n'
        '[till]\nid = "T1"\ndatabase = "till.db"\nprogramme = "programme.toml"\n'
        '[printer]\nkind = "tcp"\n[[scanner]]\npath = "/dev/null"\n[[card]]\nprefix = "29"\nlength = 13\n'
    )
    done = subprocess.run(
        [sys.executable, "-c", FIRST_QUOTE, str(config)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    total_minor, names = json.loads(done.stdout)
    return total_minor, set(names)


def test_a_till_answers_its_first_quote_without_a_heavy_module(tmp_path: Path) -> None:
    total_minor, names = loaded(tmp_path)
    assert total_minor == 9_000
    assert names & HEAVY == set()
    foreign = {name for name in names - OURS - sys.stdlib_module_names if not name.startswith("_sysconfigdata")}
    assert foreign <= THIRD_PARTY
