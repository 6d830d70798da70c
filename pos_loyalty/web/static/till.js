// Asking the till. Every answer is {value}, {problem} (a sentence), or {lost: true} when none came.

import { LANGUAGE, word } from "./words.js";

const PATIENCE_MS = 10000;
const TITLED = ["/problems/wrong-pin", "/problems/blocked", "/problems/earlier-day", "/problems/paid-short"]; // the title says all of it

export const get = (path) => ask(path, { method: "GET" });

export function post(path, body, key) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers["Idempotency-Key"] = key;
  return ask(path, { method: "POST", body: JSON.stringify(body), headers });
}

/** The buyer has nothing before them any more. Whether a display hears it is nobody's concern here. */
export const clearDisplay = () => { post("/v1/display/clear", {}); };

async function ask(path, options) {
  options.headers = { ...options.headers, "Accept-Language": LANGUAGE };
  options.signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const answer = await fetch(path, options);
    const kind = answer.headers.get("Content-Type") ?? "";
    const value = kind.includes("json") ? await answer.json() : await answer.text();
    if (answer.ok) return { value };
    const problem = kind.includes("json") ? value : { status: answer.status, title: word("lost"), detail: "", type: "" };
    return { problem };
  } catch {
    return { lost: true };
  }
}

/** What the cashier reads about an answer that is not good. */
export function sentence(answer) {
  if (answer.lost) return word("lost");
  const { title, detail, type } = answer.problem;
  if (LANGUAGE === "en" && detail) return detail;
  return TITLED.includes(type) || !detail ? title : `${title} ${detail}`;
}

/** Whether nobody knows if it was done: the same must be sent again. */
export const unsure = (answer) => Boolean(answer.lost) || (answer.problem?.status ?? 0) >= 500;

/** Calls ``heard(scan)`` for every code that a scanner of the till reads: {code, kind, …}. */
export function listen(heard) {
  const source = new EventSource("/v1/scans");
  source.addEventListener("scan", (event) => heard(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(heard), 5000);
  });
}
