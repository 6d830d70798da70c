"""The tables of what is heard from others and who may do what: the last of the numbered steps of migrations.py."""

WITNESS = """
-- What head office last said of a member, whole, as of a number of our own log; at head office: what an import said.
CREATE TABLE member_word (member TEXT PRIMARY KEY, as_of_seq INTEGER NOT NULL, word BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Of tables that no fact proves: how many rows were written there, and the sum of their hashes. See witness.py.
CREATE TABLE witness (
  name TEXT PRIMARY KEY, count INTEGER NOT NULL, sum BLOB NOT NULL CHECK (length(sum) = 16)
) STRICT, WITHOUT ROWID;
"""

IDENTITY = """
-- Which epoch of our own log acked_seq lies in.
ALTER TABLE sync_state ADD COLUMN acked_epoch INTEGER NOT NULL DEFAULT 1;

-- At head office: who signs for a till in an epoch, and which fact the epoch goes on from (NULL: it begins at 1).
CREATE TABLE till_key (
  till TEXT NOT NULL, epoch INTEGER NOT NULL, store TEXT NOT NULL, public_key TEXT NOT NULL,
  continues_epoch INTEGER, continues_seq INTEGER, continues_hash TEXT,
  state TEXT NOT NULL CHECK (state IN ('active', 'revoked', 'lost')), txn BLOB NOT NULL REFERENCES txn (id),
  PRIMARY KEY (till, epoch)
) STRICT, WITHOUT ROWID;

-- Private to head office, not of its log: codes to enrol a till with, by their hashes. used_key: whose key came with it.
CREATE TABLE enrol_code (
  hash TEXT PRIMARY KEY, till TEXT NOT NULL, until_ms INTEGER NOT NULL, used_key TEXT
) STRICT, WITHOUT ROWID;
"""

RIGHTS = """
-- Points of lots that one till may redeem by itself: grants of head office's, there once they are given, at the till once it took
-- them. txn: the fact that gave or took it; taken: the till's fact, NULL while it is on its way; closed: the till gave back what
-- was left and counts no more on it.
CREATE TABLE right_grant (
  id TEXT PRIMARY KEY, till TEXT NOT NULL, epoch INTEGER NOT NULL, lease_ms INTEGER NOT NULL,
  txn BLOB NOT NULL REFERENCES txn (id), taken BLOB REFERENCES txn (id), closed BLOB REFERENCES txn (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX right_grant_by_till ON right_grant (till, epoch);
CREATE TABLE right_line (
  grant_id TEXT NOT NULL REFERENCES right_grant (id), lot TEXT NOT NULL, member TEXT NOT NULL,
  centi INTEGER NOT NULL CHECK (centi > 0), PRIMARY KEY (grant_id, lot)
) STRICT, WITHOUT ROWID;
CREATE INDEX right_line_by_lot ON right_line (lot);

-- What a till gave back of what it held.
CREATE TABLE right_return (
  txn BLOB NOT NULL REFERENCES txn (id), lot TEXT NOT NULL, till TEXT NOT NULL, epoch INTEGER NOT NULL,
  centi INTEGER NOT NULL CHECK (centi > 0), PRIMARY KEY (txn, lot)
) STRICT, WITHOUT ROWID;
CREATE INDEX right_return_by_lot ON right_return (lot);

-- Private to head office: tills that have not said since it was restored what they hold. While there is one, nothing is granted.
-- waited: how often its log was not taken further, for the logs of others.
CREATE TABLE hello_due (till TEXT PRIMARY KEY, waited INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
"""

TRUTH = """
-- Rules that a person stopped at a till (is_stopped 1) or let act again (0): the last row of a rule counts.
CREATE TABLE rule_stop (
  txn BLOB PRIMARY KEY REFERENCES txn (id), till TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, rule TEXT NOT NULL,
  is_stopped INTEGER NOT NULL, by_whom TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX rule_stop_by_till ON rule_stop (till, epoch, seq);

-- At head office: what a person settled, all cases of one reason about one fact. The first word on it stands.
CREATE TABLE case_closed (
  till TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL,
  txn BLOB NOT NULL REFERENCES txn (id), note TEXT NOT NULL, by_whom TEXT NOT NULL, closed_ms INTEGER NOT NULL,
  PRIMARY KEY (till, epoch, seq, reason)
) STRICT, WITHOUT ROWID;

-- Private to head office: how far each till's sales were recomputed, with what came of it; and the facts whose figures differ.
CREATE TABLE recompute_mark (
  till TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  agreed INTEGER NOT NULL, partly INTEGER NOT NULL, unknown INTEGER NOT NULL, differs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sale_recomputed (
  till TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (till, epoch, seq)
) STRICT, WITHOUT ROWID;
"""

DOWNLOAD = """
-- What head office published, in its order: which body is in force from when on (0: at once). At a till: head office's own list,
-- as far as the till needs it. See publications.py.
CREATE TABLE publication (
  number INTEGER PRIMARY KEY, sha256 BLOB NOT NULL REFERENCES programme (sha256), effective_ms INTEGER NOT NULL
) STRICT;

-- One row while a snapshot of head office is being taken in: its signed manifest, up to which number of our own log it counts
-- (NULL: not read yet), and how far it is applied: the chunk, its lines, and the last member or code of the chunk's kind.
CREATE TABLE snapshot_apply (
  id INTEGER PRIMARY KEY CHECK (id = 1), manifest BLOB NOT NULL, as_of_seq INTEGER, chunk INTEGER NOT NULL, line INTEGER NOT NULL,
  after TEXT NOT NULL
) STRICT;
"""

ASKING = """
-- How far asking for rights came: the id of our newest question; the newest fact of head office's own log that we were told of
-- (JSON); up to which of its versions, and up to which grant of our own log, members were asked for.
ALTER TABLE sync_state ADD COLUMN ask_id TEXT;
ALTER TABLE sync_state ADD COLUMN told_head TEXT;
ALTER TABLE sync_state ADD COLUMN asked_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_state ADD COLUMN asked_seq INTEGER NOT NULL DEFAULT 0;
"""

STOPS = """
-- wide_store: for all tills of this store, empty for this till alone; word_hlc, word_till: the fact of the person's word, here or
-- at the till that it was heard from.
ALTER TABLE rule_stop ADD COLUMN wide_store TEXT NOT NULL DEFAULT '';
ALTER TABLE rule_stop ADD COLUMN word_hlc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rule_stop ADD COLUMN word_till TEXT NOT NULL DEFAULT '';
UPDATE rule_stop SET word_till = till, word_hlc = (SELECT t.hlc FROM txn AS t WHERE t.id = rule_stop.txn);
"""

HUB = """
-- The hub that gave a grant out of its own, or that holds from now on what a till gave back (NULL: head office).
ALTER TABLE right_grant ADD COLUMN giver TEXT;
ALTER TABLE right_grant ADD COLUMN giver_epoch INTEGER;
ALTER TABLE right_return ADD COLUMN to_till TEXT;
ALTER TABLE right_return ADD COLUMN to_epoch INTEGER;

-- At a hub: what its tills gave back to it, by their own logs, which it keeps beside this file and need not keep for ever.
CREATE TABLE relay_right (
  till TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, lot TEXT NOT NULL, member TEXT NOT NULL,
  centi INTEGER NOT NULL CHECK (centi > 0), to_epoch INTEGER NOT NULL, PRIMARY KEY (till, epoch, seq, lot)
) STRICT, WITHOUT ROWID;
-- At a hub: up to which fact of each till's log it knows all that was given back to it.
CREATE TABLE relay_start (till TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX relay_right_by_lot ON relay_right (lot);
CREATE INDEX relay_right_by_member ON relay_right (member);
CREATE INDEX right_line_by_member ON right_line (member);

-- At a till with a hub: the newest fact of the hub's log that we were told of, and up to which of our own facts we gave back what
-- nobody needs here. At head office: how often a log waited for that of the till which gave the hub what was redeemed.
ALTER TABLE sync_state ADD COLUMN hub_head TEXT;
ALTER TABLE sync_state ADD COLUMN idle_seq INTEGER NOT NULL DEFAULT 0;
CREATE TABLE hub_wait (till TEXT PRIMARY KEY, waited INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

COUPONS = """
-- Codes that were made for print, by the fact that made them: who made one holds the right to it. The row of coupon_code may be
-- of another's import, which came first.
CREATE TABLE coupon_made (
  txn BLOB NOT NULL REFERENCES txn (id), code TEXT NOT NULL, PRIMARY KEY (txn, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX coupon_made_by_code ON coupon_made (code);
INSERT INTO coupon_made (txn, code) SELECT t.id, c.value
FROM txn AS t, json_each(CAST(t.payload AS TEXT) ->> '$.coupons.codes') AS c
WHERE t.kind = 'coupons.added' AND CAST(t.payload AS TEXT) ->> '$.coupons.origin' = 'made';

-- At a till: up to which of our own facts we gave back the rights to codes that nobody used here.
ALTER TABLE sync_state ADD COLUMN coupon_idle_seq INTEGER NOT NULL DEFAULT 0;
"""

TOLD = """
-- Private to head office: machines that said hello with all of their log here, and the newest fact of head office's own log then.
CREATE TABLE told (
  till TEXT NOT NULL, epoch INTEGER NOT NULL, own_epoch INTEGER NOT NULL, own_seq INTEGER NOT NULL, PRIMARY KEY (till, epoch)
) STRICT, WITHOUT ROWID;

-- Private to head office: facts that came while it waited for hellos and bear on whose points pay; they are evened out when all
-- have said it. An empty id: the restore itself.
CREATE TABLE even_due (txn BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- What a hub gave and got back, and what one till gave back.
CREATE INDEX right_grant_by_giver ON right_grant (giver, giver_epoch);
CREATE INDEX right_return_by_to ON right_return (to_till, to_epoch);
CREATE INDEX right_return_by_till ON right_return (till, epoch);

-- At head office: facts that a hub keeps of its tills and that head office has not confirmed, as it last said; NULL: no hub.
ALTER TABLE till ADD COLUMN hub_waiting INTEGER;

-- At a till with a hub: by which road it was last answered, since when by that one, and when the hub last answered.
ALTER TABLE sync_state ADD COLUMN road TEXT;
ALTER TABLE sync_state ADD COLUMN road_ms INTEGER;
ALTER TABLE sync_state ADD COLUMN hub_ms INTEGER;
"""

LENDING = """
-- At a hub: gift cards that its tills' logs tell of. word: what another till has to know of one (JSON), NULL while only its state
-- was told; state: by the newest of these facts.
CREATE TABLE relay_card (
  id TEXT PRIMARY KEY, code_hash BLOB, word TEXT, state TEXT NOT NULL, state_hlc INTEGER NOT NULL, state_till TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX relay_card_by_code ON relay_card (code_hash) WHERE code_hash IS NOT NULL;
-- At a hub: since when it may hold rights to a gift card or a code, which go back to head office when they rested.
CREATE TABLE relay_rest (lot TEXT PRIMARY KEY, since_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX relay_rest_by_time ON relay_rest (since_ms);
"""

PAST_THE_HUB = """
-- At a hub: up to which fact of each log of its tills, of machines before too, it knows for sure all that was given back to it.
CREATE TABLE relay_known (
  till TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (till, epoch)
) STRICT, WITHOUT ROWID;
DROP INDEX right_return_by_to;
CREATE INDEX right_return_by_to ON right_return (to_till, to_epoch, till, epoch);

-- At a till with a hub: which life of a hub's file told us last.
ALTER TABLE sync_state ADD COLUMN hub_life TEXT;
"""

KNOWN_LOGS = """
-- At a hub that is older than relay_known: of no log it is known how far it is known (``versions``).
"""

HEARD = """
-- At head office: up to which version a till was told all, and when, by an answer that may be lost; and when it was told what it
-- showed since that it has, with all of its log here.
ALTER TABLE till ADD COLUMN told_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE till ADD COLUMN told_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE till ADD COLUMN knows_ms INTEGER NOT NULL DEFAULT 0;
UPDATE till SET knows_ms = asked_ms;
-- The keys of a store are asked for with each question of its hub.
CREATE INDEX till_key_by_store ON till_key (store);
"""

SYNC: tuple[str, ...] = (
    WITNESS, IDENTITY, RIGHTS, TRUTH, DOWNLOAD, ASKING, STOPS, HUB, COUPONS, TOLD, LENDING, PAST_THE_HUB,
    KNOWN_LOGS, HEARD,
)  # fmt: skip
