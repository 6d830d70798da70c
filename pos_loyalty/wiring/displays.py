"""The buyer's display of two lines, as the config names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pos_loyalty.config import Config, Language
from pos_loyalty.config_receipt import words_in

if TYPE_CHECKING:
    from pos_loyalty.till.buyer import Buyer
    from pos_loyalty.till.buyer_display import BuyerDisplay


def display_of(config: Config, buyer: Buyer) -> BuyerDisplay | None:
    """The display and its thread; None when there is none in the config. Nothing is opened yet."""
    from drivers.display import SerialDisplay
    from pos_loyalty.till.buyer_display import BuyerDisplay
    from pos_loyalty.till.buyer_lines import Look

    display = config.display
    if display is None or display.kind == "screen":
        return None
    language = display.language or config.store.languages[0]
    look = Look(language, display.page, display.columns, words_in(display.greeting, language))
    return BuyerDisplay(SerialDisplay(display), buyer, look)


def greetings_of(config: Config) -> dict[Language, str]:
    """The shop's own words between two sales, by language; empty where it has none."""
    said = "" if config.display is None else config.display.greeting
    return {language: words for language in config.store.languages if (words := words_in(said, language))}
