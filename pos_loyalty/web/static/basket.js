// The sale that is being typed: plain values and functions over them. Prices and discounts are the till's work.

const MILLI = 1000;
export const COUNTED = /^[\d.,]+[*×xх]/i; // "3*" and a code: a person begins so
const page = document.body.dataset;

export function newSale() {
  const id = crypto.randomUUID();
  const empty = { lines: [], coupons: [], unheard: [], choices: {}, gifts: [], exchange: null }; // choices: rule to the line chosen for it
  return { id, openedAt: null, ...empty, member: null, redeem: null, selected: null, nextLine: 1 };
}

/** Thousandths from "2", "0.345" or "0,345"; null when it is not a quantity. */
export function readQuantity(text) {
  const match = /^(\d{1,7})(?:[.,](\d{1,3}))?$/.exec(text);
  if (!match) return null;
  const milli = Number(match[1]) * MILLI + Number((match[2] ?? "").padEnd(3, "0"));
  return milli > 0 ? milli : null;
}

/** Hundredths of a point from "150" or "12,5"; null when it is not a number of points. */
export function readPoints(text) {
  const match = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(text.replace(/\s/g, ""));
  return match ? Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0")) : null;
}

/** The decimal string of thousandths, as the API takes it. */
export function quantityText(milli) {
  const rest = milli % MILLI;
  return String(Math.trunc(milli / MILLI)) + (rest ? "." + String(rest).padStart(3, "0").replace(/0+$/, "") : "");
}

/** Whether this product may be sold in such a quantity. */
export const fits = (product, milli) => product.measure === "weight" || milli % MILLI === 0;

/** ``topUp``: the id of the gift card that the line adds money to; ``mark``: the code of a marked unit. */
export function addProduct(sale, product, milli, { topUp = null, mark = "" } = {}) {
  sale.openedAt ??= new Date().toISOString();
  const isSame = (line) => line.product.sku === product.sku && line.product.price_minor === product.price_minor && line.topUp === topUp && !line.mark;
  const same = product.measure === "weight" || topUp || mark ? undefined : sale.lines.find(isSame);
  if (same) {
    same.milli += milli;
    sale.selected = same.id;
    return;
  }
  const line = { id: String(sale.nextLine++), product, milli, topUp, mark };
  sale.lines.push(line);
  sale.selected = line.id;
}

export function removeSelected(sale) {
  const at = sale.lines.findIndex((line) => line.id === sale.selected);
  if (at < 0) return null;
  const [line] = sale.lines.splice(at, 1);
  for (const [rule, id] of Object.entries(sale.choices)) if (id === line.id) delete sale.choices[rule];
  sale.selected = sale.lines[Math.min(at, sale.lines.length - 1)]?.id ?? null;
  return line;
}

export function select(sale, step) {
  const at = sale.lines.findIndex((line) => line.id === sale.selected);
  const next = sale.lines[Math.max(0, Math.min(sale.lines.length - 1, at + step))];
  sale.selected = next?.id ?? null;
}

/** The body of POST /v1/quote. */
export function quoteRequest(sale) {
  const lines = sale.lines.map(({ id, product, milli, mark }) => (
    { ...product, line_id: id, quantity: quantityText(milli), ...(mark ? { marks: [mark] } : {}) }));
  const basket = {
    basket_id: sale.id, store: page.store, till: page.till, cashier: page.cashier, opened_at: sale.openedAt,
    currency: page.currency, lines, coupons: sale.coupons, choices: sale.choices, redeem: sale.member ? sale.redeem : null,
  };
  return sale.member ? { basket, member_id: sale.member.member_id } : { basket };
}

/** Products whose name or code holds every word typed; those that begin with it come first. */
export function find(products, text, limit) {
  const wanted = text.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const hits = products.filter((product) => {
    const name = product.name.toLocaleLowerCase();
    return wanted.every((part) => name.includes(part) || product.sku.startsWith(part));
  });
  const early = (product) => (product.name.toLocaleLowerCase().startsWith(wanted[0]) ? 0 : 1);
  return hits.sort((a, b) => early(a) - early(b)).slice(0, limit);
}
