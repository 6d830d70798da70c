// The scan box: what a typed or scanned code is, and what follows from it.

import * as basket from "./basket.js";
import { bare, inTurn, lastOf, sayable, understood } from "./codes.js";
import { desk, lookedUp, nextSale, offer, stopWeighing } from "./desk.js";
import * as gifts from "./gifts.js";
import { learnGoods } from "./known.js";
import { requote } from "./pricing.js";
import * as returning from "./returning.js";
import { post, sentence } from "./till.js";
import * as view from "./view.js";
import { money, word } from "./words.js";

const { $, focusScan } = view;
const reprice = () => { requote(); }; // a code is known before its price is: who waits for the one does not wait for the other
const BLOCKED = "/problems/blocked";
const COUNT = /^(?:([\d.,]+)[*×xх])?(.*)$/i;
const WEIGHT = /^(\d{1,3}[.,]\d{1,3}|\d{1,2})[*×xх]?$/i;
const NO_COUPON = ["unknown", "no_series", "check"]; // why the till refuses a code that is no coupon's
const LONG = /^.{16,}$/; // our receipts, fiscal ones and gift cards are longer than what people type
const COUPON = /^([A-Z][A-Z0-9_-]{2,63}|\d{20,63})$/i;

/** Codes are looked up in turn. */
export const judged = (act) => lookedUp(inTurn(act));

/** What the cashier has before them when they type or scan: the sale (none when it is over, for then they begin the next one), and what
 * they are asked to weigh. A code means this, however late the till says what it is. */
export const moment = () => ({ sale: desk.finished ? null : desk.sale, weighing: desk.weighing });

const isPast = ({ sale }) => sale !== null && sale !== desk.sale;

/** What was typed, and Enter; or what was scanned. */
export async function submit(text, then = moment()) {
  const typed = text.trim();
  if (!typed) return undefined;
  await goodsKnown();
  if (desk.paying) return view.warn(word("paying_now"));
  if (!productOf(typed) && LONG.test(bare(typed))) {
    const scan = await judged(() => understood(typed));
    if (scan.kind === "receipt" || scan.kind === "gift_card") return scanned(scan, then);
  }
  if (isPast(then)) return undefined;
  goOn(then);
  if (then.weighing && WEIGHT.test(typed) && !productOf(typed)) {
    return addProduct(then.weighing.product, typed.replace(/[^\d.,]/g, ""));
  }
  const [, count, rest] = COUNT.exec(typed);
  return rest.trim() === "" ? setQuantity(count) : take(rest.trim(), count);
}

function take(code, count) {
  const product = productOf(code) ?? onlyHit(code);
  if (product) return addProduct(product, count);
  const mine = moment();
  return judged(async () => {
    const scan = await understood(code);
    return isPast(mine) ? undefined : took(scan, count);
  });
}

/** What a scanner read, wherever it hangs: its kind is the till's word. */
export async function scanned(scan, then = moment()) {
  await goodsKnown();
  if (desk.paying) return view.warn(word("paying_now"));
  if (scan.kind === "receipt") return returning.opened(scan.code);
  if (isPast(then)) return undefined;
  if (scan.kind === "gift_card") return gifts.scanned(scan.code);
  goOn(then);
  const known = scan.kind === "code" && productOf(scan.code);
  if (known) return addProduct(known);
  const mine = moment();
  return judged(() => (isPast(mine) ? undefined : took(scan)));
}

/** A sale that is over makes room, and what was to be weighed then is weighed no more; what came since stays. */
function goOn(then) {
  if (desk.finished) nextSale();
  if (desk.weighing === then.weighing) stopWeighing();
  view.tell("");
}

async function took(scan, count) {
  const { kind, code, last = lastOf(code) } = scan;
  if (kind === "payment") return view.warn(word("bank_card", { last }));
  if (kind === "phone") return (await identify({ phone: code })) || view.warn(word("phone_unknown"));
  if (kind === "product" || kind === "weight") return addScanned(scan, count);
  if (kind === "coupon") return addCoupon(code);
  if (kind === "card" && await identify({ card: code })) return undefined;
  if (scan.is_mistyped) return view.warn(word("card_mistyped", { last }));
  if (scan.lost) return view.warn(word("lost"));
  if ((kind === "code" || kind === "card") && COUPON.test(code)) {
    return gifts.looksLike(code) ? addEither(code.toUpperCase()) : addCoupon(code.toUpperCase());
  }
  return view.warn(word("code_unknown", { code: sayable(code) }));
}

async function goodsKnown() {
  if (!desk.products) view.tell(word("wait")), await lookedUp(learnGoods());
}

const goods = () => desk.products ?? [];
const filled = (sku) => (/^\d{1,14}$/.test(sku) ? sku.padStart(14, "0") : sku);
export const productOf = (code) => goods().find((one) => one.sku === code);

/** Goods that a scanner named: by weight or price as the label tells, each marked unit on a line of its own. */
function addScanned({ code, sku, quantity, price_minor, mark }, count) {
  const product = productOf(code) ?? productOf(sku) ?? goods().find((one) => filled(one.sku) === filled(sku));
  if (!product) return view.warn(word("code_unknown", { code: sayable(code) }));
  if (mark && desk.sale.lines.some((line) => line.mark === mark)) return view.warn(word("mark_again", { name: product.name }));
  if (mark) return added(product, 1000, mark);
  if (price_minor) return added({ ...product, price_minor, measure: "piece" }, 1000);
  return addProduct(product, quantity && product.measure === "weight" ? quantity : count);
}

function added(product, milli, mark = "") {
  view.tell(word("added", { name: product.name, price: money(product.price_minor) }));
  basket.addProduct(desk.sale, product, milli, { mark });
  return reprice();
}

function onlyHit(code) {
  const hits = /^\d+$/.test(code) ? [] : basket.find(goods(), code, 2);
  return hits.length === 1 ? hits[0] : undefined;
}

/** ``count`` is what was typed before the code; without one it is one piece, and a product by weight is asked about. */
function addProduct(product, count) {
  if (count === undefined && product.measure === "weight") return askWeight(product);
  const milli = count === undefined ? 1000 : readCount(count);
  if (milli === null) return undefined;
  if (!basket.fits(product, milli)) return view.warn(word("whole_pieces", { name: product.name }));
  return added(product, milli);
}

function readCount(count) {
  const milli = basket.readQuantity(count);
  if (milli === null) view.warn(word("bad_quantity", { text: sayable(count) }));
  return milli;
}

export function askWeight(product) {
  desk.weighing = { product };
  $("scan").placeholder = word("weight");
  view.point(word("weigh", { name: product.name }));
}

function setQuantity(count) {
  const milli = readCount(count);
  if (milli === null) return undefined;
  if (desk.looking > 0) return putBack(`${count}*`), view.warn(word("pricing"));
  const line = desk.sale.lines.find((one) => one.id === desk.sale.selected);
  if (!line) return view.warn(word("no_line"));
  if (!basket.fits(line.product, milli)) return view.warn(word("whole_pieces", { name: line.product.name }));
  line.milli = milli;
  return reprice();
}

/** What was typed too early waits in the box, unless something else stands there. */
function putBack(text) {
  $("scan").value ||= text;
}

function addCoupon(code) {
  if (!desk.sale.coupons.includes(code)) desk.sale.coupons.push(code);
  desk.sale.unheard.push(code);
  if (desk.sale.lines.length === 0) view.point(word("coupon_waits", { code }));
  return reprice();
}

/** A code in the form of a gift card's: the till is asked whether it is a coupon before it comes into the sale, whose log keeps it. */
async function addEither(code) {
  const mine = desk.sale;
  if (mine.lines.length === 0) return view.point(word("either_waits"));
  const answer = await lookedUp(post("/v1/quote", basket.quoteRequest({ ...mine, coupons: [...mine.coupons, code] })));
  if (desk.sale !== mine) return undefined;
  if (!answer.value) return view.warn(sentence(answer));
  const strange = NO_COUPON.map((why) => `${why}:${code}`);
  return answer.value.refusals.some(({ have }) => strange.includes(have)) ? gifts.presented(code) : addCoupon(code);
}

const ASKED_AGAIN_MS = 800;
const ASKED_AGAIN_MAX = 6;

/** Head office is asked for rights to more points of the member: when they come, the sale is priced again. */
async function awaitRights(request, left) {
  if (left === 0) return;
  await new Promise((over) => setTimeout(over, ASKED_AGAIN_MS));
  const before = desk.sale.member;
  const { value: member } = await post("/v1/identify", request);
  if (!member || before?.member_id !== member.member_id || desk.sale.member !== before || desk.paying || desk.finished) return;
  if (member.redeemable_centi > before.redeemable_centi) {
    desk.sale.member = member;
    await requote();
    if (desk.sale.redeem) view.tell(word("rights_came"));
  } else if (member.asking) await awaitRights(request, left - 1);
}

/** False when this is nobody's card; true when there is nothing more to say about it. */
async function identify(request) {
  const mine = desk.sale;
  const answer = await lookedUp(post("/v1/identify", request));
  if (desk.sale !== mine) return true;
  if (answer.problem?.status === 422) return false;
  if (answer.problem?.status === 404 && COUPON.test(request.card ?? "")) return false;
  if (answer.problem?.status === 404 && request.phone) return false;
  if (answer.problem?.status === 404) view.warn(word("card_unknown"));
  else if (answer.problem?.type === BLOCKED) view.warn(`${sentence(answer)} ${word("let_in_how")}`);
  else if (!answer.value) view.warn(sentence(answer));
  else {
    if (answer.value.asking) void awaitRights(request, ASKED_AGAIN_MAX);
    welcome(answer.value);
  }
  return true;
}

const cardName = (member) => (member.card ? lastOf(member.card) : word("by_phone"));
export function welcome(member) {
  const before = desk.sale.member;
  const isSame = before?.member_id === member.member_id;
  desk.sale.member = member;
  if (!isSame) desk.sale.redeem = null;
  if (isSame) view.tell(word("card_again"));
  else if (before) view.point(word("card_replaced", { before: cardName(before), now: cardName(member) }));
  else view.tell(word("hello"));
  return reprice();
}

export function choose(product) {
  const [, count] = COUNT.exec($("scan").value.trim());
  $("scan").value = "";
  offer();
  stopWeighing();
  view.calm();
  focusScan();
  return addProduct(product, count);
}
