// PouchDB (leveldb) replicating to express-pouchdb over loopback. "serve PORT FOLDER", or "send PORT FOLDER FILE BATCH" with a
// document a line: what it takes from the start of the replication to its end, and whether all came.
"use strict";
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const [, , role, port, folder, file, batch] = process.argv;
const installed = createRequire(`${process.cwd()}/`);
const Pouch = installed("pouchdb").defaults({ prefix: `${folder}${path.sep}` });

function serve() {
  const app = installed("express")();
  const options = { mode: "minimumForPouchDB", inMemoryConfig: true, logPath: path.join(folder, "log.txt") };
  app.use("/", installed("express-pouchdb")(Pouch, options));
  app.listen(Number(port), "127.0.0.1", () => console.log("ready"));
}

async function send() {
  const lines = fs.readFileSync(file, "utf8").trimEnd().split("\n");
  const local = new Pouch(`till-${process.pid}`);
  for (let at = 0; at < lines.length; at += 500) {
    await local.bulkDocs(lines.slice(at, at + 500).map((line) => JSON.parse(line)));
  }
  const name = `http://127.0.0.1:${port}/office-${process.pid}`;
  const before = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const done = await local.replicate.to(name, { batch_size: Number(batch) });
  const seconds = Number(process.hrtime.bigint() - before) / 1e9;
  const used = process.cpuUsage(cpu);
  const cpu_s = (used.user + used.system) / 1e6;
  const { doc_count: held } = await new Pouch(name).info();
  console.log(JSON.stringify({ seconds, cpu_s, held, ok: done.ok && done.docs_written === lines.length }));
}

if (role === "serve") serve();
else send().catch((error) => { console.error(error); process.exit(1); });
