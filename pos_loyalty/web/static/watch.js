// The state of the till, asked every few seconds: badges, and sales that nobody has finished.

import { get, post, sentence } from "./till.js";
import * as view from "./view.js";
import { word } from "./words.js";

const POLL_MS = 4000;
const UNFINISHED_MAX = 3;

let [asked, heard] = [0, 0]; // the last look, and the last one that was answered
let shown = "";
let first = null; // the unfinished sale that has the keys

/** Looks once, and shows it. ``payingId()`` is the sale being paid here: it is no news. ``seen(health)`` unless nothing answers. */
export async function look(payingId, seen = () => {}) {
  asked += 1;
  const mine = asked;
  const { value: health = null } = await get("/healthz");
  if (mine < heard) return; // a later look has overtaken this one
  heard = mine;
  view.showBadges(health);
  if (health) await Promise.all([seen(health), lookAtUnfinished(health.unfinished_sales, payingId, mine)]);
}

/** Looks again and again. Comes back after the first look, whatever came of it. */
export async function lookAlways(payingId, seen) {
  try {
    await look(payingId, seen);
  } finally {
    setTimeout(() => lookAlways(payingId, seen), POLL_MS);
  }
}

async function lookAtUnfinished(all, payingId, mine) {
  const ids = all.filter((id) => id !== payingId());
  const rows = await Promise.all(ids.slice(0, UNFINISHED_MAX).map(async (id) => ({ id, ...await get(`/v1/sales/${encodeURIComponent(id)}`) })));
  if (mine < heard || rows.some((row) => row.lost)) return;
  const open = rows.filter(({ id, value }) => id !== payingId() && (!value || value.state === "authorised"));
  const more = Math.max(0, ids.length - UNFINISHED_MAX);
  first = open.find(({ value }) => value)?.id ?? null;
  if (JSON.stringify([open, more]) === shown) return;
  shown = JSON.stringify([open, more]);
  view.showUnfinished(open, more, (id, verb) => settle(id, verb, payingId));
}

async function settle(id, verb, payingId) {
  view.focusScan();
  const answer = await post(`/v1/sales/${encodeURIComponent(id)}/${verb}`, {}, `${id}:${verb}`);
  if (answer.value) view.tell(word(verb === "complete" ? "unfinished_completed" : "unfinished_cancelled", { number: answer.value.receipt_no }));
  else view.warn(sentence(answer));
  await look(payingId);
}

/** What the keys do: the first unfinished sale was paid, or it was not. */
export const settleFirst = (verb, payingId) => first !== null && settle(first, verb, payingId);
