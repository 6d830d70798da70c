"""A till over a real file that can be killed in the middle of anything, with members, staff and gift cards to play with.

A kill inside a verb: at some step of SQLite's machine the files are copied as they lie on the disk, and what the process says
after that is heard by nobody. The copy is what the next start finds.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pos_loyalty.store import follow, trusted_time
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.till import staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.staff_model import AdjustRequest
from pos_loyalty.values import Points
from tests.shop import CARD, CONFIG, MEMBER, NOW, OPENING_CENTI, OTHER_CARD, Shop

A = TypeVar("A")
ANNA, BORIS = Approval(person="Anna", pin="1234"), Approval(person="Boris", pin="998877")
MEMBERS = {MEMBER: CARD, "member-2": OTHER_CARD, "member-3": "2200000000033"}
STEPS_PER_LOOK = 25
"""Steps of SQLite's machine between two looks whether to die."""
SETTINGS = CONFIG + "[acts]\nalone_up_to_centi = 1000\n"
CLAIM_DAYS, RETURN_DAYS = 14, 35
PROGRAMME = """
format = 1
id = "test"
version = 1
currency = "RUB"
timezone = "Europe/Moscow"
title = { ru = "Проба", en = "Trial" }

[points]
lifetime_days = 30
claim_days = 14

[redeem]
limit = "60%"
minimum_money = "1.00"

[tiers]
months = 2
[[tier]]
id = "silver"
title = { ru = "Серебро", en = "Silver" }
from_spent = "300.00"

[[rule]]
id = "drinks"
stage = "item"
limits = { total = 40 }
then = [{ do = "percent", percent = "7.77%", on = { category = "drinks" } }]

[[rule]]
id = "pair"
stage = "item"
then = [{ do = "n_for_m", n = 3, k = 1, percent = "50%", on = { category = "bread" } }]

[[rule]]
id = "base"
when = [{ is = "customer", member = true }]
then = [{ do = "points", rate = "3.33%" }]

[[rule]]
id = "slow"
when = [{ is = "customer", member = true }]
then = [{ do = "points", rate = "5%", delay_days = 2, lifetime_days = 9, on = { category = "drinks" } }]

[[rule]]
id = "cups"
when = [{ is = "customer", member = true }]
then = [{ do = "counter_add", key = "cups", on = { category = "drinks" } }]

[returns]
days = 35
without_receipt = "approved"

[[gift_card]]
id = "standard"
sku = "GC"
amounts = ["500", "1000"]
top_up = true

[[gift_card]]
id = "thanks"
kind = "gratis"
amounts = ["300"]
expires_days = 20
"""


class CrashingShop(Shop):
    """The shop at its first moment, in a folder that is emptied first. ``template``: the files of ``make_template``."""

    def __init__(self, folder: Path, template: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(template, folder)
        self.folder, self.now, self.config = folder, NOW, folder / "config.toml"
        self._made = 1_000
        self.open()

    @property
    def path(self) -> Path:
        """The till's file."""
        return self.folder / "till.db"

    def night(self) -> dict[str, str | None]:
        """The nightly jobs: why each one failed, None for all is well."""
        return {job.job: job.trouble for job in self.till.nightly().jobs}

    def confirm_clock(self) -> None:
        """A person looks at the clock and says that it is right, as ``pos-loyalty clock`` does."""
        with write(self.db):
            trusted_time.confirm(self.db, self.till._desk.clocks())

    def turn(self, seconds: int) -> datetime:
        """The wall clock jumps, ahead or back."""
        self.now += timedelta(seconds=seconds)
        return self.now

    def crash(self) -> None:
        """The process is gone without a word; only its files remain."""
        if self.till._desk._db is not None:
            self.till._desk._db.close()
            self.till._desk._db = None
        self.till._release()
        self.open()

    def crash_inside(self, verb: Callable[[], A], looks: int) -> A | None:
        """Do something and die at the n-th look. Answers what was done when it was done before that; None after a crash."""
        image: dict[Path, bytes] = {}
        seen = 0

        def look() -> int:
            nonlocal seen
            seen += 1
            if seen == looks:
                image.update({path: path.read_bytes() for path in (self.path, self._wal) if path.exists()})
            return int(bool(image))

        self.db.set_progress_handler(look, STEPS_PER_LOOK)
        answer: A | None = None
        try:
            answer = verb()
        except Exception:
            if not image:  # else it is what a dead process says
                raise
        finally:
            if self.till._desk._db is not None:
                self.till._desk._db.set_progress_handler(None, 0)
        if not image:
            return answer
        self._lay(image)
        return None

    @property
    def _wal(self) -> Path:
        return self.path.with_name(self.path.name + "-wal")

    def _lay(self, image: dict[Path, bytes]) -> None:
        """The files as they were when the process died."""
        if self.till._desk._db is not None:
            self.till._desk._db.close()
            self.till._desk._db = None
        self.till._release()
        for path in (self.path, self._wal, self.path.with_name(self.path.name + "-shm")):
            path.unlink(missing_ok=True)
        for path, data in image.items():
            path.write_bytes(data)
        self.open()


def make_template(folder: Path, programme: str = PROGRAMME, flyers: tuple[str, ...] = ()) -> Path:
    """The files that every run begins with: three members and two persons of the staff. ``flyers``: coupons of a print run."""
    folder.mkdir(parents=True)
    shop = Shop(folder, SETTINGS, programme)
    for member, card in MEMBERS.items():
        if member != MEMBER:
            shop.add_member(member, card, OPENING_CENTI)
    for person, role in ((ANNA, "cashier"), (BORIS, "senior")):
        staff.add(shop.db, person.person, role, person.pin, shop.till._desk.secrets.pepper)  # type: ignore[arg-type]
    for member in MEMBERS:
        shop.till.adjust(member, AdjustRequest(centi=Points(20_000), reason="to begin with", by=ANNA, approval=BORIS), member)
    if flyers:
        body = CouponsFact(series="flyer", codes=flyers)
        with write(shop.db):
            follow.book(shop.db, Draft(id=shop.new_id(), kind="coupons.added", store="S1", body=body), NOW)
    shop.close()
    for path in folder.glob("*.lock"):
        path.unlink()
    return folder
