// What goes on at this till: the one sale, its price, and what waits. Other files move it; show() paints it.

import * as basket from "./basket.js";
import * as found from "./found.js";
import { showMember } from "./memberbox.js";
import * as said from "./said.js";
import { planOf } from "./tenders.js";
import { clearDisplay } from "./till.js";
import * as view from "./view.js";

const { $ } = view;
export const NOTHING_TOLD = { sentences: [], coupons: {} };

export const desk = {
  products: null, // those that are sold here, as soon as the till has named them
  names: { rules: {}, tiers: {}, terms: { confirm: "none", without_receipt: false, claim_days: 0, gift_cards: [] } },
  namesOf: undefined, // the programme whose names they are; undefined before they came
  sale: basket.newSale(),
  quote: null,
  told: NOTHING_TOLD, // what the till says about the quote, in words
  asked: 0,
  asking: false,
  missed: false, // the till did not answer about the price: it is asked again as soon as it answers at all
  looking: 0, // codes about which the till is being asked: each may move the price
  misread: false, // points were typed that are no number: who pays in the same breath may mean others than are redeemed
  weighing: null, // {product} that waits for its weight; each question is an object of its own
  paying: null, // {saleId, kind, quote, request, authorised}: kept until the till has answered for certain
  finished: null,
  clearArmed: false,
};

export const payingId = () => desk.paying?.saleId;

/** The price may move without a word of the cashier: it is being counted, or a code looked up. */
export const mayMove = () => desk.asking || desk.looking > 0;

/** The answer about a code; until it is here, nothing is paid. */
export async function lookedUp(answer) {
  desk.looking += 1;
  show();
  try {
    return await answer;
  } finally {
    desk.looking -= 1;
    show();
  }
}

/** What the words in the scan box name, for as long as a line may be added. */
export const offer = () => found.offer(desk.finished || desk.paying ? [] : desk.products ?? []);

export function show() {
  const { sale, quote, told, names, paying } = desk;
  view.showLines(sale, quote, names.rules, told.coupons, chooseLine);
  said.show(sale, quote, told);
  showMember(sale.member, names.tiers);
  view.showTotals(sale, quote, planOf(sale, quote), mayMove());
  offer();
  for (const id of ["pay-cash", "pay-card"]) $(id).disabled = !paying && (mayMove() || sale.lines.length === 0);
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
  [desk.asking, desk.missed, desk.misread] = [false, false, false];
  stopWeighing();
  view.showDone(null);
  view.calm();
  show();
}

export function stopWeighing() {
  desk.weighing = null;
  $("scan").placeholder = "";
}
