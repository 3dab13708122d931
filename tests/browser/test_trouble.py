"""Redriving a dead letter by hand, and the live tail under more than it can show."""

import json
import re

from playwright.sync_api import Browser, Page, Route, expect

from browser.pages import opened

UPDATES = 20
ROWS = 500
HOSTILE = '<img src=x onerror=alert(1)> "no order 4711"'


def test_a_dead_letter_is_redriven_from_its_page(browser: Browser, console: str) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(f"{console}/dead?org=initech")
        page.get_by_role("region", name="The last that died first").locator("tbody th a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/dead/\d+/\d+$"))
        letter = page.url
        page.get_by_role("button", name="Redrive this letter").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/jobs/*")
        expect(page.locator("#job .badge").first).to_have_text("done", timeout=10_000)
        page.goto(letter)
        expect(page.locator("#letter .badge").first).to_have_text("redriven", timeout=10_000)
        expect(page.get_by_role("button", name="Redrive this letter")).to_have_count(0)
        assert watched.complaints() == []


def test_a_redrive_of_what_is_meant_is_planned_first(browser: Browser, console: str) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(f"{console}/dead?org=initech")
        page.get_by_role("link", name="Plan to redrive these").click()
        page.wait_for_url("**/dead/plan?org=initech*")
        count = int(page.locator("dl.figures a").first.inner_text().replace(",", ""))
        expect(page.get_by_role("heading", name=f"Redrive {count} letter")).to_be_visible()
        page.get_by_role("link", name="Back").click()
        expect(page.get_by_role("link", name=f"Plan to redrive these {count}")).to_be_visible()


def flood(page: Page) -> None:
    """Let the stream of the page bring twenty seconds at once."""

    def answer(route: Route) -> None:
        rows = [
            {
                "position": f"0/{number}", "at": 1_795_428_000 + number / 1000, "org": "acme", "session": "s-1/ä",
                "type": "bot.message.sent", "id": f"{number}", "what": HOSTILE, "failed": number % 9 == 0,
            }
            for number in range(ROWS)
        ]  # fmt: skip
        update = json.dumps({"rows": rows, "one_in": 2.2})
        body = "retry: 60000\n\n" + f"event: rows\ndata: {update}\n\n" * UPDATES + "event: lost\ndata: 3\n\n"
        route.fulfill(content_type="text/event-stream", body=body)

    page.route("**/tail/stream*", answer)


def test_the_live_tail_shows_what_it_can_and_says_what_it_cannot(browser: Browser, console: str) -> None:
    with opened(browser) as watched:
        page = watched.page
        flood(page)
        watched.visit(f"{console}/tail")
        rows = page.locator("#tail-rows > li")
        expect(rows).to_have_count(1000, timeout=15_000)
        expect(page.locator("#tail-state")).to_contain_text("showing 1 in 2.2")
        expect(page.locator("#tail-state")).to_contain_text("3 s lost")
        expect(page.locator("#tail-rows img")).to_have_count(0)
        expect(rows.first.locator(".what")).to_have_text(HOSTILE)
        assert rows.first.locator("a").get_attribute("href") == "/sessions/acme/s-1%2F%C3%A4"

        page.get_by_label("Highlight").fill("order 47 x y z more")
        expect(rows.first.locator("mark.mark-0")).to_have_text("order")
        expect(rows.first.locator("mark", has_text="more")).to_have_count(0)
        page.get_by_role("button", name="Clear").click()
        expect(rows).to_have_count(0)
        expect(page.locator("#tail-empty")).to_be_visible()
        assert watched.complaints() == []


def test_the_live_tail_stands_still_while_it_is_paused(browser: Browser, console: str) -> None:
    with opened(browser) as watched:
        page = watched.page
        watched.visit(f"{console}/tail")
        page.locator("h1").click()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Go on")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#tail-state")).to_have_text("paused")
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Pause")).to_have_attribute("aria-pressed", "false")
