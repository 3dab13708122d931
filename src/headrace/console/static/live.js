// Live sections: `<section id data-live="seconds">` is fetched anew from the page's own address, and only what differs is
// changed. Nothing moves under a pointer, a cursor or a selection, and what is shown always says how old it is.

const LONGEST = 60;
const CONTROLS = "a, button, input, select, textarea, summary, label";

/** @returns {HTMLElement[]} */
const sections = () => [...document.querySelectorAll("[data-live][id]")].filter((each) => each instanceof HTMLElement);

const age = document.getElementById("age");
const pause = document.getElementById("pause");
let readAt = Date.now();
let askedAt = Date.now();
let failures = 0;
let trouble = "";
let isAsking = false;
let isOver = false;

const isPaused = () => pause?.getAttribute("aria-pressed") === "true";
const period = () => Math.min(LONGEST, Math.min(...sections().map((each) => Number(each.dataset.live) || 5)) * 2 ** failures);

/** Why a section must not change now; empty when it may. @param {HTMLElement} section */
function busy(section) {
  const focused = document.activeElement;
  if (focused && section.contains(focused) && focused.matches(CONTROLS) && focused.matches(":focus-visible")) return "something is focused";
  if (section.querySelector(`:is(${CONTROLS}):hover`)) return "you point at something";
  const selection = getSelection();
  if (selection && !selection.isCollapsed && selection.containsNode(section, true)) return "text is selected";
  for (const each of section.querySelectorAll("input, textarea, select")) if (isChanged(each)) return "a form is being filled in";
  return "";
}

/** @param {Element} field */
function isChanged(field) {
  if (field instanceof HTMLInputElement) return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  return field instanceof HTMLTextAreaElement && field.value !== field.defaultValue;
}

/** The console answered, and not with the page. */
class Refused extends Error {}

/** Says, once and for all, that nothing more comes before somebody signs in. @param {string} where */
function endSession(where) {
  isOver = true;
  tell("trouble", "Signed out");
  if (pause) pause.hidden = true;
  const line = document.createElement("p");
  const link = document.createElement("a");
  link.href = where;
  link.textContent = "Sign in";
  line.append("You are signed out, so what is shown here grows old. ", link, " to go on where you are.");
  const notice = document.createElement("div");
  notice.className = "notice warn";
  notice.id = "signed-out";
  notice.setAttribute("role", "alert");
  notice.append(line);
  document.getElementById("main")?.prepend(notice);
}

async function refresh() {
  isAsking = true;
  askedAt = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(15_000) });
    const where = new URL(answer.url);
    if (answer.redirected && where.pathname === "/sign-in") return endSession(where.href);
    if (answer.redirected && where.pathname !== location.pathname) throw new Refused(`The console leads to ${where.pathname}`);
    if (!answer.ok) throw new Refused(`The console answers ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (isPaused() || sections().some(busy)) return;
    for (const section of sections()) {
      const fresh = page.getElementById(section.id);
      if (fresh) morph(section, fresh);
    }
    readAt = Date.now();
    failures = 0;
    trouble = "";
    document.dispatchEvent(new Event("headrace:fresh"));
  } catch (error) {
    failures = Math.min(failures + 1, 6);
    trouble = error instanceof Refused ? error.message : "The console does not answer";
  } finally {
    isAsking = false;
  }
}

function tick() {
  if (!age || isOver) return;
  // What has come to its end is no longer live, and does not grow old.
  age.hidden = !sections().length;
  if (pause) pause.hidden = age.hidden;
  if (age.hidden) return;
  const old = Math.round((Date.now() - readAt) / 1000);
  const written = old < 60 ? `${old} s` : `${Math.floor(old / 60)} min`;
  const reason = sections().map(busy).find(Boolean) ?? "";
  const isDue = Date.now() - askedAt >= period() * 1000;
  if (isPaused()) tell("paused", `Paused · ${written} old`);
  else if (trouble) tell("trouble", `${trouble} · ${written} old`);
  else if (reason && old > 1) tell("waiting", `Waits, as ${reason} · ${written} old`);
  else tell("live", `Live · ${written} ago`);
  if (isDue && !isAsking && !isPaused() && !document.hidden && !reason) void refresh();
}

/** @param {string} state @param {string} words */
function tell(state, words) {
  if (!age) return;
  age.dataset.state = state;
  if (age.textContent !== words) age.textContent = words;
}

/** Makes *old* what *fresh* is, and keeps what is open, drawn or marked `data-keep`. @param {Element} old @param {Element} fresh */
function morph(old, fresh) {
  if (old.hasAttribute("data-keep") || old.isEqualNode(fresh)) return;
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isKept(old, name)) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isKept(old, name)) old.removeAttribute(name);
  }
  morphChildren(old, fresh);
}

/** @param {Element} old @param {string} name */
const isKept = (old, name) =>
  (name === "open" && old.matches("details, dialog")) ||
  (name === "hidden" && old.matches("[data-copy]")) ||
  (name === "tabindex" && old === document.activeElement);

/** Children with an id keep it, and are moved; others are matched by their place. @param {Element} old @param {Element} fresh */
function morphChildren(old, fresh) {
  const next = [...fresh.childNodes];
  const staying = new Set(next.map(idOf).filter(Boolean));
  const known = new Map();
  for (const child of [...old.children]) {
    if (child.id && !staying.has(child.id)) child.remove();
    else if (child.id) known.set(child.id, child);
  }
  /** @type {ChildNode | null} */
  let at = old.firstChild;
  for (const wanted of next) {
    while (at && !idOf(at) && !isAlike(at, wanted) && followedBy(at, wanted)) at = drop(at);
    const match = idOf(wanted) ? known.get(idOf(wanted)) : at && !idOf(at) && isAlike(at, wanted) ? at : null;
    if (!match || !isAlike(match, wanted)) {
      old.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else old.insertBefore(match, at);
    if (match instanceof Element) morph(match, /** @type {Element} */ (wanted));
    else if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue;
  }
  while (at) at = drop(at);
}

/** @param {ChildNode} node */
function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

/** @param {Node} node */
const idOf = (node) => (node instanceof Element ? node.id : "");

/** @param {Node} one @param {Node} other */
const isAlike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

/** Tells whether something like *wanted* comes soon after *at*. @param {ChildNode} at @param {Node} wanted */
function followedBy(at, wanted) {
  let each = at.nextSibling;
  for (let far = 0; each && far < 8; far += 1, each = each.nextSibling) {
    if (idOf(each) === idOf(wanted) && isAlike(each, wanted)) return true;
  }
  return false;
}

// Where a form was refused, what was typed stands in it, and this address has no page to fetch.
if (age && pause && sections().length && !document.querySelector("[data-refused]")) {
  age.hidden = pause.hidden = false;
  pause.addEventListener("click", () => {
    const pausing = !isPaused();
    pause.setAttribute("aria-pressed", String(pausing));
    pause.textContent = pausing ? "Go on" : "Pause";
    askedAt = pausing ? askedAt : 0;
    tick();
  });
  document.addEventListener("visibilitychange", () => { askedAt = 0; tick(); });
  setInterval(tick, 1000);
  tick();
}
