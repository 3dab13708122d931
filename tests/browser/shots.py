"""Takes a picture of every page, at three widths and in both themes.

PYTHONPATH=tests:examples python -m browser.shots DIRECTORY [--only NAME] [--url URL]

Every view once, and the scenes that no link leads to. With --url, what the console there shows, without the scenes.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from browser.addresses import crawl, one_of_each
from browser.pages import THEMES, WIDTHS, launch, opened
from browser.scenes import GUARDED_SCENES, SCENES, Scene, guarded
from browser.stage import stage


def main(words: Sequence[str] | None = None) -> None:
    """Write `<page>.<width>.<theme>.png` into the directory that the command line names."""
    parser = argparse.ArgumentParser(description="Take pictures of every page.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", default="", help="only the views whose names begin so")
    parser.add_argument("--url", default="", help="a console that runs already")
    parser.add_argument("--widths", nargs="*", choices=list(WIDTHS), default=list(WIDTHS))
    parser.add_argument("--themes", nargs="*", choices=list(THEMES), default=list(THEMES))
    options = parser.parse_args(words)
    options.directory.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for url, played in _plays(options.url):
            chosen = {name: scene for name, scene in played.items() if name.startswith(options.only)}
            for width in options.widths:
                for theme in options.themes:
                    _take(browser, url, chosen, options.directory, width, theme)
        browser.close()


def _take(browser: Browser, url: str, chosen: Mapping[str, Scene], directory: Path, width: str, theme: str) -> None:
    with opened(browser, width, theme) as watched:
        for name, scene in chosen.items():
            watched.visit(scene.address(url))
            scene.act(watched.page)
            watched.page.wait_for_timeout(200)
            is_over = watched.page.locator("dialog[open], :popover-open").count() > 0
            watched.page.screenshot(path=directory / f"{name}.{width}.{theme}.png", full_page=not is_over)
        for complaint in watched.complaints():
            sys.stderr.write(f"{width}, {theme}: {complaint}\n")


def _plays(url: str) -> Iterator[tuple[str, Mapping[str, Scene]]]:
    """Yield the address and the scenes of one console after the other, each while it is served."""
    if url:
        yield url, _views(url)
        return
    with _directory() as directory, stage(directory) as served:
        yield served, {**_views(served), **SCENES}
    with _directory() as directory, guarded(directory) as empty:
        yield empty, GUARDED_SCENES


def _views(url: str) -> Mapping[str, Scene]:
    return {name: _standing(address) for name, address in one_of_each(crawl(url)).items()}


def _standing(address: str) -> Scene:
    return Scene(lambda _: address)


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


if __name__ == "__main__":
    main()
