"""Every page in Chromium: nothing complains, nobody is shut out, and nothing runs that a conversation brought along."""

from collections.abc import Collection, Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser

from browser.addresses import PATHS, Found
from browser.pages import THEMES, WIDTHS, opened
from browser.scenes import GUARDED_SCENES, SCENES, Scene, guarded

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE = {"runOnly": STANDARDS, "resultTypes": ["violations"]}
TWO, ALL = [("desk", "light"), ("phone", "dark")], list(product(WIDTHS, THEMES))
"""Looks in which axe sees a page: a width and a theme."""

COVERED = "body:has(:popover-open) section"
"""What lies half behind an open menu: axe takes the menu's colour for its ground."""

ALIKE = "tbody tr:nth-child(n + 7), .talk > :nth-child(n + 16), .frames > :nth-child(n + 7)"
"""Rows like those before: axe finds nothing new in them, and takes seconds for a hundred."""


def test_every_view_can_be_reached_by_links(pages: dict[str, str]) -> None:
    assert set(PATHS) == set(pages)


def test_no_link_leads_nowhere(found: list[Found]) -> None:
    assert [(each.status, each.url, each.linked_from) for each in found if each.status != 200] == []
    assert len(found) > len(PATHS)


@pytest.fixture(scope="module")
def guarded_console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a console that asks who comes, with nothing in it."""
    directory: Path = tmp_path_factory.mktemp("guarded")
    with guarded(directory) as url:
        yield url


@pytest.mark.parametrize("name", PATHS)
def test_page_is_sound(browser: Browser, pages: dict[str, str], name: str) -> None:
    """It says nothing in the browser's console, breaks no rule of its CSP, fits, and axe knows no fault of it."""
    assert faults(browser, _page(pages[name]), TWO) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PATHS)
def test_page_is_sound_at_every_width_in_both_themes(browser: Browser, pages: dict[str, str], name: str) -> None:
    assert faults(browser, _page(pages[name]), ALL) == []


def _one(scenes: Collection[str], name: str) -> Collection[tuple[str, str]]:
    """Return one of the two looks, so that each has half of *scenes*: all of them take minutes."""
    return [TWO[list(scenes).index(name) % len(TWO)]]


@pytest.mark.parametrize("name", SCENES)
def test_scene_is_sound(browser: Browser, console: str, name: str) -> None:
    """So is what no link leads to, and what has been done on a page."""
    assert faults(browser, SCENES[name], _one(SCENES, name), console) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_scene_is_sound_at_every_width_in_both_themes(browser: Browser, console: str, name: str) -> None:
    assert faults(browser, SCENES[name], ALL, console) == []


@pytest.mark.parametrize("name", GUARDED_SCENES)
def test_guarded_scene_is_sound(browser: Browser, guarded_console: str, name: str) -> None:
    """So is the sign-in, and each page that has nothing to show yet."""
    assert faults(browser, GUARDED_SCENES[name], _one(GUARDED_SCENES, name), guarded_console) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", GUARDED_SCENES)
def test_guarded_scene_is_sound_at_every_width_in_both_themes(
    browser: Browser, guarded_console: str, name: str
) -> None:
    assert faults(browser, GUARDED_SCENES[name], ALL, guarded_console) == []


def test_pages_work_without_scripts(browser: Browser, pages: dict[str, str]) -> None:
    with opened(browser, "phone", java_script_enabled=False) as watched:
        watched.page.goto(pages["exceptions"])
        watched.page.get_by_role("button", name="Menu").click()
        watched.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Sessions").click()
        watched.page.get_by_label("with errors").check()
        watched.page.get_by_role("button", name="Filter").click()
        assert "errors=true" in watched.page.url
        assert watched.errors == []


def _page(url: str) -> Scene:
    return Scene(lambda _: url)


def faults(browser: Browser, scene: Scene, looks: Collection[tuple[str, str]], console: str = "") -> Sequence[str]:
    """Return what is wrong with a page once it has been acted on; axe looks at it in each of *looks*."""
    found: list[str] = []
    with opened(browser, "phone") as watched:  # whose menu must be opened
        watched.visit(scene.address(console))
        scene.act(watched.page)
        assert watched.page.evaluate("performance.getEntriesByType('navigation')[0].responseStatus") == scene.status
        watched.page.evaluate(AXE_SCRIPT)
        watched.page.evaluate(
            "(alike) => document.querySelectorAll(alike).forEach((each) => each.remove())", f"{ALIKE}, {COVERED}"
        )
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
        meant = f"responded with a status of {scene.status} "  # Chromium tells of every page that is a refusal
        return [*found, *(each for each in watched.complaints() if meant not in each)]
