// Paying. Rule: an answer that did not come is asked for again with the same ids, so that nothing is ever sold twice.

import { desk, payingId, show } from "./desk.js";
import { requote, takeOver } from "./pricing.js";
import { unsellable } from "./said.js";
import { askWeight } from "./scanbox.js";
import { get, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { look } from "./watch.js";
import { LANGUAGE, money, word } from "./words.js";

const { $ } = view;
const STALE = "/problems/quote-stale";

export async function pay(kind) {
  if (desk.finished) return undefined;
  if (desk.paying) return finishPaying();
  if (desk.weighing) return askWeight(desk.weighing);
  if (desk.sale.lines.length === 0) return view.warn(word("empty_sale"));
  if (desk.asking) return view.warn(word("pricing"));
  if (desk.quote?.line_refusals.length) return view.warn(unsellable(desk.told));
  if (desk.quote) return startPaying(kind, false);
  view.tell(word("asked_again"));
  return requote();
}

function startPaying(kind, isRenewed) {
  const tenders = desk.quote.due_minor > 0 ? [{ kind, amount_minor: desk.quote.due_minor }] : [];
  const request = { sale_id: desk.sale.id, quote_id: desk.quote.quote_id, due_minor: desk.quote.due_minor, tenders };
  desk.paying = { saleId: desk.sale.id, kind, quote: desk.quote, request, isRenewed, authorised: false, busy: false };
  return finishPaying();
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
  else await refused(answer.problem, mine);
  show();
}

async function paySteps(mine) {
  if (!mine.authorised) {
    const answer = await post("/v1/sales", mine.request, `${mine.saleId}:authorise`);
    if (!answer.value) return answer;
    mine.authorised = true;
  }
  return post(`/v1/sales/${mine.saleId}/complete`, {}, `${mine.saleId}:complete`);
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
  view.tell("");
  view.showDone(answer, word("wait"));
  const receipt = await get(`/v1/receipts/${encodeURIComponent(answer.sale_id)}.txt?language=${LANGUAGE}`);
  if (desk.finished === answer) view.showDone(answer, receipt.value ?? sentence(receipt));
  look(payingId);
}

export async function printAgain() {
  if (!desk.finished) return;
  const answer = await post(`/v1/receipts/${encodeURIComponent(desk.finished.sale_id)}/print`, { language: LANGUAGE }, crypto.randomUUID());
  $("done-note").textContent = answer.value ? word("print_queued") : sentence(answer);
}
