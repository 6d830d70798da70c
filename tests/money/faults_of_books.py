"""Planted faults of points in the ledger, of gift cards and of coupons."""

from __future__ import annotations

from tests.money.fault import BACK, CHECKOUT, GIFTS, LEDGER, PAPERS, POINTS, fault

LEDGER_FAULTS = (
    fault(
        "held-points-not-let-go",
        "The member: a declined card costs points.",
        f"{POINTS}a_cancelled_sale_gives_all_points_back_once",
        (CHECKOUT, "graced(released, lots, grace)", "graced((), lots, grace)"),
    ),
    fault(
        "cancelled-twice-given-twice",
        "The shop: every further cancel gives the points once more.",
        f"{POINTS}a_cancelled_sale_gives_all_points_back_once",
        (
            CHECKOUT,
            '        if stored.state == "authorised":\n            let_go(desk, stored, request.reason)',
            '        if stored.state != "completed":\n            let_go(desk, stored, request.reason)',
        ),
    ),
    fault(
        "completed-twice-accrued-twice",
        "The shop: payment told twice brings points twice.",
        f"{POINTS}a_completed_sale_settles_what_it_set_aside_once",
        (
            CHECKOUT,
            '        if stored.state == "authorised":\n            entries = with_owed(desk, settle(',
            '        if stored.state != "cancelled":\n            entries = with_owed(desk, settle(',
        ),
    ),
    fault(
        "points-pay-twice",
        "The shop: two baskets that were priced together are paid with the same points.",
        f"{POINTS}the_same_points_do_not_pay_twice",
        (CHECKOUT, "        _check_points(desk, held, now)\n", ""),
        ("store/ledger.py", 'if taken[shortfall.lot_id] > 0 and shortfall.reason != "overfull":', "if shortfall.lot_id is None:"),
    ),
    fault(
        "one-key-books-twice",
        "The shop: an answer lost on the way, and the points are given twice.",
        f"{POINTS}one_request_is_booked_once",
        ("till/desk.py", "sales.keep_answer(self.db, key=key, ", "sales.keep_answer(self.db, key=self.new_id().hex, "),
    ),
    fault(
        "points-by-hand-alone",
        "The shop: one person gives points to a friend.",
        f"{POINTS}nobody_gives_points_alone",
        (
            "till/adjusting.py",
            "abs(request.centi) > desk.config.acts.alone_up_to_centi or request.approval is not None",
            "request.approval is not None",
        ),
    ),
    fault(
        "one-person-twice",
        "The shop: the second person is the first one again.",
        f"{POINTS}nobody_gives_points_alone",
        ("till/staff.py", "if not is_second(approval.person, by.person):", "if not by.person:"),
    ),
    fault(
        "merge-doubles-points",
        "The shop: two cards of one person hold their points twice.",
        f"{POINTS}two_cards_of_one_person_make_no_points",
        ("engine/by_hand.py", "made += [out, into]", "made += [into]"),
    ),
    fault(
        "claimed-twice",
        "The shop: a receipt brings its points as often as it is shown.",
        f"{POINTS}a_forgotten_card_brings_its_points_once",
        (
            "till/claiming.py",
            "if claims.by_sale(desk.db, stored.till, stored.sale_id) is not None:\n        raise",
            "if not stored.till:\n        raise",
        ),
    ),
    fault(
        "claimed-by-a-clock-turned-back",
        "The shop: whoever may set the clock has points for receipts of last year.",
        f"{POINTS}a_clock_turned_back_makes_no_receipt_young",
        ("till/claiming.py", "today = desk.business_day(desk.trusted().at)", "today = desk.business_day(desk.now())"),
    ),
    fault(
        "debt-never-settled",
        "The member: points come and stand beside what is owed, until they are lost.",
        f"{BACK}bought_redeemed_and_brought_back_leaves_a_debt",
        ("till/settling.py", "return entries + settle_owed(entries, owed, dead)", "return entries"),
    ),
    fault(
        "expired-every-night",
        "The member: points are lost again each night, and are owed in the end.",
        f"{POINTS}points_are_lost_once",
        (
            LEDGER,
            "            lot_id=lot.lot_id,\n        )\n        for lot in in_order(lots)",
            "        )\n        for lot in in_order(lots)",
        ),
    ),
    fault(
        "clock-turned-back-revives-points",
        "The shop: whoever may set the clock may redeem dead points.",
        f"{POINTS}a_clock_turned_back_revives_no_points",
        ("store/trusted_time.py", "at=from_ms(wall_ms if is_believed else due_ms)", "at=from_ms(wall_ms)"),
    ),
    fault(
        "chain-not-compared",
        "The shop: who writes to the file gives points, and verify is content.",
        f"{POINTS}a_changed_payload_is_seen_though_all_else_agrees",
        ("store/chain_checks.py", "if chain(row.prev_hash, row.payload) != row.hash:", "if not row.hash:"),
    ),
    fault(
        "balances-not-compared",
        "The shop: an account that is not the sum of its entries is believed.",
        f"{POINTS}a_changed_balance_is_named",
        ("store/folds.py", "        elif amount != expected:", "        elif amount is None:"),
    ),
    fault(
        "lots-not-compared",
        "Whoever is on the wrong side of it: a lot that is not the sum of its entries is believed.",
        f"{POINTS}a_changed_lot_is_named",
        ("store/folds.py", "        if remaining != expected:", "        if remaining is None:"),
    ),
    fault(
        "tier-counts-what-came-back",
        "The shop: a tier for goods that were brought back the same day.",
        f"{POINTS}goods_brought_back_leave_no_tier",
        ("store/tier_history.py", "-returned.returned.tier_progress_minor if is_purchase else 0", "0"),
    ),
)
PAPER_FAULTS = (
    fault(
        "gift-card-sold-for-less",
        "The shop: 1,000.00 of money for 900.00.",
        f"{PAPERS}a_gift_card_costs_its_face_and_brings_nothing",
        (
            "engine/floors.py",
            "each_minor=line.price_minor, name=GIFT_CARD, is_hidden=True",
            "each_minor=0, name=GIFT_CARD, is_hidden=False",
        ),
    ),
    fault(
        "gift-card-brings-points",
        "The shop: points when the card is bought, and again when it pays.",
        f"{PAPERS}a_gift_card_costs_its_face_and_brings_nothing",
        ("engine/floors.py", "name=GIFT_CARD, is_hidden=True", "name=GIFT_CARD, is_hidden=False"),
    ),
    fault(
        "gift-card-below-nothing",
        "The shop: a card of 1,000.00 pays for as much as one likes.",
        f"{PAPERS}a_gift_card_pays_no_more_than_it_holds",
        ("till/gift_sales.py", "if minor > card.balance_minor:", "if minor < 0:"),
        ("store/ledger.py", "short_minor = -balance_of(db, account, unit)", "short_minor = 0"),
    ),
    fault(
        "gift-card-refunded-in-cash",
        "The shop: a card that may not be paid out is paid out by way of a return.",
        f"{PAPERS}what_a_gift_card_paid_goes_back_to_the_gift_card",
        (GIFTS, "part = min(paid, rest)", "part = 0"),
    ),
    fault(
        "gift-card-good-though-unpaid",
        "The shop: a card of 1,000.00 for a kopeck, spent before anybody looks at the case.",
        f"{PAPERS}a_gift_card_that_was_not_paid_pays_nothing",
        (CHECKOUT, 'gift_sales.activate(desk, stored, now, unpaid or "")', "gift_sales.activate(desk, stored, now)"),
    ),
    fault(
        "gift-card-money-not-let-go",
        "The holder: a sale that did not come about costs the money on the card.",
        f"{PAPERS}a_cancelled_sale_gives_the_gift_card_its_money_back",
        (CHECKOUT, "    entries += gift_sales.release_entries(desk, stored)\n", ""),
    ),
    fault(
        "coupon-good-twice",
        "The shop: one paper takes 20.00 off every receipt.",
        f"{PAPERS}a_coupon_is_good_once",
        ("till/known.py", "coupon.is_live and coupon.taken_sale is None and", "coupon.is_live and"),
    ),
    fault(
        "coupon-lost-with-a-void",
        "The holder: the paper is used up by a sale that never was.",
        f"{PAPERS}a_coupon_is_good_once",
        (
            "store/coupon_words.py",
            "WHERE u.code = :code AND s.state IN ('authorised', 'completed') ORDER BY",
            "WHERE u.code = :code AND s.state <> 'cancelled' ORDER BY",
        ),
    ),
)
