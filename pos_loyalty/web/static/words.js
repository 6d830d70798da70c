// Words and numbers as the cashier reads them. Money and points stay whole numbers until they are text.

const page = document.body.dataset;
const WORDS = JSON.parse(page.words);
export const LANGUAGE = page.language;

const whole = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 0 });
const plural = new Intl.PluralRules(LANGUAGE);
const POINT = LANGUAGE === "ru" ? "," : ".";

export const hasWord = (key) => key in WORDS;

/** A sentence of the catalogue with its {holes} filled. */
export function word(key, fields = {}) {
  return WORDS[key].replace(/\{(\w+)\}/g, (hole, name) => fields[name] ?? hole);
}

/** Minor units with the currency's sign. */
export const money = (minor) => `${amount(minor)}\u00a0${page.sign}`;

/** Minor units as a number with two decimals. */
export function amount(minor) {
  const abs = Math.abs(minor);
  return (minor < 0 ? "−" : "") + whole.format(Math.trunc(abs / 100)) + POINT + String(abs % 100).padStart(2, "0");
}

/** Hundredths of a point as a number, without needless zeros. */
export function points(centi) {
  const abs = Math.abs(centi);
  const rest = abs % 100;
  const tail = rest ? POINT + String(rest).padStart(2, "0").replace(/0$/, "") : "";
  return (centi < 0 ? "−" : "") + whole.format(Math.trunc(abs / 100)) + tail;
}

/** The noun that goes with a number of points: 1 балл, 2 балла, 5 баллов, 1,5 балла. */
export function pointNoun(centi) {
  const abs = Math.abs(centi);
  const form = abs % 100 ? "part" : { one: "one", few: "few" }[plural.select(abs / 100)] ?? "many";
  return word(`point.${form}`);
}

export const pointsInWords = (centi) => `${points(centi)}\u00a0${pointNoun(centi)}`;

/** A decimal string as people write it here. */
export const decimal = (text) => text.replace(".", POINT);

export const clock = (at) => new Date(at).toLocaleTimeString(LANGUAGE, { hour: "2-digit", minute: "2-digit", timeZone: page.timezone });

/** A date, with its year when that is not this one. Instants are shown in the store's zone; a bare date is already a day. */
export function day(at, timeZone = page.timezone) {
  const yearOf = (date) => date.toLocaleDateString("en", { year: "numeric", timeZone });
  const date = new Date(at);
  const year = yearOf(date) === yearOf(new Date()) ? undefined : "numeric";
  return date.toLocaleDateString(LANGUAGE, { day: "numeric", month: "long", year, timeZone });
}

/** Minor units from "500" or "12,5"; null when it is no amount. */
export function readMoney(text) {
  const match = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(text.replace(/\s/g, ""));
  return match ? Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0")) : null;
}
