// What goes on at this till: the one sale, its price, and what waits. Other files move it; show() paints it.

import * as basket from "./basket.js";
import { showMember } from "./memberbox.js";
import * as said from "./said.js";
import { planOf } from "./tenders.js";
import { clearDisplay } from "./till.js";
import * as view from "./view.js";

const { $ } = view;
export const NOTHING_TOLD = { sentences: [], coupons: {} };

export const desk = {
  products: [],
  names: { rules: {}, tiers: {}, terms: { confirm: "none", without_receipt: false, claim_days: 0, gift_cards: [] } },
  namesOf: undefined, // the programme whose names they are
  sale: basket.newSale(),
  quote: null,
  told: NOTHING_TOLD, // what the till says about the quote, in words
  asked: 0,
  asking: false,
  judging: 0, // codes of which the till has not said yet what they are
  missed: false, // the till did not answer about the price: it is asked again as soon as it answers at all
  weighing: null, // a product that waits for its weight
  paying: null, // {saleId, kind, quote, request, authorised}: kept until the till has answered for certain
  finished: null,
  clearArmed: false,
};

export const payingId = () => desk.paying?.saleId;

export function show() {
  const { sale, quote, told, names, paying } = desk;
  const asking = desk.asking || desk.judging > 0;
  view.showLines(sale, quote, names.rules, told.coupons, chooseLine);
  said.show(sale, quote, told);
  showMember(sale.member, names.tiers);
  view.showTotals(sale, quote, planOf(sale, quote), asking);
  for (const id of ["pay-cash", "pay-card"]) $(id).disabled = !paying && (asking || sale.lines.length === 0);
}

function chooseLine(id) {
  if (desk.paying || desk.finished) return;
  desk.sale.selected = id;
  show();
}

export function nextSale() {
  if (!desk.finished && (desk.quote || desk.sale.member)) clearDisplay();
  desk.finished = null;
  desk.sale = basket.newSale();
  [desk.quote, desk.told] = [null, NOTHING_TOLD];
  desk.asked += 1;
  [desk.asking, desk.missed] = [false, false];
  stopWeighing();
  view.showDone(null);
  view.tell("");
  show();
}

export function stopWeighing() {
  desk.weighing = null;
  $("scan").placeholder = "";
}
