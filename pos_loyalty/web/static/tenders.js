// What pays the due: the goods that are exchanged, gift cards, and the rest in money. Plain values; the till checks all of it.

/** {refund, gifts: [{gift, minor}], rest}: ``refund`` of the goods exchanged; ``rest`` below nothing is paid out. */
export function planOf(sale, quote) {
  const due = quote?.due_minor ?? 0;
  const refund = sale.exchange?.would.refund_minor ?? 0;
  let free = Math.max(0, due - Math.max(advanceOf(quote), Math.min(refund, due))); // a gift card never pays for another one
  const gifts = sale.gifts.map((gift) => {
    const minor = Math.min(gift.balance_minor, free);
    free -= minor;
    return { gift, minor };
  });
  const rest = due - refund - gifts.reduce((sum, { minor }) => sum + minor, 0);
  return { refund, gifts, rest };
}

/** As the till takes them. ``kind`` pays the rest. */
export function tendersOf(plan, kind) {
  const gifts = plan.gifts.filter(({ minor }) => minor > 0);
  const tenders = gifts.map(({ gift, minor }) => ({ kind: "gift", amount_minor: minor, card: gift.card_id, pin: gift.pin }));
  return plan.rest > 0 ? [...tenders, { kind, amount_minor: plan.rest }] : tenders;
}

const isAdvance = (line) => (line.fiscal ?? []).some(({ kind }) => kind === "advance");
const advanceOf = (quote) => (quote?.lines ?? []).filter(isAdvance).reduce((sum, line) => sum + line.net_minor, 0);
