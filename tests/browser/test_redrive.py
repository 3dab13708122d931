"""A dead letter on a real river, redriven by a click, and seen to arrive."""

import re
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Browser, expect

from browser.pages import opened
from headrace import app
from headrace.testing.faults import FaultPlan, Match, Results, always
from headrace.testing.simulated_org import SimulatedOrg
from river import River

WITHIN = 20_000.0
"""Milliseconds that Kafka and a worker may take for what a person waits for, on a busy machine."""


def test_a_dead_letter_is_redriven_by_a_click_and_seen_to_be_delivered(
    browser: Browser, kafka: str, tmp_path: Path
) -> None:
    with (
        SimulatedOrg() as orgs,
        River(tmp_path, kafka, orgs, {"retry": {"tiers": ["1s"]}}) as river,
        opened(browser) as watched,
    ):
        orgs.plan("acme", always(Results(rejected=Match())))
        river.start_worker()
        with closing(app.emitter(river.config)) as emitter:
            emitter.session(org="acme", bot="helpdesk", session="s-7").emit("bot.message.sent", text="on its way")
        assert river.settled(events=2, within=60).rejected == 1
        orgs.plan("acme", FaultPlan())
        _, console = river.start_console()

        page = watched.page
        watched.visit(f"{console}/dead")
        letters = page.get_by_role("region", name="The last that died first")
        expect(letters.locator("tbody tr")).to_have_count(1, timeout=WITHIN)
        letters.locator("tbody th a").click()
        page.wait_for_url(re.compile(r"/dead/\d+/\d+$"))
        letter = page.url
        page.get_by_role("button", name="Redrive this letter").click()
        page.wait_for_url("**/jobs/*")
        expect(page.locator("#job .badge").first).to_have_text("done", timeout=WITHIN)

        books = river.settled(events=2, within=30)
        assert (books.delivered, books.rejected, books.lost, books.balanced) == (2, 0, 0, True)
        assert orgs.ledger("acme").distinct == 1
        watched.visit(letter)
        expect(page.locator("#letter .badge").first).to_have_text("redriven")
        page.get_by_role("link", name="The event's whole journey").click()
        way = page.locator("main").get_by_role("listitem").filter(has_text="crm")
        expect(way.last).to_contain_text("delivered")
        expect(way.filter(has_text="dead-lettered")).to_have_count(1)
        assert watched.complaints() == []
        assert river.stop() == [0, 0]
