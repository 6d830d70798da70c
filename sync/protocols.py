"""Which versions of the other side we speak with: the protocol now and the one before, either way.

Rule: the newer side adapts. It asks in its own protocol first and in the one before when that is refused; it answers in the
protocol that it is asked in.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from pos_loyalty.errors import PeerError, SyncError, TokenError, WireError
from pos_loyalty.store.migrations import SCHEMA
from pos_loyalty.store.versions import FIRST_BUILD

PROTOCOL: Final = 1
PROTOCOL_BEFORE: Final = 0
SCHEMA_AHEAD: Final = SCHEMA + 1
"""Payloads of the next schema are taken: what is new in them is kept in their bytes and passed over."""


class Speaks(msgspec.Struct, frozen=True):
    """What every header says, of whatever protocol."""

    protocol: Annotated[int, Meta(ge=0, le=2**31)]
    schema: Annotated[int, Meta(ge=0, le=2**31)]


def build_in(protocol: int) -> str | None:
    """What a peer says of its build: in protocol 0 the mark of the tables of that time, later nothing."""
    return FIRST_BUILD if protocol == 0 else None


def check_header(line: bytes) -> None:
    """Refuse a protocol or a schema of another time before anything else is read. Raises WireError, PeerError."""
    try:
        said = msgspec.json.decode(line, type=Speaks)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"header: {error}") from error
    check_versions(said.protocol, said.schema)


def check_versions(protocol: int, schema: int) -> None:
    """Raises PeerError."""
    if protocol not in (PROTOCOL_BEFORE, PROTOCOL):
        raise PeerError(f"protocol {protocol} is not spoken here, only {PROTOCOL_BEFORE} and {PROTOCOL}: {UPDATE}")
    if not 0 <= schema <= SCHEMA_AHEAD:
        raise PeerError(f"facts of schema {schema} are not read here, only up to {SCHEMA_AHEAD}: {UPDATE}")


def check_build(protocol: int, build: str | None) -> None:
    """Raises PeerError."""
    if build != build_in(protocol):
        raise PeerError(f"the other side is of a build from before versions were counted: {UPDATE}")


def to_try(protocol: int, is_understood: bool, error: SyncError) -> int | None:
    """After a failure: the other protocol, to be tried at once; None when the protocol is hardly to blame."""
    is_of_words = isinstance(error, WireError) and not isinstance(error, TokenError)
    return PROTOCOL_BEFORE if is_of_words and protocol == PROTOCOL and not is_understood else None


UPDATE: Final = "update head office first, then its tills"
