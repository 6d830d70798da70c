// What the page shows. Nothing here decides or asks; text goes in as text, never as markup.

import { quantityText } from "./basket.js";
import { fill, named } from "./fill.js";
import { amount, clock, decimal, hasWord, LANGUAGE, money, points, pointsInWords, word } from "./words.js";

const NO_AMOUNT = "—";
const CODES_MAX = 6;
const READ_MS = 3000; // so long an alarm stands at least, unless the cashier does something

export const $ = (id) => document.getElementById(id);

/** An element with a class, text or children. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A rule's title; what is not a rule of the programme (a discount by hand, rounding) has a word of ours. */
export function titleOf(titles, rule) {
  const title = titles[rule];
  if (title) return title[LANGUAGE] ?? Object.values(title)[0] ?? rule;
  return hasWord(`rule.${rule}`) ? word(`rule.${rule}`) : rule;
}

/** ``faults``: coupon to the reason why it does not act. */
export function showLines(sale, quote, titles, faults, choose) {
  const body = $("lines").tBodies[0];
  fill(body, ...sale.lines.map((line) => lineRow(line, sale, quote, titles, choose)));
  $("lines").hidden = sale.lines.length === 0;
  $("empty").hidden = sale.lines.length > 0;
  body.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  $("coupons").hidden = sale.coupons.length === 0;
  fill($("coupons"), ...sale.coupons.map((code) => couponChip(code, faults[code])));
}

function couponChip(code, fault) {
  const name = `${word("coupon")} ${code}`;
  if (!fault) return element("li", "", name);
  return element("li", "void", element("s", "", name), ` ${word("coupon_void", { why: fault })}`);
}

function lineRow(line, sale, quote, titles, choose) {
  const priced = quote?.lines.find((one) => one.line_id === line.id);
  const name = element("td", "", element("span", "name", line.product.name || line.product.sku));
  for (const { rule, off_minor } of priced?.adjustments ?? []) {
    name.append(element("span", "reason", `${titleOf(titles, rule)}: −${amount(off_minor)}`));
  }
  const sum = element("td", "number");
  if (priced && priced.net_minor !== priced.gross_minor) sum.append(element("s", "faint", amount(priced.gross_minor)), " ");
  sum.append(element("strong", "", priced ? amount(priced.net_minor) : "…"));
  const row = element(
    "tr", "", name, element("td", "number", quantityOf(quantityText(line.milli), line.product.measure)),
    element("td", "number", amount(line.product.price_minor)), sum,
  );
  if (line.id === sale.selected) row.setAttribute("aria-current", "true");
  return named(row, line.id, () => choose(line.id));
}

/** A decimal string with its unit, as people write it. */
export const quantityOf = (text, measure) => decimal(text) + (measure === "weight" ? `\u00a0${word("kg")}` : "");

/** What a kind of payment is called. */
export const tenderName = (kind) => (hasWord(`tender.${kind}`) ? word(`tender.${kind}`) : kind);

/** ``plan``: what pays the due besides money. */
export function showTotals(sale, quote, plan, asking) {
  $("totals").classList.toggle("stale", asking);
  const saved = quote ? quote.gross_minor - quote.total_minor : 0;
  const byPoints = quote ? quote.total_minor - quote.due_minor : 0;
  const own = (quote?.accruals ?? []).filter(({ member_id }) => !member_id || member_id === quote.member_id);
  const earn = own.reduce((sum, accrual) => sum + accrual.centi, 0);
  const total = (minor) => (quote || sale.lines.length === 0 ? money(minor ?? 0) : NO_AMOUNT);
  $("gross").textContent = total(quote?.gross_minor);
  $("saved").textContent = `−${money(saved)}`;
  $("saved-row").hidden = saved === 0;
  $("by-points").textContent = `−${money(byPoints)}`;
  $("by-points-row").hidden = byPoints === 0;
  showPlan(plan);
  $("due").textContent = total(Math.abs(plan.rest));
  $("earn").textContent = `+${pointsInWords(earn)}`;
  $("earn-row").hidden = earn === 0;
  showPoints(sale, quote);
}

function showPlan({ refund, gifts, rest }) {
  const paying = gifts.reduce((sum, { minor }) => sum + minor, 0);
  $("exchange-row").hidden = refund === 0;
  $("exchanged").textContent = `−${money(refund)}`;
  $("gifts-row").hidden = gifts.length === 0;
  $("gifts-name").textContent = `${word("gift_card")} ${gifts.map(({ gift }) => gift.label).join(", ")}`;
  $("gifts-pay").textContent = `−${money(paying)}`;
  $("due-name").textContent = word(rest < 0 ? "pay_out" : "due");
}

function showPoints(sale, quote) {
  const most = quote?.redemption.max_centi ?? 0;
  const on = sale.redeem !== null;
  $("points").hidden = !sale.member || !quote || (most === 0 && !on);
  $("redeem").setAttribute("aria-pressed", String(on));
  const field = $("redeem-amount");
  if (document.activeElement === field) return;
  field.value = points(on && quote ? quote.redemption.centi : most);
}

export const focusScan = () => $("scan").focus({ preventScroll: true });

let reading = null; // the timer of an alarm that is younger than READ_MS
let isOver = false; // what came after it would have taken it away

/** One line of good or neutral news. An alarm that nobody can have read yet stands beside it for the rest of its time. */
export function tell(text) {
  $("notice").textContent = text;
  $("notice").classList.remove("attention");
  if (reading) isOver = true;
  else hideAlarm();
}

/** News that the cashier must not miss, though nothing failed: a question, or a change that they may not have meant. */
export function point(text) {
  tell(text);
  $("notice").classList.add("attention");
}

/** One sentence about what failed. */
export function warn(text) {
  calm();
  $("alarm").hidden = false;
  $("alarm").textContent = text;
  reading = setTimeout(() => {
    reading = null;
    if (isOver) hideAlarm();
  }, READ_MS);
}

/** The cashier goes on, so all that was said is read. */
export function calm() {
  clearTimeout(reading);
  reading = null;
  tell("");
}

function hideAlarm() {
  isOver = false;
  $("alarm").hidden = true;
  $("alarm").textContent = "";
}

export function showBadges(health) {
  if (!health) {
    fill($("badges"), element("li", "failed", `⚠ ${word("till_gone")}`));
    return;
  }
  const badges = [];
  const heard = health.heard_at ? word("heard_at", { time: clock(health.heard_at) }) : word("never_heard");
  if (health.head_office === "answers") badges.push(element("li", "", `● ${word("head_office_answers")}`));
  if (health.head_office === "silent") badges.push(element("li", "offline", `○ ${word("head_office_silent")} · ${heard}`));
  if (health.road?.road === "hub") badges.push(element("li", "", word("by_hub")));
  if (health.road?.road === "straight") {
    const { since, hub_at } = health.road;
    const hub = hub_at ? word("hub_heard_at", { time: clock(hub_at) }) : word("hub_never_heard");
    badges.push(element("li", "offline", `${word("past_hub", { time: clock(since) })} · ${hub}`));
  }
  if (health.unsent_facts > 0) badges.push(element("li", "", word("unsent", { count: health.unsent_facts })));
  if (health.prints_waiting > 0) badges.push(element("li", "", word("prints_waiting", { count: health.prints_waiting })));
  for (const problem of health.problems) badges.push(element("li", "failed", `⚠ ${problem}`));
  fill($("badges"), ...badges);
}

/** Sales whose payment nobody has confirmed. The first one has the keys; one that cannot be read is named all the same. */
export function showUnfinished(rows, more, finish) {
  const first = rows.find(({ value }) => value);
  const button = (row, name, key, verb) => {
    const made = element("button", "", ...(row === first ? [element("kbd", "", key), " "] : []), word(name));
    made.type = "button";
    return named(made, verb, () => finish(row.id, verb));
  };
  const items = rows.map((row) => {
    if (!row.value) return named(element("div", "row", element("p", "", word("unfinished_unread", { id: row.id }))), row.id);
    const { quote, authorised_at, receipt_no } = row.value;
    const fields = { due: money(quote.due_minor), time: clock(authorised_at), number: receipt_no };
    const question = element("p", "", word("unfinished_question", fields));
    return named(element("div", "row", question, button(row, "paid", "Shift+F8", "complete"), button(row, "not_paid", "Shift+F9", "cancel")), row.id);
  });
  if (more) items.push(element("p", "", word("unfinished_more", { count: more })));
  $("unfinished").hidden = items.length === 0;
  fill($("unfinished"), ...items);
}

export function showFound(found, active, take) {
  $("found").hidden = found.length === 0;
  $("scan").setAttribute("aria-expanded", String(found.length > 0));
  fill($("found"), ...found.map((product, at) => {
    const item = element("li", "", element("span", "", product.name || product.sku), element("span", "number", money(product.price_minor)));
    item.id = `found-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(at === active));
    return named(item, product.sku, () => take(product));
  }));
  if (found.length && active >= 0) $("scan").setAttribute("aria-activedescendant", `found-${active}`);
  else $("scan").removeAttribute("aria-activedescendant");
}

/** Coupons that go with goods that come back, [what, codes]: the papers to ask for, those that were used already, those to give back. */
export function withdrawnOf({ withdrawn, withdrawn_used, released = [] }) {
  const unused = withdrawn.filter((code) => !withdrawn_used.includes(code));
  const both = [["return_withdrawn", unused], ["return_withdrawn_used", withdrawn_used], ["coupons_released", released]];
  return both.filter(([, codes]) => codes.length).map(([name, codes]) => [word(name), listed(codes)]);
}

const listed = (codes) => codes.slice(0, CODES_MAX).join(", ") + (codes.length > CODES_MAX ? ` … +${codes.length - CODES_MAX}` : "");

export function showDone(sale, receipt) {
  const shown = Boolean(sale);
  $("done").hidden = !shown;
  document.body.classList.toggle("is-done", shown);
  if (!shown) return;
  const due = sale.quote.due_minor - (sale.returned?.refund_minor ?? 0);
  const fields = { due: money(Math.abs(due)), number: sale.receipt_no };
  $("done-title").textContent = `✓ ${word(due < 0 ? "done_out" : "done", fields)}`;
  $("receipt").textContent = receipt;
  const notes = sale.coupons.map(({ code }) => word("coupon_issued", { code }));
  if (sale.balance_centi !== null) notes.push(word("balance_after", { points: pointsInWords(sale.balance_centi) }));
  if (sale.settled_centi > 0) notes.push(word("settled", { points: pointsInWords(sale.settled_centi) }));
  if (sale.owed_centi > 0) notes.push(word("owed", { points: pointsInWords(sale.owed_centi) }));
  const left = Object.entries(sale.gift_balances ?? {});
  for (const [id, minor] of left) notes.push(word("gift_left", { label: id.slice(-6).toUpperCase(), left: money(minor) }));
  if (sale.returned) notes.push(word("exchanged_for", { refund: money(sale.returned.refund_minor), number: sale.returned.receipt_no }));
  if (sale.returned) notes.push(...withdrawnOf(sale.returned).map((both) => both.join(": ")));
  $("done-note").textContent = notes.join(". ");
  showCodes(sale.gift_cards ?? []);
  $("picture").href = `/v1/receipts/${encodeURIComponent(sale.sale_id)}.png?language=${LANGUAGE}`;
  $("paper").scrollTop = 0;
  showMore();
}

/** Codes of gift cards that were just sold, folded up: whoever reads one can pay with it. */
function showCodes(cards) {
  const told = cards.filter(({ code }) => code);
  $("done-gifts").hidden = told.length === 0;
  $("done-gifts").open = false;
  $("done-gifts").querySelector("ul").replaceChildren(...told.map(({ label, face_minor, code, pin }) => {
    const secret = pin ? [element("code", "", code), ` ${word("gift_pin_is")} `, element("code", "", pin)] : [element("code", "", code)];
    return element("li", "", `${label} · ${money(face_minor)}: `, ...secret);
  }));
}

/** Says that the receipt goes on below for as long as it does. */
export function showMore() {
  const paper = $("paper");
  $("more").textContent = paper.scrollTop + paper.clientHeight < paper.scrollHeight - 2 ? `↓ ${word("more")}` : "";
}

export const turnPaper = (pages) => $("paper").scrollBy({ top: pages * $("paper").clientHeight * 0.9 });
