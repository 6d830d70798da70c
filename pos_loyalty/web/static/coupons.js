// Whether a coupon acts, and if not, why not: read from the quote, said in the cashier's language.

import { titleOf } from "./view.js";
import { day, word } from "./words.js";

const FAULT = /^(is not known|is used up|begins on|ended on) ?(\d{4}-\d\d-\d\d)?$/;

/** Coupon to the reason why it does not act; those against which nothing speaks are not in it. */
export function faultsOf(codes, quote, names) {
  if (!quote) return new Map();
  return new Map(codes.map((code) => [code, whyNot(code, quote, names)]).filter(([, fault]) => fault));
}

function whyNot(code, quote, names) {
  const rules = names.coupons[code] ?? [];
  const said = quote.refusals.flatMap(({ have }) => have.split("; ")).find((part) => part.startsWith(`${code} `));
  if (said) return fault(said.slice(code.length + 1));
  if (rules.some((rule) => quote.applied.includes(rule))) return null;
  const beaten = quote.beaten.find(({ rule }) => rules.includes(rule));
  if (beaten) return word("coupon_beaten", { rule: titleOf(names.rules, beaten.by) });
  const refusal = quote.refusals.find(({ rule }) => rules.includes(rule));
  if (!refusal) return null;
  if (refusal.have === "no member") return word("coupon_member");
  return word("coupon_lacks", { have: refusal.have, need: refusal.need });
}

function fault(text) {
  const [, kind, date] = FAULT.exec(text) ?? [];
  switch (kind) {
    case "is not known": return word("coupon_unknown");
    case "is used up": return word("coupon_used");
    case "begins on": return word("coupon_begins", { day: day(date, "UTC") });
    case "ended on": return word("coupon_ended", { day: day(date, "UTC") });
    default: return text;
  }
}
