// What the till says about a sale: hints, remarks, offers that wait for a choice, and why the other rules did not act.

import { fill } from "./fill.js";
import { $, element } from "./view.js";
import { LANGUAGE, word } from "./words.js";

const BY_HAND = ["redeem", "manual", "prior"]; // what the cashier asked for by hand is answered in the open
const COUPON = "coupon"; // what it was refused for stands on its chip
const CHOICE = "choice";
const OPEN_KINDS = ["line", "privilege", "issue"];
const QUIET_KINDS = ["refusal", "beaten", "floor"];
const QUIET_MAX = 20;

/** Rules that wait for the cashier to choose goods. */
export const openChoices = (quote) =>
  (quote?.refusals ?? []).filter(({ condition }) => condition === CHOICE).map(({ rule }) => rule);

/** Why the sale may not be paid as it is. */
export const unsellable = (told) => told.sentences.filter(({ kind }) => kind === "line").map(({ text }) => text).join(". ");

export function show(sale, quote, told) {
  const waiting = openChoices(quote);
  const isOpen = ({ kind, rule }) =>
    OPEN_KINDS.includes(kind) || (kind === "refusal" && (BY_HAND.includes(rule) || waiting.includes(rule)));
  const dated = told.sentences.filter(({ kind }) => kind === "issue");
  const isSaidTwice = ({ kind, text }) => kind === "privilege" && dated.some((one) => one.text.startsWith(`${text},`));
  const remarks = told.sentences.filter((one) => isOpen(one) && !isSaidTwice(one)).map((one) => remark(one, waiting, sale));
  const quiet = told.sentences.filter((one) => QUIET_KINDS.includes(one.kind) && one.rule !== COUPON && !isOpen(one));
  list($("hints"), told.sentences.filter(({ kind }) => kind === "hint").map(({ text }) => element("li", "", text)));
  list($("remarks"), [...remarks, ...messages(quote)]);
  $("refusals").hidden = quiet.length === 0;
  $("refusals").querySelector("summary").textContent = word("refused", { count: quiet.length });
  fill($("refusals").querySelector("ul"), ...quiet.slice(0, QUIET_MAX).map(({ text }) => element("li", "", text)));
}

function remark({ kind, rule, text }, waiting, sale) {
  if (kind !== "refusal" || !waiting.includes(rule)) return element("li", kind === "line" ? "unsellable" : "", text);
  const line = sale.lines.find((one) => one.id === sale.selected);
  const how = line ? word("choose_goods", { name: line.product.name || line.product.sku }) : word("no_line");
  return element("li", "", `${text}. `, element("kbd", "", "Shift+F4"), ` ${how}`);
}

/** Words of the programme for the screen. */
function messages(quote) {
  const shown = (quote?.messages ?? []).filter(({ where }) => where !== "receipt");
  return shown.map(({ text }) => element("li", "", text[LANGUAGE] ?? Object.values(text)[0] ?? ""));
}

function list(place, items) {
  fill(place, ...items);
  place.hidden = items.length === 0;
}
