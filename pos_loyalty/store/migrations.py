"""The tables of a till's and of head office's database, as numbered steps. A column is changed here and in its one store file."""

from pos_loyalty.store.migrations_sync import SYNC
from pos_loyalty.store.migrations_trade import COUPONS, GIFT_CARDS, RETURNS

APPLICATION_ID = 0x504F534C  # "POSL"
SCHEMA = 0
"""Of the payloads of facts, frozen: a field that is added there is a new number. See docs/sync.md, Versions."""

FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The log: one row for each fact, chained by hash. It is the outbox too: payload holds the exact bytes that are sent.
CREATE TABLE txn (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  till TEXT NOT NULL, epoch INTEGER NOT NULL CHECK (epoch >= 1), seq INTEGER NOT NULL CHECK (seq >= 1),
  kind TEXT NOT NULL, wall_ms INTEGER NOT NULL, boot_id TEXT NOT NULL, mono_ns INTEGER NOT NULL, hlc INTEGER NOT NULL,
  programme_version TEXT, engine_version TEXT NOT NULL, receipt_no TEXT, cashier TEXT, member TEXT, sale_id TEXT, reverses BLOB,
  payload BLOB NOT NULL, prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32), hash BLOB NOT NULL CHECK (length(hash) = 32),
  UNIQUE (till, epoch, seq), UNIQUE (till, receipt_no)
) STRICT;
CREATE INDEX txn_by_member ON txn (member, seq) WHERE member IS NOT NULL;
CREATE INDEX txn_by_sale ON txn (till, sale_id, epoch, seq) WHERE sale_id IS NOT NULL;

CREATE TABLE entry (
  txn BLOB NOT NULL REFERENCES txn (id), n INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('accrue', 'redeem', 'expire', 'adjust', 'reverse')),
  debit_acct TEXT NOT NULL, credit_acct TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0), unit TEXT NOT NULL,
  lot TEXT, member TEXT, rule TEXT,
  PRIMARY KEY (txn, n), CHECK (debit_acct <> credit_acct)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_by_lot ON entry (lot) WHERE lot IS NOT NULL;
CREATE INDEX entry_by_debtor ON entry (member) WHERE debit_acct GLOB 'owed:*' OR credit_acct GLOB 'owed:*';

-- A cache: remaining = base_remaining + entries of this log with seq > base_seq, held within 0 and amount.
-- base_* is what head office last said; at head office base_remaining is what an import opened the lot with.
CREATE TABLE lot (
  id TEXT PRIMARY KEY, member TEXT NOT NULL, origin_txn BLOB, unit TEXT NOT NULL,
  usable_from INTEGER NOT NULL, expires_at INTEGER, amount INTEGER NOT NULL CHECK (amount > 0),
  remaining INTEGER NOT NULL CHECK (0 <= remaining AND remaining <= amount),
  base_remaining INTEGER NOT NULL DEFAULT 0, base_seq INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX lot_by_member ON lot (member, remaining);

-- A cache: credits less debits of the entries in this database, by account. An account at zero has no row.
CREATE TABLE balance (
  account TEXT NOT NULL, unit TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (account, unit)
) STRICT, WITHOUT ROWID;

-- One row. At a till: how far head office holds our log; when we last had all its changes; up to which version, under which mark;
-- and what a person has to mend before the sync goes on.
CREATE TABLE sync_state (
  id INTEGER PRIMARY KEY CHECK (id = 1), acked_seq INTEGER NOT NULL, acked_hash BLOB NOT NULL,
  heard_ms INTEGER, pulled_version INTEGER NOT NULL, pulled_mark TEXT, trouble TEXT
) STRICT;

CREATE TABLE attempt (
  sale_id TEXT PRIMARY KEY, txn BLOB NOT NULL UNIQUE, opened_ms INTEGER NOT NULL,
  content_hash BLOB NOT NULL CHECK (length(content_hash) = 32)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY, verb TEXT NOT NULL, body_hash BLOB NOT NULL, answer BLOB NOT NULL, at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Answers about one member, for who erases them: a sale's answer does not stand here.
CREATE INDEX idempotency_by_member ON idempotency (CAST(answer AS TEXT) ->> '$.member_id')
WHERE CAST(answer AS TEXT) ->> '$.member_id' IS NOT NULL;

-- advance_minor: of total_minor, what paid for gift cards; it counts for no member.
-- completed_txn, reversed_txn: the facts that moved the sale there; others of the same kind changed nothing.
CREATE TABLE sale (
  till TEXT NOT NULL, sale_id TEXT NOT NULL, txn BLOB NOT NULL UNIQUE REFERENCES txn (id),
  state TEXT NOT NULL CHECK (state IN ('authorised', 'completed', 'cancelled', 'reversed')),
  receipt_no TEXT NOT NULL, store TEXT NOT NULL, cashier TEXT NOT NULL, member TEXT,
  biz_day INTEGER NOT NULL, ts_s INTEGER NOT NULL, authorised_ms INTEGER NOT NULL, ended_ms INTEGER,
  gross_minor INTEGER NOT NULL, total_minor INTEGER NOT NULL, due_minor INTEGER NOT NULL,
  redeemed_centi INTEGER NOT NULL, offline_centi INTEGER NOT NULL, accrued_centi INTEGER NOT NULL,
  advance_minor INTEGER NOT NULL DEFAULT 0,
  progress_minor INTEGER NOT NULL DEFAULT 0,
  programme TEXT NOT NULL, basket BLOB NOT NULL, quote BLOB NOT NULL, tenders BLOB NOT NULL, fiscal BLOB,
  completed_txn BLOB, reversed_txn BLOB,
  PRIMARY KEY (till, sale_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sale_by_day ON sale (biz_day);
-- Holds all that a member's days are summed from, so that no row of a sale is read for them.
CREATE INDEX sale_by_member ON sale (
  member, biz_day, state, total_minor, accrued_centi, redeemed_centi, advance_minor, progress_minor
)
  WHERE member IS NOT NULL;
CREATE INDEX sale_open ON sale (state) WHERE state = 'authorised';
CREATE INDEX sale_offline ON sale (txn) WHERE offline_centi > 0;

CREATE TABLE sale_line (
  till TEXT NOT NULL, sale_id TEXT NOT NULL, line_id TEXT NOT NULL, sku TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL,
  brand TEXT NOT NULL, tags TEXT NOT NULL,
  quantity_milli INTEGER NOT NULL, gross_minor INTEGER NOT NULL, net_minor INTEGER NOT NULL, points_minor INTEGER NOT NULL,
  vat_minor INTEGER NOT NULL, cost_minor INTEGER,
  PRIMARY KEY (till, sale_id, line_id), FOREIGN KEY (till, sale_id) REFERENCES sale (till, sale_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE adjustment (
  till TEXT NOT NULL, sale_id TEXT NOT NULL, line_id TEXT NOT NULL, rule TEXT NOT NULL, off_minor INTEGER NOT NULL,
  PRIMARY KEY (till, sale_id, line_id, rule), FOREIGN KEY (till, sale_id) REFERENCES sale (till, sale_id)
) STRICT, WITHOUT ROWID;

-- What a sale or an award issued: coupons (a row and a code for each), privileges, plans. A sale's counts while it is completed.
CREATE TABLE issue (
  txn BLOB NOT NULL REFERENCES txn (id), n INTEGER NOT NULL, rule TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('coupon', 'privilege', 'plan')), series TEXT NOT NULL, code TEXT, member TEXT,
  usable_from INTEGER, expires_at INTEGER,
  PRIMARY KEY (txn, n), CHECK ((code IS NOT NULL) = (kind = 'coupon'))
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_by_code ON issue (code) WHERE code IS NOT NULL;
CREATE INDEX issue_by_member ON issue (member, kind) WHERE member IS NOT NULL;

-- Coupons with a code of their own that a sale takes. They are taken while it is authorised, and used up while it is completed.
CREATE TABLE coupon_use (
  code TEXT NOT NULL, till TEXT NOT NULL, sale_id TEXT NOT NULL,
  PRIMARY KEY (code, till, sale_id), FOREIGN KEY (till, sale_id) REFERENCES sale (till, sale_id)
) STRICT, WITHOUT ROWID;

-- Two caches over the sales that are authorised or completed, and over awards. A row at zero is gone.
-- rule_use: how often a rule was used and what money it gave: in all (key ''), by member, by business day.
CREATE TABLE rule_use (
  scope TEXT NOT NULL CHECK (scope IN ('all', 'member', 'day')), key TEXT NOT NULL, rule TEXT NOT NULL,
  times INTEGER NOT NULL, given_minor INTEGER NOT NULL, PRIMARY KEY (scope, key, rule)
) STRICT, WITHOUT ROWID;
CREATE TABLE member_counter (
  member TEXT NOT NULL, key TEXT NOT NULL, units INTEGER NOT NULL, PRIMARY KEY (member, key)
) STRICT, WITHOUT ROWID;

-- version: head office's number of the last change; 0 for one that head office has not confirmed yet.
-- base_seq: the figures are head office's as of this number of our own log; later facts are added when read.
-- merged_into: who this member went over into; merged_seq: the number of the fact that says so, 0 when head office told it.
-- secret: what confirms a redemption, sealed under the member's own key.
CREATE TABLE member (
  id TEXT PRIMARY KEY, tier TEXT, segments TEXT NOT NULL DEFAULT '[]', birthday TEXT, birthday_set_ms INTEGER, joined_ms INTEGER,
  referred_by TEXT,
  sales_count INTEGER NOT NULL DEFAULT 0, spent_minor INTEGER NOT NULL DEFAULT 0, owed_centi INTEGER NOT NULL DEFAULT 0,
  staff INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'blocked', 'erased', 'merged')),
  merged_into TEXT, merged_seq INTEGER NOT NULL DEFAULT 0, secret BLOB,
  personal BLOB, phone_index BLOB, version INTEGER NOT NULL DEFAULT 0, base_seq INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX member_by_version ON member (version);
CREATE INDEX member_by_phone ON member (phone_index) WHERE phone_index IS NOT NULL;
CREATE INDEX member_by_winner ON member (merged_into) WHERE merged_into IS NOT NULL;

-- The member's own data key. Destroying the row erases the personal fields wherever they were copied.
-- At head office each till that sealed fields of the member has its own; '' is the till's that enrolled them. At a till it is ''.
CREATE TABLE member_key (
  member TEXT NOT NULL, till TEXT NOT NULL DEFAULT '', sealed BLOB NOT NULL, PRIMARY KEY (member, till)
) STRICT, WITHOUT ROWID;

CREATE TABLE card (
  number TEXT PRIMARY KEY, member TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'lost'))
) STRICT, WITHOUT ROWID;
CREATE INDEX card_by_member ON card (member);

-- The highest arrival is in force, whatever the clock said. A till may hold two bodies of one version: of its own file, and of
-- head office.
CREATE TABLE programme (
  arrival INTEGER PRIMARY KEY, id TEXT NOT NULL, version INTEGER NOT NULL,
  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32), body BLOB NOT NULL, received_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX programme_by_version ON programme (id, version);

-- Jobs are never deleted and their ids have no gaps. is_made: body is bytes for the printer; else what the worker makes them of.
CREATE TABLE print_job (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sale_id TEXT,
  receipt_no TEXT NOT NULL, kind TEXT NOT NULL, copy INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN
    ('queued', 'sending', 'awaiting_ack', 'printed', 'sent_unconfirmed', 'uncertain', 'failed', 'expired')),
  body BLOB NOT NULL, is_made INTEGER NOT NULL DEFAULT 1 CHECK (is_made IN (0, 1)),
  queued_ms INTEGER NOT NULL, moved_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, note TEXT,
  UNIQUE (receipt_no, kind, copy)
) STRICT;
CREATE INDEX print_job_by_state ON print_job (state);

-- At head office: how far it holds each till's log (epoch 0: nothing came yet); when that till last asked for changes (it does so
-- with all sent); the mark of the versions from a number on; and contradictions, which never stop a log.
CREATE TABLE till (
  id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, applied_seq INTEGER NOT NULL, applied_hash BLOB NOT NULL,
  heard_ms INTEGER NOT NULL, asked_ms INTEGER NOT NULL DEFAULT 0, frozen TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE version_mark (from_version INTEGER PRIMARY KEY, mark TEXT NOT NULL) STRICT;
CREATE TABLE suspense_case (
  id INTEGER PRIMARY KEY, till TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
  reason TEXT NOT NULL, detail TEXT NOT NULL, closed_ms INTEGER
) STRICT;
CREATE INDEX suspense_case_by_fact ON suspense_case (till, epoch, seq);
"""

MEMBER_CHANGES = """
ALTER TABLE member ADD COLUMN phone_verified INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN referral_code TEXT;
ALTER TABLE member ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN drive TEXT NOT NULL DEFAULT '';
CREATE INDEX member_by_referral_code ON member (referral_code) WHERE referral_code IS NOT NULL;

-- Every consent given and every one withdrawn. The newest of a purpose is in force.
CREATE TABLE member_consent (
  txn BLOB NOT NULL REFERENCES txn (id), n INTEGER NOT NULL, member TEXT NOT NULL,
  purpose TEXT NOT NULL CHECK (purpose IN ('data', 'advertising')), given INTEGER NOT NULL CHECK (given IN (0, 1)),
  text_version TEXT NOT NULL, channel TEXT NOT NULL, at_ms INTEGER NOT NULL, cashier TEXT NOT NULL, PRIMARY KEY (txn, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_consent_by_member ON member_consent (member, purpose, at_ms);

-- Sealed under the member's own key: attributes, named dates, and a name or phone that came after enrolment (kind 'self').
CREATE TABLE member_attribute (
  member TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('attribute', 'date', 'self')), name TEXT NOT NULL,
  sealed BLOB NOT NULL, txn BLOB NOT NULL REFERENCES txn (id), PRIMARY KEY (member, kind, name)
) STRICT, WITHOUT ROWID;

-- Private to this file, in no fact: codes on their way to phones, as keyed hashes; imported phones that wait for their slow hash.
CREATE TABLE phone_code (
  member TEXT PRIMARY KEY, code_hash BLOB NOT NULL, made_ms INTEGER NOT NULL, tries INTEGER NOT NULL,
  sent INTEGER NOT NULL, first_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE phone_todo (
  member TEXT PRIMARY KEY, sealed BLOB NOT NULL, verified INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
"""

ACTS = """
-- Private to this file and never sent: who may answer for acts here. pin is a scrypt hash under the till's pepper. attempts
-- counts wrong PINs since the last right one.
CREATE TABLE staff (
  person TEXT PRIMARY KEY, role TEXT NOT NULL CHECK (role IN ('cashier', 'senior')),
  salt BLOB NOT NULL, pin BLOB NOT NULL CHECK (length(pin) = 32), blocked INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0, locked_until_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Private to this file and never sent: tries to confirm redemptions. code is a hash; used is what was last confirmed with (a
-- code's hash or a QR's step) and used_for the sale: nothing confirms two sales.
CREATE TABLE confirm_try (
  member TEXT PRIMARY KEY, attempts INTEGER NOT NULL DEFAULT 0, locked_until_ms INTEGER NOT NULL DEFAULT 0,
  code BLOB, code_until_ms INTEGER NOT NULL DEFAULT 0,
  codes_sent INTEGER NOT NULL DEFAULT 0, codes_since_ms INTEGER NOT NULL DEFAULT 0, used BLOB, used_for TEXT
) STRICT, WITHOUT ROWID;

-- Whose points a receipt brought later: one claim a sale. txn: the fact that claimed it.
CREATE TABLE sale_claim (
  till TEXT NOT NULL, sale_id TEXT NOT NULL, txn BLOB NOT NULL UNIQUE REFERENCES txn (id),
  member TEXT NOT NULL, centi INTEGER NOT NULL CHECK (centi > 0), PRIMARY KEY (till, sale_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sale_claim_by_member ON sale_claim (member);
CREATE INDEX txn_of_acts ON txn (wall_ms) WHERE kind IN (
  'sale.reversed', 'sale.returned', 'sale.claimed', 'member.changed', 'member.merged', 'member.tiered', 'points.adjusted',
  'gift_card.changed', 'coupons.added'
);

-- Acts that a person answers for, read from the log itself: who, with whose word, when, and why.
CREATE VIEW act AS SELECT
  till, epoch, seq, wall_ms, kind, member, sale_id, receipt_no,
  coalesce(body ->> '$.adjustment.by', body ->> '$.claim.by', body ->> '$.merge.by', body ->> '$.change.by', body ->> '$.tier.by',
    body ->> '$.gift_card.by', body ->> '$.end.cashier', cashier, '') AS by,
  coalesce(body ->> '$.adjustment.approved_by', body ->> '$.claim.approved_by', body ->> '$.merge.approved_by',
    body ->> '$.returned.approved_by', body ->> '$.end.approved_by', '') AS approved_by,
  coalesce(body ->> '$.adjustment.reason', body ->> '$.merge.reason', body ->> '$.change.reason', body ->> '$.tier.reason',
    body ->> '$.gift_card.reason', body ->> '$.returned.reason', body ->> '$.end.reason', '') AS reason,
  coalesce(body ->> '$.merge.into', body ->> '$.claim.sale_id', '') AS about,
  coalesce(
    body ->> '$.adjustment.centi', (SELECT SUM(c.value ->> 'centi') FROM json_each(body, '$.claim.accruals') AS c), 0
  ) AS centi
FROM (SELECT *, CAST(payload AS TEXT) AS body FROM txn WHERE kind IN (
  'sale.reversed', 'sale.returned', 'sale.claimed', 'member.changed', 'member.merged', 'member.tiered', 'points.adjusted',
  'gift_card.changed', 'coupons.added'
));
"""

UPKEEP = """
-- Private to this file, never sent, not of the log. One row: the trusted instant at a reading of the machine's clocks, what head
-- office last said and when, and since when wall clock and uptime agree. See docs/time.md.
CREATE TABLE trusted_time (
  id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL, boot TEXT NOT NULL, ran_ns INTEGER NOT NULL,
  server_ms INTEGER, server_boot TEXT NOT NULL, server_ran_ns INTEGER NOT NULL,
  offset_ms INTEGER NOT NULL, steady_ns INTEGER NOT NULL
) STRICT;

-- Private to this file. One row: when the till was last opened, whether it was closed, and when the last run began that was not.
CREATE TABLE run (
  id INTEGER PRIMARY KEY CHECK (id = 1), opened_ms INTEGER NOT NULL, closed_ms INTEGER, crashed_ms INTEGER
) STRICT;

CREATE INDEX attempt_by_time ON attempt (opened_ms);
CREATE INDEX lot_by_end ON lot (expires_at) WHERE remaining > 0 AND expires_at IS NOT NULL;
"""

TIERS = """
-- Moves between tiers. Days are since 1970-01-01 in the store's zone; ladder tells by which thresholds a move was found.
CREATE TABLE member_tier (
  txn BLOB PRIMARY KEY REFERENCES txn (id), member TEXT NOT NULL, tier TEXT, reason TEXT NOT NULL, biz_day INTEGER NOT NULL,
  since INTEGER NOT NULL, until INTEGER, is_warned INTEGER NOT NULL, frozen_until INTEGER, before TEXT, ladder TEXT NOT NULL,
  decided_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX member_tier_by_member ON member_tier (member);
-- Facts besides sales that a member's tier is counted from.
CREATE INDEX txn_for_tier ON txn (member) WHERE kind IN ('member.awarded', 'sale.claimed', 'sale.returned');

-- Head office's word on a member's tier, and what it counted, as of member.base_seq; at head office: what an import said.
CREATE TABLE tier_word (
  member TEXT PRIMARY KEY, tier TEXT, biz_day INTEGER NOT NULL, since INTEGER, until INTEGER, is_warned INTEGER NOT NULL,
  frozen_until INTEGER, have INTEGER, clock INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A cache of who owns the members' tiers: when each was looked at last and must be again. It may be lost.
CREATE TABLE tier_look (
  member TEXT PRIMARY KEY, next_day INTEGER, ladder TEXT NOT NULL, version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

DRAWER = """
-- Private to this till, never sent and not in the log: each time the drawer was asked to open. ``fired`` is stored before the
-- bytes go out and is the end, so that no crash opens it twice.
CREATE TABLE drawer_kick (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sale_id TEXT UNIQUE, cashier TEXT NOT NULL, reason TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'fired', 'failed', 'expired')),
  asked_ms INTEGER NOT NULL, moved_ms INTEGER NOT NULL, note TEXT
) STRICT;
CREATE INDEX drawer_kick_asked ON drawer_kick (id) WHERE state = 'asked';
"""

MIGRATIONS: tuple[str, ...] = (FIRST, MEMBER_CHANGES, ACTS, GIFT_CARDS, RETURNS, UPKEEP, TIERS, COUPONS, DRAWER, *SYNC)
"""Run in order on a new file. What has landed is never changed: ``user_version`` counts these steps, see versions.py."""
