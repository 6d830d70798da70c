"""What a scenario with ``act`` expects: the award of an act other than buying, under the words that it uses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pos_loyalty.engine.acts import Done, award
from pos_loyalty.engine.model import Member, State
from pos_loyalty.engine.programme import Programme
from tests.scenarios.seen import shown


def seen_in_award(
    scenario: Mapping[str, Any], programme: Programme, member: Member, state: State, at: datetime
) -> dict[str, Any]:
    """What the act brings the member."""
    done = Done(act_id="scenario", act=scenario["act"], store=scenario.get("store", "S1"), till=scenario.get("till", "T1"))
    answer = award(programme, done, member, state, at)
    return {
        "points": {each.rule: shown(each.centi) for each in answer.accruals},
        "usable_from": {each.rule: each.usable_from.isoformat() for each in answer.accruals},
        "expires_at": {each.rule: each.expires_at.isoformat() for each in answer.accruals if each.expires_at},
        "issued": [f"{each.count} x {each.kind} {each.series}" for each in answer.issued],
        "privileges": list(answer.privileges),
        "messages": {each.rule: each.text for each in answer.messages},
        "uses": {each.rule: each.times for each in answer.uses},
        "refused": {each.rule: f"{each.condition}: {each.have}, needs {each.need}" for each in answer.refusals},
    }
