"""The holder's own word that points are redeemed: a PIN, a one-time code, or a rotating QR, as the programme asks.

Rule: it is looked at before anything of the sale is written; a try is committed before it is judged; nothing confirms two sales.
PIN and QR need no network: their sealed form is in the till's file. A code goes out beside the till's work, before the sale.
"""

from __future__ import annotations

import hmac
import os
from base64 import b32encode
from datetime import datetime, timedelta
from urllib.parse import quote as quoted

from msgspec.structs import replace

from pos_loyalty.clock import from_ms, to_ms
from pos_loyalty.engine.figures import points_text
from pos_loyalty.engine.model import Quote
from pos_loyalty.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from pos_loyalty.store import follow, ledger, member_secrets, members, seal
from pos_loyalty.store.db import write
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.member_facts import ChangeFact
from pos_loyalty.store.member_secrets import Tries
from pos_loyalty.till import card_qr, staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.holder_secret import Secret, secret_of
from pos_loyalty.till.model import Confirmation
from pos_loyalty.till.person import Sealer
from pos_loyalty.till.staff import ATTEMPTS_MAX, LOCK_MINUTES, PIN_BYTES, SALT_BYTES, pin_hash
from pos_loyalty.till.staff_model import ConfirmationAnswer, ConfirmationRequest, SecretAnswer, SecretRequest
from pos_loyalty.till.totp import STEP_S, step_of, steps_that_hold
from pos_loyalty.values import encode

QR_PREFIX = "PLQ1"
QR_KEY_BYTES = 20
CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=5)
CODES_MAX = 5
CODES_PER = timedelta(hours=1)
ASKS = {
    "pin": "the member's PIN: ask them to enter it",
    "code": "the code that was sent to the member's phone: send one, and ask for it",
    "qr": "the rotating QR of the member: ask them to open it, and scan it",
}


def check(desk: Desk, quote: Quote, sale_id: str, confirmation: Confirmation | None) -> None:
    """Whether the holder has confirmed what the quote redeems. Raises NotAllowedError with the mend."""
    table = desk.shelf.current(desk.db).redeem
    member_id, trusted = quote.member_id, desk.trusted()
    now = trusted.at
    if table is None or table.confirm == "none" or member_id is None or not quote.redemption.centi:
        return
    today_centi = member_secrets.redeemed_since(desk.db, member_id, desk.allowance_since(trusted))
    if today_centi + quote.redemption.centi <= (table.confirm_free or 0):
        return
    shown = None if confirmation is None else getattr(confirmation, table.confirm)
    if shown is None:
        points = points_text(quote.redemption.centi)
        raise NotAllowedError(
            f"To pay with {points} points this needs {ASKS[table.confirm]}, or take the points off.", table.confirm
        )
    tries = _begin(desk, member_id, now)
    match table.confirm:
        case "pin":
            mark = _right_pin(desk, member_id, shown)
        case "code":
            mark = _right_code(desk, member_id, shown, tries, now)
        case "qr":
            mark = _right_qr(desk, member_id, shown, tries, desk.now())
    is_used = table.confirm != "pin" and mark is not None and mark == tries.used and tries.used_for != sale_id
    if mark is None or is_used:
        raise NotAllowedError(
            f"That was not right, or was used before; this needs {ASKS[table.confirm]}. "
            f"After {ATTEMPTS_MAX} wrong tries the member's points wait {LOCK_MINUTES} minutes.",
            table.confirm,
        )
    done = replace(tries, attempts=0, locked_until_ms=0)
    if table.confirm != "pin":
        done = replace(done, used=mark, used_for=sale_id)
    member_secrets.put_tries(desk.db, member_id, done)


def set_secret(desk: Desk, member_id: str, request: SecretRequest, keep: Keep[SecretAnswer]) -> SecretAnswer:
    """A new PIN, a new QR key, or neither: a sealed fact. Raises NotFoundError, NotAllowedError without the right word."""
    if members.by_id(desk.db, member_id) is None:
        raise NotFoundError("This member is not known at this till; read the card again.")
    by = _whose_word(desk, member_id, request.by)
    sealer, secret = Sealer(desk, member_id), Secret()
    if request.pin is not None:
        salt = os.urandom(SALT_BYTES)
        secret = replace(secret, pin_salt=salt.hex(), pin_hash=pin_hash(request.pin, salt, desk.secrets.pepper).hex())
    if request.qr:
        secret = replace(secret, qr_key=os.urandom(QR_KEY_BYTES).hex())
    fact = ChangeFact(
        member_id=member_id,
        by=by,
        reason="confirmation",
        secret=sealer.secret(encode(secret)),
    )
    draft = Draft(
        id=desk.new_id(),
        kind="member.changed",
        store=desk.config.store.id,
        cashier=request.cashier,
        member=member_id,
        body=fact,
    )
    with write(desk.db):
        sealer.keep()
        follow.book(desk.db, draft, desk.now())
        return keep(SecretAnswer(member_id=member_id, pin=request.pin is not None, qr=request.qr))


def _whose_word(desk: Desk, member_id: str, by: Approval | None) -> str:
    """Who answers for what will confirm: whoever sets it could spend the points. So a senior as soon as there are any, or when
    something confirms already; anybody on the staff before, as at enrolment. Raises NotAllowedError.
    """
    has_points = any(lot.centi for lot in ledger.all_lots_of(desk.db, member_id))
    needs_senior = has_points or member_secrets.sealed(desk.db, member_id) is not None
    if by is None:
        who = "a senior" if needs_senior else "a person on the staff"
        raise NotAllowedError(f"What confirms a member's redemptions is set on the word of {who}: send a name and a PIN in by.")
    return staff.check(desk, by, senior=needs_senior)


def qr_uri(desk: Desk, member_id: str) -> str:
    """The otpauth address for the member's phone. **Source:** Google Authenticator's key URI format."""
    secret = secret_of(desk, member_id)
    if secret is None or not secret.qr_key:
        raise NotFoundError("This member has no rotating QR here; set one first.")
    words = b32encode(bytes.fromhex(secret.qr_key)).decode("ascii").rstrip("=")
    shop = quoted(desk.config.store.name, safe="")
    return f"otpauth://totp/{shop}:{member_id[:8]}?secret={words}&issuer={shop}&period={STEP_S}&digits={CODE_DIGITS}"


def send(desk: Desk, member_id: str, request: ConfirmationRequest) -> ConfirmationAnswer:
    """Send a code to the phone that the member tells, when it is theirs. Raises NotAllowedError, NotFoundError, ConflictError."""
    if desk.sender is None:
        raise ConflictError("No gateway sends codes from this till; ask for a PIN or the QR, or sell without points.")
    if members.by_id(desk.db, member_id) is None:
        raise NotFoundError("This member is not known at this till; read the card again.")
    now = desk.trusted().at
    tries = member_secrets.tries(desk.db, member_id)
    is_fresh = to_ms(now) - tries.codes_since_ms >= CODES_PER // timedelta(milliseconds=1)
    tries = replace(tries, codes_sent=0, codes_since_ms=to_ms(now)) if is_fresh else tries
    if tries.codes_sent >= CODES_MAX:
        raise NotAllowedError(f"{CODES_MAX} codes were asked for within an hour; wait, or sell without points.", "")
    code = seal.make_code()
    until = now + CODE_LIFE
    kept = replace(tries, codes_sent=tries.codes_sent + 1)
    if not _is_theirs(desk, member_id, request.phone):
        member_secrets.put_tries(desk.db, member_id, kept)
        raise NotAllowedError("This is not the phone that the member gave; ask for the right one.", "code")
    mark = seal.code_hash(member_id, code, desk.secrets.pepper)
    member_secrets.put_tries(desk.db, member_id, replace(kept, code=mark, code_until_ms=to_ms(until)))
    desk.sender.submit(member_id, seal.normal_phone(request.phone), code)
    return ConfirmationAnswer(member_id=member_id, good_until=until)


def _is_theirs(desk: Desk, member_id: str, phone: str) -> bool:
    index = member_secrets.phone_index(desk.db, member_id)
    return hmac.compare_digest(seal.phone_index(phone, desk.secrets.pepper), index or b"")


def _begin(desk: Desk, member_id: str, now: datetime) -> Tries:
    """The tries so far, with this one counted and committed. Raises NotAllowedError while they are locked."""
    tries = member_secrets.tries(desk.db, member_id)
    if tries.locked_until_ms > to_ms(now):
        until = from_ms(tries.locked_until_ms).astimezone(desk.zone)
        raise NotAllowedError(f"The member's points wait until {until:%H:%M} after wrong tries; sell without them.", "")
    is_last = tries.attempts + 1 >= ATTEMPTS_MAX
    counted = replace(
        tries,
        attempts=0 if is_last else tries.attempts + 1,
        locked_until_ms=to_ms(now + timedelta(minutes=LOCK_MINUTES)) if is_last else 0,
    )
    member_secrets.put_tries(desk.db, member_id, counted)
    return counted


def _right_pin(desk: Desk, member_id: str, pin: str) -> bytes | None:
    """A mark when the PIN is theirs. A member without one takes as long."""
    secret = secret_of(desk, member_id) or Secret()
    made = pin_hash(pin, bytes.fromhex(secret.pin_salt or "00" * SALT_BYTES), desk.secrets.pepper)
    is_right = hmac.compare_digest(made, bytes.fromhex(secret.pin_hash))
    if not secret.pin_hash:
        raise NotAllowedError("This till holds no PIN of this member: set one here, or sell without points.", "")
    return b"pin" if is_right and len(made) == PIN_BYTES else None


def _right_code(desk: Desk, member_id: str, code: str, tries: Tries, now: datetime) -> bytes | None:
    mark = seal.code_hash(member_id, code, desk.secrets.pepper)
    is_right = tries.code is not None and hmac.compare_digest(mark, tries.code)
    return mark if is_right and to_ms(now) < tries.code_until_ms else None


def _right_qr(desk: Desk, member_id: str, text: str, tries: Tries, now: datetime) -> bytes | None:
    """The step of the code that the QR shows. One that is not newer than the last one that was used is that one."""
    shown_id, code = _shown_in(desk, text)
    secret = secret_of(desk, member_id)
    if secret is None or not secret.qr_key:
        raise NotAllowedError("This till holds no rotating QR of this member: set one here, or sell without points.", "")
    held = steps_that_hold(bytes.fromhex(secret.qr_key), code, step_of(now), desk.config.card_qr.drift_steps)
    if shown_id != member_id or not held:
        return None
    mark = held[-1].to_bytes(8, "big")
    has_step = tries.used is not None and len(tries.used) == len(mark)
    return tries.used if has_step and tries.used is not None and mark <= tries.used else mark


def _shown_in(desk: Desk, text: str) -> tuple[str | None, str]:
    """Member and code of a rotating QR, which names the member, or the card that it is shown as. Raises InputError."""
    shown = card_qr.parsed(text)
    if shown is not None and shown.kind == card_qr.ROTATING:
        member = members.by_card(desk.db, shown.card)
        return None if member is None else member.member_id, shown.proof
    prefix, _, rest = text.partition("|")
    shown_id, _, code = rest.partition("|")
    if prefix != QR_PREFIX:
        sentence = f'is not the text of a rotating QR; it reads "{card_qr.ROTATING}:card:code" or "{QR_PREFIX}|member|code"'
        raise InputError("$.confirmation.qr", sentence)
    return shown_id, code
