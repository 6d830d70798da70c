"""Personal fields at rest: each member has a key, kept only sealed; a phone is found by a slow hash and never stored.

Rule: destroying a member's key erases the fields wherever they were copied. A key on the till's own disk protects backups and
discarded disks, not a stolen till.
"""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import scrypt
from hmac import digest

from pos_loyalty.engine.model import MonthDay
from pos_loyalty.errors import InputError, StoreError
from pos_loyalty.store.member_facts import PhoneIndex
from pos_loyalty.values import Value, decode, encode

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_VERSION = b"1"
SCRYPT_N = 2**14
SCRYPT_R = 8
SCRYPT_P = 1
SCRYPT_BYTES_MAX = 64 * 1024 * 1024
INDEX_BYTES = 32
CODE_DIGITS = 6
PHONE_DIGITS_MIN = 7
PHONE_DIGITS_MAX = 15
RUSSIAN_DIGITS = 10
ASCII_DIGITS = frozenset("0123456789")
PHONE_SIGNS = ASCII_DIGITS | frozenset("+ -().\u00a0")


class Personal(Value):
    """What names a person, and by what they are found and greeted."""

    name: str = ""
    phone: str = ""
    phone_index: PhoneIndex | None = None
    """Hex of the slow hash of the phone; None when no phone was given."""
    birthday: MonthDay | None = None


def make_key() -> bytes:
    """A fresh data key for one member."""
    return os.urandom(KEY_BYTES)


def seal_key(member_id: str, key: bytes, master_key: str) -> bytes:
    """The member's key sealed under the chain's master key, hex as in the key file."""
    return _seal(key, bytes.fromhex(master_key), _place("member_key", member_id, "sealed"))


def open_key(member_id: str, sealed: bytes, master_key: str) -> bytes:
    """The member's key. Raises StoreError when it was sealed under another master key or changed."""
    return _open(sealed, bytes.fromhex(master_key), _place("member_key", member_id, "sealed"))


def seal_personal(member_id: str, personal: Personal, key: bytes) -> str:
    """Personal fields sealed under the member's own key, in Base64 as a fact carries them."""
    return b64encode(_seal(encode(personal), key, _place("member", member_id, "personal"))).decode("ascii")


def open_personal(member_id: str, sealed: bytes, key: bytes) -> Personal:
    """Personal fields again, from the stored bytes. Raises StoreError when key or bytes are not the right ones."""
    return decode(_open(sealed, key, _place("member", member_id, "personal")), Personal)


def seal_field(member_id: str, place: str, text: str, key: bytes) -> str:
    """One personal field, sealed under the member's own key, in Base64. ``place`` says which: it opens nowhere else."""
    return b64encode(_seal(text.encode("utf-8"), key, _place("member_attribute", member_id, place))).decode("ascii")


def open_field(member_id: str, place: str, sealed: bytes, key: bytes) -> str:
    """The field again. Raises StoreError when key, place or bytes are not the right ones."""
    return _open(sealed, key, _place("member_attribute", member_id, place)).decode("utf-8")


def make_code() -> str:
    """CODE_DIGITS digits by chance, for a code that goes to a phone."""
    return f"{int.from_bytes(os.urandom(16)) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def code_hash(member_id: str, code: str, pepper: str) -> bytes:
    """A code as it is kept: so few digits are safe only under a key that is not in the database."""
    return digest(bytes.fromhex(pepper), f"{member_id}|{code}".encode(), "sha256")


def seal_secret(member_id: str, secret: bytes, key: bytes) -> str:
    """What confirms a member's redemptions, sealed under their own key, in Base64 as a fact carries it."""
    return b64encode(_seal(secret, key, _place("member", member_id, "secret"))).decode("ascii")


def open_secret(member_id: str, sealed: bytes, key: bytes) -> bytes:
    """The same again, from the stored bytes. Raises StoreError when key or bytes are not the right ones."""
    return _open(sealed, key, _place("member", member_id, "secret"))


def seal_bytes(place: str, plain: bytes, master_key: bytes) -> bytes:
    """Bytes that rest on disk only sealed. ``place`` says which: they open nowhere else."""
    return _seal(plain, master_key, _place("bytes", place, "sealed"))


def open_bytes(place: str, sealed: bytes, master_key: bytes) -> bytes:
    """The bytes again. Raises StoreError when key, place or bytes are not the right ones."""
    return _open(sealed, master_key, _place("bytes", place, "sealed"))


def phone_index(phone: str, pepper: str) -> bytes:
    """The slow hash by which a phone is found; hex pepper as in the key file. Takes tens of ms, on purpose. Raises InputError.

    **Source:** a plain HMAC of all Russian phones falls in minutes once its key is stolen; this does not.
    """
    return scrypt(
        normal_phone(phone).encode("ascii"),
        salt=bytes.fromhex(pepper),
        n=SCRYPT_N,
        r=SCRYPT_R,
        p=SCRYPT_P,
        maxmem=SCRYPT_BYTES_MAX,
        dklen=INDEX_BYTES,
    )


def normal_phone(phone: str) -> str:
    """A phone as + and digits; ten Russian digits may stand after +7, 7, 8 or nothing. Raises InputError for another thing."""
    text = phone.strip()
    digits = "".join(sign for sign in text if sign in ASCII_DIGITS)
    if set(text) - PHONE_SIGNS or "+" in text[1:] or not PHONE_DIGITS_MIN <= len(digits) <= PHONE_DIGITS_MAX:
        raise InputError("$.phone", "is not a phone number; write it with its country code, such as +7 900 000-00-00")
    if text.startswith("+"):
        return "+" + digits
    if len(digits) == RUSSIAN_DIGITS:
        return "+7" + digits
    if len(digits) == RUSSIAN_DIGITS + 1 and digits[0] == "8":
        return "+7" + digits[1:]
    return "+" + digits


def _seal(plain: bytes, key: bytes, place: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return KEY_VERSION + nonce + AESGCM(key).encrypt(nonce, plain, place)


def _open(sealed: bytes, key: bytes, place: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    version, nonce, body = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if version != KEY_VERSION or len(nonce) != NONCE_BYTES:
        raise StoreError("A sealed field has another form; it was not written by this build.")
    try:
        return AESGCM(key).decrypt(nonce, body, place)
    except InvalidTag as error:
        raise StoreError("A sealed field does not open: the key is another one, or the bytes were changed.") from error


def _place(table: str, row: str, column: str) -> bytes:
    """What a sealed field is bound to, so that it cannot be moved to another row."""
    return b"|".join((table.encode(), row.encode(), column.encode(), KEY_VERSION))
