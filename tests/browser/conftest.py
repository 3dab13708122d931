"""One console and one Chromium for all tests of browsers, and for no longer: Playwright keeps an event loop running."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.addresses import Found, crawl, one_of_each
from browser.pages import launch
from browser.stage import stage


@pytest.fixture(scope="package")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a console with conversations and trouble in it."""
    directory: Path = tmp_path_factory.mktemp("console")
    with stage(directory) as url:
        yield url


@pytest.fixture(scope="package")
def found(console: str) -> list[Found]:
    """Follow every link."""
    return list(crawl(console))


@pytest.fixture(scope="package")
def pages(found: list[Found]) -> dict[str, str]:
    """Name one address of each view."""
    return one_of_each(found)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start the system's Chromium."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()
