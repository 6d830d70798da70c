"""Every operation of the till's HTTP, as data: the routes and the OpenAPI document are both made from this table."""

from __future__ import annotations

from typing import Literal

from pos_loyalty.engine.model import Quote
from pos_loyalty.till.buyer import BuyerView
from pos_loyalty.till.drawer import DrawerAnswer, DrawerRequest
from pos_loyalty.till.gift_card_model import FreezeRequest, GiftCardAnswer, GiftCardRequest, IssueRequest, PayBackRequest
from pos_loyalty.till.member_model import (
    CardRequest,
    ChangeRequest,
    CodeAnswer,
    CodeRequest,
    EraseAnswer,
    EraseRequest,
    LetInRequest,
    ProfileAnswer,
    VerifyRequest,
)
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
from pos_loyalty.till.returns_model import ReturnAnswer, ReturnPreview, ReturnRequest
from pos_loyalty.till.staff_model import (
    Acts,
    AdjustAnswer,
    AdjustRequest,
    ClaimAnswer,
    ClaimRequest,
    ConfirmationAnswer,
    ConfirmationRequest,
    MergeAnswer,
    MergeRequest,
    SecretAnswer,
    SecretRequest,
)
from pos_loyalty.till.tier_model import TierAnswer, TierRequest
from pos_loyalty.values import Value
from pos_loyalty.web.display import DisplayShown
from pos_loyalty.web.scans import Scan, ScanRequest

Media = Literal[
    "application/json", "text/event-stream", "text/plain; charset=utf-8", "image/png", "multipart/x-mixed-replace; boundary=frame"
]


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
        problems=(403, 404, *WRITING),
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
        answer=SaleAnswer, writes=True, problems=(403, 404, *WRITING),
        summary="Undo a completed sale as a whole.",
    ),
    Operation(
        name="return_goods", method="POST", path="/v1/sales/{sale_id}/returns", body=ReturnRequest, answer=ReturnAnswer,
        writes=True, problems=(403, 404, *WRITING),
        summary="Goods of a sale come back, all or some, once or often. The sale stays completed.",
    ),
    Operation(
        name="return_by_receipt", method="POST", path="/v1/returns", body=ReturnRequest, answer=ReturnAnswer, writes=True,
        problems=(403, 404, *WRITING),
        summary="Goods come back: the sale by its receipt's code, a sale of another till, or without a receipt by policy.",
    ),
    Operation(
        name="preview_return", method="POST", path="/v1/returns/preview", body=ReturnRequest, answer=ReturnPreview,
        problems=(400, 404, 409, 422, 503),
        summary="What may come back of a sale and what a return would do, before anybody says yes. Nothing is written.",
    ),
    Operation(
        name="return_text", method="GET", path="/v1/returns/{return_id}.txt", answer=None, media="text/plain; charset=utf-8",
        in_languages=True, problems=(404, 422, 503), summary="The slip of a return of this till as text.",
    ),
    Operation(
        name="print_return", method="POST", path="/v1/returns/{return_id}/print", body=PrintRequest, body_optional=True,
        answer=PrintAnswer, writes=True, problems=(404, *WRITING), summary="Queue a marked copy of the slip of a return.",
    ),
    Operation(
        name="identify", method="POST", path="/v1/identify", body=IdentifyRequest, answer=MemberAnswer,
        problems=(400, 404, 422, 503), summary="Who a card or a phone belongs to.",
    ),
    Operation(
        name="enrol", method="POST", path="/v1/members", body=EnrolRequest, answer=MemberAnswer, writes=True,
        problems=WRITING, summary="A new member, with a card, one made at once, or a phone alone.",
    ),
    Operation(
        name="profile", method="GET", path="/v1/members/{member_id}", answer=ProfileAnswer, problems=(404, 409, 503),
        summary="A member, blocked ones too: state, phone, consents, cards. Nothing that names the person.",
    ),
    Operation(
        name="change", method="POST", path="/v1/members/{member_id}/changes", body=ChangeRequest, answer=ProfileAnswer,
        writes=True, problems=(403, 404, *WRITING), summary="Change a member: consents, name, phone, attributes, dates, state.",
    ),
    Operation(
        name="let_in", method="POST", path="/v1/members/let-in", body=LetInRequest, answer=ProfileAnswer, writes=True,
        problems=(403, 404, *WRITING), summary="A blocked member may act again, by their card, on a person's word.",
    ),
    Operation(
        name="change_cards", method="POST", path="/v1/members/{member_id}/cards", body=CardRequest, answer=ProfileAnswer,
        writes=True, problems=(403, 404, *WRITING), summary="Add a card, make one at once, mark one lost or found.",
    ),
    Operation(
        name="erase", method="POST", path="/v1/members/{member_id}/erase", body=EraseRequest, answer=EraseAnswer, writes=True,
        problems=(403, 404, *WRITING), summary="Erase a member for ever, on a senior's word. It cannot be taken back.",
    ),
    Operation(
        name="send_code", method="POST", path="/v1/members/{member_id}/codes", body=CodeRequest, body_optional=True,
        answer=CodeAnswer, writes=True, problems=(404, *WRITING), summary="Send a code to the member's phone.",
    ),
    Operation(
        name="code_state", method="GET", path="/v1/members/{member_id}/codes", answer=CodeAnswer, problems=(404, 409, 503),
        summary="Whether the code went out.",
    ),
    Operation(
        name="verify_phone", method="POST", path="/v1/members/{member_id}/codes/verify", body=VerifyRequest, answer=ProfileAnswer,
        writes=True, problems=(404, *WRITING), summary="The code that the person read out: is the phone theirs?",
    ),
    Operation(
        name="award", method="POST", path="/v1/members/{member_id}/awards", body=AwardRequest, answer=AwardAnswer, writes=True,
        problems=(404, *WRITING), summary="Points and gifts for an act other than buying, by the programme's rules for it.",
    ),
    Operation(
        name="set_tier", method="POST", path="/v1/members/{member_id}/tier", body=TierRequest, answer=TierAnswer, writes=True,
        problems=(403, 404, *WRITING), summary="A senior's decision on a member's tier: frozen to its day, with a reason.",
    ),
    Operation(
        name="claim", method="POST", path="/v1/sales/{sale_id}/claim", body=ClaimRequest, answer=ClaimAnswer, writes=True,
        summary="A forgotten card: points for a receipt sold without one, on a senior's word. Once for a sale.",
        problems=(403, 404, *WRITING),
    ),
    Operation(
        name="adjust", method="POST", path="/v1/members/{member_id}/adjustments", body=AdjustRequest, answer=AdjustAnswer,
        writes=True, problems=(403, 404, *WRITING), summary="Points given or taken by hand, on the word of one or two persons.",
    ),
    Operation(
        name="merge", method="POST", path="/v1/members/{member_id}/merge", body=MergeRequest, answer=MergeAnswer, writes=True,
        problems=(403, 404, *WRITING), summary="The member goes over into another: points, cards and what is owed.",
    ),
    Operation(
        name="set_secret", method="POST", path="/v1/members/{member_id}/secret", body=SecretRequest, answer=SecretAnswer,
        writes=True, problems=(403, 404, *WRITING), summary="What confirms the member's redemptions: a PIN, a rotating QR.",
    ),
    Operation(
        name="send_confirmation", method="POST", path="/v1/members/{member_id}/confirmations", body=ConfirmationRequest,
        answer=ConfirmationAnswer, problems=(400, 403, 404, 409, 422, 503),
        summary="Send a one-time code to the member's own phone, to confirm one redemption.",
    ),
    Operation(
        name="acts", method="GET", path="/v1/acts", answer=Acts, problems=(503,),
        summary="Acts that a person answers for, newest first: who, with whose word, when and why.",
    ),
    Operation(
        name="gift_card", method="POST", path="/v1/gift-cards/lookup", body=GiftCardRequest, answer=GiftCardAnswer,
        problems=(400, 404, 409, 422, 503), summary="What a gift card holds; a number needs its PIN.",
    ),
    Operation(
        name="issue_gift_card", method="POST", path="/v1/gift-cards", body=IssueRequest, answer=GiftCardAnswer, writes=True,
        problems=(403, 404, *WRITING), summary="Give a gratis gift card; a person answers for it. Its code stands only here.",
    ),
    Operation(
        name="freeze_gift_card", method="POST", path="/v1/gift-cards/freeze", body=FreezeRequest, answer=GiftCardAnswer,
        writes=True, problems=(403, 404, *WRITING), summary="Stop a gift card; nothing pays with it.",
    ),
    Operation(
        name="unfreeze_gift_card", method="POST", path="/v1/gift-cards/unfreeze", body=FreezeRequest, answer=GiftCardAnswer,
        writes=True, problems=(403, 404, *WRITING), summary="Let a frozen gift card pay again.",
    ),
    Operation(
        name="pay_back_gift_card", method="POST", path="/v1/gift-cards/pay-back", body=PayBackRequest, answer=GiftCardAnswer,
        writes=True, problems=(403, 404, *WRITING), summary="Take the unspent money off a bought gift card, to be paid out.",
    ),
    Operation(
        name="scans", method="GET", path="/v1/scans", answer=Scan, media="text/event-stream", problems=(503,),
        summary="Codes as they are scanned: server-sent events named scan. What was scanned before is not sent.",
    ),
    Operation(
        name="understand", method="POST", path="/v1/scans", body=ScanRequest, answer=Scan, problems=(400, 422, 503),
        summary="What a typed code is: card, coupon, receipt, product… by the shop's nomenclature. Nothing is written.",
    ),
    Operation(
        name="display", method="GET", path="/v1/display", answer=DisplayShown, media="text/event-stream", problems=(503,),
        summary="What turns to the buyer, as server-sent events named `view`: at once, and whenever it changes.",
    ),
    Operation(
        name="clear_display", method="POST", path="/v1/display/clear", answer=BuyerView, problems=(503,),
        summary="There is no basket any more: the buyer sees the greeting. Nothing is written.",
    ),
    Operation(
        name="camera", method="GET", path="/v1/camera.mjpeg", answer=None, media="multipart/x-mixed-replace; boundary=frame",
        problems=(403, 404, 503), summary="What the camera sees, as a stream of JPEGs: to this machine alone.",
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
        name="shift_text", method="GET", path="/v1/shifts/{day}.txt", answer=None, media="text/plain; charset=utf-8",
        in_languages=True, problems=(422, 503), summary="What this till sold on a business day, as text.",
    ),
    Operation(
        name="print_shift", method="POST", path="/v1/shifts/{day}/print", body=PrintRequest, body_optional=True,
        answer=PrintAnswer, writes=True, problems=WRITING, summary="Queue the shift report. It closes nothing.",
    ),
    Operation(
        name="print_self_test", method="POST", path="/v1/printer/self-test", body=PrintRequest, body_optional=True,
        answer=PrintAnswer, writes=True, problems=WRITING, summary="Queue the printer's self-test page.",
    ),
    Operation(
        name="open_drawer", method="POST", path="/v1/drawer", body=DrawerRequest, answer=DrawerAnswer, writes=True,
        problems=WRITING, summary="Ask the cash drawer to open, at most once for a key.",
    ),
    Operation(
        name="health", method="GET", path="/healthz", answer=Health, problems=(503,), summary="How the till is.",
    ),
)  # fmt: skip
