"""Where the pages are: found by following links from the first page, as people do."""

import html
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import urlopen

from headrace.console.views.every import VIEWS

PATHS: Mapping[str, str] = {view.name: view.path for view in VIEWS if view.has_page}
"""The views that have a page."""

API = "/api/v1"

ALIKE = 2
"""Of pages that differ in their values only, so many are looked at."""

MOST = 14
"""Of the pages of one view, whatever is asked, so many are looked at."""

_HREF = re.compile(r'<a\b[^>]*?\shref="([^"]*)"')


class Found(NamedTuple):
    """A page that some link leads to. *view* is its path where it is no view's."""

    url: str
    view: str
    status: int
    text: str
    linked_from: str


def crawl(base: str) -> Iterator[Found]:
    """Follow every link inside the console, of those that are alike the first ones."""
    waiting = deque([(base + (_first_page()), "")])
    seen: set[str] = set()
    alike: Counter[str] = Counter()
    while waiting:
        url, linked_from = waiting.popleft()
        url = url.partition("#")[0]
        view, shape = _shape(url)
        if url in seen or alike[shape] >= ALIKE or alike[view] >= MOST:
            continue
        seen.add(url)
        alike.update((shape, view))
        status, text = _get(url)
        yield Found(url, view, status, text, linked_from)
        for href in _HREF.findall(text):
            target = urljoin(url, html.unescape(href))
            if urlsplit(target).netloc == urlsplit(base).netloc:
                waiting.append((target, url))


def one_of_each(pages: Iterable[Found]) -> dict[str, str]:
    """Return one address of each view, the longest page of those that were found."""
    longest: dict[str, Found] = {}
    for found in pages:
        known = longest.get(found.view)
        if found.view in PATHS and (known is None or len(found.text) > len(known.text)):
            longest[found.view] = found
    return {name: found.url for name, found in longest.items()}


def _first_page() -> str:
    return "/" if "/" in PATHS.values() else next(path for path in PATHS.values() if "{" not in path)


def _get(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=15) as answer:
            is_page = answer.headers.get_content_type() == "text/html"
            return answer.status, answer.read().decode() if is_page else ""
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def _shape(url: str) -> tuple[str, str]:
    """Return the view that *url* shows, and what is set in its query: pages with the same are alike."""
    parts = urlsplit(url)
    names = sorted({each.partition("=")[0] for each in parts.query.split("&") if each})
    path = parts.path.removeprefix(API)
    view = next((name for name, pattern in _PATTERNS.items() if pattern.fullmatch(path)), path)
    view = view if path == parts.path else f"{API} {view}"
    return view, f"{view}?{'&'.join(names)}"


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", path)))


_PATTERNS = {  # what is exact comes first
    name: _pattern(path)
    for name, path in sorted(((view.name, view.path) for view in VIEWS), key=lambda each: each[1].count("{"))
}
