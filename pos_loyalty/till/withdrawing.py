"""What a sale issued is withdrawn when the goods that brought it are back: coupons, privileges and paid memberships.

Rule: with the last of the goods all of it, but for what points bought. With a part a membership when all units of its line are
back, and a coupon when its rule would not be met by what is kept: the programme of the sale is asked twice, about all and about
what is kept. Where it would not issue the coupon for all either (a limit is used up, the programme is not here), it stays.
"""

from __future__ import annotations

from msgspec.structs import replace

from pos_loyalty.engine import load_programme
from pos_loyalty.engine import quote as ask_engine
from pos_loyalty.engine.model import Basket, CouponState, Issue, Line, State, UsesSoFar
from pos_loyalty.engine.money import allocate
from pos_loyalty.engine.programme import Programme
from pos_loyalty.engine.returns import Returned
from pos_loyalty.store import issues, members, programmes
from pos_loyalty.store.sold import SoldSale
from pos_loyalty.till import known
from pos_loyalty.till.desk import Desk
from pos_loyalty.till.wants import wants_of
from pos_loyalty.values import Minor, Thousandths


def withdrawn_by(desk: Desk, sold: SoldSale, made: Returned) -> tuple[int, ...]:
    """Which of the things that a sale issued a return withdraws, by their numbers. Called inside its transaction."""
    bought = {thing.rule for thing in sold.quote.redemption.things}
    issued = [(n, issue) for n, issue in enumerate(issues.each_one(sold.quote.issued)) if issue.rule not in bought]
    if not issued:
        return ()
    if made.is_last:
        return tuple(n for n, _ in issued)
    programme = _programme_of(desk, sold.quote.programme)
    if programme is None:
        return ()
    kept = _kept(sold, made)
    ended = {plan.id for sku, plan in programme.plans.items() if all(line.sku != sku for line in kept.lines)}
    unmet = _unmet(desk, sold, kept, programme) if any(issue.kind == "coupon" for _, issue in issued) else frozenset()
    return tuple(n for n, issue in issued if _is_gone(issue, ended, unmet))


def _is_gone(issue: Issue, ended: set[str], unmet: frozenset[tuple[str, str]]) -> bool:
    if issue.kind == "plan":
        return issue.series in ended
    return issue.kind == "coupon" and (issue.rule, issue.series) in unmet


def _programme_of(desk: Desk, name: str) -> Programme | None:
    """The very programme that the sale was priced by; None when it is not here."""
    id_, _, rest = name.partition("@")
    version = rest.partition("#")[0]
    for body in programmes.bodies_of(desk.db, id_, int(version)) if version.isdigit() else ():
        programme = load_programme(body)
        if programme.name == name:
            return programme
    return None


def _kept(sold: SoldSale, made: Returned) -> Basket:
    """The basket without what is back."""
    back: dict[str, int] = {}
    for line in (line for each in (*[one.returned for one in sold.returns], made) for line in each.lines):
        back[line.line_id] = back.get(line.line_id, 0) + line.quantity_milli
    lines = tuple(_less(line, back.get(line.line_id, 0)) for line in sold.basket.lines)
    return replace(sold.basket, lines=tuple(line for line in lines if line.quantity_milli > 0))


def _less(line: Line, back_milli: int) -> Line:
    left_milli = line.quantity_milli - back_milli
    if back_milli <= 0 or left_milli <= 0:
        return replace(line, quantity_milli=Thousandths(left_milli))
    prior_minor = allocate([left_milli, back_milli], line.prior_off_minor, [line.prior_off_minor] * 2)[0]
    return replace(line, quantity_milli=Thousandths(left_milli), prior_off_minor=Minor(prior_minor))


def _unmet(desk: Desk, sold: SoldSale, kept: Basket, programme: Programme) -> frozenset[tuple[str, str]]:
    """Rules and series that would issue a coupon for all of the goods, and not for those that are kept."""
    member = None if sold.quote.member_id is None else members.by_id(desk.db, sold.quote.member_id)
    wants = wants_of(programme)
    if member is not None:
        member = known.with_past(desk.db, member, sold.biz_day, wants)
    state = _before(sold, known.state_of(desk.db, sold.basket, sold.quote.member_id, sold.biz_day, wants))
    for_all, for_kept = (
        {
            (issue.rule, issue.series)
            for issue in ask_engine(_plain(basket), member, programme, state, basket.opened_at).issued
            if issue.kind == "coupon"
        }
        for basket in (sold.basket, kept)
    )
    return frozenset(for_all - for_kept)


def _before(sold: SoldSale, state: State) -> State:
    """Without what the sale itself used: its coupons are free, and so are its uses."""
    uses = dict(state.uses or {})
    for use in sold.quote.uses:
        had = uses.get(use.rule, UsesSoFar())
        uses[use.rule] = UsesSoFar(
            total=max(0, had.total - use.times), member=max(0, had.member - use.times), today=max(0, had.today - use.times)
        )
    coupons = {taken.code: CouponState(series=taken.series, usable=True) for taken in sold.quote.coupons}
    return replace(state, uses=uses, coupons=state.coupons | coupons)


def _plain(basket: Basket) -> Basket:
    """Nothing that hangs on single lines or on points: it is left out of both questions."""
    lines = tuple(replace(line, marks=()) for line in basket.lines)
    return replace(basket, lines=lines, redeem=None, manual=(), choices={})
