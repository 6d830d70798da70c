"""The tables of who speaks to whom: numbered steps as in migrations.py, in which they stand last."""

IDENTITY = """
-- Which epoch of our own log acked_seq lies in.
ALTER TABLE sync_state ADD COLUMN acked_epoch INTEGER NOT NULL DEFAULT 1;

-- At head office: who signs for a till in an epoch, and which fact the epoch goes on from (NULL: it begins at 1).
CREATE TABLE till_key (
  till TEXT NOT NULL, epoch INTEGER NOT NULL, public_key TEXT NOT NULL,
  continues_epoch INTEGER, continues_seq INTEGER, continues_hash TEXT,
  state TEXT NOT NULL CHECK (state IN ('active', 'revoked', 'lost')), txn BLOB NOT NULL REFERENCES txn (id),
  PRIMARY KEY (till, epoch)
) STRICT, WITHOUT ROWID;

-- Private to head office, not of its log: codes to enrol a till with, by their hashes. used_key: whose key came with it.
CREATE TABLE enrol_code (
  hash TEXT PRIMARY KEY, till TEXT NOT NULL, until_ms INTEGER NOT NULL, used_key TEXT
) STRICT, WITHOUT ROWID;
"""
