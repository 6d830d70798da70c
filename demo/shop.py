"""What the demo shop is made of: its files read as values, and the config that its till and head office run by."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta

from pos_loyalty.engine.model import Basket, Centi, Id, Instant, Label
from pos_loyalty.values import Value, decode

HERE = Path(__file__).parent
PROGRAMME = HERE / "programme.toml"
CATALOGUE = HERE / "catalogue.json"
CARD_PREFIX = "22"
TILL = "T1"
"""As the config below names it."""
SENIOR, SENIOR_PIN = "M1", "246810"
"""Who answers for the void of a sale of an earlier day: the demo's baskets are of the shop's own day."""
MEMBERS, SALES = 40, 25
CAP_POINTS = 100
"""Points that one member may redeem at this till on one day while head office does not answer."""
TILLS, CUT_DAYS = 1, 1
"""Every basket of the cut is opened on one business day."""
SILENCE_S = 3.0
"""Head office counts as answering for so long after its last answer."""

CONFIG = """\
# Written by the demo; every port is a free one of this machine.
secrets = "secrets.toml"

[store]
id = "S1"
name = "Кофейня и бакалея «Зерно»"
address = "Кострома, ул. Примерная, 5"
currency = "RUB"
timezone = "Europe/Moscow"
languages = ["ru", "en"]

[till]
id = "T1"
database = "till.db"
port = 0
catalogue = '{catalogue}'

[head_office]
url = "http://127.0.0.1:{cable_port}"
timeout_s = 2.0
interval_s = 0.5
answers_for_s = {silence_s}

[server]
database = "head_office.db"
port = 0

[offline]
policy = "allowance"
cap_per_member_day = "{cap}"

[[card]]
prefix = "{card_prefix}"
length = 13
check = "gtin"
symbologies = ["ean13"]

[[scanner]]
path = '{scanner}'
name = "scanner"

[printer]
kind = "tcp"
port = {printer_port}

[receipt]
language = "ru"
header = ["Кофейня и бакалея «Зерно»", "Кострома, ул. Примерная, 5"]
footer = ["Спасибо за покупку!"]
"""


class DemoLot(Value):
    """Points that a member brings along."""

    lot_id: Id
    centi: Centi
    usable_from: Instant
    expires_at: Instant


class DemoMember(Value):
    """A member of the shop before the first sale."""

    member_id: Id
    card: Annotated[str, Meta(min_length=13, max_length=13)]
    tier: Label
    joined_at: Instant
    lots: tuple[DemoLot, ...] = ()


def members() -> tuple[DemoMember, ...]:
    """The forty members."""
    path = HERE / "members.json"
    return decode(path.read_bytes(), tuple[DemoMember, ...], place=str(path))


def basket(number: int) -> Basket:
    """A basket by its number, from 1."""
    path = HERE / "baskets" / f"{number}.json"
    return decode(path.read_bytes(), Basket, place=str(path))


def config_text(*, scanner: Path, printer_port: int, cable_port: int) -> str:
    """config.toml of the demo's till and head office."""
    return CONFIG.format(
        catalogue=CATALOGUE,
        cable_port=cable_port,
        silence_s=SILENCE_S,
        cap=CAP_POINTS,
        card_prefix=CARD_PREFIX,
        scanner=scanner,
        printer_port=printer_port,
    )
