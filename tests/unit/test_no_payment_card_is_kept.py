"""A payment card's number in any text of any request: refused before money, hidden after it, and its digits are kept nowhere."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

from pos_loyalty import log
from pos_loyalty.cli.main import main
from pos_loyalty.store import outbox
from pos_loyalty.till import Till, staff
from pos_loyalty.till.approval import Approval
from pos_loyalty.till.staff_model import AdjustRequest
from pos_loyalty.values import Points
from pos_loyalty.web.operations import OPERATIONS
from tests.browser.serving import Answer, Web, serving
from tests.gifts import GIFT_PROGRAMME
from tests.shop import CARD, CONFIG, MEMBER, SENIOR, Shop

PRINTER = '\n[printer]\nkind = "file"\npath = "paper.bin"\ndrawer = true\n'
HERE = "\x00"
MARK = json.dumps(HERE)[1:-1]
"""Stands where a number will stand."""
FORMS = ("{}", "card {} ok", "{}2512")
BY = {"person": SENIOR.person, "pin": SENIOR.pin}
LINE = {"line_id": "1", "sku": "4601", "name": "Кофе", "quantity": "2", "price_minor": 15_000, "category": "drinks/coffee"}
BASKET = {
    "basket_id": "B1", "store": "S1", "till": "T1", "cashier": "C7", "opened_at": "2026-11-21T12:30:05+03:00", "currency": "RUB",
    "lines": [LINE],
}  # fmt: skip
NEVER_REFUSED = ("complete", "cancel")
HIDES = ("authorise at once", "void", "return_goods", "return_by_receipt", "understand")
WORDS = ("x", "xxx", "0000", "000000", "AAAA", "05-17", "2026-11-21", "review", "K1-1", "+79160000001", "xxxxxxxx")


def numbers() -> Iterator[str]:
    """Sixteen digits each, an issuer's, with a Luhn check digit; no two alike."""
    for serial in itertools.count(1):
        body = f"4276{serial * 7919:011d}"
        total = sum(value - 9 if value > 9 else value for value in (int(d) * (2 - n % 2) for n, d in enumerate(body)))
        yield f"{body}{-total % 10}"


class Counter:
    """A till behind HTTP, and everything that came back from it."""

    def __init__(self, shop: Shop, web: Web) -> None:
        self.shop, self.web = shop, web
        self.made = itertools.count(1)
        self.came: list[bytes] = []
        self.sales: list[str] = []

    def post(self, path: str, body: object, keyed: bool = True) -> Answer:
        key = f"key {next(self.made)}" if keyed else None
        answer = self.web.post(path, body, key)
        self.came += [answer.body, repr(answer.headers).encode()]
        return answer

    def request(self) -> dict[str, Any]:
        """What would pay a quote of now."""
        quote = self.post("/v1/quote", {"basket": BASKET, "member_id": MEMBER}, keyed=False).json
        tenders = [{"kind": "cash", "amount_minor": quote["due_minor"]}]
        sale_id = f"sale-{next(self.made)}"
        return {"sale_id": sale_id, "quote_id": quote["quote_id"], "due_minor": quote["due_minor"], "tenders": tenders}

    def sold(self, **more: object) -> str:
        """A sale of now, and its id."""
        request = self.request()
        assert self.post("/v1/sales", request | more).status == 200
        self.sales.append(request["sale_id"])
        return str(request["sale_id"])

    def completed(self) -> str:
        return self.sold(complete=True)


Example = Callable[[Counter], tuple[str, dict[str, Any]]]
OF_MEMBER = f"/v1/members/{MEMBER}"
EXAMPLES: dict[str, Example] = {
    "quote": lambda c: ("/v1/quote", {"basket": BASKET, "member_id": MEMBER}),
    "authorise": lambda c: ("/v1/sales", c.request()),
    "authorise at once": lambda c: ("/v1/sales", c.request() | {"complete": True}),
    "complete": lambda c: (f"/v1/sales/{c.sold()}/complete", {}),
    "cancel": lambda c: (f"/v1/sales/{c.sold()}/cancel", {}),
    "void": lambda c: (f"/v1/sales/{c.completed()}/void", {}),
    "return_goods": lambda c: (f"/v1/sales/{c.completed()}/returns", {"return_id": f"r-{next(c.made)}", "all": True}),
    "return_by_receipt": lambda c: ("/v1/returns", {"return_id": f"r-{next(c.made)}", "sale_id": c.completed(), "all": True}),
    "preview_return": lambda c: ("/v1/returns/preview", {"return_id": "r", "sale_id": c.completed(), "all": True}),
    "print_return": lambda c: ("/v1/returns/r/print", {}),
    "identify": lambda c: ("/v1/identify", {"card": CARD}),
    "enrol": lambda c: ("/v1/members", {"phone": f"+7916{next(c.made):07d}", "consents": ["data"]}),
    "change": lambda c: (f"{OF_MEMBER}/changes", {"changes": []}),
    "let_in": lambda c: ("/v1/members/let-in", {"card": CARD, "by": BY}),
    "change_cards": lambda c: (f"{OF_MEMBER}/cards", {}),
    "erase": lambda c: ("/v1/members/nobody/erase", {"by": BY}),
    "send_code": lambda c: (f"{OF_MEMBER}/codes", {}),
    "verify_phone": lambda c: (f"{OF_MEMBER}/codes/verify", {"code": "000000"}),
    "award": lambda c: (f"{OF_MEMBER}/awards", {"act": "review"}),
    "set_tier": lambda c: (f"{OF_MEMBER}/tier", {"tier": None, "by": BY, "reason": "why"}),
    "claim": lambda c: ("/v1/sales/none/claim", {"card": CARD, "by": "C7", "approval": BY}),
    "adjust": lambda c: (f"{OF_MEMBER}/adjustments", {"centi": 100, "reason": "a gift", "by": BY, "approval": BY}),
    "merge": lambda c: (f"{OF_MEMBER}/merge", {"into": "other", "reason": "twice", "by": BY, "approval": BY}),
    "set_secret": lambda c: (f"{OF_MEMBER}/secret", {"by": BY, "pin": "1357"}),
    "send_confirmation": lambda c: (f"{OF_MEMBER}/confirmations", {"phone": "+79160000001"}),
    "gift_card": lambda c: ("/v1/gift-cards/lookup", {"card": "x"}),
    "issue_gift_card": lambda c: ("/v1/gift-cards", {"series": "thanks", "amount_minor": 30_000, "by": BY, "reason": "why"}),
    "freeze_gift_card": lambda c: ("/v1/gift-cards/freeze", {"card": "x", "by": BY, "reason": "why"}),
    "unfreeze_gift_card": lambda c: ("/v1/gift-cards/unfreeze", {"card": "x", "by": BY, "reason": "why"}),
    "pay_back_gift_card": lambda c: ("/v1/gift-cards/pay-back", {"card": "x", "by": BY, "reason": "why"}),
    "understand": lambda c: ("/v1/scans", {"code": "x"}),
    "print_again": lambda c: (f"/v1/receipts/{c.completed()}/print", {}),
    "print_shift": lambda c: ("/v1/shifts/2026-11-21/print", {}),
    "print_self_test": lambda c: ("/v1/printer/self-test", {}),
    "open_drawer": lambda c: ("/v1/drawer", {"cashier": "C7", "reason": "change"}),
}
BODIES = {operation.name: operation for operation in OPERATIONS if operation.body is not None}


def filled(kind: inspect.Type) -> Any:
    """A small value of a type, as JSON."""
    match kind:
        case inspect.Metadata(type=inner):
            return filled(inner)
        case inspect.UnionType(types=types):
            return filled(types[0])
        case inspect.StructType():
            tag = {kind.tag_field: kind.tag} if kind.tag_field else {}
            return tag | {field.encode_name: filled(field.type) for field in kind.fields if field.required}
        case inspect.StrType():
            fits = (word for word in WORDS if len(word) >= (kind.min_length or 0) and re.search(kind.pattern or "", word))
            return next(fits)
        case inspect.IntType():
            return max(kind.ge or 0, 0)
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.BoolType():
            return False
        case inspect.DateTimeType():
            return "2026-11-21T12:30:05+03:00"
        case inspect.CustomType():
            return "1"
        case inspect.VarTupleType() | inspect.ListType():
            return []
        case _:
            return {}


def poisoned(kind: inspect.Type, base: Any) -> Iterator[Any]:
    """The value once for each text that may stand in it, with ``HERE`` for that text."""
    match kind:
        case inspect.Metadata(type=inner):
            yield from poisoned(inner, base)
        case inspect.UnionType(types=types):
            for each in types:
                yield from poisoned(each, base if len(types) < 3 else None)
        case inspect.StrType() | inspect.AnyType() | inspect.RawType():
            yield HERE
        case inspect.StructType():
            known = filled(kind) | (base if isinstance(base, dict) else {})
            for field in kind.fields:
                for text in poisoned(field.type, known.get(field.encode_name)):
                    yield known | {field.encode_name: text}
        case inspect.VarTupleType(item_type=inner) | inspect.ListType(item_type=inner):
            for text in poisoned(inner, base[0] if base else None):
                yield [text, *(base or [])[1:]]
        case inspect.DictType(key_type=key, value_type=value):
            for text in poisoned(key, None):
                yield {text: filled(value)}
            for text in poisoned(value, None):
                yield {filled(key): text}
        case _:
            return


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    heard = io.StringIO()
    log.setup(stream=heard)
    yield heard
    log.setup(stream=io.StringIO())


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    shop = Shop(tmp_path, CONFIG + PRINTER, GIFT_PROGRAMME)
    shop.senior()
    with serving(shop.till, shop.till.rule_titles) as web:
        yield Counter(shop, web)
    shop.close()


def stored(folder: Path) -> bytes:
    """Every byte of every file."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_every_request_has_an_example() -> None:
    assert set(BODIES) <= EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_text_of_a_request_keeps_a_number(name: str, counter: Counter, stream: io.StringIO, capfd: Any) -> None:
    operation = BODIES[name.removesuffix(" at once")]
    assert operation.body is not None
    pick, used = numbers(), []
    example = EXAMPLES[name]
    for body in poisoned(inspect.type_info(operation.body), example(counter)[1]):
        for form in FORMS:
            used.append(next(pick))
            path, fresh = example(counter)
            sent = json.loads(json.dumps(_fresh(body, fresh)).replace(MARK, form.format(used[-1])))
            answer = counter.post(path, sent, operation.writes)
            if name in NEVER_REFUSED:
                assert answer.status == 200 or b"than the 16 that may stand here" in answer.body, (sent, answer.body)
            elif any(used[-1] in line["name"] for line in _goods(sent)):
                assert answer.status != 500, (sent, answer.body)
            elif name not in HIDES:
                assert 400 <= answer.status < 500, (sent, answer.body)
    for sale_id in counter.sales[:3]:
        counter.came += [counter.web.get(f"/v1/receipts/{sale_id}.txt").body, counter.web.get(f"/v1/sales/{sale_id}").body]
    counter.came += [counter.web.get(path).body for path in ("/manager/acts", "/metrics", "/healthz", "/v1/acts")]
    told = capfd.readouterr()
    seen = {
        "answers": b"\n".join(counter.came), "files": stored(counter.shop.folder), "log": stream.getvalue().encode(),
        "standard streams": (told.out + told.err).encode(), "slips": b"\n".join(slip for _, slip in counter.shop.slips()),
        "the sync": b"\n".join(row.payload for row in outbox.since(counter.shop.db, 0, 100_000)),
    }  # fmt: skip
    for where, data in seen.items():
        assert [number for number in used if number.encode() in data] == [], where
        bare = re.sub(rb"[^0-9]", b"", data) if where != "files" else b""
        assert [number for number in used if number.encode() in bare] == [], where


def _goods(sent: dict[str, Any]) -> list[dict[str, Any]]:
    """Lines of a request that say what the goods are called."""
    basket = sent.get("basket")
    lines = [*(basket.get("lines", []) if isinstance(basket, dict) else []), *sent.get("goods", [])]
    return [line for line in lines if isinstance(line, dict) and "name" in line]


def _fresh(body: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """The poisoned body with what must be new in each request, such as ids and quotes."""
    return body | {name: value for name, value in fresh.items() if MARK not in json.dumps(body.get(name, ""))}


@pytest.mark.parametrize("key", ["4111111111111111", "pay 4111-1111-1111-1111"])
def test_an_idempotency_key_is_good_and_not_kept(key: str, counter: Counter) -> None:
    request = counter.request() | {"complete": True}
    first = counter.web.post("/v1/sales", request, key)
    assert first.status == 200 and counter.web.post("/v1/sales", request, key).body == first.body
    assert counter.web.post("/v1/sales", counter.request(), key).status == 409
    assert b"4111111111111111" not in stored(counter.shop.folder) and b"4111-1111-1111-1111" not in stored(counter.shop.folder)


def test_what_goods_are_called_stops_no_sale(counter: Counter) -> None:
    named = BASKET | {"lines": [LINE | {"name": "Кабель 4111111111111111 м", "sku": "4222222222222"}]}
    assert counter.post("/v1/quote", {"basket": named}, keyed=False).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/v1/identify", {"card": 4111111111111111}, 422), ("/v1/identify", {"card": CARD, "4111111111111111": 1}, 422),
     ("/v1/quote", {"basket": BASKET | {"redeem": "4111111111111111"}}, 422),
     ("/v1/quote", {"basket": BASKET | {"opened_at": "4111111111111111"}}, 422),
     ("/v1/quote", {"basket": BASKET | {"lines": [LINE | {"price_minor": 4111111111111111}]}}, 422),
     ("/v1/quote", {"basket": BASKET | {"lines": [LINE | {"quantity": "4111111111111111"}]}}, 422)],
)  # fmt: skip
def test_an_error_echoes_no_number(path: str, body: object, status: int, counter: Counter) -> None:
    answer = counter.web.post(path, body)
    assert answer.status == status and b"4111" not in answer.body


@pytest.mark.parametrize(
    "path", ["/v1/members/{}", "/v1/sales/{}", "/v1/receipts/{}.txt", "/v1/returns/{}.txt", "/v1/shifts/{}.txt"]
)
def test_an_address_is_not_echoed(path: str, counter: Counter) -> None:
    answer = counter.web.get(path.format("4111111111111111"))
    assert answer.status in (404, 422) and b"4111" not in answer.body


CRASH = """
import logging, sys, threading
from pos_loyalty import log
log.shield_crashes()
log.shield("uvicorn.error")
log.setup()
try:
    raise ValueError("4111 1111 1111 1111")
except ValueError:
    logging.getLogger("uvicorn.error").exception("fault with 4111.1111.1111.1111")
    log.error("till.fault", reason="4111111111111111", several=["4111-1111-1111-1111", {"4111111111111111": ("x",)}])
    log._logger.exception("till.fault")
thread = threading.Thread(target=lambda: int("4111\u20111111\u20111111\u20111111"))
thread.start()
thread.join()
raise KeyError("%B4111111111111111^IVANOV/IVAN^2512101?")
"""


def test_no_crash_tells_a_number() -> None:
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("ValueError") >= 3 and "KeyError" in done.stderr and "till.fault" in done.stderr
    assert "1111" not in done.stderr.replace(CRASH, "")


@pytest.mark.parametrize(
    "asked", [["report", "{}"], ["{}"], ["receipt", "--sale", "{}"], ["member", "show", "--card", "{}"], ["case", "show", "{}"],
              ["sale", "--basket", "{}"], ["quote", "--at", "{}"], ["member", "add", "--card", "{}", "--{}"]],
)  # fmt: skip
@pytest.mark.parametrize("form", ["4111111111111111", "4111-1111-1111-1111", ";4111111111111111=2512?"])
def test_no_command_echoes_a_number(asked: list[str], form: str, counter: Counter, capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.suppress(SystemExit):
        main([*(word.replace("{}", form) for word in asked), "--config", str(counter.shop.config)])
    told = capfd.readouterr()
    assert "1111" not in told.out + told.err


def test_what_an_older_version_let_in_is_not_shown(counter: Counter) -> None:
    unscreened = vars(Till)["adjust"].__wrapped__
    staff.add(counter.shop.db, "C7", "cashier", SENIOR.pin, counter.shop.till._desk.secrets.pepper)
    by = Approval(person="C7", pin=SENIOR.pin)
    request = AdjustRequest(centi=Points(100), reason="card 4111111111111111", by=by, approval=SENIOR)
    unscreened(counter.shop.till, MEMBER, request, "key")
    assert b"4111111111111111" in stored(counter.shop.folder)
    for path in ("/manager/acts", "/v1/acts"):
        assert b"4111" not in counter.web.get(path).body


def test_what_the_shop_has_is_not_refused(counter: Counter) -> None:
    goods = ("4601234567893", "4607001771562", "2012345006785")
    lines = [LINE | {"line_id": str(number), "sku": sku} for number, sku in enumerate(goods)]
    mark = '010460123456789321abcdef&hi"klm\u001d91EE05\u001d92' + "x" * 44
    marked = LINE | {"line_id": "9", "quantity": "1", "marks": [mark]}
    basket = BASKET | {"lines": [*lines, marked], "basket_id": "0b7f4c1e-3c1b-4d6e-9a52-1f2e3d4c5b6a", "cashier": "Иванова"}
    quote = counter.post("/v1/quote", {"basket": basket, "card": CARD}, keyed=False)
    assert quote.status == 200, quote.body
    paid = {"kind": "cash", "amount_minor": quote.json["due_minor"]}
    sale = {
        "sale_id": "20261121123005123",
        "quote_id": quote.json["quote_id"],
        "due_minor": paid["amount_minor"],
        "tenders": [paid],
    }
    assert counter.post("/v1/sales", sale).status == 200
    fiscal = {"fn": "9289000100123456", "fd": "12345", "fp": "1234567890"}
    done = counter.post("/v1/sales/20261121123005123/complete", {"fiscal": fiscal, "tenders": [paid]})
    assert done.status == 200 and done.json["fiscal"]["fn"] == fiscal["fn"]
