"""Is the phone in the hand of who stands here? A code goes to it; told again in time, the phone is theirs.

Rule: a code is kept only as a hash under the pepper, and stands in no answer and no log; the gateway is not waited for.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hmac import compare_digest

from msgspec.structs import replace

from pos_loyalty.errors import ConflictError, NotFoundError
from pos_loyalty.store import profiles, seal
from pos_loyalty.store.db import write
from pos_loyalty.store.member_facts import PhoneVerified
from pos_loyalty.store.member_keys import INDEX_PLACE
from pos_loyalty.store.profiles import Profile, SentCode
from pos_loyalty.till import profile
from pos_loyalty.till.desk import Desk, Keep
from pos_loyalty.till.enrolment import index_of
from pos_loyalty.till.member_model import CodeAnswer, CodeRequest, ProfileAnswer, VerifyRequest
from pos_loyalty.till.person import Sealer, person_of
from pos_loyalty.till.sender import CodeSender

LIFE = timedelta(minutes=10)
TRIES_MAX = 5
SENT_MAX = 5
SENT_WITHIN = timedelta(days=1)


def send(desk: Desk, member_id: str, request: CodeRequest, keep: Keep[CodeAnswer]) -> CodeAnswer:
    """Send a new code; the one before is void. Raises ConflictError with the reason why none can go out."""
    now = desk.now()
    sender = _sender(desk)
    phone = _phone(desk, profile.known(desk, member_id), request)
    code = seal.make_code()
    with write(desk.db):
        kept = _next(profiles.sent_code(desk.db, member_id), now)
        code_hash = seal.code_hash(member_id, code, desk.secrets.pepper)
        profiles.put_code(desk.db, member_id, replace(kept, code_hash=code_hash))
        answer = keep(replace(state(desk, member_id), state="sending"))
    sender.submit(member_id, phone, code)
    return answer


def state(desk: Desk, member_id: str) -> CodeAnswer:
    """Where the last code is. Raises NotFoundError, ConflictError."""
    found = profile.known(desk, member_id)
    kept = profiles.sent_code(desk.db, member_id)
    return CodeAnswer(
        member_id=member_id,
        state=_sender(desk).state(member_id),
        phone=found.phone,
        expires_at=None if kept is None else kept.made_at + LIFE,
        tries_left=0 if kept is None else max(0, TRIES_MAX - kept.tries),
    )


def verify(desk: Desk, member_id: str, request: VerifyRequest, keep: Keep[ProfileAnswer]) -> ProfileAnswer:
    """The phone is theirs, when the code is right. A wrong one counts, whatever becomes of the answer. Raises ConflictError."""
    now = desk.now()
    found = profile.known(desk, member_id)
    with write(desk.db):
        kept = profiles.sent_code(desk.db, member_id)
        if kept is None or found.phone_index is None:
            raise NotFoundError("No code was sent to this member's phone; send one first.")
        if not kept.made_at <= now < kept.made_at + LIFE or kept.tries >= TRIES_MAX:
            raise ConflictError("This code may not be used any more; send a new one.")
        right = compare_digest(kept.code_hash, seal.code_hash(member_id, request.code, desk.secrets.pepper))
        # A right code is used up too.
        profiles.put_code(desk.db, member_id, replace(kept, tries=TRIES_MAX if right else kept.tries + 1))
        if right:
            sealer = Sealer(desk, member_id)
            changes = (PhoneVerified(index=sealer.field(INDEX_PLACE, found.phone_index.hex())),)
            sealer.keep()
            profile.book(desk, member_id, changes, profile.Word(request.cashier, "", ""), now)
            return keep(profile.of_profile(desk, member_id))
    left = TRIES_MAX - kept.tries - 1
    raise ConflictError(
        f"The code is not the right one; tries left: {left}." if left else "The code is not the right one; send a new one."
    )


def _sender(desk: Desk) -> CodeSender:
    if desk.sender is None:
        raise ConflictError("No code gateway stands in the till's config (phone.gateway): the phone stays unverified.")
    return desk.sender


def _next(kept: SentCode | None, now: datetime) -> SentCode:
    """Room for a new code; too many in a day would be a nuisance to whose phone it is."""
    if kept is None or not kept.first_at <= now < kept.first_at + SENT_WITHIN:
        return SentCode(code_hash=b"", made_at=now, tries=0, sent=1, first_at=now)
    if kept.sent >= SENT_MAX:
        raise ConflictError(f"{SENT_MAX} codes went to this phone within a day; go on without, and try tomorrow.")
    return replace(kept, made_at=now, tries=0, sent=kept.sent + 1)


def _phone(desk: Desk, found: Profile, request: CodeRequest) -> str:
    if found.phone_index is None:
        raise ConflictError("This member gave no phone; enter one first.")
    if request.phone is not None:
        if index_of(desk, request.phone) != found.phone_index:
            raise ConflictError("This is not the member's phone; enter it as their new phone first.")
        return seal.normal_phone(request.phone)
    person = person_of(desk, found.member_id)
    if person is None or not person.phone:
        raise ConflictError("This till does not hold the member's phone: let them say it, and send the code to that.")
    return seal.normal_phone(person.phone)
