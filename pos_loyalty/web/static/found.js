// Products offered while a name is being typed, and which of them is chosen.

import * as view from "./view.js";

let found = [];
let active = -1;
let take = () => {};

/** ``act(product)`` is called when one is clicked. */
export function whenTaken(act) {
  take = act;
}

/** Offers these products; a single one is chosen already. */
export function offer(list, at = list.length === 1 ? 0 : -1) {
  found = list;
  active = at;
  view.showFound(found, active, take);
}

/** Moves the choice; false when nothing is offered. */
export function step(by) {
  if (found.length) offer(found, (active + by + found.length) % found.length);
  return found.length > 0;
}

export const chosen = () => found[active] ?? null;
