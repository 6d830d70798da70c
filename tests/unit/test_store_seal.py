"""Personal fields: only the right key at the right place opens them; one phone, however written, has one slow hash."""

from __future__ import annotations

from base64 import b64decode
from hashlib import scrypt

import pytest

from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.store import seal
from pos_loyalty.store.seal import Personal

MASTER = "0f" * 32
PEPPER = "a1" * 32
ANNA = Personal(name="Анна", phone="+79001234567")


def test_sealed_fields_open_again_with_the_members_key_alone() -> None:
    key = seal.make_key()
    sealed = b64decode(seal.seal_personal("M1", ANNA, key))
    assert seal.open_personal("M1", sealed, key) == ANNA
    assert "Анна".encode() not in sealed and b"79001234567" not in sealed
    for member, other in (("M1", seal.make_key()), ("M2", key)):
        with pytest.raises(StoreError):
            seal.open_personal(member, sealed, other)


def test_any_changed_byte_is_noticed() -> None:
    key = seal.make_key()
    sealed = b64decode(seal.seal_personal("M1", ANNA, key))
    for n in range(len(sealed)):
        broken = sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :]
        with pytest.raises(StoreError):
            seal.open_personal("M1", broken, key)
    with pytest.raises(StoreError):
        seal.open_personal("M1", sealed[:5], key)


def test_a_key_rests_only_sealed() -> None:
    key = seal.make_key()
    sealed = seal.seal_key("M1", key, MASTER)
    assert key not in sealed and len(key) == 32
    assert seal.open_key("M1", sealed, MASTER) == key
    for member, master in (("M2", MASTER), ("M1", PEPPER)):
        with pytest.raises(StoreError):
            seal.open_key(member, sealed, master)


def test_no_two_seals_or_keys_are_alike() -> None:
    key = seal.make_key()
    assert len({seal.seal_personal("M1", ANNA, key) for _ in range(50)}) == 50
    assert len({seal.make_key() for _ in range(50)}) == 50


@pytest.mark.parametrize("written", ["+7 900 123-45-67", "8 (900) 123 45 67", "79001234567", "9001234567", " +79001234567 "])
def test_one_phone_has_one_form(written: str) -> None:
    assert seal.normal_phone(written) == "+79001234567"


@pytest.mark.parametrize("written", ["+49 30 1234567", "+8 613 800 138 000"])
def test_foreign_phones_keep_their_country(written: str) -> None:
    assert seal.normal_phone(written) == "+" + "".join(sign for sign in written if sign.isdigit())


@pytest.mark.parametrize(
    "written", ["", "+", "12345", "+7900123456712345", "+7 900 12O-45-67", "7900+1234567", "٩٠٠١٢٣٤٥٦٧", "1'; --"]
)
def test_what_is_not_a_phone_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(InputError) as refusal:
        seal.normal_phone(written)
    assert len(written) < 5 or written not in str(refusal.value)


def test_the_hash_is_the_slow_one_with_the_pepper() -> None:
    index = seal.phone_index("8 900 123-45-67", PEPPER)
    assert index == scrypt(b"+79001234567", salt=bytes.fromhex(PEPPER), n=16384, r=8, p=1, dklen=32, maxmem=2**26)
    assert index != seal.phone_index("+79001234567", MASTER)
