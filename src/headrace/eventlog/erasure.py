"""Tombstones: digests that recognise what was erased without telling what it was."""

from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b

import msgspec

from headrace.eventlog.fold import person_of
from headrace.eventlog.row import Row


def session_digest(org: str, session: str) -> bytes:
    """Return what a session's tombstone is known by."""
    return _digest("session", org, session)


def user_digest(org: str, user: str) -> bytes:
    """Return what a user's tombstone is known by."""
    return _digest("user", org, user)


def event_digest(row: Row) -> bytes:
    """Return what a late event is known by, so that it counts once."""
    return _digest("event", row.source, row.id)


def _digest(*parts: str) -> bytes:
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()


class Sorted(msgspec.Struct, frozen=True):
    """New events: those to be stored; those that came too late, by their session's tombstone; and sessions to erase.

    *erased* are sessions whose begin names an erased user: what is stored of them goes too.
    """

    fresh: Sequence[Row]
    late: Sequence[tuple[bytes, Row]]
    erased: Collection[tuple[str, str]]


def sort_out(
    rows: Sequence[Row],
    buried: Callable[[Collection[bytes]], Collection[bytes]],
    forgotten: Callable[[Collection[bytes]], dict[bytes, float]],
) -> Sorted:
    """Sort *rows*. *buried* tells which sessions' digests have a tombstone, *forgotten* when users were erased."""
    persons = {(row.org, row.session): (user_digest(row.org, user), row.at) for row in rows if (user := person_of(row))}
    times = forgotten({digest for digest, _ in persons.values()}) if persons else {}
    erased = {session for session, (digest, at) in persons.items() if at <= times.get(digest, float("-inf"))}
    digests = {key: session_digest(*key) for key in {(row.org, row.session) for row in rows}}
    dead = set(buried(digests.values())) | {digests[key] for key in erased}
    fresh, late = [], []
    for row in rows:
        digest = digests[row.org, row.session]
        if digest in dead:
            late.append((digest, row))
        else:
            fresh.append(row)
    return Sorted(fresh, late, erased)
