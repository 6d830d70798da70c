// Asking for a price, again whenever the sale changes, and for what the till has to say about it.

import * as basket from "./basket.js";
import { desk, mayMove, NOTHING_TOLD, show } from "./desk.js";
import { learnGoods, learnNames } from "./known.js";
import { openChoices } from "./said.js";
import { clearDisplay, get, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { LANGUAGE, money, word } from "./words.js";

const { $, focusScan } = view;
const ASKED_AGAIN_MS = 800;
const ASKED_AGAIN_MAX = 6;

/** Whether there is a fresh desk.quote desk. */
export const requote = () => priced(ASKED_AGAIN_MAX);

/** ``left``: so often it is asked again by itself while head office is being asked about a coupon. */
async function priced(left) {
  desk.clearArmed = false;
  desk.asked += 1;
  const mine = desk.asked;
  const wasMissed = desk.missed;
  desk.asking = desk.sale.lines.length > 0;
  desk.missed = false;
  if (!desk.asking && desk.quote) clearDisplay();
  if (!desk.asking) take(null, NOTHING_TOLD);
  show();
  if (!desk.asking) return false;
  const answer = await post("/v1/quote", basket.quoteRequest(desk.sale));
  const told = answer.value ? await learn(answer.value) : NOTHING_TOLD;
  if (mine !== desk.asked) return false;
  desk.asking = false;
  take(answer.value ?? null, told);
  desk.missed = !desk.quote && unsure(answer);
  if (desk.quote && wasMissed) view.tell(word("answers_again", { due: money(desk.quote.due_minor) }));
  if (desk.quote) announceCoupons(told.coupons);
  if (desk.quote) void awaitCoupons(desk.quote, left);
  else view.warn(desk.missed ? `${sentence(answer)} ${word("asked_again")}` : sentence(answer));
  show();
  return desk.quote !== null;
}

/** A quote that came with a refusal: shown as any other. */
export async function takeOver(quote) {
  take(quote, await learn(quote));
  show();
}

function take(quote, told) {
  [desk.quote, desk.told] = [quote, told];
}

/** What the till says about a quote in words, and the names of its programme. */
async function learn(quote) {
  await learnNames(quote.programme);
  const answer = await get(`/page/told/${encodeURIComponent(quote.quote_id)}?language=${LANGUAGE}`);
  return answer.value ?? NOTHING_TOLD;
}

const ASKING = "asking:";
const asked = (quote) => quote.refusals.flatMap(({ have }) => have.split("; ")).filter((said) => said.startsWith(ASKING));
const isAsked = (quote, code) => asked(quote).some((said) => said.slice(ASKING.length).toUpperCase() === code.toUpperCase());

/** Head office is asked for the right to a coupon: the sale is priced again until it has answered. */
async function awaitCoupons(quote, left) {
  if (left === 0 || asked(quote).length === 0) return;
  await new Promise((over) => setTimeout(over, ASKED_AGAIN_MS));
  if (desk.quote === quote && !mayMove() && !desk.paying && !desk.finished) await priced(left - 1);
}

/** Says of each coupon that was just added whether it acts, now that the till has looked. */
function announceCoupons(faults) {
  for (const code of desk.sale.unheard.splice(0)) {
    if (isAsked(desk.quote, code)) desk.sale.unheard.push(code); // and told again when head office has answered
    if (faults[code]) view.warn(word("coupon_refused", { code, why: faults[code] }));
    else view.tell(word("coupon_added", { code }));
  }
}

/** The till answers: what was missed is asked again. */
export async function seen(health) {
  await Promise.all([learnNames(health.programme), learnGoods()]);
  if (desk.missed && !desk.asking && !desk.paying && !desk.finished) await requote();
}

export function toggleRedeem() {
  if (!desk.sale.member && desk.looking > 0) return view.warn(word("pricing")); // the card may be the one that is looked up
  if (!desk.sale.member || desk.sale.lines.length === 0 || desk.paying || desk.finished) return undefined;
  const mayRedeem = desk.asking || !desk.quote || desk.quote.redemption.max_centi > 0;
  desk.sale.redeem = desk.sale.redeem === null && mayRedeem ? "max" : null;
  return requote();
}

export function redeemTyped() {
  const centi = basket.readPoints($("redeem-amount").value);
  focusScan();
  if (desk.paying || desk.finished) return undefined;
  desk.misread = centi === null;
  if (desk.misread) return show(), view.warn(word("bad_points"));
  desk.sale.redeem = centi > 0 ? centi : null;
  return requote();
}

/** The chosen line is taken for the first offer that waits for a choice; without one, the last choice is taken back. */
export function chooseGoods() {
  if (desk.paying || desk.finished || desk.sale.selected === null) return undefined;
  const { choices } = desk.sale;
  const open = openChoices(desk.quote).find((rule) => choices[rule] !== desk.sale.selected);
  const last = Object.keys(choices).at(-1);
  if (open) choices[open] = desk.sale.selected;
  else if (last) delete choices[last];
  else return view.warn(word("nothing_to_choose"));
  return requote();
}
