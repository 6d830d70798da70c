"""Bad input, one by one: a clear sentence that names the place, nothing lost, and the till sells on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pos_loyalty import wiring
from pos_loyalty.config import load_config, load_secrets
from pos_loyalty.engine.model import Basket
from pos_loyalty.errors import ConfigError, InputError, StoreBusyError, StoreFullError, StoreSchemaError
from pos_loyalty.store.db import write
from pos_loyalty.till.model import QuoteRequest
from pos_loyalty.values import decode, encode
from tests.shop import CARD, CONFIG, PROGRAMME, Shop, make_basket

COUPON_PROGRAMME = (
    PROGRAMME.replace("version = 1", "version = 2")
    + """
[[coupon]]
id = "welcome"
code = "WELCOME10"
until = "2026-11-01"

[[rule]]
id = "welcome"
stage = "order"
when = [{ is = "coupon", series = "welcome" }]
then = [{ do = "percent", percent = "10%" }]
"""
)


def _basket_json(change: Callable[[dict[str, Any]], object]) -> bytes:
    data = json.loads(encode(make_basket()))
    change(data)
    return json.dumps(data).encode()


BASKETS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a negative price": (lambda b: b["lines"][0].update(price_minor=-1), r"lines\[0\]\.price_minor: -1 is negative: write a w"),
    "a price with a fraction": (lambda b: b["lines"][0].update(price_minor=1.5), r"lines\[0\]\.price_minor"),
    "quantity 1e3": (lambda b: b["lines"][0].update(quantity="1e3"), r'lines\[0\]\.quantity: "1e3" is not a quantity'),
    "quantity as a number": (lambda b: b["lines"][0].update(quantity=2), r"lines\[0\]\.quantity.*decimal string"),
    "a negative quantity": (lambda b: b["lines"][0].update(quantity="-1"), r"lines\[0\]\.quantity"),
    "a foreign digit": (lambda b: b["lines"][0].update(quantity="١٢"), r"lines\[0\]\.quantity"),
    "currency of another programme": (lambda b: b.update(currency="EUR"), r'currency.*EUR'),
    "a line twice": (lambda b: b["lines"].append(b["lines"][0]), r"lines\[1\]"),
    "10,000 lines": (lambda b: b.update(lines=[dict(b["lines"][0], line_id=str(n)) for n in range(10_000)]), r"lines.*1000"),
    "half a piece": (lambda b: b["lines"][0].update(quantity="0.5"), r"lines\[0\]\.quantity"),
    "a time without an offset": (lambda b: b.update(opened_at="2026-11-21T12:00:00"), r"opened_at"),
    "an unknown field": (lambda b: b.update(discount=5), r"discount"),
}  # fmt: skip


@pytest.mark.parametrize("name", BASKETS)
def test_a_bad_basket_is_one_sentence_with_its_place(shop: Shop, name: str) -> None:
    change, sentence = BASKETS[name]
    before = shop.rows()
    with pytest.raises(InputError, match=sentence) as caught:
        shop.till.quote(QuoteRequest(basket=decode(_basket_json(change), Basket)))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400
    assert shop.rows() == before
    assert shop.sell().state == "completed"


def test_an_expired_coupon_is_a_refusal_with_its_reason(shop: Shop) -> None:
    shop.publish(COUPON_PROGRAMME)
    quote = shop.till.quote(QuoteRequest(basket=make_basket(coupons=("WELCOME10",)), card=CARD))
    refusal = next(refusal for refusal in quote.refusals if refusal.rule == "welcome")
    assert refusal.condition == "coupon" and "2026-11-01" in refusal.have + refusal.need


def test_a_faulty_programme_leaves_the_old_one_in_force(shop: Shop) -> None:
    with write(shop.db):
        shop.db.execute(
            "INSERT INTO programme (id, version, sha256, body, received_ms)"
            " VALUES ('test', 9, zeroblob(32), :body, 9000000000000)",
            {"body": PROGRAMME.replace('percent = "10%"', 'percent = "120%"').encode()},
        )
    assert shop.sell().quote.total_minor == 27_000
    assert [text for text in shop.till.health().problems if "rule[0].then[0].percent" in text and "120%" in text]
    assert shop.reopen().quote(QuoteRequest(basket=make_basket())).total_minor == 27_000


def test_a_database_of_another_schema_is_refused_and_left_alone(shop: Shop) -> None:
    with write(shop.db):
        shop.db.execute("PRAGMA user_version = 0")
    with pytest.raises(StoreSchemaError, match="build"):
        shop.reopen()
    assert shop.config.with_name("till.db").stat().st_size > 0


def test_a_second_till_on_one_file_is_refused(shop: Shop) -> None:
    code = "import sys; from pos_loyalty.cli.main import main; sys.exit(main(['till', '--config', sys.argv[1]]))"
    done = subprocess.run([sys.executable, "-c", code, str(shop.config)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and done.stdout == ""
    with pytest.raises(StoreBusyError):
        wiring.open_till(shop.config)
    assert shop.sell().state == "completed"


def test_a_full_disk_sells_nothing_and_says_so(shop: Shop) -> None:
    request = replace(shop.ask(), complete=True)
    pages = shop.db.execute("PRAGMA page_count").fetchone()[0]
    before = shop.rows()
    shop.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFullError):
        for number in range(50):
            shop.till.authorise(replace(shop.ask(), sale_id=f"sale-{number}", complete=True), f"key {number}")
    shop.db.execute("PRAGMA max_page_count = 1000000")
    assert shop.till.quote(QuoteRequest(basket=make_basket())).due_minor == 27_000
    assert len(shop.rows()["sale"]) >= len(before["sale"])
    assert shop.till.authorise(request, "key").state == "completed"


CONFIGS = {
    "an unknown key": ("[till]\n", "[till]\ntil = 1\n", r"config\.toml: till\.til: is not a field here"),
    "a wrong type": ("port = 0", 'port = "x"', r"config\.toml: till\.port: write a whole number from 0 to 65535"),
    "an impossible port": ("port = 0", "port = 99999", r"config\.toml: till\.port: .*65535"),
    "a zone that is not": (
        'name = "Проба"',
        'name = "x"\ntimezone = "Mars/Base"',
        r'store\.timezone: "Mars/Base" is not a time zone',
    ),
    "a cap without its policy": ("[[card]]", '[offline]\ncap_per_member_day = "5"\n[[card]]', r"offline\.cap_per_member_day"),
    "not TOML": ("[till]", "[till", r"config\.toml: is not TOML"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_bad_config_is_one_error_with_its_place(tmp_path: Path, name: str) -> None:
    good, bad, sentence = CONFIGS[name]
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=sentence):
        load_config(path)


def test_a_key_file_that_others_may_read_is_refused(shop: Shop) -> None:
    os.chmod(shop.folder / "secrets.toml", 0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_secrets(shop.folder / "secrets.toml")
