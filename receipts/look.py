"""A receipt's template in one language: which sections, in which order, with which words of the shop."""

from __future__ import annotations

from pos_loyalty.config_receipt import SECTIONS, ReceiptConfig, Section, Tongue, lines_in, words_in
from pos_loyalty.values import Value


class Look(Value):
    """A receipt's template in one language; the logo is read apart."""

    sections: tuple[Section, ...] = SECTIONS
    is_extra: bool = False
    """The loyalty part alone."""
    header: tuple[str, ...] = ()
    footer: tuple[str, ...] = ()
    has_bars: bool = False
    referral: str = ""
    survey: str = ""
    feedback: str = ""
    feedback_url: str = ""


def look_of(config: ReceiptConfig, shop_name: str, language: Tongue) -> Look:
    """The template in a language; a text that lacks it stands in another one."""
    return Look(
        sections=config.sections,
        is_extra=config.sale == "loyalty",
        header=lines_in(config.header, language) or (shop_name,),
        footer=lines_in(config.footer, language),
        has_bars=config.coupon_symbol == "bars",
        referral=words_in(config.referral, language),
        survey=words_in(config.survey, language),
        feedback=words_in(config.feedback, language),
        feedback_url=config.feedback_url or "",
    )
