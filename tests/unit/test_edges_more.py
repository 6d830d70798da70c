"""More figures at their limits: ladders over days, rivals, reasons, floors by name, weights that stay. Worked out by hand."""

from __future__ import annotations

import pytest

from pos_loyalty.engine import quote
from pos_loyalty.engine.fiscal import Paid, moves
from pos_loyalty.engine.model import Line, ManualOff, Member, MemberDay, Quote, SalesSoFar
from pos_loyalty.errors import InputError
from pos_loyalty.values import Minor
from tests.worlds import NOBODY, NOW, basket, line, lot, member, off_by_rule, offs, programme, why


def ask(tables: str, *lines: Line, who: Member | None = None, **more: object) -> Quote:
    return quote(basket(*lines, **more), who, programme(tables), NOBODY, NOW)


def rule(name: str, then: str, *, stage: str = "item", head: str = "") -> str:
    """A rule of one effect, or of several with commas between them."""
    return f'[[rule]]\nid = "{name}"\nstage = "{stage}"\n{head}then = [{{ {then} }}]\n'


def stacking(*names: str) -> str:
    """Groups of which each stands beside every other."""
    text = "".join(f'[[group]]\nid = "{name}"\n' for name in names)
    for number, name in enumerate(names[:-1]):
        text += f"[compatibility.{name}]\n" + "".join(f'{other} = "stack"\n' for other in names[number + 1 :])
    return text


# A ladder over the last days: seven of them are the 15th to the 21st, which is today.
DAYS = tuple(
    MemberDay(day=f"2026-11-{day}", net_minor=Minor(money), visits=visits)
    for day, money, visits in ((14, 10_000, 1), (15, 20_000, 2), (20, 30_000, 4), (21, 40_000, 8), (22, 50_000, 16))
)


@pytest.mark.parametrize(
    ("by", "days", "first", "off"),
    [
        ("spent", 7, "900.00", 500),
        ("spent", 7, "900.01", 0),
        ("spent", 8, "1000.00", 500),
        ("spent", 1, "400.00", 500),
        ("spent", 1, "400.01", 0),
        ("visits", 7, "14", 500),
        ("visits", 7, "15", 0),
    ],
)
def test_a_ladder_over_days_counts_today_and_the_first_of_them(by: str, days: int, first: str, off: int) -> None:
    then = f'do = "ladder", by = "{by}", days = {days}, steps = [{{ from = "{first}", percent = "5%" }}]'
    answer = ask(rule("r", then, stage="order"), line("1", 10_000), who=member(days=DAYS))
    assert answer.gross_minor - answer.total_minor == off


def test_a_ladder_that_is_not_known_or_not_reached_says_so() -> None:
    def told(by: str, more: str, who: Member | None) -> object:
        then = f'do = "ladder", by = "{by}"{more}, steps = [{{ from = "4.00", percent = "5%" }}]'
        return why(ask(rule("r", then, stage="order"), line("1", 10_000), who=who), "r")

    assert told("spent", "", None) == ("customer", "none", "member")
    assert told("spent", "", member()) == ("ladder", "unknown", "4.00")
    assert told("spent", ", days = 7", member(sales=SalesSoFar(spent_minor=Minor(900)))) == ("ladder", "unknown", "4.00")
    assert told("spent", "", member(days=DAYS)) == ("ladder", "unknown", "4.00")
    assert told("spent", "", member(sales=SalesSoFar(spent_minor=Minor(399)))) == ("ladder", "3.99", "4.00")
    assert told("spent", "", member(sales=SalesSoFar(spent_minor=Minor(400)))) is None
    assert told("visits", "", member(sales=SalesSoFar(count=3))) == ("ladder", "visits:3", "visits:4")


def test_rules_for_the_receipt_are_all_tried_up_to_a_limit_and_more_are_not_proven() -> None:
    """Of so many only one may act; beside a hand each of them is a combination to be tried."""
    hand = (ManualOff(line_id="1", off_minor=Minor(1_000), role="cashier"),)

    def asked(count: int) -> Quote:
        text = "".join(rule(f"r{n:03}", f'do = "amount", amount = "{n + 1}.00"', stage="order") for n in range(count))
        return ask(text, line("1", 100_000), manual=hand)

    assert [asked(count).proof.proven for count in (255, 256, 257)] == [True, True, False]
    assert off_by_rule(asked(256)) == {"r255": 25_600, "manual": 1_000}


def test_who_loses_for_the_receipt_loses_to_the_one_that_takes_most() -> None:
    """40 %, or 10 % beside 30 % and 20 %: 43 % lose to 100 − 0.9·0.7·0.8 = 49.6 %; each alone takes less than the one beaten."""
    text = "".join(f'[[group]]\nid = "{name}"\n' for name in "ab")
    text += '[compatibility.a]\nb = "best_of"\n[compatibility.b]\nb = "stack"\n'
    for name, group, share in (("big", "a", 40), ("low", "b", 10), ("mid", "b", 30), ("near", "b", 20)):
        text += rule(name, f'do = "percent", percent = "{share}%"', stage="order", head=f'group = "{group}"\n')
    answer = ask(text, line("1", 10_000))
    assert answer.total_minor == 5_040
    assert [(each.rule, each.by, each.difference_minor) for each in answer.beaten] == [("big", "mid", 0)]
    other = ask(text.replace("40%", "60%"), line("1", 10_000))
    assert off_by_rule(other) == {"big": 6_000}
    beaten = [(each.rule, each.by, each.difference_minor) for each in other.beaten]
    assert beaten == [("low", "big", 5_000), ("mid", "big", 3_000), ("near", "big", 4_000)]


@pytest.mark.parametrize(
    ("weak", "strong", "off"),
    [
        ('do = "fixed_price", price = "30.00"', 'do = "fixed_price", price = "20.00"', 8_000),
        ('do = "amount_each", amount = "5.00"', 'do = "amount_each", amount = "9.00"', 900),
        ('do = "percent", percent = "10%"', 'do = "percent", percent = "20%"', 2_000),
        ('do = "percent", percent = "10%"', 'do = "fixed_price", price = "20.00"', 8_000),
    ],
)
def test_the_stronger_of_two_acts_whichever_is_named_first_or_stands_higher(weak: str, strong: str, off: int) -> None:
    goods = line("1", 10_000)
    for high, low in ((0, 0), (9, 0), (0, 9)):
        first, last = f"priority = {high}\n", f"priority = {low}\n"
        assert off_by_rule(ask(rule("a", weak, head=first) + rule("b", strong, head=last), goods)) == {"b": off}
        assert off_by_rule(ask(rule("a", strong, head=first) + rule("b", weak, head=last), goods)) == {"a": off}
    for high, low, wins in ((0, 0, "a"), (9, 0, "a"), (0, 9, "b")):
        text = rule("a", strong, head=f"priority = {high}\n") + rule("b", strong, head=f"priority = {low}\n")
        answer = ask(text, goods)
        assert off_by_rule(answer) == {wins: off}
        assert [(each.by, each.difference_minor) for each in answer.beaten] == [(wins, 0)]


@pytest.mark.parametrize(
    ("is_", "holds"),
    [
        ('is = "basket_qty", min = 2, on = { not_discounted = true }', True),
        ('is = "basket_qty", min = 3, on = { not_discounted = true }', False),
        ('is = "basket_qty", min = 1, on = { discounted = true }', True),
        ('is = "basket_qty", min = 2, on = { discounted = true }', False),
        ('is = "basket_amount", base = "running", min = "40.00", on = { not_discounted = true }', True),
        ('is = "basket_amount", base = "running", min = "40.01", on = { not_discounted = true }', False),
        ('is = "basket_amount", base = "running", min = "9.00", on = { discounted = true }', True),
        ('is = "basket_amount", base = "running", min = "9.01", on = { discounted = true }', False),
    ],
)
@pytest.mark.parametrize("stage", ["customer", "order", "points"])
def test_conditions_see_which_units_an_earlier_stage_reduced(is_: str, holds: bool, stage: str) -> None:
    """10 % off one unit of 10.00 that leaves 9.00; two of 20.00 stay as they are."""
    then = 'do = "points", rate = "5%"' if stage == "points" else 'do = "percent", percent = "1%"'
    late = rule("late", then, stage=stage, head=f"when = [{{ {is_} }}]\n")
    if stage == "points":
        late = late.replace('stage = "points"\n', "")
    text = stacking("a", "b") + rule("item", 'do = "percent", percent = "10%", on = { sku = "1" }', head='group = "a"\n')
    answer = ask(text + late.replace("when", 'group = "b"\nwhen'), line("1", 1_000), line("2", 2_000, "2"), who=member())
    assert (why(answer, "late") is None) is holds


def test_after_an_offer_for_the_receipt_no_goods_are_without_a_reduction() -> None:
    head = 'when = [{ is = "basket_qty", min = 1, on = { NOT } }]\n'
    text = rule("all", 'do = "percent", percent = "10%", on = { sku = "1" }', stage="order")
    text += rule("late", 'do = "points", rate = "5%"', head=head).replace('stage = "item"\n', "")
    clean = text.replace("NOT", "not_discounted = true")
    assert why(ask(clean, line("1", 1_000), who=member()), "late") is not None
    assert why(ask(clean, line("1", 1_000), line("2", 500), who=member()), "late") is None
    assert why(ask(clean.replace("min = 1", "min = 2"), line("1", 1_000), line("2", 500), who=member()), "late") is not None


def test_why_a_set_has_too_few_goods() -> None:
    three = rule("r", 'do = "n_for_m", n = 3, on = { not_discounted = true }')
    assert why(ask(three, line("1", 1_000, "3", prior_off_minor=300)), "r") == ("goods", "discounted", "not_discounted")
    assert why(ask(three, line("1", 1_000, "2")), "r") == ("quantity", "2", "3")
    assert why(ask(three, line("1", 1_000, "2"), line("2", 900, "3", prior_off_minor=300)), "r") == ("quantity", "2", "3")
    assert why(ask(three.replace("not_discounted", "discounted"), line("1", 1_000, "3")), "r") == (
        "goods",
        "not_discounted",
        "discounted",
    )
    assert off_by_rule(ask(three, line("1", 1_000, "3"))) == {"r": 1_000}


def test_a_gift_that_is_not_there_is_told() -> None:
    text = rule("g", 'do = "gift", buy = [{ on = { sku = "ale" }, count = 1 }], on = { sku = "cup" }')
    answer = ask(text, line("1", 1_000, sku="ale"))
    assert why(answer, "g") == ("goods", "0", "1")


def test_effects_of_one_rule_act_beside_one_another() -> None:
    """Three teas and three cakes: the cheapest of each three is free by one rule of two effects."""
    then = 'do = "n_for_m", n = 3, on = { sku = "tea" } }, { do = "n_for_m", n = 3, on = { sku = "cake" }'
    goods = (line("1", 1_000, "3", sku="tea"), line("2", 700, "3", sku="cake"))
    for head in ("", '[search]\nmode = "priority"\n'):
        assert offs(ask(head + rule("r", then), *goods)) == {"1": {"r": 1_000}, "2": {"r": 700}}


@pytest.mark.parametrize(("most", "off"), [("0.02", 2), ("0.03", 3), ("0.04", 4), ("0.05", 5), ("0.06", 6), ("0.07", 6)])
def test_kopecks_that_six_lines_round_up_stay_within_the_maximum(most: str, off: int) -> None:
    """10 % of 0.05 is half a kopeck, which rounds up: six lines take 0.06 where the maximum lets them."""
    text = rule("r", f'do = "percent", percent = "10%", max_amount = "{most}"')
    assert off_by_rule(ask(text, *[line(str(number), 5) for number in range(6)])) == {"r": off}


def weight(**more: object) -> Line:
    """3.217 kg at 1.00 cost 3.22; the sums that a price makes below it are 3.18 and 3.15."""
    return line("w", 100, "3.217", measure="weight", **more)


def test_a_weight_falls_to_the_next_sum_that_a_price_makes() -> None:
    """0.05 off leaves 3.17: it may pay 3.15, and not 3.18, for nobody would take that kopeck up."""
    answer = ask(rule("r", 'do = "amount", amount = "0.05"', stage="order"), weight())
    assert off_by_rule(answer) == {"r": 5, "fiscal": 2}
    beside = ask(rule("r", 'do = "amount", amount = "0.05", on = { sku = "w" }', stage="order"), weight(), line("2", 1_000))
    assert offs(beside) == {"w": {"r": 5, "fiscal": -1}, "2": {"fiscal": 1}}


def test_a_weight_that_the_host_took_below_its_floor_falls_no_further() -> None:
    answer = ask("", weight(prior_off_minor=5, floor_minor=99))
    assert (answer.total_minor, offs(answer)) == (317, {"w": {"prior": 5}})
    above = ask("", weight(prior_off_minor=5, floor_minor=98))
    assert (above.total_minor, offs(above)) == (315, {"w": {"prior": 5, "fiscal": 2}})


def test_a_weight_that_points_have_paid_as_a_tender_falls_no_further() -> None:
    """Points pay 102.87 of 103.17: 3.16 of the 3.17 of the weight, which leaves no room for two kopecks."""
    text = rule("r", 'do = "amount", amount = "0.05", on = { sku = "w" }', stage="order")
    text += '[points]\nvalue = "1.00"\n[redeem]\nlimit = "100%"\nminimum_money = "0.00"\nform = "counter_provision"\n'
    goods = (weight(), line("2", 10_000, floor_minor=10_000))
    who = member(lots=(lot("a", 10**6),))
    paid = ask(text, *goods, who=who, redeem=10_287)
    assert paid.redemption.centi == 10_287
    assert offs(paid) == {"w": {"r": 5}, "2": {}}
    less = ask(text, *goods, who=who, redeem=10_000)
    assert offs(less) == {"w": {"r": 5, "fiscal": 2}, "2": {}}


@pytest.mark.parametrize(("fall_max", "moved"), [(None, [2, -1]), (1, [2, -1]), (0, [0, 0])])
def test_what_the_fiscal_form_may_take_is_what_nobody_takes_up(fall_max: int | None, moved: list[int]) -> None:
    lines = [
        Paid(line=weight(), paid_minor=317, room_minor=9, headroom_minor=5),
        Paid(line=line("2", 1_000), paid_minor=1_000, room_minor=0, headroom_minor=1),
    ]
    assert moves(lines, fall_max) == moved


def test_nothing_is_a_figure_and_less_is_not() -> None:
    who = member(lots=(lot("a", 0), lot("b", 1)))
    hand = (ManualOff(line_id="1", off_minor=Minor(0), role="cashier"),)
    assert ask("", line("1", 0, floor_minor=0), who=who, redeem=0, manual=hand).total_minor == 0
    for message, more in (
        ("basket.redeem", {"redeem": -1}),
        (r"lots.0..centi", {"who": member(lots=(lot("a", -1),))}),
        ("off_minor", {"manual": (ManualOff(line_id="1", off_minor=Minor(-1), role="cashier"),)}),
    ):
        with pytest.raises(InputError, match=message):
            ask("", line("1", 100), **more)  # type: ignore[arg-type]
    for wrong in ({"price_minor": -1}, {"quantity": "0"}, {"prior_off_minor": -1}, {"floor_minor": -1}, {"vat_bp": -1}):
        with pytest.raises(InputError, match=r"negative|more than 0"):
            ask("", line("1", **wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on", "goods"),
    [
        ('category = "drinks/vodka"', {"category": "drinks/vodka"}),
        ('category = "drinks/vodka"', {"category": "drinks/vodka/plain"}),
        ('category = "drinks"', {"category": "drinks/vodka"}),
        ('sku = "v"', {"sku": "v"}),
        ('brand = "b"', {"brand": "b"}),
        ('tag = "t"', {"tags": ("s", "t")}),
        ('sku = "v", price_from = "50.00"', {"sku": "v"}),
    ],
)
def test_a_minimum_by_law_finds_its_goods_by_any_name(on: str, goods: dict[str, object]) -> None:
    """20 % of 100.00 are 20.00, of which a minimum of 90.00 leaves 10.00."""
    law = "".join(f'[floors.{kind}]\ntreat = "ordinary"\non = {{ sku = "none" }}\n' for kind in ("alcohol", "tobacco"))
    law += f'[[floors.minimum]]\nkind = "vodka"\non = {{ {on} }}\nprice = "90.00"\n'
    twenty = rule("r", 'do = "percent", percent = "20%"')
    assert off_by_rule(ask(law + twenty, line("1", 10_000, **goods))) == {"r": 1_000}
    others: dict[str, object] = {"category": "drink", "sku": "w", "brand": "c", "tags": ("s", "u")}
    assert off_by_rule(ask(law + twenty, line("1", 10_000, **others))) == {"r": 2_000}


def test_a_cap_names_only_the_lines_that_it_stopped() -> None:
    """10 % of two lines are 1.00 and 0.10; a cap at 1.09 cuts a kopeck off the larger."""
    answer = ask('[caps]\namount = "1.09"\n' + rule("r", 'do = "percent", percent = "10%"'), line("1", 1_000), line("2", 100))
    assert offs(answer) == {"1": {"r": 99}, "2": {"r": 10}}
    assert [(each.line_id, each.floor, each.stopped_minor) for each in answer.floors] == [("1", "cap", 1)]


def test_a_unit_that_a_set_holds_leaves_nothing_for_another_rule() -> None:
    """Two for one on 10.00 and 9.00 gives 9.00 and holds the dearer unit, of which 10 % is 1.00."""
    two = rule("two", 'do = "n_for_m", n = 2, spread = "unit"')
    answer = ask(two + rule("ten", 'do = "percent", percent = "10%", on = { sku = "1" }'), line("1", 1_000), line("2", 900))
    assert offs(answer) == {"1": {}, "2": {"two": 900}}
    assert why(answer, "ten") == ("nothing_left", "0.00", "0.01")
    assert answer.beaten == ()
    shared = ask(
        two.replace(', spread = "unit"', "") + rule("ten", 'do = "percent", percent = "10%", on = { sku = "1" }'),
        line("1", 1_000),
        line("2", 900),
    )
    assert offs(shared) == {"1": {"two": 474}, "2": {"two": 426}}, "9.00 in parts of 10 and 9: 4.7368… and 4.2631…"
    assert [(each.rule, each.by, each.difference_minor) for each in shared.beaten] == [("ten", "two", 374)]


def test_of_equal_lines_none_falls_below_its_floor() -> None:
    """Two lines of 1.00 with a floor at 0.98: 0.03 and then 0.01 fill both, two kopecks each."""
    text = stacking("a", "b")
    text += rule("first", 'do = "amount", amount = "0.03"', stage="order", head='group = "a"\npriority = 9\n')
    text += rule("then", 'do = "amount", amount = "0.02"', stage="order", head='group = "b"\n')
    answer = ask(text, *[line(name, 100, sku="s", floor_minor=98) for name in ("1", "2")])
    assert [each.net_minor for each in answer.lines] == [98, 98]
    assert off_by_rule(answer) == {"first": 3, "then": 1}


def test_a_cap_cuts_what_acted_last_though_its_stage_is_the_same() -> None:
    """20.00 of an item offer, 10.00 of a person's: the pool that holds the item offer comes first, so the person's is cut."""
    text = "".join(f'[[group]]\nid = "{name}"\n' for name in "abc")
    text += '[compatibility.a]\nb = "best_of"\n[compatibility.b]\nc = "stack"\n[compatibility.c]\na = "stack"\n'
    text += rule("a", 'do = "percent", percent = "20%"', head='group = "a"\n')
    text += rule("b", 'do = "percent", percent = "10%"', stage="customer", head='group = "b"\n')
    text += rule("c", 'do = "amount_each", amount = "10.00"', stage="customer", head='group = "c"\npriority = 9\n')
    assert off_by_rule(ask('[caps]\namount = "25.00"\n' + text, line("1", 10_000))) == {"a": 2_000, "c": 500}


@pytest.mark.parametrize(
    ("groups", "most", "proven"), [("a", 8, True), ("b", 8, True), ("ab", 15, False), ("ab", 16, True), ("a", 7, False)]
)
def test_pools_that_act_one_after_another_share_the_effort(groups: str, most: int, proven: bool) -> None:
    """Of each pool two offers want the middle one of three units: each has two units in two memories, so eight ways in all."""
    text = f"[search]\napplications = {most}\n" + stacking("a", "b")
    for group in groups:
        for name, skus in (("1", '["1", "2"]'), ("2", '["2", "3"]')):
            then = f'do = "n_for_m", n = 2, percent = "50%", spread = "unit", on = {{ sku = {skus} }}'
            text += rule(f"{group}{name}", then, head=f'group = "{group}"\n')
    answer = ask(text, line("1", 3_000), line("2", 2_000), line("3", 1_000))
    assert answer.proof.proven is proven


def test_a_pool_without_a_search_costs_no_effort() -> None:
    """Percentages alone are looked up, so the eight ways of the other pool are enough before them and after them."""
    for order in ("ca", "ac"):
        text = "[search]\napplications = 8\n" + stacking(*order)
        text += rule("c", 'do = "percent", percent = "10%"', head='group = "c"\npriority = 5\n')
        for name, skus in (("1", '["1", "2"]'), ("2", '["2", "3"]')):
            then = f'do = "n_for_m", n = 2, percent = "50%", spread = "unit", on = {{ sku = {skus} }}'
            text += rule(f"a{name}", then, head='group = "a"\n')
        assert ask(text, line("1", 3_000), line("2", 2_000), line("3", 1_000)).proof.proven


def test_a_rule_with_two_effects_is_beaten_by_what_it_would_have_taken_with_both() -> None:
    """10 % of 10.00 and of 20.00 are 3.00; 20 % take 6.00 there."""
    both = 'do = "percent", percent = "10%", on = { sku = "1" } }, { do = "percent", percent = "10%", on = { sku = "2" }'
    answer = ask(rule("both", both) + rule("more", 'do = "percent", percent = "20%"'), line("1", 1_000), line("2", 2_000))
    assert [(each.rule, each.by, each.difference_minor) for each in answer.beaten] == [("both", "more", 300)]


@pytest.mark.parametrize(
    ("dates", "floor"),
    [
        ('since = "2026-11-21"', "legal"),
        ('since = "2026-11-22"', ""),
        ('until = "2026-11-21"', "legal"),
        ('until = "2026-11-20"', ""),
    ],
)
def test_a_dated_minimum_holds_on_its_first_and_its_last_day(dates: str, floor: str) -> None:
    law = f'[[floors.minimum]]\nkind = "wine"\non = {{ sku = "1" }}\nprice = "95.00"\n{dates}\n'
    answer = ask(law + rule("r", 'do = "percent", percent = "10%"'), line("1", 10_000))
    assert off_by_rule(answer) == {"r": 500 if floor else 1_000}
    assert [each.floor for each in answer.floors] == ([floor] if floor else [])


def test_a_weight_that_may_neither_fall_nor_rise_moves_nothing_else() -> None:
    """3 kg at 0.33 or 0.34 a kilogram cost 0.99 or 1.02, never 1.00: the sum stays, and so does the piece."""
    weight = line("1", 100, quantity="3", measure="weight")
    assert moves([Paid(line=weight, paid_minor=100, room_minor=0, headroom_minor=0)], None) == [0]
    piece = Paid(line=line("2", 100), paid_minor=50, room_minor=50, headroom_minor=50)
    assert moves([Paid(line=weight, paid_minor=100, room_minor=0, headroom_minor=0), piece], None) == [0, 0]


def test_an_offer_that_finds_no_goods_changes_no_other_offer() -> None:
    """12.5 % leave 0.875 of each of seven; the fourth is halved: 6.125 - 0.4375 = 5.6875, with a bundle or without."""
    text = stacking("a", "b") + rule("first", 'do = "percent", percent = "12.5%"', head='group = "a"\npriority = 9\n')
    text += rule("fourth", 'do = "n_for_m", n = 4, percent = "50%", spread = "unit"', head='group = "b"\n')
    bundle = 'do = "bundle", slots = [{ on = { sku = "1" } }, { on = { sku = "y" } }], fixed = "1.00"'
    alone = ask(text, line("1", 100, quantity="7"))
    assert alone.total_minor == 569
    beside = ask(text + rule("pair", bundle, head='group = "b"\n'), line("1", 100, quantity="7"))
    assert (beside.total_minor, offs(beside)) == (569, offs(alone))
    assert why(beside, "pair") == ("quantity", "goods:1|0", "goods:1|1")
