// What a typed or scanned code is, judged before anything is asked or shown. The number of a bank card goes no further than this.

const CARDS = JSON.parse(document.body.dataset.cards); // the shop's own ranges: prefix, length, check
const SPACING = /[\s()\u2010-\u2015-]/g;
const PHONE = /^(\+\d{7,15}|[78]\d{10}|9\d{9})$/;
const BANK_STRIPE = /^(?:%B|;)(\d{12,19})[\^=]/;
const BANK_DIGITS = /^\d{13,19}$/;
const GTIN_DIGITS_MAX = 14;
const SHOWN_DIGITS_MAX = 10;

/** {kind, text, last}: a "card" of ours, one "mistyped", a "bank" card, a "phone", or an "other" code. */
export function judge(code, cards = CARDS) {
  const text = code.replace(SPACING, "");
  const range = cards.find(({ prefix, length }) => text.length === length && text.startsWith(prefix) && /^[0-9A-Z]+$/.test(text));
  if (range) return { kind: holds(range.check, text) ? "card" : "mistyped", text, last: lastOf(text) };
  const stripe = BANK_STRIPE.exec(code);
  if (stripe || isBankCard(text)) return { kind: "bank", text: "", last: lastOf(stripe ? stripe[1] : text) };
  if (PHONE.test(text)) return { kind: "phone", text, last: lastOf(text) };
  return { kind: "other", text: code, last: lastOf(text) };
}

/** A code as it may stand on the screen: a long number only when it is a product's. */
export function sayable(code) {
  const digits = code.replace(/\D/g, "");
  const isProduct = gtinHolds(digits) && digits.length <= GTIN_DIGITS_MAX && !(BANK_DIGITS.test(digits) && luhnHolds(digits));
  return digits.length <= SHOWN_DIGITS_MAX || isProduct ? code : lastOf(digits);
}

/** The last four signs, with a mark that more went before. */
export const lastOf = (text) => `•• ${text.slice(-4)}`;

const isBankCard = (text) => BANK_DIGITS.test(text) && luhnHolds(text) && !(text.length <= GTIN_DIGITS_MAX && gtinHolds(text));

const holds = (check, text) => check === "none" || (/^\d+$/.test(text) && (check === "gtin" ? gtinHolds(text) : luhnHolds(text)));

/** Source: GS1 General Specifications, 7.9. */
export const gtinHolds = (digits) => sumFromRight(digits, (digit, odd) => (odd ? 3 * digit : digit)) % 10 === 0;

/** Source: ISO/IEC 7812-1, annex B. */
export const luhnHolds = (digits) => sumFromRight(digits, (digit, odd) => (odd ? 2 * digit - (digit > 4 ? 9 : 0) : digit)) % 10 === 0;

const sumFromRight = (digits, weigh) => [...digits].reverse().reduce((sum, digit, at) => sum + weigh(Number(digit), at % 2 === 1), 0);
