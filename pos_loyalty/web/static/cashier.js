// The cashier's screen: what is typed or scanned, which key does what, and the one sale that goes on.
// Rule: an answer that did not come is asked for again with the same ids, so that nothing is ever sold twice.

import * as basket from "./basket.js";
import { get, listen, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { LANGUAGE, money, word } from "./words.js";

const { $ } = view;
const POLL_MS = 4000;
const FOUND_MAX = 7;
const UNFINISHED_MAX = 3;
const PHONE = /^(\+\d{7,15}|[78]\d{10})$/;
const COUPON = /^[A-Z][A-Z0-9_-]{2,31}$/i;

let products = [];
let titles = {};
let titlesOf = null;
let sale = basket.newSale();
let quote = null;
let asked = 0;
let asking = false;
let paying = null; // {saleId, request, authorised}: kept until the till has answered for certain
let finished = null;
let unfinished = [];
let found = [];
let active = -1;
let clearArmed = false;

const inBasket = (product, milli) => { basket.addProduct(sale, product, milli); return requote(); };

// --- the scan box

async function submit(text) {
  const typed = text.trim();
  showFound([]);
  if (!typed) return;
  if (paying) return view.warn(word("paying_now"));
  if (finished) nextSale();
  view.tell("");
  const [, count, rest] = /^(?:([\d.,]+)[*×xх])?(.*)$/i.exec(typed);
  const milli = count === undefined ? 1000 : basket.readQuantity(count);
  if (milli === null) return view.warn(word("bad_quantity", { text: count }));
  if (rest.trim() === "") return setQuantity(milli);
  await take(rest.trim(), milli);
}

async function take(code, milli) {
  const product = products.find((one) => one.sku === code) ?? onlyHit(code);
  if (product) return addProduct(product, milli);
  if (PHONE.test(code)) return (await identify({ phone: code })) || view.warn(word("phone_unknown"));
  if (/^\S{4,64}$/.test(code) && await identify({ card: code })) return undefined;
  if (COUPON.test(code)) return addCoupon(code.toUpperCase());
  return view.warn(word("code_unknown", { code }));
}

function onlyHit(code) {
  const hits = /^\d+$/.test(code) ? [] : basket.find(products, code, 2);
  return hits.length === 1 ? hits[0] : undefined;
}

function addProduct(product, milli) {
  if (!basket.fits(product, milli)) return view.warn(word("whole_pieces", { name: product.name }));
  view.tell(word("added", { name: product.name, price: money(product.price_minor) }));
  return inBasket(product, milli);
}

function setQuantity(milli) {
  const line = sale.lines.find((one) => one.id === sale.selected);
  if (!line) return view.warn(word("no_line"));
  if (!basket.fits(line.product, milli)) return view.warn(word("whole_pieces", { name: line.product.name }));
  line.milli = milli;
  return requote();
}

function addCoupon(code) {
  if (!sale.coupons.includes(code)) sale.coupons.push(code);
  view.tell(word("coupon_added", { code }));
  return requote();
}

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

function welcome(member) {
  sale.member = member;
  sale.redeem = null;
  view.tell(word("hello"));
  return requote();
}

function suggest() {
  const text = $("scan").value.trim().replace(/^[\d.,]+[*×xх]/i, "");
  const letters = /\p{L}/u.test(text) && text.length >= 2;
  showFound(letters && !finished && !paying ? basket.find(products, text, FOUND_MAX) : []);
}

function showFound(list, at = list.length === 1 ? 0 : -1) {
  found = list;
  active = at;
  view.showFound(found, active, choose);
}

function choose(product) {
  const count = /^([\d.,]+)[*×xх]/i.exec($("scan").value.trim())?.[1];
  $("scan").value = "";
  showFound([]);
  const milli = count === undefined ? 1000 : basket.readQuantity(count);
  focusScan();
  return milli === null ? view.warn(word("bad_quantity", { text: count })) : addProduct(product, milli);
}

// --- asking for a price

async function requote() {
  clearArmed = false;
  asked += 1;
  const mine = asked;
  asking = sale.lines.length > 0;
  if (!asking) quote = null;
  show();
  if (!asking) return;
  const answer = await post("/v1/quote", basket.quoteRequest(sale));
  if (mine !== asked) return;
  asking = false;
  quote = answer.value ?? null;
  if (quote) await learnTitles(quote.programme);
  else view.warn(sentence(answer));
  show();
}

async function learnTitles(programme) {
  if (programme === titlesOf) return;
  const answer = await get("/page/rules.json");
  if (answer.value) [titles, titlesOf] = [answer.value, programme];
}

function toggleRedeem() {
  if (!sale.member || !quote || paying || finished) return;
  sale.redeem = sale.redeem === null && quote.redemption.max_centi > 0 ? "max" : null;
  return requote();
}

function redeemTyped() {
  const match = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec($("redeem-amount").value.replace(/\s/g, ""));
  focusScan();
  if (paying || finished) return undefined;
  if (!match) return view.warn(word("bad_points"));
  const centi = Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  sale.redeem = centi > 0 ? centi : null;
  return requote();
}

// --- paying: authorise, then complete

async function pay(kind) {
  if (finished) return;
  if (paying) return finishPaying();
  if (!quote || asking || sale.lines.length === 0) return view.warn(word(asking ? "pricing" : "empty_sale"));
  const tenders = quote.due_minor > 0 ? [{ kind, amount_minor: quote.due_minor }] : [];
  const request = { sale_id: sale.id, quote_id: quote.quote_id, due_minor: quote.due_minor, tenders };
  paying = { saleId: sale.id, request, authorised: false, busy: false };
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
  else refused(answer);
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

/** Nothing was written: the sale gets a new id, and what changed is shown. */
function refused(answer) {
  paying = null;
  sale.id = crypto.randomUUID();
  quote = answer.problem.quote ?? quote;
  view.warn(answer.problem.quote ? word("changed", { due: money(quote.due_minor) }) : sentence(answer));
  if (!answer.problem.quote) requote();
}

async function sold(answer) {
  paying = null;
  finished = answer;
  view.tell("");
  view.showDone(answer, word("wait"));
  const receipt = await get(`/v1/receipts/${encodeURIComponent(answer.sale_id)}.txt?language=${LANGUAGE}`);
  if (finished === answer) view.showDone(answer, receipt.value ?? sentence(receipt));
  watch();
}

async function printAgain() {
  if (!finished) return;
  const answer = await post(`/v1/receipts/${encodeURIComponent(finished.sale_id)}/print`, { language: LANGUAGE }, crypto.randomUUID());
  if (answer.value) $("done-note").textContent = word("print_queued");
  else $("done-note").textContent = sentence(answer);
}

// --- other keys

function nextSale() {
  finished = null;
  sale = basket.newSale();
  quote = null;
  asked += 1;
  asking = false;
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
  if (paying || finished) return;
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

async function settle(saleId, verb) {
  const answer = await post(`/v1/sales/${encodeURIComponent(saleId)}/${verb}`, {}, `${saleId}:${verb}`);
  if (answer.value) view.tell(word(verb === "complete" ? "unfinished_completed" : "unfinished_cancelled", { number: answer.value.receipt_no }));
  else view.warn(sentence(answer));
  focusScan();
  return watch();
}

const settleFirst = (verb) => unfinished.length && settle(unfinished[0].sale_id, verb);

const KEYS = {
  F2: toggleRedeem, F4: remove, F8: () => pay("card"), F9: () => pay("cash"), F10: clear,
  "Shift+F2": printAgain, "Shift+F8": () => settleFirst("complete"), "Shift+F9": () => settleFirst("cancel"),
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
  if (step && found.length) showFound(found, (active + step + found.length) % found.length);
  else if (step && !paying && !finished) basket.select(sale, step), show();
  else if (event.key === "Delete" && $("scan").value === "") remove();
  else if (event.key === "Escape") $("scan").value = "", showFound([]), view.tell("");
  else if (event.key === "Enter" && finished && $("scan").value === "") nextSale();
  else return;
  event.preventDefault();
}

// --- the state of the till

async function watch() {
  const answer = await get("/healthz");
  view.showBadges(answer.value ?? null);
  if (!answer.value) return;
  const ids = answer.value.unfinished_sales.filter((id) => id !== paying?.saleId).slice(0, UNFINISHED_MAX);
  const answers = await Promise.all(ids.map((id) => get(`/v1/sales/${encodeURIComponent(id)}`)));
  const open = answers.flatMap((one) => (one.value?.state === "authorised" && one.value.sale_id !== paying?.saleId ? [one.value] : []));
  if (JSON.stringify(open) === JSON.stringify(unfinished)) return;
  unfinished = open;
  view.showUnfinished(unfinished, settle);
}

async function watchAlways() {
  await watch();
  setTimeout(watchAlways, POLL_MS);
}

const focusScan = () => $("scan").focus({ preventScroll: true });

function show() {
  view.showLines(sale, quote, titles, chooseLine);
  view.showMember(sale.member);
  view.showTotals(sale, quote, asking);
  for (const id of ["pay-cash", "pay-card"]) $(id).disabled = !paying && (!quote || asking);
}

function wire(id, act) {
  $(id).addEventListener("click", () => { act(); focusScan(); });
}

function start() {
  $("scan-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (active >= 0) return choose(found[active]);
    const text = $("scan").value;
    $("scan").value = "";
    return submit(text);
  });
  $("scan").addEventListener("input", suggest);
  $("redeem-amount").addEventListener("change", redeemTyped);
  $("redeem-amount").addEventListener("focus", () => $("redeem-amount").select());
  document.addEventListener("keydown", pressed);
  wire("redeem", toggleRedeem);
  wire("pay-cash", () => pay("cash"));
  wire("pay-card", () => pay("card"));
  wire("remove", remove);
  wire("clear", clear);
  wire("next", nextSale);
  wire("print", printAgain);
  window.addEventListener("focus", focusScan);
  document.addEventListener("click", (event) => { if (!event.target.closest("input, a, button, summary, pre")) focusScan(); });
  listen(submit);
  show();
  watchAlways();
  focusScan();
  get("/page/products.json").then((answer) => { products = answer.value ?? []; document.body.dataset.ready = "true"; });
}

start();
