"""Which error is which problem, and that a fault of ours stays calm."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from pos_loyalty import errors
from pos_loyalty.i18n import LANGUAGES, tr
from pos_loyalty.till.buyer import Buyer
from pos_loyalty.till.model import IdentifyRequest
from pos_loyalty.web import problems
from tests.browser.serving import serving

TABLE = [
    (errors.InputError("$.lines", "is wrong"), 422, "input"),
    (errors.ProgrammeError("rule[3]", "is wrong"), 422, "input"),
    (errors.NotFoundError("No such card."), 404, "not-found"),
    (errors.NotAllowedError("A senior is missing."), 403, "not-allowed"),
    (errors.EarlierDayError("A senior must say so."), 403, "earlier-day"),
    (errors.PaidShortError("Take the rest."), 409, "paid-short"),
    (errors.WrongPinError("The PIN is wrong."), 403, "wrong-pin"),
    (errors.PersonLockedError("Wait."), 403, "locked"),
    (errors.MemberBlockedError("The card is blocked."), 409, "blocked"),
    (errors.ConflictError("Another body."), 409, "conflict"),
    (errors.QuoteStaleError("Ran out."), 409, "quote-stale"),
    (errors.StoreFullError("The disk is full."), 507, "store-full"),
    (errors.StoreBusyError("Another process owns the file."), 503, "store-busy"),
    (errors.CommitUnknownError("Not known."), 503, "commit-unknown"),
    (errors.StoreSchemaError("Another build."), 500, "unknown"),
    (errors.DeviceError("printer", "is off"), 500, "unknown"),
    (errors.LoyaltyError("Something."), 500, "unknown"),
]


class FailingTill:
    """Always fails, with the error that it was given."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.own_slips, self.buyer = self, Buyer("T1")

    def _fail(self, *arguments: object) -> NoReturn:
        raise self._error

    def __getattr__(self, name: str) -> Callable[..., NoReturn]:
        return self._fail


@pytest.mark.parametrize(("error", "status", "name"), TABLE, ids=lambda value: str(getattr(type(value), "__name__", value)))
def test_every_error_has_its_status(error: Exception, status: int, name: str) -> None:
    with serving(FailingTill(error)) as web:
        answer = web.post("/v1/identify", {"card": "2200000000019"})
    problem = answer.json
    assert (answer.status, problem["status"], problem["type"]) == (status, status, f"/problems/{name}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"] == (problems.CALM if status == 500 else str(error))
    assert ("retry-after" in answer.headers) == (status == 503)


def test_a_fault_of_ours_is_a_calm_sentence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL + 1)
    with serving(FailingTill(ZeroDivisionError("secret of the house"))) as web:
        answer = web.post("/v1/identify", {"card": "2200000000019"})
        assert answer.status == 500
        assert b"secret" not in answer.body and b"ZeroDivision" not in answer.body
        assert answer.json["detail"] == problems.CALM
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_every_problem_has_a_title_in_every_language() -> None:
    for language in LANGUAGES:
        for name in problems.NAMES:
            assert tr(language, f"problem.{name}").endswith(".")


@pytest.mark.parametrize("needs", ["approval", "pin", "code", "qr", ""])
def test_a_refusal_says_whose_word_would_do(needs: str) -> None:
    assert problems.of_error(errors.NotAllowedError("No.", needs), "en").needs == (needs or None)
    assert problems.of_error(errors.NotAllowedError("No."), "en").needs == "approval"
    assert problems.of_error(errors.ConflictError("No."), "en").needs is None


def test_place_and_quote_stand_only_where_they_belong() -> None:
    plain: dict[str, Any] = json.loads(problems.answer(problems.of_error(errors.NotFoundError("No."), "en")).body)
    assert (plain["place"], plain["quote"]) == (None, None)
    placed = problems.of_error(errors.InputError("$.card", "is wrong"), "en")
    assert placed.place == "$.card"


def test_a_request_names_exactly_one_person() -> None:
    assert IdentifyRequest(card="2200000000019") != IdentifyRequest(phone="2200000000019")
