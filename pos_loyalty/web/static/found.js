// Products offered for the words in the scan box, and which of them is chosen. Rule: the words and the sale decide, whenever either
// moved; no answer takes the list away.

import * as basket from "./basket.js";
import * as view from "./view.js";

const FOUND_MAX = 7;

let found = [];
let active = -1;
let take = () => {};

/** ``act(product)`` is called when one is clicked. */
export function whenTaken(act) {
  take = act;
}

/** Offers those of the goods that the words name; a single one is chosen already. The same list keeps what was chosen. */
export function offer(goods) {
  const text = view.$("scan").value.trim().replace(basket.COUNTED, "");
  const list = /\p{L}/u.test(text) && text.length >= 2 ? basket.find(goods, text, FOUND_MAX) : [];
  if (list.length !== found.length || list.some((product, at) => product !== found[at])) active = list.length === 1 ? 0 : -1;
  found = list;
  view.showFound(found, active, take);
}

/** Moves the choice; false when nothing is offered. */
export function step(by) {
  if (!found.length) return false;
  active = (active + by + found.length) % found.length;
  view.showFound(found, active, take);
  return true;
}

export const chosen = () => found[active] ?? null;
