// Scanners that type: which keys were a scan and which a person's. Pure; drivers/wedge.py is the same, and both are held to
// tests/unit/wedge_vectors.json. A key is a sign, or a name: Enter, Tab, Ctrl+] (GS), Alt+0 to Alt+9 (an Alt code of four digits).

const SIGNS_MIN = 6;
const KEYS_MAX = 16384;
const [GAP_MEDIAN_MS, GAP_MAX_MS] = [30, 100];
// A pause after so many signs at a scanner's speed is a slow computer's: what follows is the rest of the code, no scan of its own.
const [TORN_SIGNS_MIN, TORN_PAUSE_MAX_MS] = [3, 1000];
const GS = "\u001d";
const US = "`qwertyuiop[]asdfghjkl;'zxcvbnm,./" + '~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>?' + "@#$^&|";
const RU = "ёйцукенгшщзхъфывапролджэячсмитьбю." + "ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ," + '"№;:?/';
const MEANT = new Map([...RU].map((sign, at) => [sign, US[at]]));
const TYPED = new Map([...US].map((sign, at) => [sign, RU[at]]));

const through = (text, map) => [...text].map((sign) => map.get(sign) ?? sign).join("");
export const recovered = (text) => through(text, MEANT);
export const asTyped = (code) => through(code, TYPED);
const tellsRussian = (text) => [...text].some((sign) => sign > "~" && MEANT.has(sign));

/** Feeds on {ms, key, us} one after another; ``us`` is what the same key types under the US layout, or empty. */
export class Wedge {
  run = [];
  isOver = false;

  get length() { return this.run.length; }

  /** The code, when this key ended a scan; else null. */
  press(key) {
    const before = this.run.at(-1);
    if (this.isOver || (before && !(key.ms >= before.ms && key.ms - before.ms <= this.pauseMax(key.ms - before.ms)))) this.forget();
    this.run.push(key);
    if (key.key === "Enter" || key.key === "Tab") {
      this.isOver = true;
      return scanIn(this.run);
    }
    if (signOf(key.key) === null || this.run.length > KEYS_MAX) this.isOver = true;
    return null;
  }

  pauseMax(pause) {
    if (pause <= GAP_MAX_MS || this.length < TORN_SIGNS_MIN) return GAP_MAX_MS;
    return median(gapsOf(this.run)) <= GAP_MEDIAN_MS ? TORN_PAUSE_MAX_MS : GAP_MAX_MS;
  }

  forget() {
    [this.run, this.isOver] = [[], false];
  }
}

function scanIn(run) {
  const keys = run.slice(0, -1);
  const text = spelt(keys.map(({ key }) => key));
  const us = spelt(keys.map(({ key, us: meant }) => meant || key));
  if (text === null || us === null || [...text].length < SIGNS_MIN) return null;
  const gaps = gapsOf(run);
  if (Math.max(...gaps) > GAP_MAX_MS || median(gaps) > GAP_MEDIAN_MS) return null;
  if (tellsRussian(text)) return recovered(text);
  return keys.every((key) => key.us) && asTyped(us) === text ? us : text;
}

const gapsOf = (run) => run.slice(1).map(({ ms }, at) => ms - run[at].ms);

function median(gaps) {
  const sorted = [...gaps].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function spelt(keys) {
  let signs = "";
  for (let at = 0; at < keys.length;) {
    const size = keys[at].startsWith("Alt+") ? 4 : 1;
    const group = keys.slice(at, at + size);
    if (group.length < size || group.some((key) => key.startsWith("Alt+") !== size > 1)) return null;
    const sign = size > 1 ? altSign(group) : signOf(group[0]);
    if (!sign) return null;
    signs += sign;
    at += size;
  }
  return signs;
}

function altSign(group) {
  const sign = String.fromCharCode(Number(group.map((key) => key.at(-1)).join("")));
  return sign === GS || (sign >= " " && sign <= "~") ? sign : null;
}

/** The sign of a key; empty for a digit of an Alt code, null for a key that no scanner sends. */
function signOf(key) {
  if (key === "Ctrl+]" || key === GS) return GS;
  if (/^Alt\+\d$/.test(key)) return "";
  return [...key].length === 1 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(key) ? key : null;
}
