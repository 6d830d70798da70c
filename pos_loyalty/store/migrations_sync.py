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

ASKING = """
-- How far asking for rights came: the id of our newest question; the newest fact of head office's own log that we were told of
-- (JSON); up to which of its versions, and up to which grant of our own log, members were asked for.
ALTER TABLE sync_state ADD COLUMN ask_id TEXT;
ALTER TABLE sync_state ADD COLUMN told_head TEXT;
ALTER TABLE sync_state ADD COLUMN asked_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sync_state ADD COLUMN asked_seq INTEGER NOT NULL DEFAULT 0;
"""

SYNC: tuple[str, ...] = (WITNESS, IDENTITY, RIGHTS, ASKING)
