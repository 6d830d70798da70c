// What a cashier does for a member besides selling: points for a forgotten card, a lost or found card, a block.

import { lastOf, understood } from "./codes.js";
import { desk, show } from "./desk.js";
import * as dialogs from "./dialogs.js";
import { fill, named } from "./fill.js";
import { whenNamed } from "./known.js";
import { withSenior, withWord } from "./persons.js";
import { requote } from "./pricing.js";
import { isReceipt, nameOf } from "./returning.js";
import { get, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { clock, day, money, pointsInWords, word } from "./words.js";

const { $, element } = view;
const box = $("care");
const cashier = document.body.dataset.cashier;
const BLOCKED = "/problems/blocked";

let now = fresh();

/** ``sold``: the receipt without a card; ``profile``: the member's cards and state; ``key``: of the claim that awaits its answer;
 *  ``blocked``: a card whose member is blocked, of whom nothing more is told; ``codes``: how many were taken, and ``heard``: which of them
 *  the member and the receipt are of. */
function fresh() {
  const heard = { member: 0, sold: 0 };
  return { member: null, profile: null, sold: null, newCard: null, blocked: null, key: crypto.randomUUID(), keys: {}, busy: false, codes: 0, heard };
}

/** Whether the answer to this code is still wanted: the last code that was typed counts, not the last answer. */
function isLast(mine, what, number) {
  if (mine !== now || number < mine.heard[what]) return false;
  mine.heard[what] = number;
  return true;
}

const isShown = (mine, member) => mine === now && now.member?.member_id === member.member_id;

export function open() {
  if (desk.paying) return view.warn(word("paying_now"));
  now = fresh();
  dialogs.fault(box, "");
  $("care-told").textContent = "";
  $("care-code").value = "";
  dialogs.raise(box, { keys: { F4: block, F8: addCard, F9: claim }, scanned: (scan) => taken(scan), closed: view.focusScan });
  const { finished } = desk;
  if (finished && !finished.quote.member_id) take(finished.sale_id);
  if (desk.sale.member && !(finished && finished.quote.member_id)) return meet(desk.sale.member);
  return paint();
}

/** A card, a phone or a receipt, in any order. */
async function take(code) {
  const mine = now;
  const number = mine.codes += 1;
  const scan = await understood(code.trim());
  return mine === now ? taken(scan, number) : undefined;
}

function taken({ kind, code, is_mistyped, last = lastOf(code) }, number = now.codes += 1) {
  dialogs.fault(box, "");
  if (kind === "payment") return dialogs.fault(box, word("bank_card", { last }));
  if (is_mistyped) return dialogs.fault(box, word("card_mistyped", { last }));
  if (kind === "card") return identify({ card: code }, number);
  if (kind === "phone") return identify({ phone: code }, number);
  return findReceipt(nameOf(code), number);
}

async function identify(asked, number) {
  const mine = now;
  const answer = await post("/v1/identify", asked);
  if (!isLast(mine, "member", number)) return undefined;
  if (answer.value) return meet(answer.value);
  now.blocked = answer.problem?.type === BLOCKED ? asked.card : null;
  if (now.blocked) [now.member, now.profile] = [null, null];
  now.newCard = now.member && answer.problem?.status === 404 && asked.card ? asked.card : null;
  if (now.blocked) return paint();
  dialogs.fault(box, now.newCard ? word("care_free_card", { card: lastOf(asked.card) }) : sentence(answer));
  return paint();
}

async function meet(member) {
  const mine = now;
  [now.member, now.profile, now.newCard, now.blocked] = [member, null, null, null];
  paint();
  const answer = await get(`/v1/members/${encodeURIComponent(member.member_id)}`);
  if (!isShown(mine, member)) return;
  if (answer.value) now.profile = answer.value;
  else dialogs.fault(box, sentence(answer));
  paint();
}

async function findReceipt(asked, number) {
  const mine = now;
  const answer = await post("/v1/returns/preview", { return_id: crypto.randomUUID(), ...asked });
  if (!isLast(mine, "sold", number)) return;
  now.sold = answer.value ?? null;
  if (answer.problem?.status === 404 && !isReceipt(Object.values(asked)[0])) dialogs.fault(box, word("care_unknown"));
  else dialogs.fault(box, answer.value ? whyNoClaim(answer.value) : sentence(answer));
  paint();
}

function whyNoClaim(sold) {
  if (desk.namesOf !== undefined && !desk.names.terms.claim_days) return word("claim_never");
  if (sold.member_id) return word("claim_has_member", { number: sold.receipt_no });
  return "";
}

/** Points for the receipt whose card was forgotten. */
async function claim() {
  if (now.busy) return undefined;
  if (!now.sold || !now.member) return dialogs.fault(box, word(now.sold ? "claim_who" : "claim_which"));
  if (whyNoClaim(now.sold)) return dialogs.fault(box, whyNoClaim(now.sold));
  const mine = now;
  const asked = { member_id: mine.member.member_id, by: cashier || "till" };
  const path = `/v1/sales/${encodeURIComponent(mine.sold.sale_id)}/claim`;
  mine.busy = true;
  $("care-told").textContent = word("wait");
  const answer = await withSenior((approval) => post(path, { ...asked, approval }, mine.key), word("claim_senior", { number: mine.sold.receipt_no }));
  mine.busy = false;
  $("care-told").textContent = "";
  if (!answer) return dialogs.fault(box, word("claim_not_done"));
  if (!unsure(answer)) mine.key = crypto.randomUUID();
  dialogs.fault(box, answer.value ? "" : sentence(answer));
  if (!answer.value) return undefined;
  const fields = { points: pointsInWords(answer.value.accrued_centi), balance: pointsInWords(answer.value.balance_centi) };
  $("care-told").textContent = `✓ ${word("claim_done", fields)}`;
  mine.sold = null;
  mine.member = { ...mine.member, balance_centi: answer.value.balance_centi };
  const { member } = desk.sale;
  if (member?.member_id === answer.value.member_id) desk.sale.member = { ...member, balance_centi: answer.value.balance_centi }, show();
  return paint();
}

/** One key for one act, until its answer is certain: a card is never made twice. */
async function write(path, request) {
  const name = path + JSON.stringify({ ...request, by: request.by?.person });
  now.keys[name] ??= crypto.randomUUID();
  const answer = await post(path, request, now.keys[name]);
  if (!unsure(answer)) delete now.keys[name];
  return answer;
}

/** The same on the word of a person, who is asked for it first; nothing when they did not give it, or it failed. */
async function onWord(path, request, why) {
  const mine = now;
  if (mine.busy) return undefined;
  mine.busy = true;
  const answer = await withWord((by) => write(path, { ...request, cashier, by }), why);
  mine.busy = false;
  if (mine !== now || !answer) return undefined;
  dialogs.fault(box, answer.value ? "" : sentence(answer));
  return answer.value;
}

async function cards(asked, said) {
  const [mine, { member }] = [now, now];
  const path = `/v1/members/${encodeURIComponent(member.member_id)}/cards`;
  if (mine.busy) return;
  mine.busy = true;
  const answer = await withWord((by) => write(path, { ...asked, cashier, by }), asked.found ? word("found_why") : "");
  mine.busy = false;
  if (!isShown(mine, member) || !answer) return;
  const profile = answer.value;
  dialogs.fault(box, profile ? "" : sentence(answer));
  if (!profile) return;
  [now.profile, now.newCard] = [profile, null];
  $("care-told").textContent = `✓ ${profile.made_card ? word("card_made_now", { card: profile.made_card }) : said}`;
  paint();
}

function addCard() {
  if (!now.member) return undefined;
  if (now.newCard) return cards({ card: now.newCard }, word("card_added", { card: lastOf(now.newCard) }));
  if (document.body.dataset.makes === "yes") return cards({ new_card: true }, "");
  return dialogs.fault(box, word("care_scan_card"));
}

async function block() {
  if (now.blocked) return letIn(now.blocked);
  if (!now.profile) return undefined;
  const [mine, { member }] = [now, now];
  const wasBlocked = now.profile.state === "blocked";
  const request = { changes: [{ change: "state", state: wasBlocked ? "active" : "blocked" }] };
  const path = `/v1/members/${encodeURIComponent(member.member_id)}/changes`;
  const profile = await onWord(path, request, word(wasBlocked ? "unblock_why" : "block_why"));
  if (!profile) return undefined;
  if (!wasBlocked && !desk.paying && desk.sale.member?.member_id === member.member_id) {
    [desk.sale.member, desk.sale.redeem] = [null, null];
    requote();
  }
  if (!isShown(mine, member)) return undefined;
  now.profile = profile;
  $("care-told").textContent = `✓ ${word(wasBlocked ? "unblocked" : "blocked")}`;
  return paint();
}

/** Whose card the till does not name: a person's word lets them in, and they are met as anybody. */
async function letIn(card) {
  if (!await onWord("/v1/members/let-in", { card }, word("unblock_why"))) return undefined;
  await identify({ card }, now.codes += 1);
  $("care-told").textContent = `✓ ${word("unblocked")}`;
  return undefined;
}

function paint() {
  const { member, profile, sold, blocked } = now;
  fill($("care-member"), ...(member ? memberRows(member, profile) : [element("p", blocked ? "bad" : "faint", blocked ? word("care_blocked", { card: lastOf(blocked) }) : word("care_no_member"))]));
  fill($("care-receipt"), element("p", sold ? "who" : "faint", sold ? receiptWords(sold) : word("care_no_receipt")));
  $("care-claim").disabled = !member || !sold || Boolean(whyNoClaim(sold));
  $("care-block").disabled = !profile && !blocked;
  $("care-block-name").textContent = word(blocked || profile?.state === "blocked" ? "unblock" : "block");
  $("care-card").hidden = !member || !(now.newCard || document.body.dataset.makes === "yes");
  $("care-card-name").textContent = now.newCard ? word("card_add", { card: lastOf(now.newCard) }) : word("card_make");
  if (document.activeElement === document.body || document.activeElement === box) $("care-code").focus();
}

const receiptWords = (sold) =>
  word("care_receipt", { number: sold.receipt_no, at: `${day(sold.sold_at)}, ${clock(sold.sold_at)}`, due: money(sold.due_minor) });

function memberRows(member, profile) {
  const state = profile?.state === "blocked" ? ` · ${word("is_blocked")}` : "";
  const rows = [element("p", "who", `${member.card ? `${word("card")} ${lastOf(member.card)}` : word("member")} · ${pointsInWords(member.balance_centi)}${state}`)];
  for (const { card, state: cardState } of profile?.cards ?? []) rows.push(cardRow(card, cardState));
  return rows;
}

function cardRow(card, cardState) {
  const isLost = cardState === "lost";
  const turn = element("button", "small", word(isLost ? "card_found" : "card_lost"));
  turn.type = "button";
  named(turn, cardState, () => cards({ [isLost ? "found" : "lost"]: card }, word(isLost ? "card_is_found" : "card_is_lost", { card: lastOf(card) })));
  return named(element("div", "row", element("p", isLost ? "bad" : "", `${lastOf(card)}${isLost ? ` · ${word("lost_card")}` : ""}`), turn), card);
}

export function start() {
  whenNamed(() => dialogs.isOpen(box) && paint());
  $("care-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("care-code").value;
    $("care-code").value = "";
    return text.trim() ? take(text) : undefined;
  });
  for (const [id, act] of Object.entries({ "care-claim": claim, "care-block": block, "care-card": addCard })) {
    $(id).addEventListener("click", act);
  }
}
