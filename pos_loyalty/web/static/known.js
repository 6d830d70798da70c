// What the page has to know before it can sell: the goods, and what the programme names. Both are asked for until they came.

import { desk, show } from "./desk.js";
import { get } from "./till.js";

const acts = [];
let [asked, heard] = [0, 0]; // names: the last question, and the last one that was answered
let goods = null; // the one question about the goods that is on its way

/** ``act()`` is called whenever names came or changed. */
export const whenNamed = (act) => acts.push(act);

/** The names of this programme, unless they are here. An answer that a later one has overtaken is dropped. */
export async function learnNames(programme) {
  if (programme === desk.namesOf) return;
  asked += 1;
  const mine = asked;
  const answer = await get("/page/names.json");
  if (!answer.value || mine < heard) return;
  heard = mine;
  [desk.names, desk.namesOf] = [answer.value, programme];
  for (const act of acts) act();
}

/** The goods of this till, unless they are here. */
export async function learnGoods() {
  if (desk.products) return;
  goods ??= get("/page/products.json");
  const answer = await goods;
  goods = null;
  if (desk.products || !answer.value) return;
  desk.products = answer.value;
  show();
}
