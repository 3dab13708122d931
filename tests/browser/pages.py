"""A page in a real browser, and everything it complains of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTHS = {"phone": (360, 740), "tablet": (768, 1000), "desk": (1280, 860)}
THEMES = ("light", "dark")

SIDEWAYS = """
async () => {
  const root = document.documentElement;
  const over = () => root.scrollWidth - root.clientWidth;
  const end = performance.now() + 2000;
  while (over() > 0 && performance.now() < end) await new Promise((next) => setTimeout(next, 50));
  return over();
}
"""

LISTEN = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}`);
});
"""


def launch(playwright: Playwright) -> Browser:
    """Start the system's Chromium."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))


@contextmanager
def opened(browser: Browser, width: str = "desk", theme: str = "light", **options: Any) -> Iterator["Watched"]:
    """Open a page of one width and theme."""
    wide, high = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(5_000)
    try:
        yield Watched(context)
    finally:
        context.close()


class Watched:
    """A page that remembers what went wrong on it."""

    def __init__(self, context: BrowserContext) -> None:
        context.add_init_script(LISTEN)
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(f"{self.page.url}: {error}"))
        self.page.on("requestfailed", self._failed)

    def visit(self, url: str) -> int:
        """Go there, wait until its scripts have run, and return the status."""
        response = self.page.goto(url, wait_until="load")
        assert response is not None
        return response.status

    def complaints(self) -> list[str]:
        """Return what the browser complained of until now: errors of scripts, and what the CSP stopped."""
        found: list[str] = self.page.evaluate("window.__violations")
        return self.errors + found

    def sideways(self) -> int:
        """Return by how many pixels the page can be scrolled sideways, once it has settled into its width."""
        width: int = self.page.evaluate(SIDEWAYS)
        return width

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{self.page.url}: {message.text}")

    def _failed(self, request: object) -> None:
        failure = getattr(request, "failure", "")
        if failure != "net::ERR_ABORTED":  # what a page that is left no longer waits for
            self.errors.append(f"{getattr(request, 'url', '')}: {failure}")
