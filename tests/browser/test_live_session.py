"""A session that somebody looks at while it goes on."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser.pages import opened
from browser.stage import assembled
from headrace import app, console_app
from headrace.broker.memory import MemoryBroker
from headrace.clock import SystemClock
from headrace.eventlog.opening import open_event_log
from headrace.eventlog.port import EventLog
from headrace.testing.eventlog_contract import ERROR, event

SETTINGS = """\
[console]
port = 0
[eventlog]
url = "sqlite:///eventlog.db"
[destinations.log]
type = "eventlog"
[routes]
"*" = ["log"]
"""

WITHIN = 15_000.0
"""Milliseconds in which a page looks again, on a busy machine."""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[str, EventLog]]:
    """Serve a console; yield its address and its event log, to which a test is the worker."""
    with assembled(tmp_path, SETTINGS, MemoryBroker()) as config:
        app.apply_topics(config)
        with (
            closing(open_event_log(config.eventlog, SystemClock())) as log,
            console_app.console(config) as served,
        ):
            yield served.url, log


def said(seq: int, text: str) -> bytes:
    return event(str(seq), seq=seq, data={"text": text})


def test_an_open_session_grows_under_who_reads_it_until_it_ends(browser: Browser, house: tuple[str, EventLog]) -> None:
    url, log = house
    log.upsert([said(number, f"line {number}") for number in range(40)])
    with opened(browser) as watched:
        page = watched.page
        watched.visit(f"{url}/sessions/acme/s-1?step=3#step")
        told = page.locator("#step details").first
        told.evaluate("(it) => { it.open = true; }")
        page.evaluate("scrollTo(0, 700)")
        page.evaluate("window.at = scrollY")
        expect(page.get_by_role("link", name="Follow live")).to_have_attribute("href", "/tail?org=acme&session=s-1")

        failed = event("40", seq=40, type="bot.exception.raised", data={"error": ERROR})
        log.upsert([failed])

        expect(page.locator("#e-40")).to_be_attached(timeout=WITHIN)
        expect(page.locator("#head .badge")).to_have_text("1 error")
        assert told.evaluate("(it) => it.open && it.isConnected")
        assert page.evaluate("scrollY === window.at && scrollY > 0")

        log.upsert([event("41", seq=41, type="bot.session.ended", data={"reason": "user"})])

        expect(page.locator("#told[data-live]")).to_have_count(0, timeout=WITHIN)
        expect(page.locator("#age")).to_be_hidden()
        expect(page.get_by_role("link", name="Follow live")).to_have_count(0)
        assert watched.complaints() == []
