// The cashier's screen: what is typed or scanned, which key does what, and the one sale that goes on.
// Rule: an answer that did not come is asked for again with the same ids, so that nothing is ever sold twice.

import * as basket from "./basket.js";
import { judge, lastOf, sayable } from "./codes.js";
import { faultsOf } from "./coupons.js";
import * as found from "./found.js";
import { get, listen, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { look, lookAlways, settleFirst } from "./watch.js";
import { LANGUAGE, money, word } from "./words.js";

const { $, focusScan } = view;
const FOUND_MAX = 7;
const COUNT = /^(?:([\d.,]+)[*×xх])?(.*)$/i;
const WEIGHT = /^(\d{1,3}[.,]\d{1,3}|\d{1,2})[*×xх]?$/i;
const COUPON = /^[A-Z][A-Z0-9_-]{2,31}$/i;
const STALE = "/problems/quote-stale";

let products = [];
let names = { rules: {}, tiers: {}, coupons: {} };
let namesOf; // the programme whose names they are
let sale = basket.newSale();
let quote = null;
let asked = 0;
let asking = false;
let missed = false; // the till did not answer about the price: it is asked again as soon as it answers at all
let weighing = null; // a product that waits for its weight
let paying = null; // {saleId, kind, quote, request, authorised}: kept until the till has answered for certain
let finished = null;
let clearArmed = false;

// --- the scan box

async function submit(text) {
  const typed = text.trim();
  found.offer([]);
  if (!typed) return undefined;
  if (paying) return view.warn(word("paying_now"));
  if (finished) nextSale();
  const weighed = weighing;
  stopWeighing();
  view.tell("");
  if (weighed && WEIGHT.test(typed) && !products.some((one) => one.sku === typed)) {
    return addProduct(weighed, typed.replace(/[^\d.,]/g, ""));
  }
  const [, count, rest] = COUNT.exec(typed);
  return rest.trim() === "" ? setQuantity(count) : take(rest.trim(), count);
}

async function take(code, count) {
  const product = products.find((one) => one.sku === code) ?? onlyHit(code);
  if (product) return addProduct(product, count);
  const { kind, text, last } = judge(code);
  if (kind === "bank") return view.warn(word("bank_card", { last }));
  if (kind === "mistyped") return view.warn(word("card_mistyped", { last }));
  if (kind === "phone") return (await identify({ phone: text })) || view.warn(word("phone_unknown"));
  if (/^\S{4,64}$/.test(text) && await identify({ card: text })) return undefined;
  if (COUPON.test(code)) return addCoupon(code.toUpperCase());
  return view.warn(word("code_unknown", { code: sayable(code) }));
}

function onlyHit(code) {
  const hits = /^\d+$/.test(code) ? [] : basket.find(products, code, 2);
  return hits.length === 1 ? hits[0] : undefined;
}

/** ``count`` is what was typed before the code; without one it is one piece, and a product by weight is asked about. */
function addProduct(product, count) {
  if (count === undefined && product.measure === "weight") return askWeight(product);
  const milli = count === undefined ? 1000 : readCount(count);
  if (milli === null) return undefined;
  if (!basket.fits(product, milli)) return view.warn(word("whole_pieces", { name: product.name }));
  view.tell(word("added", { name: product.name, price: money(product.price_minor) }));
  basket.addProduct(sale, product, milli);
  return requote();
}

function readCount(count) {
  const milli = basket.readQuantity(count);
  if (milli === null) view.warn(word("bad_quantity", { text: sayable(count) }));
  return milli;
}

function askWeight(product) {
  weighing = product;
  $("scan").placeholder = word("weight");
  view.point(word("weigh", { name: product.name }));
}

function stopWeighing() {
  weighing = null;
  $("scan").placeholder = "";
}

function setQuantity(count) {
  const milli = readCount(count);
  if (milli === null) return undefined;
  const line = sale.lines.find((one) => one.id === sale.selected);
  if (!line) return view.warn(word("no_line"));
  if (!basket.fits(line.product, milli)) return view.warn(word("whole_pieces", { name: line.product.name }));
  line.milli = milli;
  return requote();
}

function addCoupon(code) {
  if (!sale.coupons.includes(code)) sale.coupons.push(code);
  sale.unheard.push(code);
  if (sale.lines.length === 0) view.point(word("coupon_waits", { code }));
  return requote();
}

/** Says of each coupon that was just added whether it acts, now that the till has looked. */
function announceCoupons(faults) {
  for (const code of sale.unheard.splice(0)) {
    if (faults.has(code)) view.warn(word("coupon_refused", { code, why: faults.get(code) }));
    else view.tell(word("coupon_added", { code }));
  }
}

const couponFaults = () => faultsOf(sale.coupons, quote, names);

/** False when this is nobody's card; true when there is nothing more to say about it. */
async function identify(request) {
  const mine = sale;
  const answer = await post("/v1/identify", request);
  if (sale !== mine) return true;
  if (answer.problem?.status === 422) return false;
  if (answer.problem?.status === 404 && COUPON.test(request.card ?? "")) return false;
  if (answer.problem?.status === 404 && request.phone) return false;
  if (answer.problem?.status === 404) view.warn(word("card_unknown"));
  else if (!answer.value) view.warn(sentence(answer));
  else await welcome(answer.value);
  return true;
}

const cardName = (member) => (member.card ? lastOf(member.card) : word("by_phone"));
function welcome(member) {
  const before = sale.member;
  const isSame = before?.member_id === member.member_id;
  sale.member = member;
  if (!isSame) sale.redeem = null;
  if (isSame) view.tell(word("card_again"));
  else if (before) view.point(word("card_replaced", { before: cardName(before), now: cardName(member) }));
  else view.tell(word("hello"));
  return requote();
}

function suggest() {
  const text = $("scan").value.trim().replace(/^[\d.,]+[*×xх]/i, "");
  const letters = /\p{L}/u.test(text) && text.length >= 2;
  found.offer(letters && !finished && !paying ? basket.find(products, text, FOUND_MAX) : []);
}

function choose(product) {
  const [, count] = COUNT.exec($("scan").value.trim());
  $("scan").value = "";
  found.offer([]);
  stopWeighing();
  focusScan();
  return addProduct(product, count);
}

// --- asking for a price

/** Whether there is a fresh quote now. */
async function requote() {
  clearArmed = false;
  asked += 1;
  const mine = asked;
  const wasMissed = missed;
  asking = sale.lines.length > 0;
  missed = false;
  if (!asking) quote = null;
  show();
  if (!asking) return false;
  const answer = await post("/v1/quote", basket.quoteRequest(sale));
  if (answer.value) await learnNames(answer.value.programme);
  if (mine !== asked) return false;
  asking = false;
  quote = answer.value ?? null;
  missed = !quote && unsure(answer);
  if (quote && wasMissed) view.tell(word("answers_again", { due: money(quote.due_minor) }));
  if (quote) announceCoupons(couponFaults());
  else view.warn(missed ? `${sentence(answer)} ${word("asked_again")}` : sentence(answer));
  show();
  return quote !== null;
}

async function learnNames(programme) {
  if (programme === namesOf) return;
  const answer = await get("/page/names.json");
  if (answer.value) [names, namesOf] = [answer.value, programme];
}

/** The till answers: what was missed is asked again. */
async function seen(health) {
  if (health.programme !== namesOf) await learnNames(health.programme).then(show);
  if (missed && !asking && !paying && !finished) await requote();
}

function toggleRedeem() {
  if (!sale.member || sale.lines.length === 0 || paying || finished) return undefined;
  const mayRedeem = asking || !quote || quote.redemption.max_centi > 0;
  sale.redeem = sale.redeem === null && mayRedeem ? "max" : null;
  return requote();
}

function redeemTyped() {
  const centi = basket.readPoints($("redeem-amount").value);
  focusScan();
  if (paying || finished) return undefined;
  if (centi === null) return view.warn(word("bad_points"));
  sale.redeem = centi > 0 ? centi : null;
  return requote();
}

// --- paying

async function pay(kind) {
  if (finished) return undefined;
  if (paying) return finishPaying();
  if (weighing) return askWeight(weighing);
  if (sale.lines.length === 0) return view.warn(word("empty_sale"));
  if (asking) return view.warn(word("pricing"));
  if (quote) return startPaying(kind, false);
  view.tell(word("asked_again"));
  return requote();
}

function startPaying(kind, isRenewed) {
  const tenders = quote.due_minor > 0 ? [{ kind, amount_minor: quote.due_minor }] : [];
  const request = { sale_id: sale.id, quote_id: quote.quote_id, due_minor: quote.due_minor, tenders };
  paying = { saleId: sale.id, kind, quote, request, isRenewed, authorised: false, busy: false };
  return finishPaying();
}

async function finishPaying() {
  const now = paying;
  if (now.busy) return;
  now.busy = true;
  view.tell(word("wait"));
  show();
  const answer = await paySteps(now);
  now.busy = false;
  if (answer.value) await sold(answer.value);
  else if (unsure(answer) || now.authorised) view.warn(`${sentence(answer)} ${word("try_again")}`);
  else await refused(answer.problem, now);
  show();
}

async function paySteps(now) {
  if (!now.authorised) {
    const answer = await post("/v1/sales", now.request, `${now.saleId}:authorise`);
    if (!answer.value) return answer;
    now.authorised = true;
  }
  return post(`/v1/sales/${now.saleId}/complete`, {}, `${now.saleId}:complete`);
}

/** Nothing was written, so the sale gets a new id. A quote that only ran out is renewed and paid; what changed is shown first. */
async function refused(problem, { kind, quote: before, isRenewed }) {
  paying = null;
  sale.id = crypto.randomUUID();
  if (problem.quote) quote = problem.quote;
  else if (!await requote()) return undefined;
  const isSame = quote.due_minor === before.due_minor && quote.redemption.centi === before.redemption.centi;
  if (problem.type !== STALE || (isSame && isRenewed)) return view.warn(sentence({ problem }));
  if (isSame) return startPaying(kind, true);
  return view.warn(word("changed", { due: money(quote.due_minor) }));
}

async function sold(answer) {
  paying = null;
  finished = answer;
  view.tell("");
  view.showDone(answer, word("wait"));
  const receipt = await get(`/v1/receipts/${encodeURIComponent(answer.sale_id)}.txt?language=${LANGUAGE}`);
  if (finished === answer) view.showDone(answer, receipt.value ?? sentence(receipt));
  look(payingId);
}

async function printAgain() {
  if (!finished) return;
  const answer = await post(`/v1/receipts/${encodeURIComponent(finished.sale_id)}/print`, { language: LANGUAGE }, crypto.randomUUID());
  $("done-note").textContent = answer.value ? word("print_queued") : sentence(answer);
}

// --- other keys

function nextSale() {
  finished = null;
  sale = basket.newSale();
  quote = null;
  asked += 1;
  [asking, missed] = [false, false];
  stopWeighing();
  view.showDone(null);
  view.tell("");
  show();
}

function clear() {
  if (paying) return;
  if (!finished && sale.lines.length > 0 && !clearArmed) {
    clearArmed = true;
    return view.tell(word("clear_again"));
  }
  clearArmed = false;
  nextSale();
}

function remove() {
  if (paying || finished) return undefined;
  stopWeighing();
  const line = basket.removeSelected(sale);
  if (line) view.tell(word("removed", { name: line.product.name }));
  else if (sale.coupons.length) view.tell(word("removed", { name: sale.coupons.pop() }));
  else if (sale.member) [sale.member, sale.redeem] = [null, null];
  return requote();
}

function chooseLine(id) {
  if (paying || finished) return;
  sale.selected = id;
  show();
}

const KEYS = {
  F2: toggleRedeem, F4: remove, F8: () => pay("card"), F9: () => pay("cash"), F10: clear,
  "Shift+F2": printAgain, "Shift+F8": () => settleFirst("complete", payingId), "Shift+F9": () => settleFirst("cancel", payingId),
};

function pressed(event) {
  const act = KEYS[(event.shiftKey ? "Shift+" : "") + event.key];
  if (act && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    focusScan(); // first of all: an amount that was typed is taken in before the key acts
    if (!event.repeat) act();
  } else if (event.target === $("scan")) {
    pressedInScan(event);
  } else if (event.key === "Escape") {
    focusScan();
  } else if (event.key.length === 1 && event.target === document.body) {
    focusScan(); // the sign itself lands in the box
  }
}

function pressedInScan(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const pages = { PageDown: 1, PageUp: -1 }[event.key];
  if (step && found.step(step)) event.preventDefault();
  else if (step && !paying && !finished) basket.select(sale, step), show();
  else if (event.key === "Delete" && $("scan").value === "") remove();
  else if (pages && finished) view.turnPaper(pages);
  else if (event.key === "Escape") $("scan").value = "", found.offer([]), stopWeighing(), view.tell("");
  else if (event.key === "Enter" && finished && $("scan").value === "") nextSale();
  else return;
  event.preventDefault();
}

const payingId = () => paying?.saleId;

function show() {
  view.showLines(sale, quote, names.rules, couponFaults(), chooseLine);
  view.showMember(sale.member, names.tiers);
  view.showTotals(sale, quote, asking);
  for (const id of ["pay-cash", "pay-card"]) $(id).disabled = !paying && (asking || sale.lines.length === 0);
}

function start() {
  $("scan-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (found.chosen()) return choose(found.chosen());
    const text = $("scan").value;
    $("scan").value = "";
    return submit(text);
  });
  $("scan").addEventListener("input", suggest);
  found.whenTaken(choose);
  $("redeem-amount").addEventListener("change", redeemTyped);
  $("redeem-amount").addEventListener("focus", () => $("redeem-amount").select());
  document.addEventListener("keydown", pressed);
  const buttons = {
    redeem: toggleRedeem, "pay-cash": () => pay("cash"), "pay-card": () => pay("card"), remove, clear, next: nextSale, print: printAgain,
  };
  for (const [id, act] of Object.entries(buttons)) $(id).addEventListener("click", () => { act(); focusScan(); });
  $("paper").addEventListener("scroll", view.showMore);
  window.addEventListener("resize", view.showMore);
  window.addEventListener("focus", focusScan);
  document.addEventListener("click", (event) => { if (!event.target.closest("input, a, button, summary, pre")) focusScan(); });
  listen(submit);
  show();
  lookAlways(payingId, seen);
  focusScan();
  get("/page/products.json").then((answer) => { products = answer.value ?? []; document.body.dataset.ready = "true"; });
}

start();
