// What the return's dialog shows. It decides and asks nothing.

import { quantityText } from "./basket.js";
import { $, element, quantityOf, tenderName, withdrawnOf } from "./view.js";
import { clock, day, decimal, money, pointsInWords, word } from "./words.js";

let shownLines = null; // the preview whose lines stand in the table

/** ``typed(line, text)`` is called when a quantity is typed. */
export function show(state, typed) {
  const { sold, done, sent } = state;
  $("return-find").hidden = Boolean(done);
  $("return-empty").hidden = Boolean(sold);
  $("return-sale").hidden = !sold || Boolean(done);
  $("return-done").hidden = !done;
  const isOpen = Boolean(sold) && !done && sold.state === "completed";
  $("return-last").hidden = Boolean(sold);
  $("return-last").disabled = !state.hasLast;
  $("return-goods").hidden = Boolean(sold);
  for (const id of ["return-all", "return-swap", "return-void"]) $(id).hidden = !isOpen || state.isGoods;
  for (const id of ["return-all", "return-swap", "return-void", "return-yes"]) $(id).disabled = Boolean(sent?.busy);
  for (const id of ["return-all", "return-swap"]) $(id).hidden ||= state.voidArmed || Boolean(sent);
  $("return-void").hidden ||= sent?.verb === "return";
  $("return-void").classList.toggle("main", state.voidArmed);
  $("return-void-name").textContent = word(state.voidArmed ? "void_yes" : "void");
  $("return-yes").hidden = (!done && !isOpen) || (state.voidArmed && !done) || sent?.verb === "void";
  $("return").classList.toggle("asks", state.voidArmed && !done);
  $("return-yes-name").textContent = done ? word("close") : state.would ? word("return_yes", { refund: money(state.would.refund_minor) }) : word("return_yes_none");
  if (!sold) shownLines = null, $("return-lines").replaceChildren();
  if (sold && shownLines !== sold) showSale(sold, state.isGoods, typed);
  for (const field of $("return-lines").querySelectorAll("input")) field.disabled = Boolean(sent) || field.dataset.left === "0";
  $("return-code").disabled = Boolean(sent);
  if (sold && !done) showWould(state);
  if (done) showDone(done);
}

/** Why nothing of the sale can come back, though it was found. */
export function whyNot(sold) {
  if (sold.state !== "completed") return word({ authorised: "return_authorised", cancelled: "return_cancelled", reversed: "return_reversed" }[sold.state], { number: sold.receipt_no });
  return sold.lines.every(({ left }) => left === "0") ? word("return_all_back", { number: sold.receipt_no }) : "";
}

function showSale(sold, isGoods, typed) {
  shownLines = sold;
  const at = sold.sold_at ? `${day(sold.sold_at)}, ${clock(sold.sold_at)}` : "";
  $("return-head").textContent = isGoods ? word("return_without") : word("return_of", { number: sold.receipt_no, at, till: sold.sale_till });
  $("return-paid").textContent = isGoods ? word("return_without_note") : paidWith(sold);
  $("return-late").textContent = sold.approval ? word(isGoods ? "return_without_senior" : "return_late") : "";
  $("return-sale").classList.toggle("goods", isGoods);
  $("return-lines").replaceChildren(...sold.lines.map((line) => row(line, sold, isGoods, typed)));
}

function paidWith(sold) {
  const parts = sold.tenders.map(({ kind, amount_minor }) => `${tenderName(kind)} ${money(amount_minor)}`);
  if (sold.member_id) parts.push(word("return_member"));
  return `${word("due")}: ${money(sold.due_minor)}${parts.length ? ` (${parts.join(", ")})` : ""}`;
}

function row(line, sold, isGoods, typed) {
  const made = element("tr", line.left === "0" ? "gone" : "", element("td", "", line.name));
  const number = (text) => element("td", "number", text);
  made.append(number(quantityOf(line.quantity, line.measure)), number(money(line.paid_minor)));
  if (isGoods) return made.append(number(""), number(quantityOf(line.quantity, line.measure))), made;
  made.append(number(quantityOf(line.left, line.measure)), element("td", "number", field(line, sold, typed)));
  return made;
}

function field(line, sold, typed) {
  const made = element("input", "count");
  made.inputMode = "decimal";
  made.maxLength = 12;
  made.autocomplete = "off";
  made.dataset.line = line.line_id;
  made.dataset.left = line.left;
  made.disabled = line.left === "0" || sold.state !== "completed";
  made.setAttribute("aria-label", word("return_count", { name: line.name }));
  made.addEventListener("focus", () => made.select());
  made.addEventListener("input", () => typed(line, made.value));
  return made;
}

/** Puts quantities into the fields that were not typed there. */
export function fill(sold, back) {
  for (const made of $("return-lines").querySelectorAll("input")) {
    const milli = back[made.dataset.line] ?? 0;
    made.value = milli ? decimal(quantityText(milli)) : "";
  }
}

function showWould({ would, asking, way }) {
  const needsWay = Boolean(would) && would.rest_minor > 0 && would.tenders.length === 0;
  $("return-way-row").hidden = !needsWay && !way;
  $("return-way").value = way;
  $("return-would").classList.toggle("stale", asking);
  if (asking) return undefined;
  if (!would) return $("return-would").replaceChildren(element("div", "hint faint", word("return_type")));
  return $("return-would").replaceChildren(...wouldRows(would, way));
}

function wouldRows(would, way) {
  const line = (name, text, className = "") => element("div", className, element("dt", "", name), element("dd", "", text));
  const rows = [line(word("return_refund"), money(would.refund_minor), "due")];
  const planned = would.tenders.length ? would.tenders : way ? [{ kind: way, amount_minor: would.rest_minor }] : [];
  for (const { kind, amount_minor } of planned) rows.push(line(`— ${tenderName(kind)}`, money(amount_minor)));
  if (would.charged_minor) rows.push(line(word(would.charged_minor > 0 ? "return_charged" : "return_uncharged"), money(Math.abs(would.charged_minor))));
  if (would.unpaid_minor) rows.push(line(word("return_unpaid"), `−${money(would.unpaid_minor)}`));
  if (would.restored_centi) rows.push(line(word("return_restored"), `+${pointsInWords(would.restored_centi)}`));
  if (would.taken_back_centi) rows.push(line(word("return_taken"), `−${pointsInWords(would.taken_back_centi)}`));
  if (would.owed_centi) rows.push(line(word("return_owed"), pointsInWords(would.owed_centi), "owed"));
  rows.push(...couponRows(would));
  if (would.is_last) rows.push(element("div", "hint faint", word("return_is_last")));
  return rows;
}

const couponRows = (would) => withdrawnOf(would).map(([name, codes]) => element("div", "codes", element("dt", "", name), element("dd", "", codes)));

function showDone(done) {
  const isVoid = !done.return_id;
  const paid = isVoid ? paidMinor(done) : done.refund_minor;
  $("return-done-title").textContent = `✓ ${word(isVoid ? "void_done" : "return_done", { refund: money(paid), number: done.receipt_no })}`;
  const notes = [];
  if (!isVoid) notes.push(done.tenders.map(({ kind, amount_minor }) => `${tenderName(kind)} ${money(amount_minor)}`).join(", "));
  if (done.balance_centi !== null) notes.push(word("balance_now", { points: pointsInWords(done.balance_centi) }));
  if (done.owed_in_all_centi) notes.push(word("owed", { points: pointsInWords(done.owed_in_all_centi) }));
  $("return-done-note").textContent = notes.filter(Boolean).join(" · ");
  $("return-done-coupons").replaceChildren(...withdrawnOf(done).map((both) => element("li", "", both.join(": "))));
  shownLines = null;
}

/** What a sale took: tenders that were not told paid all of it. */
function paidMinor({ quote, tenders }) {
  const told = tenders.reduce((sum, { amount_minor }) => sum + amount_minor, 0);
  return tenders.length ? Math.min(quote.due_minor, told) : quote.due_minor;
}

export function showSlip(text) {
  $("return-slip").textContent = text;
  $("return-paper").scrollTop = 0;
}

export const turn = (pages) => $("return-paper").scrollBy({ top: pages * $("return-paper").clientHeight * 0.9 });
