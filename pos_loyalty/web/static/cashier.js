// The cashier's screen: which key and which button does what.

import * as basket from "./basket.js";
import { paymentIn, understood } from "./codes.js";
import * as dialogs from "./dialogs.js";
import { desk, nextSale, offer, payingId, show, stopWeighing } from "./desk.js";
import * as enrol from "./enrol.js";
import * as found from "./found.js";
import * as gifts from "./gifts.js";
import { learnGoods, whenNamed } from "./known.js";
import * as members from "./members.js";
import { pay, printAgain } from "./paying.js";
import * as persons from "./persons.js";
import { chooseGoods, redeemTyped, requote, seen, toggleRedeem } from "./pricing.js";
import * as returning from "./returning.js";
import * as shift from "./shift.js";
import * as cameraview from "./cameraview.js";
import { watchKeys } from "./keyscan.js";
import { choose, judged, moment, productOf, scanned, submit } from "./scanbox.js";
import { listen } from "./till.js";
import * as view from "./view.js";
import { lookAlways, settleFirst } from "./watch.js";
import { word } from "./words.js";

const { $, focusScan } = view;

function clear() {
  if (desk.paying) return;
  if (!desk.finished && desk.sale.lines.length > 0 && !desk.clearArmed) {
    desk.clearArmed = true;
    view.tell(word("clear_again"));
    return;
  }
  desk.clearArmed = false;
  nextSale();
}

function remove() {
  if (desk.paying || desk.finished) return undefined;
  if (desk.looking > 0) return view.warn(word("pricing")); // what is meant may not be there yet
  const { sale } = desk;
  stopWeighing();
  const line = basket.removeSelected(sale);
  if (line) view.tell(word("removed", { name: line.product.name }));
  else if (sale.coupons.length) view.tell(word("removed", { name: sale.coupons.pop() }));
  else if (sale.exchange) sale.exchange = null, view.tell(word("exchange_off"));
  else if (gifts.removeLast()) return show();
  else if (sale.member) [sale.member, sale.redeem] = [null, null];
  return requote();
}

const KEYS = {
  F2: toggleRedeem, F3: returning.open, F4: remove, F6: gifts.open, F7: members.open, F8: () => pay("card"), F9: () => pay("cash"), F10: clear,
  "Shift+F3": shift.open, "Shift+F2": printAgain, "Shift+F4": chooseGoods, "Shift+F8": () => settleFirst("complete", payingId), "Shift+F9": () => settleFirst("cancel", payingId),
};

function pressed(event) {
  desk.misread = false; // what was seen counts no more
  const name = (event.shiftKey ? "Shift+" : "") + event.key;
  if (dialogs.uppermost()) return dialogs.pressed(event, name);
  const act = KEYS[name];
  if (act && !event.ctrlKey && !event.altKey && !event.metaKey) {
    event.preventDefault();
    if (!event.repeat) view.calm();
    focusScan(); // first: an amount that was typed is taken in before the key acts
    if (!event.repeat) act();
  } else if (event.target === $("scan")) {
    pressedInScan(event);
  } else if (event.key === "Escape") {
    focusScan();
  } else if (event.key.length === 1 && event.target === document.body) {
    focusScan(); // the sign itself lands in the box
  }
  return undefined;
}

function pressedInScan(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const pages = { PageDown: 1, PageUp: -1 }[event.key];
  if (step && found.step(step)) event.preventDefault();
  else if (step && !desk.paying && !desk.finished) basket.select(desk.sale, step), show();
  else if (event.key === "Delete" && $("scan").value === "") remove();
  else if (pages && desk.finished) view.turnPaper(pages);
  else if (event.key === "Escape") $("scan").value = "", offer(), stopWeighing(), view.calm();
  else if (event.key === "Enter" && desk.finished && $("scan").value === "") nextSale();
  else return;
  event.preventDefault();
}

/** What a scanner read belongs to what the cashier had before them then: that dialog, or that sale. */
function heard(scan, dialog = dialogs.uppermost(), then = moment()) {
  if (dialog) return dialogs.stands(dialog) ? dialog.scanned(scan) : undefined;
  return enrol.takesCard(scan) || scanned(scan, then);
}

const CARD_HEAD = /[%;B\d\s()\u2010-\u2015-]+$/; // what a bank card may begin with, at the end of what stood in a field

/** A scanner that types, told from a person by its speed. What the till knows nothing of goes on as if a person had typed it. */
async function typedScan(code, again, { had, whole, leave }) {
  const [dialog, then] = [dialogs.uppermost(), moment()];
  view.calm();
  if (basket.COUNTED.test(code)) return again();
  if (paymentIn(whole)) return leave(had.replace(CARD_HEAD, "")), noPayment(paymentIn(whole)); // maybe torn: no part of it is asked about
  if (productOf(code)) return again(code);
  const scan = await judged(() => understood(code));
  if (scan.kind === "code" || scan.kind === "phone") return again(undefined, then);
  if (had && scan.kind === "product") return again(code, then); // a count was typed before it
  return scan.kind === "payment" ? noPayment(scan.last) : heard(scan, dialog, then);
}

function noPayment(last) {
  const text = word("bank_card", { last });
  return dialogs.uppermost() ? dialogs.fault(dialogs.uppermost().box, text) : view.warn(text);
}

function start() {
  $("scan-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (found.chosen()) return choose(found.chosen());
    const text = $("scan").value;
    $("scan").value = "";
    offer();
    view.calm();
    return submit(text);
  });
  $("scan").addEventListener("input", offer);
  found.whenTaken(choose);
  $("redeem-amount").addEventListener("change", redeemTyped);
  $("redeem-amount").addEventListener("focus", () => $("redeem-amount").select());
  document.addEventListener("keydown", pressed);
  const buttons = {
    redeem: toggleRedeem, "pay-cash": () => pay("cash"), "pay-card": () => pay("card"), remove, clear, next: nextSale, print: printAgain,
  };
  for (const [id, act] of Object.entries(buttons)) $(id).addEventListener("click", () => { view.calm(); act(); focusScan(); });
  for (const [id, act] of Object.entries({ "open-return": returning.open, "open-gift": gifts.open, "open-care": members.open, "open-shift": shift.open })) {
    $(id).addEventListener("click", act);
  }
  $("paper").addEventListener("scroll", view.showMore);
  window.addEventListener("resize", view.showMore);
  window.addEventListener("focus", focusScan);
  document.addEventListener("click", (event) => { if (!event.target.closest("input, label, a, button, summary, pre")) focusScan(); });
  listen((scan) => { view.calm(); heard(scan); });
  watchKeys($("scan"), typedScan, submit);
  for (const part of [enrol, gifts, members, persons, returning, shift]) part.start();
  dialogs.start(focusScan);
  cameraview.start();
  whenNamed(show);
  show();
  focusScan();
  Promise.all([learnGoods(), lookAlways(payingId, seen)]).then(() => { document.body.dataset.ready = "true"; });
}

start();
