"""How the till is: what a cashier or a monitor should know before it hurts."""

from __future__ import annotations

import shutil
from datetime import timedelta

from pos_loyalty.clock import from_ms
from pos_loyalty.errors import NotFoundError
from pos_loyalty.store import coupon_words, drawer, outbox, prints, roads, sales
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.model import Health
from pos_loyalty.till.rights import exposure_centi, head_office_answers
from pos_loyalty.till.unfinished import clock_sentence, crash_sentence

DISK_FLOOR_MB = 200
UNSENT_WARNING = 10_000
MB = 1024 * 1024
PAPER_SHOWN_FOR = timedelta(hours=12)
PAPER_SHOWN_MAX = 3
DRAWER_SHOWN_FOR = timedelta(minutes=10)


def health_of(desk: Desk, device_problems: tuple[str, ...]) -> Health:
    """Read the state of everything the till stands on."""
    now = desk.now()
    state = outbox.state(desk.db)
    problems: list[str] = []
    programme: str | None = None
    try:
        programme = desk.shelf.current(desk.db).name
    except NotFoundError as error:
        problems.append(str(error))
    if desk.shelf.fault and programme is not None:
        problems.append(desk.shelf.fault)
    if desk.shelf.file_fault:
        problems.append(desk.shelf.file_fault)
    free_disk_mb = shutil.disk_usage(desk.folder).free // MB
    if free_disk_mb < DISK_FLOOR_MB:
        problems.append(f"Only {free_disk_mb} MB of disk are free; below {DISK_FLOOR_MB} MB sales may soon not be stored.")
    problems.extend(device_problems)
    for job in prints.not_on_paper(desk.db, now - PAPER_SHOWN_FOR, PAPER_SHOWN_MAX):
        mend = (
            "print a copy"
            if job.kind != prints.SECRET_KIND
            else "its gift cards have no copy: if not, void the sale, sell them anew"
        )
        problems.append(f"Receipt {job.receipt_no} may not be on paper ({job.state}); {mend}.")
    kick = drawer.not_opened(desk.db, now - DRAWER_SHOWN_FOR)
    if kick is not None:
        problems.append(f"The drawer was not told to open ({kick.note}); open it from here again, or with its key.")
    problems.extend(filter(None, (crash_sentence(desk, now), clock_sentence(desk))))
    unsent_facts = outbox.unsent_count(desk.db)
    if state.trouble is not None:
        problems.append(f"Head office does not take our log: {state.trouble}")
    if unsent_facts > UNSENT_WARNING:
        problems.append(f"{unsent_facts} facts have not reached head office; see that the sync runs.")
    answers = head_office_answers(desk.db, desk.config, now, desk.trusted())
    return Health(
        till=desk.config.till.id,
        programme=programme,
        head_office="none" if desk.config.head_office.url is None else "answers" if answers else "silent",
        heard_at=None if state.heard_ms is None else from_ms(state.heard_ms),
        unsent_facts=unsent_facts,
        unfinished_sales=sales.unfinished(desk.db),
        prints_waiting=prints.waiting(desk.db),
        offline_redeemed_centi=sales.offline_unsent(desk.db),
        exposure_centi=exposure_centi(desk.db, desk.config),
        unconfirmed_coupons=0 if desk.config.head_office.url is None else coupon_words.unconfirmed(desk.db),
        free_disk_mb=free_disk_mb,
        problems=tuple(problems),
        road=None if desk.config.hub.address is None else roads.seen(desk.db),
    )
