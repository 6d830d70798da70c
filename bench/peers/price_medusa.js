// Medusa's promotion module: the CPU time of its computeActions, for the workload file named as the first argument.
// The database is left out: the service is made without its constructor, and the one query it asks is answered from memory.
"use strict";
const fs = require("fs");
const { createRequire } = require("module");

const work = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const installed = createRequire(`${process.cwd()}/`);
const promotion = installed("@medusajs/promotion");
const { version } = installed("@medusajs/promotion/package.json");
const Service = (promotion.default ?? promotion).service;

function named(rule) {
  const rules = [];
  if (rule.skus?.length) rules.push(among("items.sku", rule.skus));
  if (rule.cats?.length) rules.push(among("items.cat", rule.cats));
  if (rule.brands?.length) rules.push(among("items.brand", rule.brands));
  return rules;
}

function among(attribute, names) {
  return { attribute, operator: "in", values: names.map((value) => ({ value })) };
}

function least(attribute, figure) {
  return { attribute, operator: "gte", values: [{ value: `${figure}` }] };
}

// Each kind in the nearest form that Medusa has; points have none and are left out, which makes its work less.
function method(rule) {
  const goods = named(rule);
  const percent = { type: "percentage", value: rule.bp / 100 };
  const get = (buy, type, value) => ({
    type, value, target_type: "items", allocation: "each", max_quantity: 100,
    buy_rules: goods, target_rules: goods, buy_rules_min_quantity: buy, apply_to_quantity: 1,
  });
  switch (rule.kind) {
    case "pct": case "pct_brand": case "pct_sku":
      return { ...percent, target_type: "items", allocation: "each", max_quantity: 100, target_rules: goods };
    case "threshold":
      return { ...percent, target_type: "order", allocation: "across" };
    case "multibuy": case "nthfree":
      return get(rule.n - 1, "percentage", 100);
    case "bundle": // any n for a fixed sum, which is four fifths of their usual one: a quarter of the sum off
      return get(rule.n - 1, "fixed", rule.fixed / 400);
    case "abs":
      return get(rule.min_qty - 1, "fixed", rule.off / 100);
    default:
      return null;
  }
}

function promotionOf(rule) {
  const application_method = method(rule);
  if (application_method === null) return null;
  const rules = [];
  if (rule.tier) rules.push(least("customer.tier", rule.tier));
  if (rule.kind === "threshold") rules.push(least("item_total", rule.min_amount / 100));
  const type = application_method.buy_rules ? "buyget" : "standard";
  return { id: `p${rule.id}`, code: `r${rule.id}`, type, is_automatic: false, rules, application_method };
}

function contextOf(basket) {
  const items = basket.lines.map((line) => ({
    id: `l${line.line}`, sku: line.sku, cat: line.cat, brand: line.brand, quantity: line.qty,
    subtotal: (line.price * line.qty) / 100, original_total: (line.price * line.qty) / 100, is_discountable: true,
  }));
  const item_total = items.reduce((sum, item) => sum + item.subtotal, 0);
  return { currency_code: "rub", customer: { tier: basket.tier }, item_total, items };
}

async function main() {
  const promotions = work.rules.map(promotionOf).filter(Boolean);
  promotions.sort((one, other) => other.application_method.value - one.application_method.value);
  const codes = promotions.map((each) => each.code);
  const service = Object.create(Service.prototype);
  service.__container__ = {};
  service.baseRepository_ = { getFreshManager: () => ({}), serialize: (value) => value };
  service.listActivePromotions_ = async () => promotions;
  const contexts = work.baskets.map(contextOf);
  const ask = (context) => service.computeActions(codes, context, { prevent_auto_promotions: true });
  for (let n = 0; n < work.warm_up; n++) await ask(contexts[n % contexts.length]);
  const times = [];
  let hits = 0;
  for (let n = 0; n < work.quotes; n++) {
    const context = contexts[n % contexts.length];
    const before = process.cpuUsage();
    const actions = await ask(context);
    const spent = process.cpuUsage(before);
    times.push((spent.user + spent.system) * 1000);
    hits += new Set(actions.map((action) => action.code)).size;
  }
  const rss_mb = Math.round(process.memoryUsage().rss / 1e6);
  console.log(JSON.stringify({ version, times_ns: times, hits: hits / work.quotes, rss_mb }));
}

main().catch((error) => { console.error(error); process.exit(1); });
