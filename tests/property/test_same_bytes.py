"""The same question gives the same bytes: in another process, with another hash seed, time zone and locale of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import hashlib, itertools
from pathlib import Path
from pos_loyalty.engine import load_programme, quote
from pos_loyalty.engine.model import State
from pos_loyalty.values import encode
from tests.worlds import NOW, basket, line, lot, member
cafe = load_programme(Path("demo/programme.toml").read_bytes())
who = member(tier="gold", lots=(lot("b", 3000), lot("a", 3000)))
digest = hashlib.sha256()
for count in range(1, 30):
    lines = [
        line(str(n), 999 + 7 * n, "0.777" if n % 5 == 0 else str(1 + n % 3), sku=f"s{n % 11}",
             brand="Ферма" if n % 4 == 0 else "",
             measure="weight" if n % 5 == 0 else "piece", tags=("last-day", "x")[: n % 3], vat_bp=1000,
             category=("drinks/coffee", "dairy/cheese", "bakery/pastry", "household", "fruit")[n % 5])
        for n in range(count)
    ]
    digest.update(encode(quote(basket(*lines, redeem="max", coupons=("WELCOME10", "x", "y")), who, cafe, State(), NOW)))
print(digest.hexdigest())
"""


def digest(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_hash_seed_zone_and_locale_of_the_machine_do_not_matter() -> None:
    one = digest(PYTHONHASHSEED="0", TZ="UTC")
    assert len(one) == 64
    assert one == digest(PYTHONHASHSEED="4242", TZ="Pacific/Apia", LC_ALL="ru_RU.UTF-8", PYTHONTZPATH="/nowhere")
