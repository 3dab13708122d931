// Ctrl-K: pages, orgs and sessions by name. The list is made from the navigation, and from the API when it is first opened.

/** @typedef {{name: string, kind: string, href: string}} Place */

const opener = document.getElementById("jump");
/** @type {Place[]} */
const pages = [...document.querySelectorAll("#pages nav a")].map((each) => {
  const link = /** @type {HTMLAnchorElement} */ (each);
  return { name: link.firstChild?.textContent?.trim() ?? "", kind: "page", href: link.href };
});
/** @type {Place[]} */
let orgs = [];
let chosen = 0;

const dialog = document.createElement("dialog");
dialog.className = "palette";
dialog.setAttribute("aria-label", "Go to");
const field = document.createElement("input");
field.type = "text";
field.placeholder = "A page, an org, or words of a session …";
const list = document.createElement("ul");
list.id = "places";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Places");
for (const [name, value] of [["role", "combobox"], ["aria-label", "Go to"], ["aria-expanded", "true"], ["aria-controls", "places"], ["autocomplete", "off"]]) {
  field.setAttribute(name, value);
}
dialog.append(field, list);

/** @returns {Place[]} */
function found() {
  const words = field.value.trim().toLowerCase();
  const known = [...pages, ...orgs].filter((each) => each.name.toLowerCase().includes(words)).slice(0, 12);
  const sessions = pages.find((each) => new URL(each.href).pathname === "/sessions");
  if (words && sessions) known.push({ name: `Sessions with “${field.value.trim()}”`, kind: "search", href: `${sessions.href}?text=${encodeURIComponent(field.value.trim())}` });
  return known;
}

function show() {
  const places = found();
  chosen = Math.max(0, Math.min(chosen, places.length - 1));
  list.replaceChildren(...places.map((place, n) => {
    const row = document.createElement("li");
    row.id = `place-${n}`;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", String(n === chosen));
    const kind = document.createElement("small");
    kind.textContent = place.kind;
    row.append(place.name, kind);
    row.addEventListener("click", () => go(place));
    return row;
  }));
  field.setAttribute("aria-activedescendant", places.length ? `place-${chosen}` : "");
  list.children[chosen]?.scrollIntoView({ block: "nearest" });
}

/** @param {Place | undefined} place */
function go(place) {
  if (!place) return;
  sessionStorage.setItem("headrace.went", "yes");
  location.href = place.href;
}

async function open() {
  field.value = "";
  chosen = 0;
  show();
  dialog.showModal();
  if (orgs.length || !pages.some((each) => new URL(each.href).pathname === "/orgs")) return;
  try {
    const answer = await fetch("/api/v1/orgs");
    if (!answer.ok) return;
    /** @type {{rows?: {org: string}[]}} */
    const { rows = [] } = await answer.json();
    orgs = rows.map(({ org }) => ({ name: org, kind: "org", href: `/orgs/${encodeURIComponent(org)}` }));
    show();
  } catch {
    orgs = []; // pages are still there
  }
}

field.addEventListener("input", () => { chosen = 0; show(); });
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter") go(found()[chosen]);
  else if (event.key === "ArrowDown") chosen += 1;
  else if (event.key === "ArrowUp") chosen -= 1;
  else return;
  event.preventDefault();
  show();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (!dialog.open) void open();
});

if (opener && pages.length) {
  document.body.append(dialog);
  opener.hidden = false;
  opener.addEventListener("click", () => void open());
}
