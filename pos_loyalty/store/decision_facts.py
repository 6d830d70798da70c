"""What the logs say of decisions by persons: a rule stopped at a till, a programme taken back, a case closed."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pos_loyalty.engine.model import Id, Label, Text
from pos_loyalty.store.till_facts import Epoch
from pos_loyalty.values import Value

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class StopWord(Value):
    """Which fact a person's word on a rule is: that of a till, by its logical clock. Of two words the later one counts."""

    hlc: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    till: Id


class RuleStopFact(Value, omit_defaults=True):
    """A till leaves a rule out of its quotes from now on, or (kind ``rule.resumed``) lets it act again.

    ``is_wide``: so do the other tills of the store, once they hear of it. ``word``: which of these it was that this till heard;
    None for one that was said here. What stands as by default is left out: facts of the time before have neither.
    """

    rule: Label
    by: Label
    reason: Text
    is_wide: bool = False
    word: StopWord | None = None


class StoreStop(Value):
    """The last word on a rule for all tills of a store, as head office tells it."""

    rule: Label
    is_stopped: bool
    by: Label
    word: StopWord
    reason: Text = ""


class BackFact(Value):
    """Head office put the version before in force again. ``sha256`` is that of the programme that is in force from then on."""

    programme: Label
    from_version: int
    to_version: int
    sha256: Sha256
    by: Label
    reason: Text = ""


class CaseClosedFact(Value):
    """A person has settled what contradicted: all cases of that reason about one fact. ``note``: what they did about it."""

    till: Id
    epoch: Epoch
    seq: Annotated[int, Meta(ge=1, le=2**53)]
    reason: Annotated[str, Meta(pattern=r"^[a-z_]+(\.[a-z_]+)?$", max_length=64)]
    note: Text
    by: Label
