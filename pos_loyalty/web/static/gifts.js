// Gift cards: what one holds, paying with it, adding money to it, selling a new one. A PIN lives as long as the sale that it pays.

import { addProduct } from "./basket.js";
import { paymentIn } from "./codes.js";
import { desk, lookedUp, nextSale, show } from "./desk.js";
import * as dialogs from "./dialogs.js";
import { fill, named } from "./fill.js";
import { whenNamed } from "./known.js";
import { requote } from "./pricing.js";
import { post, sentence } from "./till.js";
import { planOf } from "./tenders.js";
import * as view from "./view.js";
import { day, LANGUAGE, money, readMoney, word } from "./words.js";

const { $, element } = view;
const box = $("gift");
const NUMBER = /^[\d\s-]{20,30}$/;
const LETTERS = /^[A-Z2-7]{26}$/i; // of a QR code, typed without what stands before them
let shown = null; // the card that was looked up, with its PIN
let asked = 0; // look-ups of this page: only the last one is answered here, and none that was begun before the dialog was opened anew

/** Whether a code may be that of a gift card, or of a coupon that looks like one. */
export const looksLike = (code) => isNumber(code) || LETTERS.test(code);

const isNumber = (text) => NUMBER.test(text) && text.replace(/\D/g, "").length === 20;
const titleOf = (card) => card.title[LANGUAGE] ?? Object.values(card.title)[0] ?? word("gift_card");

/** A gift card's code in the scan box: it pays at once. */
export async function scanned(code) {
  if (isNumber(code)) return open(), $("gift-code").value = code, find();
  const mine = desk.sale;
  const answer = await lookedUp(post("/v1/gift-cards/lookup", { card: code }));
  if (desk.sale !== mine) return;
  if (!answer.value) view.warn(sentence(answer));
  else payWith(answer.value, null, view.warn);
}

/** A code that is no coupon's: a card with a PIN is shown in the dialog, which asks for it. */
export async function presented(code) {
  if (!isNumber(code)) return scanned(code);
  open();
  $("gift-code").value = code;
  await find();
  return dialogs.fault(box, word("gift_or_none"));
}

function payWith(card, pin, refuse) {
  if (card.state !== "active") return refuse(stateOf(card)), false;
  if (desk.paying) return refuse(word("paying_now")), false;
  if (desk.finished) nextSale();
  if (!desk.sale.gifts.some((one) => one.card_id === card.card_id)) desk.sale.gifts.push({ ...card, pin });
  show();
  const part = planOf(desk.sale, desk.quote).gifts.find(({ gift }) => gift.card_id === card.card_id);
  view.tell(word("gift_pays", { label: card.label, pays: money(part.minor), left: money(card.balance_minor - part.minor) }));
  return true;
}

/** Takes the last gift card off the sale; false when there is none. */
export function removeLast() {
  const gone = desk.sale.gifts.pop();
  if (gone) view.tell(word("removed", { name: `${word("gift_card")} ${gone.label}` }));
  return Boolean(gone);
}

export function open() {
  if (desk.paying) return view.warn(word("paying_now"));
  asked += 1;
  showSeries();
  showCard(null);
  $("gift-code").value = $("gift-pin").value = "";
  typing();
  dialogs.fault(box, "");
  const keys = { F2: () => $("gift-series").querySelector("button, input")?.focus(), F4: takeOff, F8: topUp, F9: pay };
  return dialogs.raise(box, { keys, scanned: ({ code }) => { $("gift-code").value = code; find(); }, closed: view.focusScan });
}

function close() {
  dialogs.drop(box);
  view.focusScan();
}

async function find() {
  const card = $("gift-code").value.trim();
  if (!card) return $("gift-code").focus();
  if (paymentIn(card)) return $("gift-code").value = "", dialogs.fault(box, word("bank_card", { last: paymentIn(card) }));
  const pin = $("gift-pin").value.trim() || null;
  if (isNumber(card) && !pin) return $("gift-pin-row").hidden = false, $("gift-pin").focus();
  asked += 1;
  const mine = asked;
  showCard(null);
  $("gift-pin").value = "";
  const answer = await post("/v1/gift-cards/lookup", { card, pin });
  if (mine !== asked) return undefined;
  if (answer.value && $("gift-code").value.trim() === card) $("gift-code").value = "";
  typing();
  dialogs.fault(box, answer.value ? "" : sentence(answer));
  showCard(answer.value ? { ...answer.value, pin } : null);
  return answer.value || $("gift-code").value.trim() !== card ? undefined : $(isNumber(card) ? "gift-pin" : "gift-code").focus();
}

function stateOf(card) {
  return word({ active: "gift_active", spent: "gift_spent", expired: "gift_expired", frozen: "gift_frozen", void: "gift_void" }[card.state], { label: card.label });
}

function showCard(card) {
  shown = card;
  $("gift-card").hidden = !card;
  const series = card && desk.names.terms.gift_cards.find(({ id }) => id === card.series);
  $("gift-pay").disabled = card?.state !== "active";
  $("gift-top-up-row").hidden = !series?.top_up || !["active", "spent"].includes(card.state);
  $("gift-off").disabled = desk.sale.gifts.length === 0;
  if (!card) return;
  const ends = card.expires_at ? element("p", "faint", word("gift_until", { day: day(Date.parse(card.expires_at) - 1) })) : "";
  const state = element("p", card.state === "active" ? "good" : "bad", stateOf(card));
  const held = element("p", "held", element("strong", "", money(card.balance_minor)), ` ${word("gift_of", { face: money(card.face_minor) })}`);
  fill($("gift-card"), element("p", "who", `${titleOf(card)} · ${card.label}`), held, state, ends);
}

function pay() {
  if (!shown) return find();
  return payWith(shown, shown.pin, (text) => dialogs.fault(box, text)) ? close() : undefined;
}

function takeOff() {
  if (!removeLast()) return;
  show();
  close();
}

function topUp() {
  const series = shown && desk.names.terms.gift_cards.find(({ id }) => id === shown.series);
  if (!series?.top_up) return;
  const minor = readMoney($("gift-amount").value);
  if (minor === null || !sells(series, minor)) return dialogs.fault(box, word("gift_no_amount")), $("gift-amount").focus();
  add(series, minor, shown);
}

/** Names came, or are others, while the dialog is open: what was typed stays, and the keys stay where they were. */
function namesCame() {
  if (!dialogs.isOpen(box)) return;
  const hadKeys = $("gift-series").contains(document.activeElement);
  showSeries();
  if (hadKeys && !box.contains(document.activeElement)) $("gift-code").focus(); // what they were on is sold no more
  if (shown) showCard(shown);
}

function showSeries() {
  fill($("gift-series"), ...desk.names.terms.gift_cards.map((series) => {
    const buttons = series.amounts_minor.map((minor) => button(`${minor}`, money(minor), () => add(series, minor)));
    const isAny = series.from_minor !== null;
    const between = isAny ? `, ${word("gift_between", { least: money(series.from_minor), most: money(series.to_minor) })}` : "";
    const name = element("p", "", titleOf(series), element("span", "faint", between));
    return named(element("div", "row", name, ...buttons, ...(isAny ? anyAmount(series) : [])), series.id);
  }));
  $("gift-sell").hidden = desk.names.terms.gift_cards.length === 0;
}

function anyAmount(series) {
  const field = element("input", "amount");
  field.inputMode = "decimal";
  field.maxLength = 12;
  field.setAttribute("aria-label", `${titleOf(series)}: ${word("sum")}`);
  const sell = ({ currentTarget }) => {
    const typed = currentTarget.parentElement.querySelector("input");
    const minor = readMoney(typed.value);
    if (minor === null || !sells(series, minor)) return dialogs.fault(box, word("gift_no_amount")), typed.focus();
    return add(series, minor);
  };
  field.onkeydown = (event) => { if (event.key === "Enter") event.preventDefault(), sell(event); };
  return [named(field, "any"), button("sell", word("gift_sell_one"), sell)];
}

function button(name, text, act) {
  const made = element("button", "", text);
  made.type = "button";
  return named(made, name, act);
}

const sells = (series, minor) =>
  series.amounts_minor.includes(minor) || (series.from_minor !== null && series.from_minor <= minor && minor <= series.to_minor);

/** A line that sells a gift card at its face, or adds money to ``card``. */
function add(series, minor, card = null) {
  if (desk.finished) nextSale();
  const known = desk.products?.find(({ sku }) => sku === series.sku);
  const name = card ? `${word("gift_top_up")} ${card.label}` : titleOf(series);
  const product = { ...known, sku: series.sku, name, price_minor: minor, measure: "piece" };
  addProduct(desk.sale, product, 1000, { topUp: card?.card_id ?? null });
  view.tell(word("added", { name, price: money(minor) }));
  close();
  return requote();
}

function typing() {
  $("gift-pin-row").hidden = !isNumber($("gift-code").value) && $("gift-pin").value === "";
}

export function start() {
  whenNamed(namesCame);
  $("gift-form").addEventListener("submit", (event) => { event.preventDefault(); return shown && !$("gift-code").value ? pay() : find(); });
  $("gift-code").addEventListener("input", typing);
  for (const [id, act] of Object.entries({ "gift-pay": pay, "gift-off": takeOff, "gift-top-up": topUp })) $(id).addEventListener("click", act);
}
