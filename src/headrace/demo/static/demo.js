// The demo's page, without waiting: what is said and switched goes at once, and the page is read again from its own
// address, often while events are on their way. Only what differs is changed. Without this script all of it is forms.

const SOON = 250;
const CALM = 1000;
const PARTS = ["chat", "arriving", "river"];

/** @param {string} id */
const part = (id) => /** @type {HTMLElement | null} */ (document.getElementById(id));
let reading = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let next;

/** Shows the page that *asked* answers, unless another one was asked for since. @param {Promise<Response>} asked */
async function show(asked) {
  const mine = ++reading;
  let isWell = false;
  try {
    const answer = await asked;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== reading) return;
    isWell = answer.ok;
    if (!isWell) return;
    if (answer.url !== location.href) history.pushState(null, "", answer.url);
    for (const id of PARTS) become(part(id), page.getElementById(id));
    follow();
    document.dispatchEvent(new Event("headrace:fresh"));
  } catch {
    isWell = false;
  } finally {
    if (mine === reading) {
      const silence = part("silence");
      if (silence) silence.hidden = isWell;
      wait();
    }
  }
}

const look = () => show(fetch(location.href, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10_000) }));

function wait() {
  clearTimeout(next);
  if (!document.hidden) next = setTimeout(look, document.querySelector("#events .way") ? SOON : CALM);
}

/** Makes *old* what *fresh* is. @param {Element | null} old @param {Element | null} fresh */
function become(old, fresh) {
  if (!old || !fresh || old.isEqualNode(fresh)) return;
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  if (!fresh.childElementCount && !old.childElementCount) {
    old.textContent = fresh.textContent;
    return;
  }
  const wanted = [...fresh.childNodes];
  wanted.forEach((each, place) => {
    const here = old.childNodes[place];
    const match = each instanceof Element && each.id ? within(old, each) : here;
    if (!match || !isLike(match, each)) old.insertBefore(document.importNode(each, true), here ?? null);
    else {
      if (match !== here) old.insertBefore(match, here);
      if (match instanceof Element) become(match, /** @type {Element} */ (each));
      else if (match.nodeValue !== each.nodeValue) match.nodeValue = each.nodeValue;
    }
  });
  while (old.childNodes.length > wanted.length) old.lastChild?.remove();
}

/** @param {Element} old @param {Element} each */
const within = (old, each) => [...old.children].find((child) => child.id === each.id);

/** @param {Node} one @param {Node} other */
const isLike = (one, other) =>
  one.nodeName === other.nodeName && (!(one instanceof Element) || one.id === /** @type {Element} */ (other).id);

/** Keeps the end in sight where it was in sight. */
const ends = new Map();
function follow() {
  for (const id of ["talk", "events"]) {
    const list = part(id);
    if (!list) continue;
    const seen = ends.get(id);
    if (!seen || seen.list !== list || seen.atEnd) list.scrollTop = list.scrollHeight;
    if (!seen || seen.list !== list) {
      ends.set(id, { list, atEnd: true });
      list.addEventListener("scroll", () => {
        ends.set(id, { list, atEnd: list.scrollHeight - list.scrollTop - list.clientHeight < 24 });
      });
    }
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.matches("[data-at-once]") || event.defaultPrevented) return;
  event.preventDefault();
  const sent = new URLSearchParams();
  for (const [name, value] of new FormData(form, event.submitter)) sent.append(name, String(value));
  for (const seen of ends.values()) seen.atEnd = true;
  form.reset();
  void show(fetch(form.action, { method: "POST", body: sent, signal: AbortSignal.timeout(10_000) }));
});
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(next) : void look()));
addEventListener("popstate", () => void look());

follow();
wait();
