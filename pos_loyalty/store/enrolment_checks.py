"""Cards against the facts and head office's words that brought them: one that leads elsewhere pays with that one's points."""

from __future__ import annotations

from collections.abc import Iterator

from pos_loyalty.log import mask
from pos_loyalty.store import merges
from pos_loyalty.store.acts import OF_ACTS
from pos_loyalty.store.db import Connection


def differences(db: Connection) -> Iterator[str]:
    """Cards that are gone, lead elsewhere, came from nowhere or are lost by nobody's word."""
    for select in (CARDS_SELECT, WORDS_SELECT):
        for member, number, holder in db.execute(select):
            if holder is None:
                yield f"Card {mask(number)} of member {member} is missing."
            elif merges.current(db, holder) != merges.current(db, member):
                yield f"Card {mask(number)} leads to member {holder}; by the log and head office it is of member {member}."
    for number, member, state in db.execute(STATES_SELECT):
        yield f"Card {mask(number)} of member {member} is {state}; head office says otherwise."
    for number, member, state in db.execute(STRAY_SELECT):
        yield f"Card {mask(number)} of member {member} is {state}, and nothing in the log or from head office says so."


HAS_CASE = """EXISTS (SELECT 1 FROM suspense_case AS s WHERE (s.till, s.epoch, s.seq) = (t.till, t.epoch, t.seq))"""
IS_TOLD = """EXISTS (
  SELECT 1 FROM member_word AS w, json_each(CAST(w.word AS TEXT), '$.cards') AS told
  WHERE w.member = c.member AND told.value ->> '$.number' = c.number
)"""
CARDS_SELECT = f"""WITH brought AS (
  SELECT t.member, CAST(t.payload AS TEXT) ->> '$.enrolment.card' AS number
  FROM txn AS t WHERE t.kind = 'member.enrolled' AND NOT {HAS_CASE}
  UNION ALL
  SELECT t.member, each.value ->> '$.card'
  FROM txn AS t, json_each(CAST(t.payload AS TEXT), '$.change.changes') AS each
  WHERE t.kind = 'member.changed' AND t.{OF_ACTS} AND each.value ->> '$.change' = 'card_added' AND NOT {HAS_CASE}
)
SELECT b.member, b.number, c.member FROM brought AS b LEFT JOIN card AS c ON c.number = b.number
WHERE b.number IS NOT NULL AND (c.number IS NULL OR (c.member <> b.member AND NOT {IS_TOLD}))"""
WORDS_SELECT = f"""SELECT v.member, each.value ->> '$.number', c.member
FROM member_word AS v, json_each(CAST(v.word AS TEXT), '$.cards') AS each
LEFT JOIN card AS c ON c.number = each.value ->> '$.number'
WHERE c.number IS NULL OR (c.member <> v.member AND NOT {IS_TOLD})"""
NAMES_IT = "instr(CAST(t.payload AS TEXT), '\"' || c.number || '\"') > 0"
STATES_SELECT = f"""SELECT c.number, c.member, c.state
FROM member_word AS v, json_each(CAST(v.word AS TEXT), '$.cards') AS each JOIN card AS c ON c.number = each.value ->> '$.number'
WHERE c.member = v.member AND c.state <> coalesce(each.value ->> '$.state', 'active')
AND NOT EXISTS (
  SELECT 1 FROM txn AS t WHERE t.member = v.member AND t.seq > v.as_of_seq AND t.kind = 'member.changed' AND {NAMES_IT}
)"""
BROUGHT_IT = f"""(t.kind = 'member.changed' OR (t.kind = 'member.enrolled' AND c.state = 'active')) AND {NAMES_IT}"""
SAME_SELECT = """WITH RECURSIVE same (id) AS (
  SELECT c.member UNION SELECT m.id FROM same JOIN member AS m ON m.merged_into = same.id
) SELECT id FROM same"""
STRAY_SELECT = f"""SELECT c.number, c.member, c.state FROM card AS c
WHERE NOT {IS_TOLD} AND NOT EXISTS (SELECT 1 FROM txn AS t WHERE t.member = c.member AND {BROUGHT_IT})
AND NOT EXISTS (SELECT 1 FROM txn AS t WHERE t.member IN ({SAME_SELECT}) AND {BROUGHT_IT})
AND NOT EXISTS (
  SELECT 1 FROM member_word AS w, json_each(CAST(w.word AS TEXT), '$.cards') AS told
  WHERE w.member IN ({SAME_SELECT}) AND told.value ->> '$.number' = c.number
)"""
"""A card may have come with somebody who went over into its holder."""
