"""Every operation of the till's HTTP, as data: the routes and the OpenAPI document are both made from this table."""

from __future__ import annotations

from typing import Literal

from pos_loyalty.engine.model import Quote
from pos_loyalty.till.model import (
    AwardAnswer,
    AwardRequest,
    CancelRequest,
    CompleteRequest,
    EnrolRequest,
    Health,
    IdentifyRequest,
    MemberAnswer,
    PrintAnswer,
    PrintRequest,
    QuoteRequest,
    SaleAnswer,
    SaleRequest,
    VoidRequest,
)
from pos_loyalty.till.tier_model import TierAnswer, TierRequest
from pos_loyalty.values import Value
from pos_loyalty.web.scans import Scan

Media = Literal["application/json", "text/event-stream", "text/plain; charset=utf-8", "image/png"]


class Operation(Value, kw_only=True):
    """One method of one path. ``body`` None: nothing is sent. ``writes``: an Idempotency-Key is needed."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    body: type[Value] | None = None
    body_optional: bool = False
    answer: type[Value] | None
    media: Media = "application/json"
    writes: bool = False
    in_languages: bool = False
    problems: tuple[int, ...] = ()


WRITING = (400, 409, 422, 503, 507)

OPERATIONS = (
    Operation(
        name="quote", method="POST", path="/v1/quote", body=QuoteRequest, answer=Quote, problems=(400, 404, 422, 503),
        summary="Price a basket. Nothing is written. A bare basket, without a member, is accepted too.",
    ),
    Operation(
        name="authorise", method="POST", path="/v1/sales", body=SaleRequest, answer=SaleAnswer, writes=True,
        summary="Reserve what the till's own quote takes. A 409 of type quote-stale carries the new quote.",
        problems=(404, *WRITING),
    ),
    Operation(
        name="sale", method="GET", path="/v1/sales/{sale_id}", answer=SaleAnswer, problems=(404, 503),
        summary="A stored sale as it stands.",
    ),
    Operation(
        name="complete", method="POST", path="/v1/sales/{sale_id}/complete", body=CompleteRequest, body_optional=True,
        answer=SaleAnswer, writes=True, problems=(404, *WRITING),
        summary="Payment came: settle an authorised sale. Never refused for its content.",
    ),
    Operation(
        name="cancel", method="POST", path="/v1/sales/{sale_id}/cancel", body=CancelRequest, body_optional=True,
        answer=SaleAnswer, writes=True, problems=(404, *WRITING),
        summary="Payment did not come: give back all that was reserved.",
    ),
    Operation(
        name="void", method="POST", path="/v1/sales/{sale_id}/void", body=VoidRequest, body_optional=True,
        answer=SaleAnswer, writes=True, problems=(404, *WRITING),
        summary="Undo a completed sale as a whole.",
    ),
    Operation(
        name="identify", method="POST", path="/v1/identify", body=IdentifyRequest, answer=MemberAnswer,
        problems=(400, 404, 422, 503), summary="Who a card or a phone belongs to.",
    ),
    Operation(
        name="enrol", method="POST", path="/v1/members", body=EnrolRequest, answer=MemberAnswer, writes=True,
        problems=WRITING, summary="A new member with a card from the shop's range.",
    ),
    Operation(
        name="award", method="POST", path="/v1/members/{member_id}/awards", body=AwardRequest, answer=AwardAnswer, writes=True,
        problems=(404, *WRITING), summary="Points and gifts for an act other than buying, by the programme's rules for it.",
    ),
    Operation(
        name="set_tier", method="POST", path="/v1/members/{member_id}/tier", body=TierRequest, answer=TierAnswer, writes=True,
        problems=(404, *WRITING), summary="A person's decision on a member's tier: frozen to its day, with a reason.",
    ),
    Operation(
        name="scans", method="GET", path="/v1/scans", answer=Scan, media="text/event-stream", problems=(503,),
        summary="Codes as they are scanned: server-sent events named scan. What was scanned before is not sent.",
    ),
    Operation(
        name="receipt_text", method="GET", path="/v1/receipts/{sale_id}.txt", answer=None, media="text/plain; charset=utf-8",
        in_languages=True, problems=(404, 422, 503), summary="The receipt as text.",
    ),
    Operation(
        name="receipt_png", method="GET", path="/v1/receipts/{sale_id}.png", answer=None, media="image/png",
        in_languages=True, problems=(404, 422, 503), summary="The receipt as a picture.",
    ),
    Operation(
        name="print_again", method="POST", path="/v1/receipts/{sale_id}/print", body=PrintRequest, body_optional=True,
        answer=PrintAnswer, writes=True, problems=(404, *WRITING), summary="Queue a marked copy of a receipt.",
    ),
    Operation(
        name="health", method="GET", path="/healthz", answer=Health, problems=(503,), summary="How the till is.",
    ),
)  # fmt: skip
