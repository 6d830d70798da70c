// Paying. Rule: an answer that did not come is asked for again with the same ids, so that nothing is ever sold twice.

import { desk, mayMove, payingId, show } from "./desk.js";
import { askHolder, askSenior } from "./persons.js";
import { requote, takeOver } from "./pricing.js";
import { remember } from "./returning.js";
import { unsellable } from "./said.js";
import { askWeight } from "./scanbox.js";
import { planOf, tendersOf } from "./tenders.js";
import { get, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { look } from "./watch.js";
import { LANGUAGE, money, word } from "./words.js";

const { $ } = view;
const STALE = "/problems/quote-stale";

export async function pay(kind) {
  if (desk.finished) return undefined;
  if (desk.paying) return finishPaying();
  if (desk.weighing) return askWeight(desk.weighing.product);
  if (mayMove()) return view.warn(word("pricing"));
  if (desk.misread) return desk.misread = false, view.warn(word("bad_points"));
  if (desk.sale.lines.length === 0) return view.warn(word("empty_sale"));
  if (desk.quote?.line_refusals.length) return view.warn(unsellable(desk.told));
  if (desk.quote) return startPaying(kind, false);
  view.tell(word("asked_again"));
  return requote();
}

function startPaying(kind, isRenewed) {
  const plan = planOf(desk.sale, desk.quote);
  const { quote_id, due_minor } = desk.quote;
  const request = { sale_id: desk.sale.id, quote_id, due_minor, tenders: tendersOf(plan, kind), ...toppedUp(), ...exchanged(plan) };
  desk.paying = { saleId: desk.sale.id, kind, quote: desk.quote, request, isRenewed, authorised: false, busy: false };
  return finishPaying();
}

/** Lines that add money to gift cards that are there. */
function toppedUp() {
  const lines = desk.sale.lines.filter(({ topUp }) => topUp);
  return lines.length ? { top_ups: Object.fromEntries(lines.map(({ id, topUp }) => [id, topUp])) } : {};
}

/** The goods that come back for these, in one step. What is left of the refund goes out as they were paid, or as was chosen. */
function exchanged(plan) {
  const { exchange } = desk.sale;
  if (!exchange) return {};
  const rest = exchange.way && plan.rest < 0 ? { tenders: [{ kind: exchange.way, amount_minor: -plan.rest }] } : {};
  return { complete: true, returns: { ...exchange.request, ...rest } };
}

async function finishPaying() {
  const mine = desk.paying;
  if (mine.busy) return;
  mine.busy = true;
  view.tell(word("wait"));
  show();
  const answer = await paySteps(mine);
  mine.busy = false;
  if (answer.value) await sold(answer.value);
  else if (unsure(answer) || mine.authorised) view.warn(`${sentence(answer)} ${word("try_again")}`);
  else if (answer.problem.needs) return somebodysWord(answer, mine);
  else await refused(answer.problem, mine);
  show();
}

async function paySteps(mine) {
  if (!mine.authorised) {
    const answer = await post("/v1/sales", mine.request, `${mine.saleId}:authorise`);
    if (!answer.value || mine.request.complete) return answer;
    mine.authorised = true;
  }
  return post(`/v1/sales/${mine.saleId}/complete`, {}, `${mine.saleId}:complete`);
}

/** Nothing was written: a senior's or the holder's word is missing or wrong. With it the same is sent again. */
async function somebodysWord(answer, mine) {
  view.tell("");
  if (answer.problem.needs === "approval") {
    const approval = await askSenior(sentence(answer));
    if (!approval) return letGo("not_paid_yet");
    mine.request = { ...mine.request, returns: { ...mine.request.returns, approval } };
    return finishPaying();
  }
  const confirmation = await askHolder(answer.problem.needs, sentence(answer), mine.quote.member_id);
  if (confirmation === "without") {
    letGo("points_off");
    desk.sale.redeem = null;
    return requote();
  }
  if (!confirmation) return letGo("not_paid_yet");
  mine.request = { ...mine.request, confirmation };
  return finishPaying();
}

function letGo(said) {
  desk.paying = null;
  view.point(word(said));
  view.focusScan();
  show();
}

/** Nothing was written, so the sale gets a new id. A quote that only ran out is renewed and paid; what changed is shown first. */
async function refused(problem, { kind, quote: before, isRenewed }) {
  desk.paying = null;
  desk.sale.id = crypto.randomUUID();
  if (problem.quote) await takeOver(problem.quote);
  else if (!await requote()) return undefined;
  const isSame = desk.quote.due_minor === before.due_minor && desk.quote.redemption.centi === before.redemption.centi;
  if (problem.type !== STALE || (isSame && isRenewed)) return view.warn(sentence({ problem }));
  if (isSame) return startPaying(kind, true);
  return view.warn(word("changed", { due: money(desk.quote.due_minor) }));
}

async function sold(answer) {
  desk.paying = null;
  desk.finished = answer;
  remember(answer.sale_id);
  view.tell("");
  view.showDone(answer, word("wait"));
  const receipt = await get(`/v1/receipts/${encodeURIComponent(answer.sale_id)}.txt?language=${LANGUAGE}`);
  if (desk.finished === answer) view.showDone(answer, receipt.value ?? sentence(receipt));
  look(payingId);
}

export async function printAgain() {
  const { finished } = desk;
  if (!finished) return;
  const answer = await post(`/v1/receipts/${encodeURIComponent(finished.sale_id)}/print`, { language: LANGUAGE }, crypto.randomUUID());
  if (desk.finished === finished) $("done-note").textContent = answer.value ? word("print_queued") : sentence(answer);
}
