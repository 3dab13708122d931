"""Paths of views and actions with their values in them: a page's filters live in its URL."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urlencode

import msgspec

_PLACE = re.compile(r"\{(\w+)\}")

_fields = cache(msgspec.structs.fields)
"""What a struct has. It looks annotations up anew each time it is asked, and a long page has a thousand links."""

_NO_SEGMENT = re.compile(r"~*\.{0,2}")
"""What cannot stand between two slashes as it is: nothing, `.` and `..`, which every browser takes away, even
percent-encoded. So it stands behind a `~`, and what would look like that behind one more.
"""


def link(path: str, values: Mapping[str, Any]) -> str:
    """Return *path* with *values* in its places, percent-encoded, and the others in the query; None is left out."""
    given = {name: _text(value) for name, value in values.items() if value is not None}
    filled = _PLACE.sub(lambda found: segment(given[found[1]]), path)
    query = {name: value for name, value in given.items() if name not in places(path)}
    return f"{filled}?{urlencode(query)}" if query else filled


def segment(text: str) -> str:
    """Write *text* as one segment of a path."""
    return quote(f"~{text}" if _NO_SEGMENT.fullmatch(text) else text, safe="")


def read_segment(sent: str) -> str:
    """Return the text that `segment` wrote, or that somebody else percent-encoded."""
    text = unquote(sent)
    return text[1:] if text.startswith("~") and _NO_SEGMENT.fullmatch(text) else text


def places(path: str) -> list[str]:
    """Return the names of the places in *path*."""
    return _PLACE.findall(path)


def changed(ask: msgspec.Struct, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of *ask* that are not what they are by default, with *changes*; the page begins anew."""
    kept: dict[str, Any] = {}
    for field in _fields(type(ask)):
        value = getattr(ask, field.name)
        if field.required or value != field.default:
            kept[field.name] = value
    kept.pop("after", None)
    return {**kept, **changes}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
