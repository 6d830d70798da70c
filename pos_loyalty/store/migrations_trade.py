"""The tables of gift cards, of goods that come back and of coupon codes: steps of ``migrations.py``, which says their order."""

GIFT_CARDS = """
-- Gift cards as their facts made them. The code is not here: only its hash. ``state`` is that of the last act by (state_hlc,
-- state_till), and ``void`` for ever; whether a card is spent or has run out follows from its balance and its date.
CREATE TABLE gift_card (
  id TEXT PRIMARY KEY, code_hash BLOB NOT NULL CHECK (length(code_hash) = 32), pin_hash BLOB CHECK (length(pin_hash) = 32),
  kind TEXT NOT NULL CHECK (kind IN ('bought', 'gratis')), series TEXT NOT NULL, currency TEXT NOT NULL,
  face_minor INTEGER NOT NULL CHECK (face_minor > 0), expires_ms INTEGER,
  txn BLOB NOT NULL REFERENCES txn (id), till TEXT NOT NULL, sale_id TEXT, line_id TEXT,
  state TEXT NOT NULL CHECK (state IN ('active', 'frozen', 'void')), state_hlc INTEGER NOT NULL, state_till TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX gift_card_by_code ON gift_card (code_hash);
CREATE INDEX gift_card_by_sale ON gift_card (till, sale_id) WHERE sale_id IS NOT NULL;
CREATE INDEX gift_card_by_end ON gift_card (expires_ms) WHERE expires_ms IS NOT NULL;

-- Private to this till, never sent and not in the log: wrong PINs by card, and unknown codes of the till (card '').
CREATE TABLE gift_try (
  card TEXT PRIMARY KEY, tries INTEGER NOT NULL, since_ms INTEGER NOT NULL, locked_until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

RETURNS = """
-- Goods that came back; sale_till and sale_id are NULL without a receipt. The sale may be another till's and not be in this file.
-- refund_minor: the money of the goods; points_minor: what points had paid of it; advance_minor: what of it is for gift cards
-- that the sale had sold; body: the engine's answer, for the next return. is_claimed: the member claimed the sale later.
-- is_last: nothing of the sale is kept any more. exchange_id: the sale of this till that the goods were exchanged for.
CREATE TABLE sale_return (
  till TEXT NOT NULL, return_id TEXT NOT NULL, txn BLOB NOT NULL UNIQUE REFERENCES txn (id),
  sale_till TEXT, sale_id TEXT, exchange_id TEXT,
  receipt_no TEXT NOT NULL, store TEXT NOT NULL, cashier TEXT NOT NULL, member TEXT,
  is_claimed INTEGER NOT NULL CHECK (is_claimed IN (0, 1)), biz_day INTEGER NOT NULL, at_ms INTEGER NOT NULL,
  refund_minor INTEGER NOT NULL, points_minor INTEGER NOT NULL, advance_minor INTEGER NOT NULL,
  restored_centi INTEGER NOT NULL, taken_centi INTEGER NOT NULL, is_last INTEGER NOT NULL CHECK (is_last IN (0, 1)),
  tenders BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (till, return_id), CHECK ((sale_till IS NULL) = (sale_id IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX sale_return_by_sale ON sale_return (sale_till, sale_id) WHERE sale_id IS NOT NULL;
CREATE INDEX sale_return_by_member ON sale_return (member) WHERE member IS NOT NULL;
CREATE INDEX sale_return_by_day ON sale_return (biz_day);
CREATE INDEX sale_return_by_exchange ON sale_return (till, exchange_id) WHERE exchange_id IS NOT NULL;

-- net_minor: the refund of the line and what points had paid of it.
CREATE TABLE return_line (
  till TEXT NOT NULL, return_id TEXT NOT NULL, line_id TEXT NOT NULL, sale_till TEXT, sale_id TEXT,
  quantity_milli INTEGER NOT NULL CHECK (quantity_milli > 0), net_minor INTEGER NOT NULL,
  PRIMARY KEY (till, return_id, line_id), FOREIGN KEY (till, return_id) REFERENCES sale_return (till, return_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX return_line_by_sale ON return_line (sale_till, sale_id, line_id) WHERE sale_id IS NOT NULL;

-- What a sale issued (n of issue) that a return withdrew.
CREATE TABLE withdrawn (
  till TEXT NOT NULL, return_id TEXT NOT NULL, n INTEGER NOT NULL, sale_till TEXT NOT NULL, sale_id TEXT NOT NULL,
  PRIMARY KEY (till, return_id, n), FOREIGN KEY (till, return_id) REFERENCES sale_return (till, return_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX withdrawn_by_sale ON withdrawn (sale_till, sale_id, n);

-- By the sign of the fiscal document, which its QR bears; leading noughts are not always printed.
CREATE INDEX sale_by_fiscal ON sale (ltrim(CAST(fiscal AS TEXT) ->> '$.fp', '0')) WHERE fiscal IS NOT NULL;
"""

COUPONS = """
-- Unique codes that were imported or made for print. A code that came twice stands by the fact that was here first.
CREATE TABLE coupon_code (
  code TEXT PRIMARY KEY, series TEXT NOT NULL, txn BLOB NOT NULL REFERENCES txn (id), usable_from INTEGER, expires_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX coupon_code_by_txn ON coupon_code (txn);
CREATE INDEX coupon_code_by_series ON coupon_code (series);

-- At a till: head office's word on codes. taken_till, taken_sale: a sale that takes the code; our own sales our log knows better.
CREATE TABLE coupon_word (
  code TEXT PRIMARY KEY, series TEXT NOT NULL, is_live INTEGER NOT NULL, usable_from INTEGER, expires_at INTEGER,
  taken_till TEXT, taken_sale TEXT
) STRICT, WITHOUT ROWID;

-- At head office: the version of each code's last change, of the same numbers as the members'. A cache: tills ask by it.
CREATE TABLE coupon_version (version INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE) STRICT;
"""
