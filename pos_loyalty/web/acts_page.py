"""The page of acts that a person answers for: a table to read, rendered whole, without a script."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

from jinja2 import Template

from pos_loyalty.config import Language
from pos_loyalty.i18n import MINUS, tr
from pos_loyalty.till.staff_model import Acts
from pos_loyalty.web.verbs import Shop

CENTI = 100
SHOWN_SIGNS = 8
"""So many signs of a member's id tell people apart."""


def render_acts(template: Template, shop: Shop, told: Acts, language: Language) -> str:
    """The page. Times are those of the store's zone."""
    zone = ZoneInfo(shop.timezone)
    rows = [
        {
            "at": f"{act.at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            "till": f"{act.till}/{act.seq}",
            "what": tr(language, f"act.{act.kind}"),
            "by": act.by,
            "approved_by": act.approved_by,
            "member": (act.member_id or "")[:SHOWN_SIGNS],
            "about": act.about[:SHOWN_SIGNS] if act.kind == "member.merged" else act.about,
            "points": _points(act.centi),
            "reason": act.reason,
        }
        for act in told.acts
    ]
    return template.render(tr=partial(tr, language), language=language, shop=shop, rows=rows, more=told.more)


def _points(centi: int) -> str:
    whole, rest = divmod(abs(centi), CENTI)
    sign = MINUS if centi < 0 else "+"
    return f"{sign}{whole}.{rest:02d}" if centi else ""
