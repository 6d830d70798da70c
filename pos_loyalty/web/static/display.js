// The buyer's screen: shows what the till says and takes no input. What is gone stale is never left standing.

import { amount, LANGUAGE, money, pointsInWords, word as say } from "./words.js";

const PATIENCE_MS = 5000; // a till that starts anew is back within this; then the greeting stands
const $ = (id) => document.getElementById(id);

let away;

function element(tag, name, ...parts) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...parts);
  return made;
}

function listen() {
  const source = new EventSource("/v1/display");
  source.addEventListener("view", (event) => show(JSON.parse(event.data)));
  source.addEventListener("open", () => { clearTimeout(away); away = undefined; });
  source.addEventListener("error", () => {
    away ??= setTimeout(() => show({ view: { phase: "greeting" } }), PATIENCE_MS);
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, PATIENCE_MS);
  });
}

function show({ view, receipt_qr: receipt = [], referral_qr: referral = [] }) {
  document.body.dataset.phase = view.phase;
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== view.phase;
  const here = $(view.phase);
  const figures = { due: () => money(view.due_minor), balance: () => pointsInWords(view.balance_centi ?? 0), refund: () => money(view.refund_minor) };
  for (const place of here.querySelectorAll("[data-figure]")) size(place, figures[place.dataset.figure]());
  for (const place of here.querySelectorAll("[data-say]")) place.textContent = hello(view);
  fill(here, ".sums", sumsOf(view));
  fill(here, ".points", pointsOf(view));
  fill(here, ".change", view.change_minor ? [["change", money(view.change_minor), "figure"]] : []);
  if (view.phase === "goods") showLines(view);
  if (view.phase === "thanks") {
    draw($("receipt-qr"), receipt);
    draw($("referral-qr"), referral);
    $("referral-qr").querySelector("strong").textContent = view.referral_code;
  }
}

/** A long figure is written smaller, never cut. */
function size(place, text) {
  place.textContent = text;
  place.style.setProperty("--signs", text.length);
}

const hello = (view) => (view.first_name ? say("hello_name", { name: view.first_name }) : say("hello"));

function sumsOf(view) {
  const rows = [];
  if (view.saved_minor > 0 && view.phase === "goods") rows.push(["gross", money(view.gross_minor)]);
  if (view.saved_minor > 0) rows.push(["saved", money(-view.saved_minor), "saved"]);
  if (view.points_minor > 0) rows.push(["by_points", money(-view.points_minor), "saved"]);
  if (view.phase === "thanks") rows.push(["paid", money(view.due_minor)]);
  return rows;
}

function pointsOf(view) {
  if (view.balance_centi === null) return [];
  const rows = [];
  if (view.earned_centi > 0) rows.push([view.phase === "thanks" ? "earned" : "will_earn", `+${pointsInWords(view.earned_centi)}`, "saved"]);
  return [...rows, ["balance", pointsInWords(view.balance_centi)]];
}

function fill(here, place, rows) {
  const list = here.querySelector(place);
  if (!list) return;
  list.hidden = rows.length === 0;
  list.replaceChildren(...rows.map(([key, text, name = ""]) => element("div", name, element("dt", "", say(key)), element("dd", "", text))));
}

/** The basket's last lines: as many as there is room for, the newest at the foot. */
function showLines(view) {
  const list = $("basket").querySelector("ol");
  list.replaceChildren(...view.lines.map((line, place) => lineOf(line, place === view.added)));
  const floor = $("basket").getBoundingClientRect().top;
  let hidden = view.hidden;
  const tell = () => {
    $("more").hidden = hidden === 0;
    $("more").textContent = say("more", { count: hidden });
  };
  tell();
  const isCut = () => ($("more").hidden ? list : $("more")).getBoundingClientRect().top < floor;
  while (list.children.length > 1 && isCut()) {
    list.firstElementChild.remove();
    hidden += 1;
    tell();
  }
}

function lineOf(line, isAdded) {
  const sum = element("span", "sum");
  if (line.sum_minor < line.gross_minor) sum.append(element("s", "faint", amount(line.gross_minor)), " ");
  sum.append(amount(line.sum_minor));
  const quantity = element("span", "quantity", quantityOf(line));
  return element("li", isAdded ? "added" : "", element("span", "name", line.name), quantity, sum);
}

function quantityOf({ quantity, measure }) {
  const shown = LANGUAGE === "ru" ? quantity.replace(".", ",") : quantity;
  if (measure === "weight") return `${shown}\u00a0${say("kg")}`;
  return Number(quantity) === 1 ? "" : `×\u00a0${shown}`;
}

function draw(figure, rows) {
  figure.hidden = rows.length === 0;
  const svg = figure.querySelector("svg");
  svg.replaceChildren();
  if (rows.length === 0) return;
  svg.setAttribute("viewBox", `-4 -4 ${rows.length + 8} ${rows.length + 8}`);
  const path = document.createElementNS(svg.namespaceURI, "path");
  const squares = rows.flatMap((row, y) => [...row].map((dark, x) => (dark === "1" ? `M${x} ${y}h1v1h-1z` : "")));
  path.setAttribute("d", squares.join(""));
  svg.append(path);
}

listen();
document.body.dataset.ready = "yes";
