// Whose word is needed: a person's by name and PIN, or the holder's that points are redeemed. A PIN is kept no longer than it is asked.

import * as dialogs from "./dialogs.js";
import { post, sentence } from "./till.js";
import { $ } from "./view.js";
import { word } from "./words.js";

const senior = { box: $("senior"), answer: null };
const holder = { box: $("holder"), answer: null, kind: "pin", memberId: null };

/** Asks for a senior and their PIN. ``why`` is shown; null when the cashier goes back. */
export const askSenior = (why) => askPerson(why, "senior");

/** Runs ``act(approval)``, again with a senior's word for as long as one is missing or wrong; null when nobody gave it. */
export const withSenior = (act, why = "") => untilSaid(act, why, "senior");

/** The same with the word of anybody on the staff, for acts that a person answers for. */
export const withWord = (act, why) => untilSaid(act, why, "who_answers");

async function untilSaid(act, why, title) {
  let said = why ? await askPerson(why, title) : null;
  if (why && !said) return null;
  for (;;) {
    const answer = await act(said);
    if (answer.problem?.needs !== "approval") return answer;
    said = await askPerson(sentence(answer), title, true);
    if (!said) return null;
  }
}

function askPerson(why, title, isRefused = false) {
  dialogs.fault(senior.box, why);
  senior.box.classList.toggle("refused", isRefused);
  $("senior-title").textContent = word(title);
  $("senior-pin").value = "";
  return ask(senior, $("senior-name").value ? $("senior-pin") : $("senior-name"));
}

/** How the holder confirms a redemption: {pin}, {code} or {qr}; "without" points; null when the cashier goes back. */
export function askHolder(kind, why, memberId) {
  [holder.kind, holder.memberId] = [kind, memberId];
  dialogs.fault(holder.box, why);
  $("holder-phone-row").hidden = kind !== "code";
  $("holder-word").value = "";
  $("holder-word").type = kind === "pin" ? "password" : "text";
  $("holder-label").textContent = word({ pin: "holder_pin", code: "holder_code", qr: "holder_qr" }[kind]);
  $("holder-told").textContent = "";
  return ask(holder, kind === "code" && !$("holder-phone").value ? $("holder-phone") : $("holder-word"));
}

function ask(one, first) {
  return new Promise((answer) => {
    one.answer?.(null); // who asked before, and was answered by nobody, does not wait for ever
    one.answer = answer;
    dialogs.raise(one.box, {
      keys: one === holder ? { F2: () => end(holder, "without"), F8: sendCode } : {},
      scanned: (scan) => (one === holder ? holderShowed(scan) : badge(scan)),
      closed: () => end(one, null),
    });
    first.focus();
  });
}

function holderShowed({ code }) {
  $("holder-word").value = code;
  holderSaid();
}

/** A badge names its person; only their PIN proves them. */
function badge({ kind, code }) {
  if (kind !== "staff") return;
  $("senior-name").value = code;
  $("senior-pin").focus();
}

function end(one, value) {
  dialogs.drop(one.box);
  one.answer?.(value);
  one.answer = null;
}

function seniorSaid() {
  const person = $("senior-name").value.trim();
  const pin = $("senior-pin").value;
  if (!person) return $("senior-name").focus();
  if (!/^\d{4,12}$/.test(pin)) return $("senior-pin").focus();
  $("senior-pin").value = "";
  return end(senior, { person, pin });
}

function holderSaid() {
  const said = $("holder-word").value.trim();
  if (!said) return $("holder-word").focus();
  $("holder-word").value = "";
  return end(holder, { [holder.kind]: said });
}

async function sendCode() {
  if (holder.kind !== "code") return;
  const path = `/v1/members/${encodeURIComponent(holder.memberId)}/confirmations`;
  const asked = holder.answer;
  const answer = await post(path, { phone: $("holder-phone").value.trim() });
  if (holder.answer !== asked) return;
  dialogs.fault(holder.box, answer.value ? "" : sentence(answer));
  $("holder-told").textContent = answer.value ? word("code_sent") : "";
  (answer.value ? $("holder-word") : $("holder-phone")).focus();
}

export function start() {
  const said = (id, act) => $(id).addEventListener("submit", (event) => { event.preventDefault(); act(); });
  said("senior-form", seniorSaid);
  said("holder-form", holderSaid);
  $("holder-send").addEventListener("click", sendCode);
  $("holder-without").addEventListener("click", () => end(holder, "without"));
}
