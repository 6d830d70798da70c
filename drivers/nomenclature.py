"""Which rule of the shop holds for a code: for all of it, symbology, prefix, length and check. The first that does decides."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivers.check_digits import damm_holds, gtin_holds, luhn_holds
from drivers.ports import Symbology
from pos_loyalty.config import CardConfig, CodeConfig
from pos_loyalty.config_codes import code_of
from pos_loyalty.payment_cards import OWN_DIGITS_MIN, USUAL_LENGTHS, holds_foreign, holds_number

CARD_SIGNS = re.compile("[0-9A-Z]+")
PRINTED_SIGNS = re.compile("[!-~]+")
SIGNED_SIGNS = re.compile(r"[!-~\x20]+")


def holding(text: str, symbology: Symbology | None, rules: Sequence[CodeConfig], *, closely: bool = False) -> CodeConfig | None:
    """The first rule that holds for all of the code; None when none does.

    A reader that does not tell its symbology is believed on the rest alone. No rule holds for a payment card's number, nor for
    one behind the rule's prefix; ``closely``: nor for one in the midst of other digits.
    """
    for rule in rules:
        if fits(text, symbology, rule) and check_holds(text, rule) and _is_ours(text, rule, closely=closely):
            return rule
    return None


def holds_behind(text: str, rules: Sequence[CodeConfig]) -> bool:
    """Whether a payment card's number stands right behind a prefix of the shop's own, digits of the prefix before it or not."""
    prefixes = (rule.prefix for rule in rules if len(rule.prefix) >= OWN_DIGITS_MIN or not rule.prefix.isdecimal())
    return any(text.startswith(prefix) and holds_number(text[len(prefix) :], fewest=USUAL_LENGTHS[-1]) for prefix in prefixes)


def mistyped(text: str, symbology: Symbology | None, rules: Sequence[CodeConfig]) -> bool:
    """Some rule holds but for its check digit: a sign was misread or mistyped."""
    return any(fits(text, symbology, rule) and not check_holds(text, rule) for rule in rules)


def member_card(code: str, symbology: Symbology | None, cards: Sequence[CardConfig]) -> str | None:
    """The card number, when a nomenclature of the shop holds: symbology, prefix, length, check digit. Else None."""
    return None if holding(code, symbology, [code_of(card) for card in cards]) is None else code


def fits(text: str, symbology: Symbology | None, rule: CodeConfig) -> bool:
    """All of a rule but its check holds."""
    if symbology is not None and rule.symbologies and symbology not in rule.symbologies:
        return False
    fewest, most = rule.lengths
    if not fewest <= len(text) <= most or not text.startswith(rule.prefix):
        return False
    return _signs_of(rule).fullmatch(text) is not None


def check_holds(text: str, rule: CodeConfig) -> bool:
    """The check digit is right. A signature is checked by the till where the code is used: the parser has no key."""
    match rule.check:
        case "gtin":
            return gtin_holds(text)
        case "luhn":
            return luhn_holds(text)
        case "damm":
            return damm_holds(text)
        case "hmac" | "none":
            return True


def told(rule: CodeConfig) -> str:
    """A rule in the words of the config."""
    length = rule.length if isinstance(rule.length, int) else list(rule.length)
    return f'kind = "{rule.kind}", prefix = "{rule.prefix}", length = {length}, check = "{rule.check}"'


def _signs_of(rule: CodeConfig) -> re.Pattern[str]:
    if rule.check == "hmac":
        return SIGNED_SIGNS
    return CARD_SIGNS if rule.kind == "card" else PRINTED_SIGNS


def _is_ours(text: str, rule: CodeConfig, *, closely: bool) -> bool:
    return rule.check == "gtin" or not holds_foreign(text, rule.prefix, closely=closely)
