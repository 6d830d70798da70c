"""The slip that a new member signs: what they agreed to, in the words of the config. Printed where the config asks for it."""

from __future__ import annotations

from pos_loyalty.config_receipt import words_in
from pos_loyalty.store.facts import Enrolment
from pos_loyalty.till import paper
from pos_loyalty.till.desk import Desk
from receipts.enrolment_slip import ConsentPaper, EnrolmentSlip, compose_enrolment

SLIP = "enrolment"
NUMBER_SIGNS = 8


def queue(desk: Desk, fact: Enrolment, card: str | None, cashier: str) -> None:
    """Lay the slip into the spool, in the enrolment's transaction; nothing without consents. ``card`` is masked already."""
    if not (desk.config.receipt.consent_slip and fact.consents and paper.is_printing(desk)):
        return
    language, look, texts = desk.config.receipt.language, paper.look(desk), desk.config.consent
    said = {"data": texts.data_text, "advertising": texts.advertising_text}
    consents = tuple(
        ConsentPaper(purpose=each.purpose, version=each.text_version, text=words_in(said[each.purpose], language))
        for each in fact.consents
    )
    number = fact.member_id[:NUMBER_SIGNS].upper()
    made = EnrolmentSlip(
        header=look.header, number=number, at=desk.now().astimezone(desk.zone), cashier=cashier, card=card, consents=consents
    )
    slip = paper.Slip(receipt_no=f"{desk.config.till.id}-enrolment-{fact.member_id}", kind=SLIP)
    paper.lay(desk, slip, (compose_enrolment(made, language),))
