"""The shop's own receipts to look at, without a database: samples of every kind, and whether the template can be printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pos_loyalty.config import Config, Language
from pos_loyalty.config_receipt import Tongue, words_in
from pos_loyalty.errors import ConfigError, InputError
from pos_loyalty.values import Value
from receipts.look import Look, look_of

if TYPE_CHECKING:
    from receipts.samples import Shop

TEXT_COLUMNS = 48
TONGUES: tuple[Tongue, ...] = ("ru", "en")


class Wanted(Value):
    """Which sample: of a kind, in a language and a width; None takes the config's."""

    kind: str
    language: Language | None = None
    columns: int | None = None


def check_receipts(config: Config) -> None:
    """The logo is a picture, and every text of the template can be printed. ``config`` has whole paths. Raises ConfigError."""
    from receipts.glyphs import fit
    from receipts.layout import COLUMN_DOTS
    from receipts.logo import logo

    printer, receipt = config.printer, config.receipt
    if receipt.logo is not None:
        logo(Path(receipt.logo), COLUMN_DOTS * (TEXT_COLUMNS if printer is None else printer.columns))
    if printer is None:
        return
    for language in TONGUES:
        look = look_of(receipt, config.store.name, language)
        for place, texts in _texts(look, config, language).items():
            for text in texts:
                try:
                    fit(printer.page, text, place)
                except InputError as error:
                    raise ConfigError(place, error.message) from error


def sample_text(config: Config, wanted: Wanted) -> str:
    """A sample as text."""
    from receipts.samples import sample
    from receipts.text import to_text

    shop, language = _shop(config, wanted)
    return to_text(sample(wanted.kind, shop, language), shop.columns)


def sample_png(config: Config, wanted: Wanted) -> bytes:
    """A sample as a picture. Raises LoyaltyError without a font."""
    from receipts.png import to_png
    from receipts.samples import sample

    shop, language = _shop(config, wanted)
    return to_png(sample(wanted.kind, shop, language), shop.columns, config.receipt.font)


def sample_bytes(config: Config, wanted: Wanted) -> bytes:
    """A sample as the printer is sent it. Raises InputError for a sign that its code page lacks."""
    from receipts.escpos import to_escpos
    from receipts.samples import sample
    from receipts.self_test import self_test_bytes

    shop, language = _shop(config, wanted)
    if wanted.kind == "self_test":
        return self_test_bytes(columns=shop.columns, page=shop.page, slot=shop.slot, language=language)
    return to_escpos(sample(wanted.kind, shop, language), columns=shop.columns, page=shop.page, slot=shop.slot)


def _shop(config: Config, wanted: Wanted) -> tuple[Shop, Language]:
    from receipts.layout import COLUMN_DOTS
    from receipts.logo import logo
    from receipts.samples import Shop

    printer, receipt = config.printer, config.receipt
    language = wanted.language or receipt.language
    look = look_of(receipt, config.store.name, language)
    columns = wanted.columns or (TEXT_COLUMNS if printer is None else printer.columns)
    has_logo = receipt.logo is not None and "logo" in look.sections
    shop = Shop(
        look=look,
        logo=logo(Path(receipt.logo or ""), COLUMN_DOTS * columns) if has_logo else None,
        columns=columns,
        page="cp866" if printer is None else printer.page,
        slot=17 if printer is None else printer.slot,
        consent_texts={
            "data": words_in(config.consent.data_text, language),
            "advertising": words_in(config.consent.advertising_text, language),
        },
    )
    return shop, language


def _texts(look: Look, config: Config, language: Tongue) -> dict[str, tuple[str, ...]]:
    """By the key of the config that says them."""
    return {
        "receipt.header": look.header,
        "receipt.footer": look.footer,
        "receipt.referral": (look.referral,),
        "receipt.survey": (look.survey,),
        "receipt.feedback": (look.feedback,),
        "consent.data_text": tuple(words_in(config.consent.data_text, language).splitlines()),
        "consent.advertising_text": tuple(words_in(config.consent.advertising_text, language).splitlines()),
    }
