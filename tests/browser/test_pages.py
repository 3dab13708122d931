"""Every page in Chromium: nothing complains, nobody is shut out, and nothing runs that a conversation brought along."""

from collections.abc import Collection, Sequence
from itertools import product

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser

from browser.addresses import PATHS, Found
from browser.pages import THEMES, WIDTHS, opened

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = {"runOnly": STANDARDS, "resultTypes": ["violations"]}
ALIKE = "tbody tr:nth-child(n + 7), .talk > :nth-child(n + 16), .frames > :nth-child(n + 7)"
"""Rows like those before: axe finds nothing new in them, and takes seconds for a hundred."""


def test_every_view_can_be_reached_by_links(pages: dict[str, str]) -> None:
    assert set(PATHS) == set(pages)


def test_no_link_leads_nowhere(found: list[Found]) -> None:
    assert [(each.status, each.url, each.linked_from) for each in found if each.status != 200] == []
    assert len(found) > len(PATHS)


@pytest.mark.parametrize("name", PATHS)
def test_page_is_sound(browser: Browser, pages: dict[str, str], name: str) -> None:
    """It says nothing in the browser's console, breaks no rule of its CSP, fits, and axe knows no fault of it."""
    assert faults(browser, pages[name], {("desk", "light"), ("phone", "dark")}) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PATHS)
def test_page_is_sound_at_every_width_in_both_themes(browser: Browser, pages: dict[str, str], name: str) -> None:
    assert faults(browser, pages[name], set(product(WIDTHS, THEMES))) == []


def test_pages_work_without_scripts(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser, "phone", java_script_enabled=False) as watched:
        watched.page.goto(pages["exceptions"])
        watched.page.get_by_role("button", name="Menu").click()
        watched.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Sessions").click()
        watched.page.get_by_label("with errors").check()
        watched.page.get_by_role("button", name="Filter").click()
        assert "errors=true" in watched.page.url
        assert watched.errors == []


def faults(browser: Browser, url: str, looks: Collection[tuple[str, str]]) -> Sequence[str]:
    """Return what is wrong with a page; axe looks at it in each of *looks*, a width and a theme."""
    found: list[str] = []
    with opened(browser) as watched:
        assert watched.visit(url) == 200
        watched.page.evaluate(AXE_SCRIPT)
        watched.page.evaluate("(alike) => document.querySelectorAll(alike).forEach((each) => each.remove())", ALIKE)
        for width, theme in product(WIDTHS, THEMES):
            wide, high = WIDTHS[width]
            watched.page.set_viewport_size({"width": wide, "height": high})
            watched.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            if over := watched.sideways():
                found.append(f"{width}: scrolls sideways by {over} px")
            if (width, theme) in looks:
                told = watched.page.evaluate("(options) => axe.run(document, options)", AXE)["violations"]
                for each in told:
                    places = [node["target"] for node in each["nodes"][:3]]
                    found.append(f"{width}, {theme}: {each['id']}: {each['help']}: {places}")
        return [*found, *watched.complaints()]
