"""What every world begins with: files of tills that are enrolled and have all that head office has. Made once in a process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pos_loyalty.clock import utc_now
from pos_loyalty.store.db import open_store
from pos_loyalty.values import Points, encode
from pos_loyalty.wiring import hubs, identities
from pos_loyalty.wiring.files import settings
from sync.daemon import Pace, Syncer
from sync.local import Here
from sync.server import steps
from sync.server.sqlite_rights import Policy
from sync.wire import CardChange, LotChange, MemberChange, Reply, read_enrolment
from tests.simulation.disk import Disk
from tests.simulation.ground import BEGAN, Ground, Machine, Time, standing
from tests.simulation.net import Question
from tests.simulation.office import PUBLIC, HeadOffice

STYLES = ("plain", "short")
"""Points that live long, or for two days."""
STORES = {"T1": "S1", "T2": "S1", "T3": "S2"}
HUB_STORE, FIRST_HUB = "S1", "HUB1"
"""Where a hub stands, in worlds that have one, and the first hub's name."""
MEMBERS = {"M0": "2200000000019", "M1": "2200000000026", "M2": "2200000000033"}
OPENING = (("old", 6_000, BEGAN + timedelta(days=1)), ("opening", 20_000, None))
"""Each member's first lots: name, hundredths, end."""
MASTER_KEY = "11" * 32
FOLDERS = ("/dev/shm", None)
PROGRAMME = """
format = 1
id = "test"
version = {version}
currency = "RUB"
timezone = "Europe/Moscow"
title = {{ ru = "Проба", en = "Trial" }}
[points]
value = "1.00"
lifetime_days = {days}
[redeem]
limit = "90%"
[[rule]]
id = "base"
title = {{ ru = "Баллы", en = "Points" }}
when = [{{ is = "customer", member = true }}]
then = [{{ do = "points", rate = "{rate}%" }}]
"""
CONFIG = """
secrets = "secrets.toml"
[store]
id = "{store}"
name = "Проба"
[till]
id = "{till}"
database = "till.db"
[head_office]
url = "http://127.0.0.1:1"
[[card]]
prefix = "22"
length = 13
own_prefix = "229{till[1]}"
symbologies = ["ean13", "qr"]
"""
BY_HUB = """
[hub]
url = "http://127.0.0.1:2"
"""
HUB_CONFIG = """
secrets = "secrets.toml"
[store]
id = "{store}"
name = "Проба"
[till]
id = "BACK"
[head_office]
url = "http://127.0.0.1:1"
[hub]
serve = true
id = "{name}"
database = "hub.db"
identity = "hub.identity.json"
"""
SECRETS = 'pepper = "{pepper}"\nmaster_key = "{master}"\n'


class Terms(NamedTuple):
    """What the machines of a world are told besides: tables of the programme and of the tills' config, head office's policy."""

    rules: str = ""
    settings: str = ""
    policy: Policy = "escrow"


PLAIN = Terms()


def programme(style: str, version: int = 1, rate: int = 40, rules: str = "") -> bytes:
    """The programme of a world, or a later one of it."""
    return (PROGRAMME.format(version=version, rate=rate, days=2 if style == "short" else 400) + rules).encode()


def scratch(name: str) -> Path:
    """A folder for a world: in memory where the system has such a place."""
    place = next((each for each in FOLDERS if each is None or Path(each).is_dir()), None)
    return Path(tempfile.mkdtemp(prefix=f"pos-loyalty-{name}-", dir=place))


def lay(folder: Path, style: str, terms: Terms = PLAIN, *, has_hub: bool = False) -> None:
    """The files of a new world."""
    shutil.copytree(_made(style, has_hub, terms), folder, dirs_exist_ok=True)


def furnish_hub(folder: Path, name: str) -> None:
    """The folder of a machine in the back office that is to be the store's hub, with no file yet."""
    folder.mkdir()
    (folder / "config.toml").write_text(HUB_CONFIG.format(store=HUB_STORE, name=name), encoding="utf-8")
    _put_secrets(folder)


@cache
def _made(style: str, has_hub: bool, terms: Terms) -> Path:
    true = Time()
    folder = scratch("template")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    office = HeadOffice(_Alone(true), folder / "HO", 10**9, terms.policy)  # type: ignore[arg-type]
    ground = Ground(office.machine, 0)
    with standing(ground):
        office.boot()
        members = [
            MemberChange(
                member_id=member_id,
                cards=(CardChange(number=card),),
                lots=tuple(
                    LotChange(lot_id=f"{name}:{member_id}", centi=Points(centi), amount_centi=Points(centi), expires_at=ends)
                    for name, centi, ends in OPENING
                ),
            )
            for member_id, card in MEMBERS.items()
        ]
        office.act(lambda store: steps.import_members(store, members, BEGAN))
        office.act(lambda store: steps.publish_programme(store, programme(style, rules=terms.rules), BEGAN))
        for till, store in STORES.items():
            ground.machine = office.machine
            code = office.code(till)
            ground.machine = Machine(till, true, Disk(folder / till / "till.db"))
            _enrolled(folder / till, till, store, code, office, terms)
            with (folder / till / "config.toml").open("a", encoding="utf-8") as config:
                config.write(terms.settings + (BY_HUB if has_hub and store == HUB_STORE else ""))
        if has_hub:
            ground.machine = office.machine
            code = office.code(FIRST_HUB)
            ground.machine = Machine(FIRST_HUB, true, Disk(folder / FIRST_HUB / "hub.db"))
            furnish_hub(folder / FIRST_HUB, FIRST_HUB)
            line = _Straight(FIRST_HUB, "", office)
            known = hubs.as_hub(settings(folder / FIRST_HUB / "config.toml"))
            identities.enrol(known, code, lambda asked: read_enrolment(line.ask("enrol", encode(asked))))
        ground.machine = office.machine
        office.die()
    for path in (*folder.rglob("*.lock"), *folder.rglob("*-shm")):
        path.unlink()
    return folder


class _Alone(NamedTuple):
    """As much of a world as head office needs."""

    true: Time


class _Straight:
    """A line without delay."""

    def __init__(self, till: str, token: str, office: HeadOffice) -> None:
        self._till, self._token, self._office = till, token, office

    def ask(self, kind: str, body: bytes) -> Reply:
        return self._office.answer(Question(kind, self._till, self._token, body))

    def push(self, batch: bytes) -> Reply:
        return self.ask("log", batch)

    def changes(self, question: bytes) -> Reply:
        return self.ask("changes", question)

    def rights(self, question: bytes) -> Reply:
        return self.ask("rights", question)


def _enrolled(folder: Path, till: str, store: str, code: str, office: HeadOffice, terms: Terms) -> None:
    """A new till that has heard all."""
    folder.mkdir()
    (folder / "config.toml").write_text(CONFIG.format(store=store, till=till), encoding="utf-8")
    _put_secrets(folder)
    known = settings(folder / "config.toml")
    line = _Straight(till, "", office)
    made = identities.enrol(known, code, lambda asked: read_enrolment(line.ask("enrol", encode(asked))))
    here = Here(till=till, master_key=bytes.fromhex(MASTER_KEY), signer=made.signer, head_office_key=PUBLIC)
    db = open_store(known.till_database, role="till", owner=till, now=utc_now(), master_key=MASTER_KEY)
    pace = Pace(interval_s=1.0, batch_facts_max=500, wants="home" if terms.policy == "escrow" else None)
    report = Syncer(db, here, pace, _Straight(till, made.token, office), lambda: 0.5).once(utc_now)  # type: ignore[arg-type]
    assert report.trouble is None, report
    db.close()


def _put_secrets(folder: Path) -> None:
    secrets = folder / "secrets.toml"
    secrets.write_text(SECRETS.format(pepper="22" * 32, master=MASTER_KEY), encoding="ascii")
    secrets.chmod(0o600)
