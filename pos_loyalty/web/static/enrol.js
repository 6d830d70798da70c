// A new member at the till, and the code that shows that a phone is theirs. Rule: no consent is ticked beforehand.

import { bare, understood } from "./codes.js";
import { desk } from "./desk.js";
import { judged, welcome } from "./scanbox.js";
import { post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { word } from "./words.js";

const { $, focusScan } = view;
let isSending = false;
let key = crypto.randomUUID(); // of the enrolment that is being typed: the same until the till has answered for certain

/** Whether a scanned code belongs into the form that is open. */
export function takesCard({ kind, code }) {
  if (!$("enrol").open || $("enrol-card").value || kind !== "card") return false;
  $("enrol-card").value = code;
  return true;
}

async function enrol(event) {
  event.preventDefault();
  view.calm();
  if (isSending) return view.warn(word("wait"));
  if (desk.paying) return view.warn(word("paying_now"));
  const { sale } = desk;
  const request = asked($("enrol-card").value.trim());
  isSending = true;
  const answer = await judged(() => sent(request)); // nothing is paid meanwhile: the newcomer is to have the points of it
  isSending = false;
  if (answer.last) return view.warn(word("bank_card", { last: answer.last }));
  if (!answer.value) return view.warn(sentence(answer));
  leave($("enrol-form"));
  $("enrol-form").reset();
  $("enrol").open = false;
  const isTheirs = desk.sale === sale && !desk.finished;
  if (isTheirs) welcome(answer.value);
  const made = answer.value.made_card;
  view.point(made ? word("card_made", { card: made }) : word("enrolled"));
  return isTheirs && !$("code-form").hidden ? sendCode() : undefined;
}

/** Its answer; ``last`` alone of a bank card, which goes nowhere. */
async function sent(request) {
  const { kind, last } = request.card ? await understood(request.card) : {};
  if (kind === "payment") return { last };
  const answer = await post("/v1/members", request, key);
  if (!unsure(answer)) key = crypto.randomUUID();
  return answer;
}

/** The keys go back to the scan box, unless the cashier took them elsewhere meanwhile. */
function leave(form) {
  if (form.contains(document.activeElement)) focusScan();
}

/** Empty fields are left out. */
function asked(card) {
  const text = (id) => $(id).value.trim();
  const consents = ["data", "advertising"].filter((purpose) => $(`enrol-${purpose}`).checked);
  const request = { consents, cashier: document.body.dataset.cashier, channel: "till", name: text("enrol-name") };
  if ($("enrol-new-card")?.checked) request.new_card = true;
  if (card) request.card = bare(card);
  if (text("enrol-phone")) request.phone = text("enrol-phone");
  return request;
}

async function sendCode() {
  const { member } = desk.sale;
  const answer = await post(`/v1/members/${encodeURIComponent(member.member_id)}/codes`, {}, crypto.randomUUID());
  return answer.value ? view.point(word("code_sent")) : view.warn(sentence(answer));
}

async function check(event) {
  event.preventDefault();
  const { member } = desk.sale;
  const request = { code: $("code").value.trim(), cashier: document.body.dataset.cashier };
  $("code").value = "";
  const answer = await post(`/v1/members/${encodeURIComponent(member.member_id)}/codes/verify`, request, crypto.randomUUID());
  if (!answer.value) return view.warn(sentence(answer));
  leave($("code-form"));
  const isTheirs = desk.sale.member?.member_id === member.member_id && !desk.paying && !desk.finished;
  if (isTheirs) welcome({ ...desk.sale.member, phone: answer.value.phone, redeemable_centi: member.usable_centi });
  return view.tell(word("phone_verified"));
}

export function start() {
  $("enrol-form").addEventListener("submit", enrol);
  $("code-form").addEventListener("submit", check);
  $("code-send").addEventListener("click", sendCode);
}
