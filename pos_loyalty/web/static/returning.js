// Goods that come back: a receipt, what is left of it, what a return would do, and the yes. Rule: what is sent is sent again as it
// was until the till has answered for certain, so that nothing is paid back twice.

import { quantityText, readQuantity } from "./basket.js";
import { paymentIn } from "./codes.js";
import { desk, nextSale, show } from "./desk.js";
import * as dialogs from "./dialogs.js";
import { withSenior } from "./persons.js";
import { requote } from "./pricing.js";
import * as paper from "./returnview.js";
import { get, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { LANGUAGE, money, word } from "./words.js";

const { $ } = view;
const box = $("return");
const LAST = "last-sale"; // the id of the last sale of this window
const RECEIPT = /^PL1\||(^|&)fn=\d+/;

let now = fresh();

/** ``sold``: the preview of the sale; ``back``: line to thousandths; ``would``: what it comes to; ``sent``: what awaits its answer;
 *  ``asking``: the till is counting what it comes to; ``basket``: the sale whose goods come back without a receipt. */
function fresh() {
  return { id: crypto.randomUUID(), named: null, sold: null, back: {}, would: null, way: "", asked: 0, asking: false, sent: null, done: null, voidArmed: false, basket: null };
}

export const isReceipt = (code) => RECEIPT.test(code);
export const remember = (saleId) => sessionStorage.setItem(LAST, saleId);

/** How a receipt's code, or the number that a person types, names its sale. */
export function nameOf(text) {
  if (isReceipt(text)) return { receipt: text };
  return { sale_id: text };
}

/** Opens with what stood there before; on the screen after a sale, with that sale. */
export function open() {
  if (desk.paying) return view.warn(word("paying_now"));
  if (now.done) now = fresh();
  if (now.voidArmed) now.voidArmed = false, dialogs.fault(box, "");
  raise();
  paint();
  if (desk.finished && !now.sold) return find({ sale_id: desk.finished.sale_id });
  return now.sold ? focusLine(0) : $("return-code").focus();
}

/** A receipt in the scan box opens its return. */
export function opened(code) {
  if (!now.sent) now = fresh();
  open();
  return find(nameOf(code));
}

const raise = () => dialogs.raise(box, { keys: KEYS, scanned: ({ code }) => typedReceipt(code), closed: view.focusScan });

function close() {
  dialogs.drop(box);
  view.focusScan();
}

const KEYS = { F2: last, F3: withoutReceipt, F4: undo, F6: swap, F8: everything, F9: yes, PageDown: () => paper.turn(1), PageUp: () => paper.turn(-1) };

function typedReceipt(code) {
  if (now.sent) return dialogs.fault(box, word("return_sent"));
  const last = /[A-Z]/i.test(code) ? null : paymentIn(code); // an id has letters, and any digits
  if (last) return $("return-code").value = "", dialogs.fault(box, word("bank_card", { last }));
  now = fresh();
  return find(nameOf(code));
}

function last() {
  const id = sessionStorage.getItem(LAST);
  if (!id) return dialogs.fault(box, word("return_no_last"));
  return typedReceipt(id);
}

async function find(named) {
  const mine = now;
  [mine.named, mine.asking] = [named, true];
  $("return-code").value = "";
  const answer = await post("/v1/returns/preview", { return_id: mine.id, ...named });
  if (mine !== now) return;
  mine.asking = false;
  if (answer.value) now.sold = answer.value;
  paint();
  dialogs.fault(box, answer.value ? paper.whyNot(answer.value) : sentence(answer));
  if (answer.value && $("return-code").value === "") focusLine(0);
  else $("return-code").focus();
}

/** Why there is nothing to give back for yet. */
const whyNothing = () => word(now.asking ? "pricing" : now.sold ? "return_nothing" : "return_scan_first");

/** The goods in the basket are those that come back. */
function withoutReceipt() {
  if (now.sent || now.done || now.sold) return undefined;
  if (desk.namesOf !== undefined && !desk.names.terms.without_receipt) return dialogs.fault(box, word("return_no_policy"));
  if (desk.finished || desk.sale.lines.length === 0) return dialogs.fault(box, word("return_no_goods"));
  const goods = desk.sale.lines.map(({ id, product, milli }) => (
    { line_id: id, sku: product.sku, name: product.name, quantity: quantityText(milli), price_minor: product.price_minor }));
  now.way ||= "cash";
  now.basket = desk.sale;
  return find({ goods });
}

const isGoods = () => Boolean(now.named?.goods);
const linesOf = () => Object.entries(now.back).filter(([, milli]) => milli > 0).map(([line_id, milli]) => ({ line_id, quantity: quantityText(milli), ...marksOf(line_id, milli) }));

/** Goods with marks: the first that are left, unless the codes were scanned. */
function marksOf(lineId, milli) {
  const { marks } = now.sold.lines.find((line) => line.line_id === lineId);
  return marks.length > 1 ? { marks: marks.slice(0, milli / 1000) } : {};
}

/** What is asked of the till; ``tenders`` only where a person says how the money goes out. */
function request() {
  const asked = { return_id: now.id, ...now.named, cashier: document.body.dataset.cashier };
  if (!isGoods()) asked.lines = linesOf();
  const rest = now.would?.rest_minor ?? 0;
  if (now.way && rest > 0) asked.tenders = [{ kind: now.way, amount_minor: rest }];
  return asked;
}

/** Asks again what it comes to whenever a quantity moves. */
async function ask() {
  now.asked += 1;
  const [mine, number] = [now, now.asked];
  const lines = linesOf();
  [now.would, now.asking] = [null, lines.length > 0];
  paint();
  if (!now.asking) return undefined;
  const answer = await post("/v1/returns/preview", { return_id: now.id, ...now.named, lines });
  if (mine !== now || number !== now.asked) return undefined;
  now.asking = false;
  dialogs.fault(box, answer.value ? armed() : sentence(answer));
  now.would = answer.value?.would ?? null;
  return paint();
}

const armed = () => (now.voidArmed ? word("void_again", { number: now.sold.receipt_no, due: money(now.sold.due_minor) }) : "");

function typedQuantity(line, text) {
  now.voidArmed = false;
  const milli = text.trim() === "" || /^0+$/.test(text.trim()) ? 0 : readQuantity(text.trim());
  const isWhole = line.measure === "weight" || (milli ?? 0) % 1000 === 0;
  if (milli === null || !isWhole || milli > thousandths(line.left)) {
    now.back[line.line_id] = 0;
    [now.would, now.asking] = [null, false];
    now.asked += 1;
    paint();
    return dialogs.fault(box, word("return_at_most", { left: view.quantityOf(line.left, line.measure), name: line.name }));
  }
  now.back[line.line_id] = milli;
  dialogs.fault(box, "");
  return ask();
}

const thousandths = (text) => readQuantity(text) ?? 0;

function everything() {
  if (!now.sold || isGoods() || now.sent || now.done) return undefined;
  now.voidArmed = false;
  const all = Object.fromEntries(now.sold.lines.map((line) => [line.line_id, thousandths(line.left)]));
  const isAll = now.sold.lines.every(({ line_id }) => (now.back[line_id] ?? 0) === all[line_id]);
  now.back = isAll ? {} : all;
  paper.fill(now.sold, now.back);
  return ask();
}

async function yes() {
  if (now.done) return close();
  if (now.sent?.busy || now.voidArmed) return undefined;
  const would = isGoods() ? now.sold?.would : now.would;
  if (!now.sent && !would) return dialogs.fault(box, whyNothing());
  if (isGoods()) now.would = would;
  if (!now.sent && would.rest_minor > 0 && would.tenders.length === 0 && !now.way) {
    $("return-way").focus();
    return dialogs.fault(box, word("return_how"));
  }
  now.sent ??= { verb: "return", request: request(), busy: false };
  return send();
}

/** The whole receipt was wrong: asked twice, for it cannot be taken back. */
async function undo() {
  if (!now.sold || isGoods() || now.done || now.sent?.busy) return undefined;
  if (!now.sent && now.sold.sale_till !== document.body.dataset.till) return dialogs.fault(box, word("void_elsewhere"));
  if (!now.sent && !now.voidArmed) {
    now.voidArmed = true;
    now.back = Object.fromEntries(now.sold.lines.map((line) => [line.line_id, thousandths(line.left)]));
    paper.fill(now.sold, now.back);
    dialogs.fault(box, armed());
    return ask();
  }
  now.sent ??= { verb: "void", request: { cashier: document.body.dataset.cashier }, busy: false };
  return send();
}

async function send() {
  const mine = now;
  const { sent } = mine;
  sent.busy = true;
  dialogs.fault(box, "");
  paint();
  const answer = await withSenior((approval) => post(...addressed(sent, approval)), whyOf(mine));
  sent.busy = false;
  if (answer?.value) return done(mine, answer.value);
  if (!answer || !unsure(answer)) mine.sent = null;
  paint();
  if (!answer) return dialogs.fault(box, word("return_not_done"));
  return dialogs.fault(box, unsure(answer) ? `${sentence(answer)} ${word("return_again")}` : sentence(answer));
}

/** Why a senior is asked before the till says so; empty when nobody is. */
const whyOf = ({ sent, sold }) => (sent.verb === "return" && sold.approval ? word(isGoods() ? "return_without_senior" : "return_late") : "");

function addressed(sent, approval) {
  if (sent.verb === "void") {
    const id = now.sold.sale_id;
    return [`/v1/sales/${encodeURIComponent(id)}/void`, approval ? { ...sent.request, approval } : sent.request, `${id}:void`];
  }
  return ["/v1/returns", approval ? { ...sent.request, approval } : sent.request, `${sent.request.return_id}:return`];
}

async function done(mine, answer) {
  [mine.done, mine.sent] = [answer, null];
  if (mine.basket && mine.basket === desk.sale && !desk.finished && !desk.paying) takeOut(mine.named.goods);
  mine.voidArmed = false;
  raise(); // money is to be handed out: seen also by who went back meanwhile
  const path = answer.return_id
    ? `/v1/returns/${encodeURIComponent(answer.return_id)}.txt`
    : `/v1/receipts/${encodeURIComponent(answer.sale_id)}.txt`;
  paint();
  const slip = await get(`${path}?language=${LANGUAGE}`);
  if (mine === now) paper.showSlip(slip.value ?? sentence(slip));
}

/** What came back leaves the basket; what was put there since stays. */
function takeOut(goods) {
  const { sale } = desk;
  for (const { line_id, quantity } of goods) {
    const line = sale.lines.find(({ id }) => id === line_id);
    if (line) line.milli -= thousandths(quantity);
  }
  sale.lines = sale.lines.filter(({ milli }) => milli > 0);
  if (sale.lines.length === 0) return nextSale();
  sale.selected = sale.lines.at(-1).id;
  return requote();
}

/** The chosen goods pay for the basket: the sale takes them along, and the difference is to be paid. */
function swap() {
  if (isGoods() || now.sent || now.done || now.voidArmed) return undefined;
  if (!now.would) return dialogs.fault(box, whyNothing());
  if (now.sold.tenders.some(({ kind }) => kind === "gift")) return dialogs.fault(box, word("exchange_gift"));
  if (desk.finished) nextSale();
  const { tenders, ...asked } = request();
  desk.sale.exchange = { request: asked, would: now.would, way: now.way };
  now = fresh();
  close();
  show();
  view.point(word("exchange_begun", { refund: money(desk.sale.exchange.would.refund_minor) }));
  return undefined;
}

function focusLine(at) {
  const fields = [...box.querySelectorAll("#return-lines input:enabled")];
  (fields[Math.max(0, Math.min(fields.length - 1, at))] ?? $("return-code")).focus();
}

function moved(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.target.tagName !== "INPUT") return;
  event.preventDefault();
  const fields = [...box.querySelectorAll("#return-lines input:enabled")];
  focusLine(fields.indexOf(event.target) + step);
}

function paint() {
  const would = isGoods() ? now.sold?.would : now.would;
  paper.show({ ...now, would, isGoods: isGoods(), hasLast: Boolean(sessionStorage.getItem(LAST)) }, typedQuantity);
}

export function start() {
  $("return-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("return-code").value.trim();
    if (text) return typedReceipt(text);
    return now.done ? close() : undefined;
  });
  $("return-lines").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); else moved(event); });
  $("return-way").addEventListener("change", () => { now.way = $("return-way").value; dialogs.fault(box, ""); });
  const buttons = { "return-last": last, "return-goods": withoutReceipt, "return-all": everything, "return-void": undo, "return-swap": swap, "return-yes": yes };
  for (const [id, act] of Object.entries(buttons)) $(id).addEventListener("click", act);
}
