// What a code is: the till says it, by the one parser that every scanner goes through. Only two things are judged here: a phone is what
// a person types, and the number of a bank card goes no further than this.

import { post } from "./till.js";

const SPACING = /[\s()\u2010-\u2015-]/g;
const PHONE = /^(\+\d{7,15}|[78]\d{10}|9\d{9})$/;
const BANK_STRIPE = /^(?:%B|;)(\d{12,19})[\^=]/;
const BANK_DIGITS = /^\d{13,19}$/;
const GTIN_DIGITS_MAX = 14;
const SHOWN_DIGITS_MAX = 10;

/** What the till understands of a code: {kind, code, sku, …}; a "payment" card and a "phone" are known here. ``last`` may be shown. */
export async function understood(code) {
  const text = bare(code);
  const last = paymentIn(code);
  if (last) return { kind: "payment", code: "", last };
  if (PHONE.test(text)) return { kind: "phone", code: text, last: lastOf(text) };
  const answer = await post("/v1/scans", { code });
  return { ...(answer.value ?? { kind: "code", code, lost: true }), last: lastOf(text) };
}

/** What may be shown of the bank card's number that stands in a code; null without one. */
export function paymentIn(code) {
  const text = bare(code);
  const stripe = BANK_STRIPE.exec(code);
  const number = stripe?.[1] ?? (isBankCard(text) ? text : (text.match(/\d+/g) ?? []).find((run) => /^(?:2[2-7]|[3-6])/.test(run) && isBankCard(run)));
  return number ? lastOf(number) : null;
}

let turn = Promise.resolve();

/** Codes are taken one after another, in the order in which they came, however long the till thinks about one. */
export function inTurn(act) {
  const mine = turn.then(act);
  turn = mine.catch(() => {});
  return mine;
}

/** A number without the blanks and dashes that a person puts into it. */
export const bare = (code) => code.replace(SPACING, "");

/** A code as it may stand on the screen: a long number only when it is a product's. */
export function sayable(code) {
  const digits = code.replace(/\D/g, "");
  const isProduct = gtinHolds(digits) && digits.length <= GTIN_DIGITS_MAX && !(BANK_DIGITS.test(digits) && luhnHolds(digits));
  return digits.length <= SHOWN_DIGITS_MAX || isProduct ? code : lastOf(digits);
}

/** The last four signs, with a mark that more went before. */
export const lastOf = (text) => `•• ${text.slice(-4)}`;

const isBankCard = (text) => BANK_DIGITS.test(text) && luhnHolds(text) && !(text.length <= GTIN_DIGITS_MAX && gtinHolds(text));

/** Source: GS1 General Specifications, 7.9. */
export const gtinHolds = (digits) => sumFromRight(digits, (digit, odd) => (odd ? 3 * digit : digit)) % 10 === 0;

/** Source: ISO/IEC 7812-1, annex B. */
export const luhnHolds = (digits) => sumFromRight(digits, (digit, odd) => (odd ? 2 * digit - (digit > 4 ? 9 : 0) : digit)) % 10 === 0;

const sumFromRight = (digits, weigh) => [...digits].reverse().reduce((sum, digit, at) => sum + weigh(Number(digit), at % 2 === 1), 0);
