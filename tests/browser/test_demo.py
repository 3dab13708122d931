"""A newcomer's first minute: the demo's page in Chromium, and without a script."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from browser.pages import opened
from browser.test_pages import AXE

STARTS_WITHIN = 120.0
DELIVERED_WITHIN = 15_000.0
"""Milliseconds in which something said is in the event log, or a server's trouble is on a tier, on a busy machine."""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the demo as a newcomer does, and return the link that it prints; Ctrl-C has to end it well."""
    directory = tmp_path_factory.mktemp("demo")
    told = directory / "told.txt"
    with told.open("w") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", "headrace", "demo", "--dir", str(directory / "demo")],
            cwd=directory, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield link_in(told, running)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0, told.read_text()
        assert "Traceback" not in told.read_text()
    finally:
        running.kill()
        running.wait()


def link_in(told: Path, running: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and running.poll() is None:
        if found := re.search(r"Open  (http://127\.0\.0\.1:\d+/demo) ", told.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(told.read_text())


def say_what(page: Page, shows: str) -> None:
    page.get_by_role("button", name=shows).click()


def test_from_the_first_click_to_the_line_that_threw(browser: Browser, demo: str) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(demo)
        say_what(page, "custom code throws")

        expect(page.locator("#talk .bot")).to_have_text(re.compile("that does not work at the moment"))
        failed = page.locator("#events .failed.here")
        expect(failed).to_contain_text("ValueError: Invalid isoformat string", timeout=DELIVERED_WITHIN)
        expect(failed).to_contain_text(re.compile(r"in the log after \d+(\.\d)? m?s"))
        expect(page.locator("#tally")).to_have_text(re.compile(r"13 events; through Kafka into the log in .+ at most"))

        page.get_by_role("link", name="See the exception").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("ValueError")
        page.go_back()
        page.get_by_role("link", name="Open the session").click()
        expect(page.locator("main")).to_contain_text("LookUpOrder")
        expect(page.locator("main")).to_contain_text("ValueError")
        assert watched.complaints() == []


def test_clicks_lead_through_a_dialog_to_its_end(browser: Browser, demo: str) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(demo)
        page.get_by_role("link", name="umbrella", exact=True).click()
        for shows in ("a dialog, with a trap", "It is broken", "the bot's logic throws"):
            say_what(page, shows)
        expect(page.locator("#events .failed")).to_contain_text("KeyError")
        page.get_by_label("Say something").fill("<b>I want to talk to a human</b>")
        page.keyboard.press("Enter")

        expect(page.locator("#over")).to_contain_text("The conversation is over")
        expect(page.locator("#talk .person").last).to_have_text("You: <b>I want to talk to a human</b>")
        expect(page.locator("#events .here").last).to_contain_text("session ended", timeout=DELIVERED_WITHIN)
        assert "org=umbrella" in page.url
        assert watched.complaints() == []


def test_a_broken_server_fills_a_tier_and_a_mended_one_drains_it(browser: Browser, demo: str) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(demo)
        switch = page.get_by_role("switch", name="initech's server")
        tiers, books = page.locator("#tiers"), page.locator("#books")
        switch.click()
        expect(switch).not_to_be_checked()
        expect(tiers.locator(".fills").first).to_be_visible(timeout=DELIVERED_WITHIN)
        expect(tiers.locator("svg[aria-label$=' waiting']:not([aria-label$=': 0 waiting'])").first).to_be_visible()
        expect(page.locator("#server-initech .waits")).to_be_visible(timeout=DELIVERED_WITHIN)

        switch.click()
        expect(switch).to_be_checked()
        expect(tiers.locator(".drains").first).to_be_visible(timeout=DELIVERED_WITHIN)
        expect(books).to_contain_text("balanced, nothing lost")
        assert watched.complaints() == []


def test_the_page_works_without_scripts(browser: Browser, demo: str) -> None:
    with opened(browser, "phone", java_script_enabled=False) as watched:
        page = watched.page
        page.goto(demo)
        say_what(page, "custom code throws")
        expect(page.locator("#talk .bot")).to_have_text(re.compile("that does not work at the moment"))
        page.get_by_label("Say something").fill("goodbye")
        page.get_by_role("button", name="Say it").click()
        expect(page.locator("#over")).to_be_visible()
        page.get_by_role("switch", name="umbrella's server").click()
        expect(page.get_by_role("switch", name="umbrella's server")).not_to_be_checked()
        page.get_by_role("switch", name="umbrella's server").click()
        assert "session=chat-" in page.url
        assert watched.errors == []


def test_the_page_is_sound_at_every_width(browser: Browser, demo: str) -> None:
    found: list[str] = []
    for width, theme in (("phone", "light"), ("tablet", "light"), ("desk", "dark")):
        with opened(browser, width, theme) as watched:
            watched.visit(demo)
            say_what(watched.page, "the carrier times out")
            expect(watched.page.locator("#events .failed.here")).to_be_visible(timeout=DELIVERED_WITHIN)
            found += watched.complaints()
            if over := watched.sideways():
                found.append(f"{width}: scrolls sideways by {over} px")
            for violation in Axe().run(watched.page, options=AXE).response["violations"]:
                places = ", ".join(str(node["target"]) for node in violation["nodes"][:3])
                found.append(f"{width} {theme}: {violation['id']}: {violation['help']}: {places}")
    assert found == []
