// json-rules-engine (Node): which of the rules match a basket. It prices nothing.
"use strict";
const fs = require("fs");
const { createRequire } = require("module");

const work = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const installed = createRequire(`${process.cwd()}/`);
const { Engine } = installed("json-rules-engine");
const { version } = installed("json-rules-engine/package.json");

function conditionsOf(rule) {
  const all = [];
  if (rule.tier) all.push({ fact: "tier", operator: "greaterThanInclusive", value: rule.tier });
  if (rule.min_amount) all.push({ fact: "total", operator: "greaterThanInclusive", value: rule.min_amount });
  for (const kind of ["skus", "cats", "brands"]) {
    if (rule[kind]?.length) all.push({ fact: kind, operator: "sharesOne", value: rule[kind] });
  }
  return { all };
}

function factsOf({ tier, lines }) {
  const total = lines.reduce((sum, line) => sum + line.price * line.qty, 0);
  const names = (field) => lines.map((line) => line[field]);
  return { tier, total, skus: names("sku"), cats: names("cat"), brands: names("brand") };
}

async function main() {
  const engine = new Engine([], { allowUndefinedFacts: true });
  engine.addOperator("sharesOne", (have, names) => have.some((name) => names.includes(name)));
  for (const rule of work.rules) {
    engine.addRule({ conditions: conditionsOf(rule), event: { type: "hit", params: { rule: rule.id } } });
  }
  const asked = work.baskets.map(factsOf);
  for (let n = 0; n < work.warm_up; n++) await engine.run(asked[n % asked.length]);
  const times = [];
  let hits = 0;
  for (let n = 0; n < work.quotes; n++) {
    const before = process.cpuUsage();
    const { events } = await engine.run(asked[n % asked.length]);
    const spent = process.cpuUsage(before);
    times.push((spent.user + spent.system) * 1000);
    hits += events.length;
  }
  const rss_mb = Math.round(process.memoryUsage().rss / 1e6);
  console.log(JSON.stringify({ version, times_ns: times, hits: hits / work.quotes, rss_mb }));
}

main().catch((error) => { console.error(error); process.exit(1); });
