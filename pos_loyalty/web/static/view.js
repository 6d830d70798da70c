// What the page shows. Nothing here decides or asks; text goes in as text, never as markup.

import { quantityText } from "./basket.js";
import { lastOf } from "./codes.js";
import { amount, clock, day, decimal, hasWord, LANGUAGE, money, pointNoun, points, pointsInWords, word } from "./words.js";

const NO_AMOUNT = "—";

export const $ = (id) => document.getElementById(id);

/** An element with a class, text or children. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** A rule's title; what is not a rule of the programme (a discount by hand, rounding) has a word of ours. */
export function titleOf(titles, rule) {
  const title = titles[rule];
  if (title) return title[LANGUAGE] ?? Object.values(title)[0] ?? rule;
  return hasWord(`rule.${rule}`) ? word(`rule.${rule}`) : rule;
}

/** ``faults``: coupon to the reason why it does not act. */
export function showLines(sale, quote, titles, faults, choose) {
  const body = $("lines").tBodies[0];
  body.replaceChildren(...sale.lines.map((line) => lineRow(line, sale, quote, titles, choose)));
  $("lines").hidden = sale.lines.length === 0;
  $("empty").hidden = sale.lines.length > 0;
  body.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  $("coupons").hidden = sale.coupons.length === 0;
  $("coupons").replaceChildren(...sale.coupons.map((code) => couponChip(code, faults[code])));
}

function couponChip(code, fault) {
  const name = `${word("coupon")} ${code}`;
  if (!fault) return element("li", "", name);
  return element("li", "void", element("s", "", name), ` ${word("coupon_void", { why: fault })}`);
}

function lineRow(line, sale, quote, titles, choose) {
  const priced = quote?.lines.find((one) => one.line_id === line.id);
  const name = element("td", "", element("span", "name", line.product.name || line.product.sku));
  for (const { rule, off_minor } of priced?.adjustments ?? []) {
    name.append(element("span", "reason", `${titleOf(titles, rule)}: −${amount(off_minor)}`));
  }
  const unit = line.product.measure === "weight" ? `\u00a0${word("kg")}` : "";
  const sum = element("td", "number");
  if (priced && priced.net_minor !== priced.gross_minor) sum.append(element("s", "faint", amount(priced.gross_minor)), " ");
  sum.append(element("strong", "", priced ? amount(priced.net_minor) : "…"));
  const row = element(
    "tr", "", name, element("td", "number", decimal(quantityText(line.milli)) + unit),
    element("td", "number", amount(line.product.price_minor)), sum,
  );
  if (line.id === sale.selected) row.setAttribute("aria-current", "true");
  row.addEventListener("click", () => choose(line.id));
  return row;
}

export function showMember(member, tiers) {
  const box = $("member");
  $("code-form").hidden = document.body.dataset.verifies !== "yes" || member?.phone !== "unverified";
  if (!member) {
    box.replaceChildren(element("p", "faint", word("no_member")));
    return;
  }
  const card = member.card ? `${word("card")} ${lastOf(member.card)}` : word("member");
  const tier = member.tier ? titleOf(tiers, member.tier) : "";
  const facts = [element("p", "who", [card, tier].filter(Boolean).join(" · "))];
  facts.push(element("p", "balance", element("strong", "", points(member.balance_centi)), ` ${pointNoun(member.balance_centi)}`));
  if (member.next_expiry && member.next_expiry_centi > 0) {
    const fields = { points: pointsInWords(member.next_expiry_centi), day: day(member.next_expiry) };
    facts.push(element("p", "expiring", word("expiring", fields)));
  }
  if (member.owed_centi > 0) facts.push(element("p", "owed", word("owed", { points: pointsInWords(member.owed_centi) })));
  if (member.redeemable_centi < member.usable_centi) {
    facts.push(element("p", "faint", word("limited", { points: pointsInWords(member.redeemable_centi) })));
  }
  if (member.phone === "unverified") facts.push(element("p", "faint", word("phone_unverified")));
  for (const { name, title, expires_at } of member.privileges) {
    const until = expires_at ? `, ${word("until", { day: day(lastDay(expires_at)) })}` : "";
    facts.push(element("p", "privilege", `★ ${title[LANGUAGE] ?? Object.values(title)[0] ?? name}${until}`));
  }
  if (member.paid_until) facts.push(element("p", "faint", word("paid_until", { day: day(lastDay(member.paid_until)) })));
  if (member.known_at) facts.push(element("p", "faint", word("known_at", { time: clock(member.known_at) })));
  box.replaceChildren(...facts);
}

/** The last instant at which something is still good. */
const lastDay = (end) => new Date(Date.parse(end) - 1);

export function showTotals(sale, quote, asking) {
  $("totals").classList.toggle("stale", asking);
  const saved = quote ? quote.gross_minor - quote.total_minor : 0;
  const byPoints = quote ? quote.total_minor - quote.due_minor : 0;
  const own = (quote?.accruals ?? []).filter(({ member_id }) => !member_id || member_id === quote.member_id);
  const earn = own.reduce((sum, accrual) => sum + accrual.centi, 0);
  const total = (minor) => (quote || sale.lines.length === 0 ? money(minor ?? 0) : NO_AMOUNT);
  $("gross").textContent = total(quote?.gross_minor);
  $("saved").textContent = `−${money(saved)}`;
  $("saved-row").hidden = saved === 0;
  $("by-points").textContent = `−${money(byPoints)}`;
  $("by-points-row").hidden = byPoints === 0;
  $("due").textContent = total(quote?.due_minor);
  $("earn").textContent = `+${pointsInWords(earn)}`;
  $("earn-row").hidden = earn === 0;
  showPoints(sale, quote);
}

function showPoints(sale, quote) {
  const most = quote?.redemption.max_centi ?? 0;
  const on = sale.redeem !== null;
  $("points").hidden = !sale.member || !quote || (most === 0 && !on);
  $("redeem").setAttribute("aria-pressed", String(on));
  const field = $("redeem-amount");
  if (document.activeElement === field) return;
  field.value = points(on && quote ? quote.redemption.centi : most);
}

export const focusScan = () => $("scan").focus({ preventScroll: true });

/** One line of good or neutral news; the empty text clears it. */
export function tell(text) {
  $("notice").textContent = text;
  $("notice").classList.remove("attention");
  $("alarm").hidden = true;
  $("alarm").textContent = "";
}

/** News that the cashier must not miss, though nothing failed: a question, or a change that they may not have meant. */
export function point(text) {
  tell(text);
  $("notice").classList.add("attention");
}

/** One sentence about what failed. */
export function warn(text) {
  tell("");
  $("alarm").hidden = false;
  $("alarm").textContent = text;
}

export function showBadges(health) {
  if (!health) {
    $("badges").replaceChildren(element("li", "failed", `⚠ ${word("till_gone")}`));
    return;
  }
  const badges = [];
  const heard = health.heard_at ? word("heard_at", { time: clock(health.heard_at) }) : word("never_heard");
  if (health.head_office === "answers") badges.push(element("li", "", `● ${word("head_office_answers")}`));
  if (health.head_office === "silent") badges.push(element("li", "offline", `○ ${word("head_office_silent")} · ${heard}`));
  if (health.unsent_facts > 0) badges.push(element("li", "", word("unsent", { count: health.unsent_facts })));
  if (health.prints_waiting > 0) badges.push(element("li", "", word("prints_waiting", { count: health.prints_waiting })));
  for (const problem of health.problems) badges.push(element("li", "failed", `⚠ ${problem}`));
  $("badges").replaceChildren(...badges);
}

/** Sales whose payment nobody has confirmed. The first one has the keys; one that cannot be read is named all the same. */
export function showUnfinished(rows, more, finish) {
  const first = rows.find(({ value }) => value);
  const button = (row, name, key, verb) => {
    const made = element("button", "", ...(row === first ? [element("kbd", "", key), " "] : []), word(name));
    made.type = "button";
    made.addEventListener("click", () => finish(row.id, verb));
    return made;
  };
  const items = rows.map((row) => {
    if (!row.value) return element("div", "row", element("p", "", word("unfinished_unread", { id: row.id })));
    const { quote, authorised_at, receipt_no } = row.value;
    const fields = { due: money(quote.due_minor), time: clock(authorised_at), number: receipt_no };
    const question = element("p", "", word("unfinished_question", fields));
    return element("div", "row", question, button(row, "paid", "Shift+F8", "complete"), button(row, "not_paid", "Shift+F9", "cancel"));
  });
  if (more) items.push(element("p", "", word("unfinished_more", { count: more })));
  $("unfinished").hidden = items.length === 0;
  $("unfinished").replaceChildren(...items);
}

export function showFound(found, active, take) {
  $("found").hidden = found.length === 0;
  $("scan").setAttribute("aria-expanded", String(found.length > 0));
  $("found").replaceChildren(...found.map((product, at) => {
    const item = element("li", "", element("span", "", product.name || product.sku), element("span", "number", money(product.price_minor)));
    item.id = `found-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(at === active));
    item.addEventListener("click", () => take(product));
    return item;
  }));
  if (found.length && active >= 0) $("scan").setAttribute("aria-activedescendant", `found-${active}`);
  else $("scan").removeAttribute("aria-activedescendant");
}

export function showDone(sale, receipt) {
  const shown = Boolean(sale);
  $("done").hidden = !shown;
  document.body.classList.toggle("is-done", shown);
  if (!shown) return;
  $("done-title").textContent = `✓ ${word("done", { due: money(sale.quote.due_minor), number: sale.receipt_no })}`;
  $("receipt").textContent = receipt;
  const notes = sale.coupons.map(({ code }) => word("coupon_issued", { code }));
  if (sale.balance_centi !== null) notes.push(word("balance_after", { points: pointsInWords(sale.balance_centi) }));
  if (sale.settled_centi > 0) notes.push(word("settled", { points: pointsInWords(sale.settled_centi) }));
  if (sale.owed_centi > 0) notes.push(word("owed", { points: pointsInWords(sale.owed_centi) }));
  $("done-note").textContent = notes.join(". ");
  $("picture").href = `/v1/receipts/${encodeURIComponent(sale.sale_id)}.png?language=${LANGUAGE}`;
  $("paper").scrollTop = 0;
  showMore();
}

/** Says that the receipt goes on below for as long as it does. */
export function showMore() {
  const paper = $("paper");
  $("more").textContent = paper.scrollTop + paper.clientHeight < paper.scrollHeight - 2 ? `↓ ${word("more")}` : "";
}

export const turnPaper = (pages) => $("paper").scrollBy({ top: pages * $("paper").clientHeight * 0.9 });
