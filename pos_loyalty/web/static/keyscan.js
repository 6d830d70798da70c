// A scanner that types into the page, wherever the focus is. Rule: keys are never held back; when they prove to be a scan, the field
// is put back as it was before and the code goes its own way. What is typed into a password field is nobody's scan.

import { Wedge } from "./wedge.js";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "NumLock"]);
const ROWS = { Digit1: "1!", Digit2: "2@", Digit3: "3#", Digit4: "4$", Digit5: "5%", Digit6: "6^", Digit7: "7&", Digit8: "8*", Digit9: "9(",
  Digit0: "0)", Minus: "-_", Equal: "=+", BracketLeft: "[{", BracketRight: "]}", Backslash: "\\|", Semicolon: ";:", Quote: "'\"",
  Backquote: "`~", Comma: ",<", Period: ".>", Slash: "/?", Space: "  " };
const wedge = new Wedge();
let before = []; // fields that the keys of this run may have changed: {field, value, start, end}

/** ``scanned(code, again, {had, whole, leave})`` gets each code. ``again()`` puts back what was typed, with Enter, as a person's;
 * ``again(code)`` the code instead; more that it is given goes on to ``submit``. In the field stood ``had`` before the code and ``whole``
 * with it; ``leave(text)`` leaves this there.
 * ``submit(text)`` is Enter in the scan box, whose next keys may be there already. */
export function watchKeys(box, scanned, submit) {
  document.addEventListener("keydown", (event) => pressed(event, box, scanned, submit), true);
}

function pressed(event, box, scanned, submit) {
  if (MODIFIERS.has(event.key)) return;
  if (event.repeat || event.isComposing || event.target.type === "password") return wedge.forget();
  const key = nameOf(event);
  const text = wedge.press({ ms: event.timeStamp, key, us: meant(event) });
  if (wedge.length === 1) before = [...new Set([event.target, box])].filter(isField).map(kept);
  if (key === "Ctrl+]" && wedge.length > 1) event.preventDefault();
  if (text === null) return event.key === "Tab" && !event.shiftKey && event.target === box && box.value ? takenAsEnter(event) : undefined;
  event.preventDefault();
  event.stopImmediatePropagation();
  const fields = before;
  const after = fields.filter(({ field, value }) => field.value !== value).map(({ field }) => kept(field));
  const changed = fields.find(({ field }) => field === after[0]?.field);
  const inBox = changed?.field === box;
  let isAsked = inBox; // what stood in the box stays with this code until it is known; the next one finds the box empty
  fields.forEach((each) => put(inBox && each.field === box ? emptied(box) : each));
  const again = (code, ...more) => {
    isAsked = false;
    const whole = changed && (code === undefined ? after[0] : inserted(changed, code));
    if (inBox) return submit(whole.value, ...more);
    if (whole) put(whole);
    return entered(changed?.field ?? event.target);
  };
  const had = (changed ?? fields[0])?.value ?? "";
  const leave = (rest) => {
    isAsked = false;
    if (inBox) giveBack(box, rest);
    else if (changed) put({ field: changed.field, value: rest, start: changed.start === null ? null : rest.length });
  };
  return Promise.resolve(scanned(text, again, { had, whole: after[0]?.value ?? text, leave })).finally(() => isAsked && giveBack(box, changed.value));
}

/** Tab after what stands in the scan box takes it as Enter does: a code may be torn by pauses beyond recognition. */
function takenAsEnter(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
  entered(event.target);
}

/** What stood in the box before a scan comes back before what came meanwhile. */
function giveBack(box, text) {
  if (!text) return;
  for (const each of before.filter(({ field }) => field === box)) {
    each.value = text + each.value;
    for (const place of ["start", "end"]) if (each[place] !== null) each[place] += text.length;
  }
  put({ field: box, value: text + box.value, start: box.selectionStart + text.length });
}

const isField = (element) => element.matches?.("input, textarea") && !element.readOnly;
const emptied = (field) => ({ field, value: "", start: 0 });
const kept = (field) => ({ field, value: field.value, start: field.selectionStart, end: field.selectionEnd });

function inserted({ field, value, start, end }, code) {
  const at = start ?? value.length;
  return { field, value: value.slice(0, at) + code + value.slice(end ?? at), start: start === null ? null : at + code.length };
}

function put({ field, value, start }) {
  if (field.value === value) return;
  field.value = value;
  if (start !== null) field.setSelectionRange(start, start);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function entered(field) {
  const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true });
  if (field.dispatchEvent(event) && field.form) field.form.requestSubmit();
}

function nameOf(event) {
  if (event.ctrlKey && !event.altKey && event.code === "BracketRight") return "Ctrl+]";
  const digit = /^(?:Numpad|Digit)(\d)$/.exec(event.code)?.[1];
  if (event.altKey && !event.ctrlKey && digit) return `Alt+${digit}`;
  if (event.ctrlKey || event.altKey || event.metaKey) return "Other";
  return event.key;
}

/** What the key types under the US layout; empty when the event does not say which key it is. */
function meant({ code, shiftKey, key, getModifierState }) {
  if (/^Key[A-Z]$/.test(code)) return shiftKey !== (getModifierState?.call(arguments[0], "CapsLock") ?? false) ? code.at(-1) : code.at(-1).toLowerCase();
  if (code.startsWith("Numpad")) return key.length === 1 ? key : "";
  return ROWS[code]?.[shiftKey ? 1 : 0] ?? "";
}
