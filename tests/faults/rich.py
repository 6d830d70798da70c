"""A till's file and head office's in which nearly every table holds something, for tests that look at all of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from pos_loyalty.clock import new_id
from pos_loyalty.store import follow, ledger, recomputing
from pos_loyalty.store.coupon_facts import CouponsFact
from pos_loyalty.store.db import Connection, open_store, write
from pos_loyalty.store.decision_facts import RuleStopFact
from pos_loyalty.store.ledger import Draft
from pos_loyalty.store.right_facts import GiveBackFact, RightLine
from pos_loyalty.till import stops
from pos_loyalty.till.model import SaleAnswer
from pos_loyalty.till.returns_model import ReturnRequest
from pos_loyalty.values import Points
from sync import right_round
from sync.local import Here
from sync.server import enrol, steps
from sync.server.sqlite import SqliteLedgerStore
from sync.server.truth import Recomputer, close_case, recompute_all
from sync.wire import CardChange, LotChange, MemberChange
from tests.faults.verbs import VERBS
from tests.faults.world import PROGRAMME, World
from tests.gifts import basket_of, line
from tests.shop import CARD, NOW
from tests.simulation.shop import OFFICE_PUBLIC, signer_of
from tests.tables import card_of

DONE = (
    "return a part", "enrol", "change a member", "award", "adjust up", "claim", "set a secret",
    "issue a gift card", "freeze a gift card", "set a tier", "print again", "open the drawer", "import coupons",
    "import members", "import cards", "import balances", "merge members",
)  # fmt: skip
ISSUING = """
[[coupon]]
id = "thanks"
[[rule]]
id = "thank"
when = [{ is = "basket_amount", min = "500.00" }]
then = [{ do = "issue_coupon", series = "thanks", days = 30, count = 2 }]
[[rule]]
id = "use-thanks"
stage = "order"
when = [{ is = "coupon", series = "thanks" }]
then = [{ do = "amount", amount = "5.00" }]
"""
FAR = "member-far"


class RichWorld(World):
    """That shop after a long day, half of which head office knows."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.fresh()
        self._tell_of_far()
        self._act()
        stops.stop(self.till._desk, RuleStopFact(rule=self.till.programme().rules[0].id, by="M9", reason="a slip"))
        stops.resume(self.till._desk, RuleStopFact(rule=self.till.programme().rules[0].id, by="M9", reason=""))
        self.sync()
        self.sync()
        self._hold_rights()
        self.sync()
        self._sell_for_more("more", "k more", card=card_of(55))
        self.close()
        self.office.close()
        self.till_db = open_store(folder / "till.db", role="till", owner="T1", now=NOW, master_key=self.master_key.hex())
        self.office_db = open_store(
            folder / "office.db", role="head_office", owner="head-office", now=NOW, master_key=self.master_key.hex()
        )
        office = SqliteLedgerStore(self.office_db, self.master_key)
        enrol.make_code(office, "T2", NOW)
        with office.write():
            office.rights.begin_anew(2, (), NOW)
        with write(self.office_db):
            ledger.open_case(self.office_db, reason="asked", detail="a person has yet to look at the last import")
        self._look_again()

    def _look_again(self) -> None:
        """Head office recomputes; one figure is strange, and a person has settled one case."""
        store = SqliteLedgerStore(self.office_db, self.master_key)
        recompute_all(store, Recomputer())
        with store.write():
            last = recomputing.DueFact(till="T1", epoch=1, seq=1, payload=None)
            recomputing.note(self.office_db, last, {"differs": 1}, {(1, 1): "sale x: due_minor is 1"})
            settled = store.truth.all_cases(10)[0].name
        close_case(store, settled, "looked at", "M9", NOW)

    def shut(self) -> None:
        """Let go of both files."""
        self.till_db.close()
        self.office_db.close()

    def files(self) -> dict[str, Connection]:
        """Both, by what they are."""
        return {"till": self.till_db, "head office": self.office_db}

    def _tell_of_far(self) -> None:
        """Somebody of another shop, whom this till knows from head office alone."""
        db = open_store(self.folder / "office.db", role="head_office", owner="head-office", now=NOW)
        lot = LotChange(lot_id="far/1", centi=Points(900), amount_centi=Points(900), expires_at=NOW + timedelta(days=90))
        far = MemberChange(
            member_id=FAR, segments=("vip",), lots=(lot,), joined_at=NOW,
            cards=(CardChange(number=card_of(31)), CardChange(number=card_of(32), state="lost")),
            birthday="05-17", tier="silver",
        )  # fmt: skip
        store = SqliteLedgerStore(db, self.master_key)
        with store.write():
            store.add_members((far, replace(far, member_id="member-far-2", cards=(), lots=())), NOW)
        steps.publish_programme(store, (PROGRAMME.replace("version = 1", "version = 2") + ISSUING).encode(), NOW)
        store.close()
        self.sync()

    def _hold_rights(self) -> None:
        """Somebody of another shop stands here, and part of what came is not needed."""
        db = open_store(self.folder / "till.db", role="till", owner="T1", now=NOW)
        here = Here(till="T1", master_key=self.master_key, signer=signer_of("T1"), head_office_key=OFFICE_PUBLIC)
        right_round.ask_for(db, here, self.office, FAR, self.now)
        back = GiveBackFact(lines=(RightLine(lot_id="far/1", member_id=FAR, centi=Points(200)),))
        with write(db):
            follow.book(db, Draft(id=new_id(), kind="rights.returned", store="S1", body=back), self.now)
            run = CouponsFact(series="thanks", codes=("RUN-1", "RUN-2"), origin="made")
            follow.book(db, Draft(id=new_id(), kind="coupons.added", store="S1", body=run), self.now)
        db.close()

    def _act(self) -> None:
        acts = {verb.name: verb.act for verb in VERBS}
        for name in DONE:
            acts[name](self)
            self.answers.clear()
        self._sell_and_return()
        acts["change cards"](self)

    def _sell_and_return(self) -> None:
        first = self._sell_for_more("thanked", "k thanked")
        self._sell_for_more("using", "k using", tuple(issued.code for issued in first.coupons)[:1])
        self._sell_for_more("thanked-2", "k thanked-2")
        self.till.return_goods("thanked-2", ReturnRequest(return_id="rw", all=True, cashier="C7"), "k rw")
        self.sell("paid", redeem=500)

    def _sell_for_more(self, sale_id: str, key: str, coupons: tuple[str, ...] = (), card: str = CARD) -> SaleAnswer:
        basket = replace(basket_of(line("1", "4601", 30_000), line("2", "4602", 40_000)), coupons=coupons, basket_id=sale_id)
        request = self.ask(basket, card)
        return self.till.authorise(replace(request, sale_id=sale_id, complete=True), key)
