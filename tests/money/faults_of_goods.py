"""Planted faults of prices and of goods that come back."""

from __future__ import annotations

from tests.money.fault import BACK, CHECKOUT, LEDGER, LOTS, MONEY, PRICES, RETURNED, RETURNS, fault

PRICE_FAULTS = (
    fault(
        "expiry-ignored",
        "The shop: points that were lost pay for goods.",
        f"{PRICES}dead_and_unborn_points_pay_nothing",
        (LOTS, "return lot.expires_at is not None and lot.expires_at <= now", "return False"),
    ),
    fault(
        "expiry-an-instant-late",
        "The shop: points pay in the very second in which they are lost.",
        f"{PRICES}dead_and_unborn_points_pay_nothing",
        (LOTS, "lot.expires_at is not None and lot.expires_at <= now", "lot.expires_at is not None and lot.expires_at < now"),
    ),
    fault(
        "pending-points-usable",
        "The shop: points pay before the goods that brought them can no longer come back.",
        f"{PRICES}dead_and_unborn_points_pay_nothing",
        (LOTS, "(lot.usable_from is None or lot.usable_from <= now) and ", ""),
    ),
    fault(
        "lot-order-reversed",
        "The member: points of next year go first, and those of this week are lost.",
        f"{PRICES}what_is_lost_first_is_redeemed_first",
        (LOTS, "sorted(lots, key=_rank)", "sorted(lots, key=_rank, reverse=True)"),
    ),
    fault(
        "remainder-dropped",
        "The buyer: of 10.00 off three products a kopeck gets lost.",
        f"{PRICES}ten_rubles_off_three_plates_are_ten_rubles",
        (MONEY, "claims[:missing]", "claims[:0]"),
    ),
    fault(
        "percent-rounded-down",
        "The buyer: half a kopeck of every percentage on a product.",
        f"{PRICES}half_a_kopeck_of_a_percentage_goes_up",
        (MONEY, "return (2 * numerator + denominator) // (2 * denominator)", "return numerator // denominator"),
    ),
    fault(
        "receipt-percent-rounded-down",
        "The buyer: half a kopeck of every percentage on a receipt.",
        f"{PRICES}half_a_kopeck_of_a_percentage_goes_up",
        (
            "engine/order_shares.py",
            "whole_in(exact, per_minor) if share.is_down else half_up(exact, per_minor)",
            "whole_in(exact, per_minor)",
        ),
    ),
    fault(
        "points-rounded-up",
        "The shop: a begun hundredth of a point for every receipt.",
        f"{PRICES}points_of_a_receipt_are_rounded_once",
        ("engine/earning_shares.py", 'if earning.round == "up" else exact, a_step', "if exact else exact, a_step"),
    ),
    fault(
        "points-earn-points",
        "The shop: points for money that nobody paid.",
        f"{PRICES}money_that_points_paid_brings_no_points",
        ("engine/earning.py", 'money = net_minor - points_minor if table.earn_on == "paid" else net_minor', "money = net_minor"),
    ),
    fault(
        "redeem-limit-forgotten",
        "The shop: points pay for all of a receipt, not for half.",
        f"{PRICES}money_that_points_paid_brings_no_points",
        ("engine/redeem.py", "percent_within(sum([left[i] for i in places]), table.limit)", "sum([left[i] for i in places])"),
    ),
    fault(
        "least-money-forgotten",
        "The shop: goods leave for less money than the fiscal receipt must show.",
        f"{PRICES}a_ruble_is_always_left_to_pay",
        ("engine/redeem.py", "sum(left) - table.minimum_money", "sum(left)"),
    ),
    fault(
        "owed-may-be-redeemed",
        "The shop: who owes points pays with points.",
        f"{PRICES}who_owes_may_redeem_so_much_less",
        ("engine/redeem.py", "sum([lot.centi for lot in usable]) - member.owed_centi", "sum([lot.centi for lot in usable])"),
    ),
)
RETURN_FAULTS = (
    fault(
        "refund-from-list-price",
        "The shop: 150.00 go out for a coffee that was paid with 135.00.",
        f"{BACK}one_coffee_comes_back_for_what_it_cost",
        (
            RETURNED,
            "    return share(paid, shape, back)\n",
            "    return share(line.gross_minor, shape, back)\n",
        ),
    ),
    fault(
        "reduction-moved-to-the-rest",
        "The shop at first, then the buyer: the first unit is refunded by the shelf, the last one bears what came off both.",
        f"{BACK}one_of_two_coffees_comes_back_for_what_it_cost",
        (
            RETURNED,
            "    return share(paid, shape, back)\n",
            "    return min(paid, share(line.gross_minor, shape, back))\n",
        ),
    ),
    fault(
        "refund-of-weighed-goods-rounded-down",
        "The buyer: a kopeck of every part of the cheese.",
        f"{BACK}cheese_in_three_parts_loses_no_kopeck",
        (
            RETURNED,
            "sum_of(line.fiscal[0].price_minor, back.quantity_milli)",
            "whole_in(line.fiscal[0].price_minor * back.quantity_milli, MILLI_PER_UNIT)",
        ),
    ),
    fault(
        "claw-back-rounded-return-by-return",
        "The shop: ten small returns leave points that one large return takes.",
        f"{BACK}ten_small_returns_take_as_many_points_as_one_large",
        (RETURNS, 'if earning.take_back == "each_return":', "if earning:"),
    ),
    fault(
        "claw-back-rounded-line-by-line",
        "The member: a hundredth of a point for every line that stays.",
        f"{BACK}points_are_taken_back_for_the_receipt_and_not_line_by_line",
        (
            "engine/earning_shares.py",
            "share = money_minor * each.rate\n",
            "share = whole_in(money_minor * each.rate, centi) * centi\n",
        ),
    ),
    fault(
        "claw-back-from-gross",
        "The shop: what stays is worth more points than it brought, so nothing is taken.",
        f"{BACK}ten_small_returns_take_as_many_points_as_one_large",
        (
            RETURNS,
            "line.earning_minor - share(line.earning_minor, shape, back)",
            "line.gross_minor - share(line.gross_minor, shape, back)",
        ),
    ),
    fault(
        "points-kept-after-a-refund",
        "The shop: money back, points kept.",
        f"{BACK}ten_small_returns_take_as_many_points_as_one_large",
        (LEDGER, "return restored + taken + (forgive(taken) if is_forgiven else ())", "return restored"),
    ),
    fault(
        "redeemed-points-not-given-back",
        "The member: points paid for goods that are back in the shop.",
        f"{BACK}points_that_paid_go_back_to_where_they_came_from",
        (LEDGER, "return restored + taken + (forgive", "return taken + (forgive"),
    ),
    fault(
        "points-come-back-for-ever",
        "The shop: a purchase and its return make points that are never lost.",
        f"{BACK}points_that_paid_go_back_to_where_they_came_from",
        (
            LEDGER,
            """            kind="reverse",
            debit=redeemed_account(programme_id),
            credit=member_account(quote.member_id),
            amount=use.centi,
            member_id=quote.member_id,
            lot_id=use.lot_id,
""",
            """            kind="accrue",
            debit=redeemed_account(programme_id),
            credit=member_account(quote.member_id),
            amount=use.centi,
            member_id=quote.member_id,
            lot_id=f"{sale_ref}:back",
""",
        ),
    ),
    fault(
        "shortfall-not-owed",
        "The shop: who has redeemed the points before the return keeps them for nothing.",
        f"{BACK}bought_redeemed_and_brought_back_leaves_a_debt",
        (LEDGER, "        if left > 0:\n            made.append(", "        if left < 0:\n            made.append("),
    ),
    fault(
        "void-keeps-what-was-earned",
        "The shop: a sale that never was brings points.",
        f"{BACK}a_void_leaves_nothing_of_the_sale",
        (LEDGER, "return restored + lent + taken", "return restored + lent"),
    ),
    fault(
        "void-keeps-what-was-redeemed",
        "The member: points paid for a sale that never was.",
        f"{BACK}a_void_leaves_nothing_of_the_sale",
        (LEDGER, "return restored + lent + taken", "return lent + taken"),
    ),
    fault(
        "void-after-a-return",
        "The shop: what a return refunded is paid out again, and points with it.",
        f"{BACK}goods_that_came_back_are_not_paid_for_again_by_a_void",
        (
            CHECKOUT,
            'if stored.state == "completed" and returned_sale.has_returns(desk, stored.till, sale_id):',
            "if not stored.state:",
        ),
    ),
    fault(
        "more-back-than-was-sold",
        "The shop: the same goods are refunded as often as somebody asks.",
        f"{BACK}no_more_comes_back_than_was_sold",
        (RETURNS, "if back.quantity_milli + quantity > shape.quantity_milli:", "if quantity > shape.quantity_milli:"),
    ),
    fault(
        "counters-stay-up",
        "The shop: the sixth coffee is free after five that came back.",
        f"{BACK}counted_cups_go_down_with_the_cups",
        (RETURNS, "counters=_counters(quote, before, steps),", "counters=(),"),
    ),
    fault(
        "limit-not-freed-by-a-return",
        "The next buyer: the offer is used up by goods that came back.",
        f"{BACK}a_use_that_was_undone_is_free_again[return]",
        (RETURNS, "uses=_uses(quote, before, parts, taken_back) if quote.uses else (),", "uses=(),"),
    ),
    fault(
        "limit-not-freed-by-a-void",
        "The next buyer: the offer is used up by a sale that never was.",
        f"{BACK}a_use_that_was_undone_is_free_again[void]",
        ("store/sales.py", "    if step:\n        quote, biz_day", "    if step > 0:\n        quote, biz_day"),
    ),
    fault(
        "exchange-for-free-goods-untold",
        "The buyer: a coat of 600.00 for a bag that costs nothing, and nobody hears of the refund.",
        f"{BACK}an_exchange_for_free_goods_tells_the_refund",
        (
            "till/answers.py",
            "    found = returned.of_exchange(desk.db, stored.till, stored.sale_id)\n",
            '    if all(tender.kind != "exchange" for tender in stored.tenders):\n        return None\n'
            "    found = returned.of_exchange(desk.db, stored.till, stored.sale_id)\n",
        ),
    ),
    fault(
        "exchange-with-the-wrong-sign",
        "The shop: the price of the new goods is paid out, not kept.",
        f"{BACK}an_exchange_pays_the_difference_the_right_way",
        ("till/returns.py", "refund_minor - sum(tender.amount_minor for", "refund_minor + sum(tender.amount_minor for"),
    ),
)
