"""The live tail in front of a real Kafka that carries a thousand events per second."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from browser.pages import opened
from headrace.testing.simulated_org import SimulatedOrg
from river import River
from talking import Talking

ORGS = ("acme", "globex", "initech")
RATE = 1000.0
KEPT = 1000
"""Rows that the page keeps."""

SOON = 3_000
"""Milliseconds in which a click has to have its effect, on however busy a machine."""

WITHIN = 20_000
"""Milliseconds that the first rows may take."""


def test_the_live_tail_answers_clicks_and_says_what_it_leaves_out_under_a_thousand_events_per_second(
    browser: Browser, kafka: str, tmp_path: Path
) -> None:
    with (
        SimulatedOrg() as orgs,
        River(tmp_path, kafka, orgs) as river,
        Talking(river.config, ORGS, RATE),
        opened(browser) as watched,
    ):
        _, console = river.start_console()
        page = watched.page
        watched.visit(f"{console}/tail")
        state, rows = page.locator("#tail-state"), page.locator("#tail-rows > li")
        expect(state).to_contain_text("showing 1 in", timeout=WITHIN)
        expect(rows).to_have_count(KEPT, timeout=WITHIN)
        first = rows.first.text_content() or ""
        expect(rows.first).not_to_have_text(first, timeout=SOON)
        expect(rows).to_have_count(KEPT)

        page.get_by_role("button", name="Pause").click(timeout=SOON)
        expect(page.get_by_role("button", name="Go on")).to_be_visible(timeout=SOON)
        stood = rows.first.text_content() or ""
        expect(state).to_contain_text(" wait", timeout=SOON)
        assert rows.first.text_content() == stood
        page.get_by_role("button", name="Go on").click(timeout=SOON)
        expect(rows.first).not_to_have_text(stood, timeout=SOON)

        page.get_by_label("Org", exact=True).fill("globex")
        page.get_by_role("button", name="Filter").click(timeout=SOON)
        page.wait_for_url("**/tail?*org=globex*")
        expect(rows.nth(99)).to_be_visible(timeout=WITHIN)
        assert set(page.locator("#tail-rows .org").all_text_contents()) == {"globex"}
        assert rows.count() <= KEPT
        assert watched.complaints() == []
        assert river.stop() == [0]
