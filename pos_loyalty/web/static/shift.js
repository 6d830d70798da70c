// The shift report, and the printer's self-test page: shown and printed, and nothing is closed by it.

import * as dialogs from "./dialogs.js";
import { get, post, sentence, unsure } from "./till.js";
import * as view from "./view.js";
import { LANGUAGE, word } from "./words.js";

const { $ } = view;
const REPORT = "/v1/shifts/today/print";
const TEST = "/v1/printer/self-test";
const keys = {}; // by path: the key of a try whose outcome nobody knows

export async function open() {
  dialogs.fault($("shift"), "");
  $("shift-note").textContent = "";
  $("shift-text").textContent = word("wait");
  dialogs.raise($("shift"), { keys: { F4: () => print(TEST), F9: () => print(REPORT) }, closed: view.focusScan });
  const report = await get(`/v1/shifts/today.txt?language=${LANGUAGE}`);
  $("shift-text").textContent = report.value ?? "";
  if (report.value === undefined) dialogs.fault($("shift"), sentence(report));
}

async function print(path) {
  keys[path] ??= crypto.randomUUID();
  const answer = await post(path, { language: LANGUAGE }, keys[path]);
  if (!unsure(answer)) delete keys[path];
  dialogs.fault($("shift"), answer.value ? "" : sentence(answer));
  $("shift-note").textContent = answer.value ? word("slip_queued") : "";
}

export function start() {
  $("shift-form").addEventListener("submit", (event) => { event.preventDefault(); print(REPORT); });
  $("shift-test").addEventListener("click", () => print(TEST));
}
