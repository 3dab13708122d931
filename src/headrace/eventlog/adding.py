"""Adds what new events add up to, in either store."""

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from headrace.eventlog.erasing import erase
from headrace.eventlog.erasure import event_digest, sort_out
from headrace.eventlog.fold import EXCEPTION, HIT, PLAIN, SESSION, Folded
from headrace.eventlog.row import Row
from headrace.eventlog.tables import Tables, marks, portions, upsert, values

K = TypeVar("K", tuple[str, str], tuple[str, str, str])
T = TypeVar("T")

_TOGETHER = 500

_NEW_HITS = """
    INSERT INTO hit (org, fingerprint, session, count, first_at, last_at)
    SELECT *, 0, 9e99, -9e99 FROM ({values}) AS new WHERE true ON CONFLICT DO NOTHING RETURNING org, fingerprint
"""
"""Makes the rows that are not there, so that they can be counted before all of them are merged."""


def add_sessions(tables: Tables, folded: Folded) -> None:
    """Merge what is folded into the sessions."""
    ordered = _ordered(folded.sessions)
    if not tables.is_alone:
        upsert(tables, "session", SESSION, ordered)
        return
    upsert(tables, "session", PLAIN, [each for each in ordered if each.is_plain])
    upsert(tables, "session", SESSION, [each for each in ordered if not each.is_plain])


def add_exceptions(tables: Tables, folded: Folded) -> None:
    """Merge what is folded into the exceptions, and into what they hit."""
    if not folded.exceptions:
        return
    for some in portions(sorted(folded.hits), _TOGETHER):
        new = tables.run(_NEW_HITS.format(values=values(3, len(some))), list(chain.from_iterable(some)))
        for org, fingerprint in new:
            folded.exceptions[org, fingerprint].sessions += 1
    upsert(tables, "exception", EXCEPTION, _ordered(folded.exceptions), "type", "culprit", "frame")
    upsert(tables, "hit", HIT, _ordered(folded.hits))


def without_erased(tables: Tables, rows: Sequence[Row], now: float) -> tuple[Sequence[Row], int]:
    """Return those of the new *rows* that nobody erased, and how many came too late, which are counted."""
    if not tables.run("SELECT 1 FROM tombstone LIMIT 1"):
        return rows, 0
    found = sort_out(rows, lambda all_: _known(tables, all_).keys(), lambda all_: _known(tables, all_))
    erase(tables, found.erased, now)
    for session, row in found.late:
        if tables.change("INSERT INTO late VALUES (?) ON CONFLICT DO NOTHING", (event_digest(row),)):
            tables.change("UPDATE tombstone SET late = late + 1 WHERE digest = ?", (session,))
    return found.fresh, len(found.late)


def _known(tables: Tables, digests: Collection[bytes]) -> dict[bytes, float]:
    """Return which of *digests* have a tombstone, and since when."""
    found: dict[bytes, float] = {}
    for some in portions(digests, _TOGETHER):
        found |= tables.run(f"SELECT digest, at FROM tombstone WHERE digest IN ({marks(some)})", some)  # noqa: S608
    return found


def _ordered(parts: Mapping[K, T]) -> list[T]:
    return [parts[key] for key in sorted(parts)]
