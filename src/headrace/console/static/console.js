// What every page has: the theme, the time zone, copying, and asking before what cannot be undone.
// Scripts of a page know each other only by events on the document: headrace:fresh (sections were fetched anew),
// headrace:look (colours changed), headrace:zone (times are to be written in another zone).

const STEPS = ["auto", "light", "dark"];

/** @param {string} id */
const button = (id) => /** @type {HTMLButtonElement | null} */ (document.getElementById(id));

/** Says it to those who do not see it. @param {string} words */
function say(words) {
  const said = document.getElementById("said");
  if (said) said.textContent = words;
}

function beTheme() {
  const switcher = button("theme");
  if (!switcher) return;
  const show = () => {
    const chosen = localStorage.getItem("headrace.theme") ?? "auto";
    switcher.textContent = `Theme: ${chosen}`;
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    document.dispatchEvent(new Event("headrace:look"));
  };
  switcher.addEventListener("click", () => {
    const next = (STEPS.indexOf(localStorage.getItem("headrace.theme") ?? "auto") + 1) % STEPS.length;
    if (STEPS[next] === "auto") localStorage.removeItem("headrace.theme");
    else localStorage.setItem("headrace.theme", STEPS[next]);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("headrace:look")));
  switcher.hidden = false;
  show();
}

const DATE = /^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?/;
const CLOCK = /^\d\d:\d\d(:\d\d(\.\d+)?)?$/;

/** @param {Date} at in the zone of whoever looks, as the server writes it in UTC */
function local(at) {
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return { day, clock: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}` };
}

/** What is written of a time is its text and its title; what tells how long ago it was stays. */
function writeTimes() {
  const isLocal = localStorage.getItem("headrace.zone") === "local";
  for (const each of document.querySelectorAll("[data-zone]")) each.textContent = isLocal ? "here" : "UTC";
  for (const each of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll("time[datetime]"))) {
    each.dataset.utc ??= each.textContent?.trim() ?? "";
    each.dataset.utcTitle ??= each.title;
    const at = new Date(each.dateTime);
    const { day, clock } = local(at);
    const text = each.dataset.utc;
    let shown = text;
    const date = DATE.exec(text)?.[0];
    if (isLocal && date) shown = text.replace(date, `${day} ${clock}`.slice(0, date.length)).replace(" UTC", "");
    else if (isLocal && CLOCK.test(text)) shown = clock.slice(0, text.length);
    if (each.textContent !== shown) each.textContent = shown;
    each.title = isLocal ? `${day} ${clock.slice(0, 8)} here` : each.dataset.utcTitle || (date ? "UTC" : "");
  }
}

function beZone() {
  const switcher = button("zone");
  if (!switcher) return;
  const show = () => {
    const isLocal = localStorage.getItem("headrace.zone") === "local";
    switcher.textContent = isLocal ? "Times: here" : "Times: UTC";
    switcher.title = isLocal ? Intl.DateTimeFormat().resolvedOptions().timeZone : "Coordinated Universal Time";
    writeTimes();
    document.dispatchEvent(new Event("headrace:zone"));
  };
  switcher.addEventListener("click", () => {
    if (localStorage.getItem("headrace.zone") === "local") localStorage.removeItem("headrace.zone");
    else localStorage.setItem("headrace.zone", "local");
    show();
  });
  switcher.hidden = false;
  show();
}

function showCopying() {
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-copy]"))) each.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const pressed = /** @type {HTMLElement} */ (event.target).closest?.("[data-copy]");
  if (!(pressed instanceof HTMLElement)) return;
  const words = pressed.firstChild;
  try {
    await navigator.clipboard.writeText(pressed.dataset.copy ?? "");
    say("Copied");
    if (words?.nodeType === Node.TEXT_NODE) {
      words.nodeValue = "Copied";
      setTimeout(() => { words.nodeValue = "Copy"; }, 1500);
    }
  } catch {
    say("The browser does not let this page copy");
  }
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.confirm && !confirm(form.dataset.confirm)) event.preventDefault();
});

document.addEventListener("headrace:fresh", () => {
  writeTimes();
  showCopying();
});

beTheme();
beZone();
showCopying();
