// Dialogs over the sale, one above another. Rule: the uppermost has the keys and the scanner; Esc goes back one, and nothing is lost.

const open = []; // from the lowest to the uppermost: {box, keys, scanned, closed}

export const uppermost = () => open.at(-1) ?? null;
/** Whether one that was uppermost has not been closed since. */
export const stands = (one) => open.includes(one);
export const isOpen = (box) => open.some((one) => one.box === box);

/** ``keys``: key to act; ``scanned(scan)`` gets what a scanner reads; ``closed()`` is called when Esc or its button closed it. */
export function raise(box, { keys = {}, scanned = () => {}, closed = () => {} }) {
  if (isOpen(box)) return;
  open.push({ box, keys, scanned, closed });
  box.showModal();
  box.querySelector("[data-first]")?.focus();
}

/** Takes a dialog away, with all above it. */
export function drop(box) {
  while (isOpen(box)) open.pop().box.close();
}

/** A key while a dialog is open. The sale's own keys wait below. */
export function pressed(event, name) {
  const { box, keys, closed } = uppermost();
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === "Escape") {
    event.preventDefault();
    drop(box);
    closed();
  } else if (keys[name] || /^F(2|3|4|6|7|8|9|10)$/.test(event.key)) {
    event.preventDefault();
    if (keys[name] && !event.repeat) keys[name](event);
  }
}

/** Says what is wrong where it was typed; the empty text takes it away. */
export function fault(box, text) {
  const place = box.querySelector(".fault");
  place.textContent = text;
  place.hidden = text === "";
}

export function start(done) {
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => {
      const { box, closed } = uppermost();
      drop(box);
      closed();
      done();
    });
  }
  for (const box of document.querySelectorAll("dialog")) box.addEventListener("cancel", (event) => event.preventDefault());
}
