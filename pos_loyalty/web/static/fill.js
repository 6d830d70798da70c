// What stands in a place. Rule: an element that is to stay is changed and never made anew, so that a click, a key or the focus that it
// has is not lost when an answer comes. Elements with different names are never one another's: a click meant for one is no other's.

const ACTS = ["onclick", "onkeydown"];

const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;
const isSame = (one, other) => one.nodeName === other.nodeName && one.dataset?.name === other.dataset?.name;

/** The element goes by this name among those beside it, and does this when it is clicked. */
export function named(element, name, act = null) {
  element.dataset.name = name;
  element.onclick = act;
  return element;
}

/** The place holds these and nothing else, in this order. */
export function fill(place, ...items) {
  const wanted = items.filter((item) => item !== "").map((item) => (typeof item === "string" ? document.createTextNode(item) : item));
  for (const old of [...place.childNodes]) if (!wanted.some((item) => isSame(old, item))) old.remove();
  let at = place.firstChild;
  for (const item of wanted) {
    if (at && isSame(at, item)) become(at, item), at = at.nextSibling;
    else place.insertBefore(item, at);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function become(old, made) {
  if (!isElement(old)) {
    if (old.data !== made.data) old.data = made.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!made.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of made.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const act of ACTS) old[act] = made[act];
  fill(old, ...made.childNodes);
}
