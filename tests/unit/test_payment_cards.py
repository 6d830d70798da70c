"""Payment cards' numbers are found however they are written, and what a shop writes every day is not taken for one."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos_loyalty.payment_cards import holds_number, without_numbers

BANKS = {
    "Visa": "4111111111111111", "Visa 13": "4222222222222", "Visa 19": "4000000000000000006",
    "Mastercard": "5555555555554444", "Mastercard 2": "2223003122003222", "Mastercard 2 last": "2720990000000007",
    "American Express": "378282246310005", "American Express 34": "343434343434343",
    "Mir": "2200770212727079", "Mir 2204": "2204310000000003", "Mir 19": "2200000000000000004",
    "UnionPay": "6200000000000005", "UnionPay 19": "6222000000000000004", "Maestro": "6759649826438453",
    "Maestro 50": "5018000000000009", "Maestro 19": "6799990100000000019", "JCB": "3530111333300000",
    "Diners": "30569309025904", "Diners 36": "36227206271667", "Diners 16": "3056930009020004", "Discover": "6011111111111117",
}  # fmt: skip
"""Published test numbers, or the first of a range with its check digit."""
SEPARATORS = [" ", "-", ".", "_", "+", "/", "|", ",", ":", "  ", " - ", "\t", "\n", "\u00a0", "\u2007", "\u202f", "\u2009",
              "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", "\u200b", "\u2060", "\u3000", "%20", "%2D", "%2d",
              "%C2%A0", "%E2%80%91", "=", "*", "•"]  # fmt: skip
NOUGHTS = [
    ord(sign) for sign in map(chr, range(0x20000)) if unicodedata.category(sign) == "Nd" and unicodedata.decimal(sign) == 0
]
banks = st.sampled_from(sorted(BANKS.values()))


def luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def ean(body: str) -> str:
    total = sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def grouped(number: str, sizes: list[int], separator: str) -> str:
    parts, rest = [], number
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return separator.join([part for part in [*parts, rest] if part])


@pytest.mark.parametrize("name", BANKS)
def test_the_numbers_of_this_test_are_numbers(name: str) -> None:
    assert luhn(BANKS[name]) and 13 <= len(BANKS[name]) <= 19


@pytest.mark.parametrize("name", BANKS)
def test_every_issuer_is_known(name: str) -> None:
    assert holds_number(BANKS[name])
    assert without_numbers(f"a {BANKS[name]} b") == f"a {'*' * len(BANKS[name])} b"


@pytest.mark.parametrize("digits", ["⓿❶❷❸❹❺❻❼❽❾", "⓪①②③④⑤⑥⑦⑧⑨", "⓪➊➋➌➍➎➏➐➑➒", "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"])
@pytest.mark.parametrize("name", BANKS)
def test_digits_with_an_ornament_are_digits(name: str, digits: str) -> None:
    text = BANKS[name].translate(str.maketrans("0123456789", digits))
    assert holds_number(text) and without_numbers(text) == "*" * len(text)


@settings(max_examples=400)
@given(
    banks,
    st.sampled_from(SEPARATORS),
    st.sampled_from([[4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [8, 8], [6, 10], [3, 3, 3, 3, 3], [1] * 19, [2] * 10]),
)
def test_no_separator_hides_a_number(bank: str, separator: str, sizes: list[int]) -> None:
    text = grouped(bank, sizes, separator)
    assert holds_number(f"card {text} thanks")
    assert bank[-4:] not in without_numbers(f"card {text} thanks").replace(separator, "")


@settings(max_examples=300)
@given(banks, st.sampled_from(NOUGHTS), st.booleans())
def test_digits_of_any_script_are_digits(bank: str, nought: int, is_all: bool) -> None:
    text = "".join(chr(nought + int(digit)) if is_all or place % 3 else digit for place, digit in enumerate(bank))
    assert holds_number(text) and holds_number(f"№ {text}.")
    assert without_numbers(text) == "*" * len(text)


@settings(max_examples=400)
@given(
    banks,
    st.text(alphabet=st.characters(blacklist_categories=("Nd", "No", "Nl")), max_size=12),
    st.text(alphabet=st.characters(blacklist_categories=("Nd", "No", "Nl")), max_size=12),
)
def test_a_number_is_found_in_any_text_around_it(bank: str, before: str, behind: str) -> None:
    if before.rstrip().endswith("+") or "%" in before + behind:
        before = behind = ""
    text = f"{before}{bank}{behind}"
    assert holds_number(text) and holds_number(text, closely=True)
    assert bank not in without_numbers(text)


@pytest.mark.parametrize("bank", [BANKS["Visa"], BANKS["Mastercard 2"], BANKS["American Express"], BANKS["Mir"], BANKS["Diners"]])
@pytest.mark.parametrize("around", ["{}2512", "{}2512101000", "{}1225", "{0}{0}", "{0}{0}{0}", "{}123", "00{}", "0000{}", "X{}Y",
                                    "B{}^IVANOV/IVAN^2512101", ";{}=25121010000012345?", "{}|12|25|123"])  # fmt: skip
def test_what_stands_beside_a_number_does_not_hide_it(bank: str, around: str) -> None:
    assert holds_number(around.format(bank))
    assert bank not in without_numbers(around.format(bank))


def test_percent_encoded_digits_are_digits() -> None:
    assert holds_number("".join(f"%{ord(digit):02x}" for digit in BANKS["Visa"]))
    assert holds_number("50%" + BANKS["Visa"])


@settings(max_examples=200)
@given(banks, st.integers(1, 9), st.integers(0, 999_999))
def test_words_are_looked_at_closely(bank: str, before: int, behind: int) -> None:
    if len(bank) == 16:
        assert holds_number(f"{before}{bank}{behind}", closely=True)


@pytest.mark.parametrize("bank", [BANKS["Visa"], BANKS["Mastercard"], BANKS["Mir"], BANKS["American Express"], BANKS["Mir 19"]])
@pytest.mark.parametrize("sign", [" ", "\u00a0", "\u202f", ",", ".", "'", "’"])
def test_a_spreadsheet_hides_no_number(bank: str, sign: str) -> None:
    thousands = grouped(bank, [len(bank) % 3 or 3, *[3] * 6], sign)
    for text in (thousands, f"{thousands}.00", f"карта {thousands},00 вот"):
        assert holds_number(text) and bank[-3:] not in without_numbers(text)


@settings(max_examples=400)
@given(st.sampled_from(["4111111111111111", "5555555555554444", "2200770212727079", "378282246310005"]),
       st.sets(st.integers(1, 15), min_size=1, max_size=15), st.sampled_from([" ", "-", "\u00a0", "."]))  # fmt: skip
def test_no_grouping_hides_a_number_in_words(bank: str, cuts: set[int], sign: str) -> None:
    places = [0, *sorted(cut for cut in cuts if cut < len(bank)), len(bank)]
    text = sign.join(bank[start:end] for start, end in itertools.pairwise(places))
    days = re.search(r"(?<!\d)(\d\d\D\d\d\D20\d\d|20\d\d\D\d\d\D\d\d)(?!\d)", text)
    articles = any(len(part) in (13, 14) and ean(part[:-1]) == part for part in text.split(sign))
    assert days or articles or holds_number(f"карта {text} Иванова", closely=True)


def marks() -> dict[str, Callable[[random.Random], str]]:
    """Marks of «Честный знак» as scanners send them that lose separators, and in brackets; serials of digits alone."""

    def digits(pick: random.Random, count: int) -> str:
        return "".join(pick.choice("0123456789") for _ in range(count))

    def proof(pick: random.Random, count: int) -> str:
        return "".join(pick.choice("ABCDEFabcdef0123456789+/=") for _ in range(count))

    def gtin(pick: random.Random) -> str:
        return ean("046" + digits(pick, 10))

    return {
        "medicine": lambda p: f"01{gtin(p)}21{digits(p, 13)}91{proof(p, 4)}92{proof(p, 44)}",
        "shoes": lambda p: f"01{gtin(p)}21{digits(p, 13)}91{digits(p, 4)}92{proof(p, 88)}",
        "water": lambda p: f"01{gtin(p)}21{digits(p, 13)}93{proof(p, 4)}",
        "tobacco": lambda p: f"01{gtin(p)}21{digits(p, 7)}8005{digits(p, 6)}93{proof(p, 4)}",
        "milk": lambda p: f"01{gtin(p)}21{digits(p, 6)}93{proof(p, 4)}",
        "brackets": lambda p: f"(01){gtin(p)}(21){digits(p, 13)}(91){proof(p, 4)}(92){proof(p, 44)}",
        "brackets, tobacco": lambda p: f"(01){gtin(p)}(21){digits(p, 7)}(8005){digits(p, 6)}(93){proof(p, 4)}",
        "no proof": lambda p: f"01{gtin(p)}21{digits(p, 13)}",
    }


@pytest.mark.parametrize("kind", marks())
@pytest.mark.parametrize("closely", [False, True])
def test_no_mark_is_taken_for_a_number(kind: str, closely: bool) -> None:
    pick = random.Random(20_261_122)
    assert [mark for mark in (marks()[kind](pick) for _ in range(4000)) if holds_number(mark, closely=closely)] == []


@pytest.mark.parametrize("bank", [BANKS["Visa"], BANKS["Mastercard 2"], BANKS["American Express"], BANKS["Mir"]])
@pytest.mark.parametrize(
    "around",
    ["21{}", "21{}\x1d91EE05", "21{}91EE05", "21abc\x1d91{}\x1d92x", "21abc\x1d{}", "21{}2512", "21{0}{0}", "21{}8005123"],
)
def test_a_mark_hides_no_number(bank: str, around: str) -> None:
    mark = f"01{ean('0460123456789')}" + around.format(bank)
    assert holds_number(mark) and bank not in without_numbers(mark)
    spaced = f"(01){ean('0460123456789')}(21){grouped(bank, [4, 4, 4, 4], ' ')}(91)EE05"
    assert holds_number(spaced)


def figures() -> dict[str, tuple[Callable[[random.Random], str], float]]:
    """What a shop writes, and which share of it may be refused by mistake."""

    def digits(pick: random.Random, count: int) -> str:
        return "".join(pick.choice("0123456789") for _ in range(count))

    def n(pick: random.Random, low: int, high: int) -> int:
        return pick.randint(low, high)

    def some_uuid(pick: random.Random) -> uuid.UUID:
        return uuid.UUID(int=pick.getrandbits(128), version=4)

    return {
        "EAN-13": (lambda p: ean(digits(p, 12)), 0),
        "Russian EAN-13": (lambda p: ean("46" + digits(p, 10)), 0),
        "GTIN-14": (lambda p: ean(digits(p, 13)), 0),
        "EAN-13 in a name": (lambda p: f"Кофе {ean('46' + digits(p, 10))} {n(p, 1, 999)} г", 0),
        "label by weight": (lambda p: ean(str(n(p, 20, 29)) + digits(p, 10)), 0),
        "mark": (lambda p: f"01{ean('046' + digits(p, 10))}21{digits(p, 13)}\x1d91EE06\x1d92{'x' * 44}", 0),
        "GS1 in brackets": (lambda p: f"(01){ean('046' + digits(p, 10))}(17)271231(10){digits(p, 6)}", 0),
        "phone": (lambda p: f"+7 ({digits(p, 3)}) {digits(p, 3)}-{digits(p, 2)}-{digits(p, 2)}", 0),
        "phone abroad": (lambda p: p.choice(["+49", "+62", "+55", "+44"]) + digits(p, n(p, 9, 12)), 0),
        "two phones": (lambda p: "+7 916 {}-{}-{}, 8 {} {} {}".format(*(digits(p, count) for count in (3, 2, 2, 6, 2, 2))), 0),
        "fiscal drive": (lambda p: p.choice(["87100001", "92804403", "92890001", "99604403", "73804408"]) + digits(p, 8), 0),
        "fiscal QR": (lambda p: f"t=20261121T1230&s=1{digits(p, 2)}.00&fn=92890001{digits(p, 8)}&i=77&fp={digits(p, 10)}&n=1", 0),
        "UUID": (lambda p: str(some_uuid(p)), 0),
        "UUID in hex": (lambda p: some_uuid(p).hex, 0),
        "SHA-256": (lambda p: f"{p.getrandbits(256):064x}", 0),
        "our receipt": (lambda p: f"T{n(p, 1, 99)}-{n(p, 1, 9)}-{n(p, 1, 999_999):06d}", 0),
        "instant": (lambda p: f"2026-11-21T{n(p, 10, 23)}:{n(p, 10, 59)}:{n(p, 10, 59)}.{digits(p, 6)}+03:00", 0),
        "instant in digits": (lambda p: f"2026112{n(p, 0, 9)}{n(p, 10, 23)}{n(p, 10, 59)}{digits(p, 5)}", 0),
        "day first": (lambda p: f"{n(p, 1, 31):02}112026{n(p, 10, 23)}{n(p, 10, 59)}{n(p, 10, 59)}", 0),
        "Unix time": (lambda p: "179" + digits(p, p.choice([10, 13])), 0),
        "IMEI": (lambda p: next(n for n in (f"35{digits(p, 12)}{d}" for d in range(10)) if luhn(n) or n.endswith("9")), 0),
        "20 random digits": (lambda p: digits(p, 20), 0.015),
        "account at a bank": (lambda p: "40817810" + digits(p, 12), 0.012),
        "16 random digits": (lambda p: digits(p, 16), 0.06),
    }  # fmt: skip


@pytest.mark.parametrize("kind", figures())
def test_what_a_shop_writes_is_not_refused(kind: str) -> None:
    make, share = figures()[kind]
    pick = random.Random(20_261_122)
    taken = [text for text in (make(pick) for _ in range(4000)) if holds_number(text)]
    assert len(taken) <= share * 4000, taken[:3]


@given(st.text(max_size=200))
def test_any_text_has_an_answer_and_keeps_its_length(text: str) -> None:
    hidden = without_numbers(text)
    assert len(hidden) == len(text)
    assert (hidden == text) == (not holds_number(text) or set(text) <= {"*"})
    assert not holds_number(hidden) or hidden != text


@pytest.mark.parametrize("text", ["1 " * 2000, "%31" * 1300, "4111 " * 800, "1" * 4096, "-" * 4096, "1" + " " * 4096])
def test_hostile_texts_have_an_answer(text: str) -> None:
    assert holds_number(text, closely=True) in (True, False)
