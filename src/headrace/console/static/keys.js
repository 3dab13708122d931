// Keys: what the mouse can do, without it. A letter does nothing where somebody writes.

const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("keys"));
const ROWS = "main tbody tr, main .log > li, main .timeline > li, main .talk > *, main [data-row]";
const ERRORS = "main .failed, main [data-error], main tr:has(.badge.bad)";
const STOPS = "a[href], summary, button:not([hidden])";
let isGoing = false;

/** @param {EventTarget | null} target */
const isWriting = (target) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit], [type=button])"));

/** Focuses what can be opened in *row*, or the row itself, and shows it. @param {Element} row */
function focus(row) {
  const stop = /** @type {HTMLElement} */ (row.matches(STOPS) ? row : (row.querySelector(STOPS) ?? row));
  if (!stop.matches(STOPS)) stop.tabIndex = -1;
  stop.focus({ focusVisible: true, preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** Goes to the next one of those that match, in the order of the page. @param {string} selector @param {number} step */
function move(selector, step) {
  const all = [...document.querySelectorAll(selector)].filter((each) => each instanceof HTMLElement && each.checkVisibility());
  const from = document.activeElement ?? document.body;
  const current = all.findIndex((each) => each === from || each.contains(from));
  let next = current + step;
  if (current < 0) {
    const after = all.findIndex((each) => from.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
    next = from === document.body || from.id === "main" || after < 0 ? (step > 0 ? 0 : all.length - 1) : after - (step > 0 ? 0 : 1);
  }
  const row = all[Math.max(0, Math.min(next, all.length - 1))];
  if (row) focus(row);
}

/** @param {string} letter */
function go(letter) {
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector(`[data-go="${CSS.escape(letter)}"]`));
  if (!link) return;
  sessionStorage.setItem("headrace.went", "yes");
  location.href = link.href;
}

/** @type {Record<string, () => void>} */
const acts = {
  "?": () => dialog?.showModal(),
  "/": () => /** @type {HTMLElement | null} */ (document.querySelector("main [type=search]") ?? document.querySelector("main form input:not([type=hidden])"))?.focus(),
  g: () => { isGoing = true; setTimeout(() => { isGoing = false; }, 1500); },
  j: () => move(ROWS, 1),
  k: () => move(ROWS, -1),
  e: () => move(ERRORS, 1),
  E: () => move(ERRORS, -1),
  p: () => document.getElementById("pause")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (isWriting(event.target)) {
    if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
    return;
  }
  if (isGoing) {
    isGoing = false;
    go(event.key);
    event.preventDefault();
  } else if (Object.hasOwn(acts, event.key)) {
    event.preventDefault();
    acts[event.key]();
  }
});

const help = document.getElementById("help");
if (help && dialog) {
  help.hidden = false;
  help.addEventListener("click", () => dialog.showModal());
  dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
}

// Whoever came by a key goes on in the content.
if (sessionStorage.getItem("headrace.went")) {
  sessionStorage.removeItem("headrace.went");
  document.getElementById("main")?.focus();
}
