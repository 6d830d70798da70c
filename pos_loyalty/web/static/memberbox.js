// The member at the till, in one look: the tier and why, what keeps it, and which points may be used, wait, run out or are owed.

import { lastOf } from "./codes.js";
import { fill } from "./fill.js";
import { $, element, titleOf } from "./view.js";
import { clock, day, LANGUAGE, money, pointNoun, points, pointsInWords, word } from "./words.js";

export function showMember(member, tiers) {
  const box = $("member");
  $("code-form").hidden = document.body.dataset.verifies !== "yes" || member?.phone !== "unverified";
  if (!member) {
    fill(box, element("p", "faint", word("no_member")));
    return;
  }
  const card = member.card ? `${word("card")} ${lastOf(member.card)}` : word("member");
  const tier = member.tier ? titleOf(tiers, member.tier) : "";
  const facts = [element("p", "who", [card, tier].filter(Boolean).join(" · ")), ...tierFacts(member.standing, tiers)];
  facts.push(element("p", "balance", element("strong", "", points(member.balance_centi)), ` ${pointNoun(member.balance_centi)}`));
  fill(box, ...facts, ...pointFacts(member), ...rightFacts(member));
}

/** Why the tier is there, what keeps it, and what is missing for the next one. */
function tierFacts(standing, tiers) {
  if (!standing) return [];
  const facts = [];
  const why = standing.tier && reasonOf(standing);
  const kept = keptOf(standing);
  if (why || kept) facts.push(element("p", standing.warned_for ? "expiring" : "faint", [why, kept].filter(Boolean).join("; ")));
  if (standing.next_tier && standing.missing > 0) {
    const fields = { missing: figure(standing.missing, standing.measure), tier: titleOf(tiers, standing.next_tier) };
    facts.push(element("p", "faint", word("tier_next", fields)));
  }
  return facts;
}

const REASONS = { reached: "tier_reached", renewed: "tier_renewed", recounted: "tier_recounted", staff: "tier_staff", fell: "tier_fell", returned: "tier_returned" };

const reasonOf = ({ reason, since }) => (reason in REASONS ? word(REASONS[reason], { day: since ? day(since, "UTC") : "" }).trim() : "");

function keptOf(standing) {
  if (!standing.tier || !standing.until) return "";
  const last = day(standing.until, "UTC");
  if (standing.is_frozen || standing.missing_to_keep === null) return word("tier_until", { day: last });
  if (standing.missing_to_keep === 0) return word("tier_kept", { day: last });
  return word("tier_keeps", { day: last, missing: figure(standing.missing_to_keep, standing.measure) });
}

const figure = (amount, measure) =>
  measure === "spent" ? money(amount) : measure === "points" ? pointsInWords(amount) : word("visits", { count: amount });

function pointFacts(member) {
  const facts = [];
  if (member.owed_centi) facts.push(element("p", "owed", word("owed", { points: pointsInWords(member.owed_centi) })));
  if (member.next_expiry && member.next_expiry_centi > 0) {
    const fields = { points: pointsInWords(member.next_expiry_centi), day: day(member.next_expiry) };
    facts.push(element("p", "expiring", word("expiring", fields)));
  }
  if (member.pending_centi) {
    const next = member.lots.find(({ phase }) => phase === "pending")?.usable_from;
    const fields = { points: pointsInWords(member.pending_centi), day: next ? day(next) : "" };
    facts.push(element("p", "faint", word(next ? "pending_from" : "pending", fields)));
  }
  if (member.redeemable_centi < member.usable_centi) {
    facts.push(element("p", "faint", word("limited", { points: pointsInWords(member.redeemable_centi) })));
  }
  return facts;
}

function rightFacts(member) {
  const facts = [];
  const verifies = document.body.dataset.verifies === "yes";
  if (member.phone === "unverified") facts.push(element("p", verifies ? "expiring" : "faint", word(verifies ? "phone_earns" : "phone_unverified")));
  for (const { name, title, expires_at } of member.privileges) {
    const until = expires_at ? `, ${word("until", { day: day(lastDay(expires_at)) })}` : "";
    facts.push(element("p", "privilege", `★ ${title[LANGUAGE] ?? Object.values(title)[0] ?? name}${until}`));
  }
  if (member.paid_until) facts.push(element("p", "faint", word("paid_until", { day: day(lastDay(member.paid_until)) })));
  if (member.known_at) facts.push(element("p", "faint", word("known_at", { time: clock(member.known_at) })));
  return facts;
}

/** The last instant at which something is still good. */
const lastDay = (end) => new Date(Date.parse(end) - 1);
