"""Writes deeds into either store, and reads pages of them."""

import msgspec

from headrace.eventlog import cursor
from headrace.eventlog.choosing import Where
from headrace.eventlog.pages import SCAN, Page
from headrace.eventlog.tables import Tables, values
from headrace.eventlog.trail import Deed, DeedQuery, cut

_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Deed))
_NAMES = ", ".join(_COLUMNS)
_SEARCHED = ("who", "target", "detail", "answer")
_ORDER = "ORDER BY at DESC, id DESC"


def note(tables: Tables, deed: Deed) -> None:
    """Write a deed, or how it ended."""
    kept = cut(deed)
    tables.change(
        f"INSERT INTO deed ({_NAMES}) {values(len(_COLUMNS), 1)} "
        "ON CONFLICT (id) DO UPDATE SET result = excluded.result, answer = excluded.answer",
        [getattr(kept, name) for name in _COLUMNS],
    )


def deeds(tables: Tables, query: DeedQuery) -> Page[Deed]:
    """Return one page. What an index cannot answer is looked for among the first `SCAN` that it finds."""
    near, far = Where(), Where()
    near.add_given("org = ?", query.org)
    near.add_given("at >= ?", query.since)
    near.add_given("at < ?", query.until)
    if query.after is not None:
        near.add("(at, id) < (?, ?)", *cursor.read(query.after, tuple[float, str]))
    for name in ("who", "action", "target", "result"):
        far.add_given(f"{name} = ?", getattr(query, name))
    far.add_text(_SEARCHED, query.text)
    most = SCAN if far else query.limit + 1
    found = tables.run(
        f"SELECT {_NAMES} FROM (SELECT * FROM deed {near} {_ORDER} LIMIT ?) AS near {far} {_ORDER} LIMIT ?",  # noqa: S608
        [*near.parameters, most, *far.parameters, query.limit + 1],
    )
    rows = [Deed(**dict(zip(_COLUMNS, each, strict=True))) for each in found[: query.limit]]
    following = None
    if len(found) > query.limit:
        following = cursor.write((rows[-1].at, rows[-1].id))
    elif far:
        rest = tables.run(f"SELECT at, id FROM deed {near} {_ORDER} LIMIT 1 OFFSET ?", [*near.parameters, SCAN - 1])  # noqa: S608
        following = cursor.write(rest[0]) if rest else None
    return Page(rows=rows, next=following)
