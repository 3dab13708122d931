// The live tail: server-sent events become rows. Whatever the river carries, the page does a bounded amount of work: at
// most one update a second, which it writes in slices between two frames, and at most KEPT rows. Texts are written as text.

const KEPT = 1000;
const SLICE = 100;
const TERMS = 5;
const WAITING = 2000;

/** @typedef {{position: string, at: number | null, org: string, session: string, type: string, id: string, what: string, failed: boolean}} Row */

const tail = document.getElementById("tail");
const body = document.getElementById("tail-rows");
const frame = document.getElementById("tail-scroll");
const state = document.getElementById("tail-state");
const empty = document.getElementById("tail-empty");
const pause = document.getElementById("tail-pause");
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("tail-highlight"));

/** Rows that came and are not shown yet, the oldest first. @type {Row[]} */
let waiting = [];
/** What came while it was paused and did not find room. */
let passed = 0;
let lost = 0;
let oneIn = 1;
let trouble = "";
let heardAt = Date.now();
let isHovered = false;
let isWriting = false;
/** @type {RegExp | null} */
let terms = null;
/** @type {string[]} */
let words = [];
/** @type {EventSource | null} */
let source = null;

const isPaused = () => pause?.getAttribute("aria-pressed") === "true";
const isHeld = () => isPaused() || isHovered;

function open() {
  if (source || !tail?.dataset.stream) return;
  source = new EventSource(tail.dataset.stream);
  source.addEventListener("rows", (event) => {
    const update = JSON.parse(event.data);
    heardAt = Date.now();
    trouble = "";
    oneIn = update.one_in;
    waiting.push(...update.rows);
    if (waiting.length > WAITING) passed += waiting.splice(0, waiting.length - WAITING).length;
    write();
  });
  source.addEventListener("lost", (event) => { lost += JSON.parse(event.data); });
  source.addEventListener("busy", (event) => { trouble = JSON.parse(event.data); close(); tell(); });
  source.addEventListener("open", () => { trouble = ""; tell(); });
  source.addEventListener("error", () => {
    trouble = source?.readyState === EventSource.CLOSED ? "the console refuses the stream: load the page again" : "the console does not answer; trying again";
    tell();
  });
}

function close() {
  source?.close();
  source = null;
}

/** Writes what waits, a slice at a time, so that a key or a click never waits for long. */
function write() {
  if (isWriting || isHeld() || !waiting.length || !body) return tell();
  isWriting = true;
  requestAnimationFrame(() => {
    isWriting = false;
    if (isHeld()) return tell();
    const rows = document.createDocumentFragment();
    for (const row of waiting.splice(0, SLICE)) rows.prepend(line(row));
    body.prepend(rows);
    while (body.childElementCount > KEPT) body.lastElementChild?.remove();
    if (empty) empty.hidden = true;
    if (waiting.length) write();
    else tell();
  });
}

/** @param {Row} row */
function line(row) {
  const made = document.createElement("li");
  if (row.failed) made.className = "failed";
  made.append(time(row.at));
  if (tail?.hasAttribute("data-orgs")) made.append(plain(row.org, "org"));
  made.append(session(row), bdi(row.type || "–", "type"), bdi(row.what, "what"));
  return made;
}

/** @param {string} words @param {string} [kind] */
function plain(words, kind) {
  const made = document.createElement("span");
  if (kind) made.className = kind;
  made.textContent = words;
  return made;
}

/** @param {string} words */
const text = (words) => document.createTextNode(words);

/** Text of somebody else: what it does to the direction of writing ends with it. @param {string} words @param {string} [kind] */
function bdi(words, kind) {
  const made = document.createElement("bdi");
  if (kind) made.className = kind;
  made.append(...marked(words));
  return made;
}

/** @param {number | null} at */
function time(at) {
  if (at === null) return plain("–");
  const made = document.createElement("time");
  made.dateTime = new Date(at * 1000).toISOString();
  const isLocal = localStorage.getItem("headrace.zone") === "local";
  made.dataset.utc = made.dateTime.slice(11, 23);
  made.textContent = isLocal ? new Date(at * 1000 - new Date(at * 1000).getTimezoneOffset() * 60_000).toISOString().slice(11, 23) : made.dataset.utc;
  return made;
}

/** Writes *name* as one segment of a path; `links.segment` says what the `~` is for. @param {string} name */
const segment = (name) => encodeURIComponent(/^~*\.{0,2}$/.test(name) ? `~${name}` : name);

/** @param {Row} row */
function session(row) {
  if (!row.session || row.org === "-") return plain("–");
  const made = document.createElement("a");
  made.href = (tail?.dataset.session ?? "").replace("ORG", encodeURIComponent(row.org)).replace("SESSION", () => segment(row.session));
  made.append(bdi(row.session.slice(0, 60)));
  return made;
}

/** Splits *whole* at the words that are highlighted. @param {string} whole @returns {Node[]} */
function marked(whole) {
  if (!terms) return [text(whole)];
  return whole.split(terms).filter(Boolean).map((part) => {
    const found = words.indexOf(part.toLowerCase());
    if (found < 0) return text(part);
    const made = document.createElement("mark");
    made.className = `mark-${found}`;
    made.textContent = part;
    return made;
  });
}

function highlight() {
  words = [...new Set((field?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean))].slice(0, TERMS);
  const longest = [...words].sort((one, other) => other.length - one.length);
  terms = words.length ? new RegExp(`(${longest.map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "gi") : null;
  for (const each of body?.querySelectorAll("bdi") ?? []) each.replaceChildren(...marked(each.textContent ?? ""));
}

function tell() {
  if (!state) return;
  const parts = [];
  if (trouble) parts.push(trouble);
  else if (isPaused()) parts.push("paused");
  else if (isHovered) parts.push("waits while you point at it");
  else if (document.hidden || !source) parts.push("closed");
  else parts.push(Date.now() - heardAt > 5000 ? "live, nothing new" : "live");
  if (oneIn > 1 && !isHeld()) parts.push(`showing 1 in ${oneIn}`);
  if (isHeld() && waiting.length) parts.push(`${waiting.length.toLocaleString("en")} wait${passed ? `, ${passed.toLocaleString("en")} passed by` : ""}`);
  if (lost) parts.push(`${lost} s lost, as this page was slow`);
  const said = parts.join(" · ");
  if (state.textContent !== said) state.textContent = said;
}

function toggle() {
  pause?.setAttribute("aria-pressed", String(!isPaused()));
  const words = pause?.firstChild;
  if (words) words.nodeValue = isPaused() ? "Go on " : "Pause ";
  if (!isPaused()) passed = 0;
  write();
  tell();
}

function clear() {
  waiting = [];
  passed = lost = 0;
  body?.replaceChildren();
  if (empty) empty.hidden = false;
  tell();
}

if (tail && body) {
  pause?.addEventListener("click", toggle);
  document.getElementById("tail-clear")?.addEventListener("click", clear);
  field?.addEventListener("input", highlight);
  frame?.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") isHovered = true; tell(); });
  frame?.addEventListener("pointerleave", () => { isHovered = false; passed = 0; write(); });
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.key !== " " || event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select, button, a, summary")) return;
    event.preventDefault();
    toggle();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); tell(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  const controls = tail.querySelector(".controls");
  if (controls instanceof HTMLElement) controls.hidden = false;
  setInterval(tell, 1000);
  open();
  tell();
}
