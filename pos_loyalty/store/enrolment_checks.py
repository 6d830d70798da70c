"""Cards and members against the facts that brought them: a card that leads to somebody else pays with that one's points.

Rule: at a till, of what head office has spoken of nothing is compared: it knows more. At head office members that were imported
have no fact, and are left out too.
"""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.log import mask
from pos_loyalty.store import merges
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection


def differences(db: Connection) -> Iterator[str]:
    """Cards that are gone, lead elsewhere or came from nowhere; members who are not as they were enrolled."""
    for member, number, holder in db.execute(CARDS_SELECT):
        if holder is None:
            yield f"Card {mask(number)} of member {member} is missing."
        elif holder != member and merges.current(db, holder) != merges.current(db, member):
            yield f"Card {mask(number)} leads to member {holder}; by the log it is of member {member}."
    for number, member, state in db.execute(STRAY_SELECT):
        yield f"Card {mask(number)} of member {member} is {state}, and no fact in the log says so."
    for (member,) in db.execute(FIGURES_SELECT):
        yield f"Member {member} has figures, segments or a friend that the fact of their enrolment does not tell."
    for member, state in db.execute(STATES_SELECT):
        yield f"Member {member} is {state}, and no fact in the log says so."


IS_OURS = "(m.version = 0 OR (SELECT value FROM meta WHERE key = 'role') = 'head_office')"
"""Head office has not told of the member: here their rows follow from the log alone."""
HAS_CASE = """EXISTS (SELECT 1 FROM suspense_case AS s WHERE (s.till, s.epoch, s.seq) = (t.till, t.epoch, t.seq))"""
CARDS_SELECT = f"""WITH brought AS (
  SELECT t.member, CAST(t.payload AS TEXT) ->> '$.enrolment.card' AS number
  FROM txn AS t WHERE t.kind = 'member.enrolled' AND NOT {HAS_CASE}
  UNION ALL
  SELECT t.member, each.value ->> '$.card'
  FROM txn AS t, json_each(CAST(t.payload AS TEXT), '$.change.changes') AS each
  WHERE t.kind = 'member.changed' AND t.{OF_ACTS} AND each.value ->> '$.change' = 'card_added' AND NOT {HAS_CASE}
)
SELECT b.member, b.number, c.member FROM brought AS b LEFT JOIN card AS c ON c.number = b.number
LEFT JOIN member AS m ON m.id = c.member
WHERE b.number IS NOT NULL AND (c.number IS NULL OR (c.member <> b.member AND {IS_OURS}))"""
ENROLLED = "SELECT 1 FROM txn AS t WHERE t.member = m.id AND t.kind = 'member.enrolled'"
CHANGED = "SELECT 1 FROM txn AS x WHERE x.member = m.id AND x.kind = 'member.changed'"
STRAY_SELECT = f"""SELECT c.number, c.member, c.state FROM card AS c JOIN member AS m ON m.id = c.member
WHERE {IS_OURS} AND EXISTS ({ENROLLED}) AND NOT EXISTS (SELECT 1 FROM member AS gone WHERE gone.merged_into = m.id)
AND NOT EXISTS (
  SELECT 1 FROM txn AS t WHERE t.member = m.id
  AND (t.kind = 'member.changed' OR (t.kind = 'member.enrolled' AND c.state = 'active'))
  AND instr(CAST(t.payload AS TEXT), '"' || c.number || '"') > 0
)"""
"""Cards of somebody whom others went over into are theirs by a merge; those are compared from the side of the fact."""
FIGURES_SELECT = f"""SELECT m.id FROM txn AS t JOIN member AS m ON m.id = t.member
WHERE t.kind = 'member.enrolled' AND {IS_OURS} AND NOT {HAS_CASE} AND (
  (m.sales_count, m.spent_minor, m.owed_centi, m.staff) <> (0, 0, 0, 0)
  OR m.referred_by IS NOT CAST(t.payload AS TEXT) ->> '$.enrolment.referred_by'
  OR json(m.segments) <> coalesce(CAST(t.payload AS TEXT) -> '$.enrolment.segments', '[]')
  OR ((m.phone_verified <> 0 OR m.referral_code IS NOT NULL) AND NOT EXISTS ({CHANGED}))
)"""
STATES_SELECT = f"""SELECT m.id, m.state FROM member AS m WHERE {IS_OURS} AND EXISTS ({ENROLLED}) AND (
  (m.state IN ('blocked', 'erased') AND NOT EXISTS ({CHANGED}))
  OR (m.state = 'merged' AND NOT EXISTS (SELECT 1 FROM txn AS t WHERE t.member = m.id AND t.kind = 'member.merged'))
)"""
