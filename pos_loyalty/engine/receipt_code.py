"""The code that a receipt bears, by which a return finds its sale: ours, and the fiscal one of 54-FZ."""

from __future__ import annotations

from pos_loyalty.errors import InputError
from pos_loyalty.values import Value

MARK = "PL1"
FISCAL_KEYS = ("fn", "i", "fp")
SALE_SIGN = "1"
"""``n`` of a fiscal QR: 1 is a sale, 2 its return. Source: the Federal Tax Service's order on the fiscal QR."""
PLACE = "$.receipt"


class SaleName(Value):
    """The till and the id of a sale."""

    till: str
    sale_id: str


class FiscalSign(Value):
    """What names a fiscal document: drive, document number, sign."""

    fn: str
    fd: str
    fp: str


def receipt_code(till: str, sale_id: str) -> str:
    """What the QR of our receipt holds."""
    return f"{MARK}|{till}|{sale_id}"


def read_receipt_code(text: str) -> SaleName | FiscalSign:
    """What a scanned code names. Raises InputError for a code of neither kind."""
    parts = text.strip().split("|")
    if parts[0] == MARK and len(parts) == 3 and all(parts):
        return SaleName(till=parts[1], sale_id=parts[2])
    fields = {key: value for key, _, value in (pair.partition("=") for pair in text.strip().split("&"))}
    if not all(fields.get(key, "").isdecimal() for key in FISCAL_KEYS):
        raise InputError(PLACE, "is neither the code of our receipt (PL1|till|sale) nor a fiscal one (t=…&s=…&fn=…&i=…&fp=…)")
    if fields.get("n", SALE_SIGN) != SALE_SIGN:
        raise InputError(PLACE, "is of a fiscal document that is not a sale; scan the receipt of the sale")
    return FiscalSign(fn=fields["fn"], fd=fields["i"], fp=fields["fp"])
