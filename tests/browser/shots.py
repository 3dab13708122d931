"""Takes a picture of every page, at three widths and in both themes.

PYTHONPATH=tests:examples python -m browser.shots DIRECTORY [--only NAME] [--url URL]
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from browser.addresses import crawl, one_of_each
from browser.pages import THEMES, WIDTHS, launch, opened
from browser.stage import stage


def main(words: Sequence[str] | None = None) -> None:
    """Write `<page>.<width>.<theme>.png` into the directory that the command line names."""
    parser = argparse.ArgumentParser(description="Take pictures of every page.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--only", default="", help="only the views whose names begin so")
    parser.add_argument("--url", default="", help="a console that runs already")
    parser.add_argument("--widths", nargs="*", default=list(WIDTHS))
    parser.add_argument("--themes", nargs="*", default=list(THEMES))
    options = parser.parse_args(words)
    options.directory.mkdir(parents=True, exist_ok=True)
    with _address(options.url) as url, sync_playwright() as playwright:
        browser = launch(playwright)
        found = one_of_each(crawl(url))
        for width in options.widths:
            for theme in options.themes:
                with opened(browser, width, theme) as watched:
                    for name, address in found.items():
                        if name.startswith(options.only):
                            watched.visit(address)
                            watched.page.wait_for_timeout(150)
                            path = options.directory / f"{name}.{width}.{theme}.png"
                            watched.page.screenshot(path=path, full_page=True)
                    for complaint in watched.complaints():
                        sys.stderr.write(f"{complaint}\n")
        browser.close()


@contextmanager
def _address(url: str) -> Iterator[str]:
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory() as directory, stage(Path(directory)) as served:
        yield served


if __name__ == "__main__":
    main()
