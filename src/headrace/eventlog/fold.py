"""From new events to what they add to their sessions and to the exceptions. Pure; every part of it commutes."""

import struct
from collections.abc import Iterable

import msgspec

from headrace.eventlog.fingerprint import Failure, failure
from headrace.eventlog.merging import NEVER_FIRST, NEVER_LAST, Merging
from headrace.eventlog.row import Row
from headrace.eventlog.told import Told
from headrace.model.taxonomy import SessionEnded, SessionStarted, TurnStarted

TEXT = 300
"""Characters of a name that lists show; the event has the whole."""

_EPOCH = 62_135_596_800_000_000
_pack = struct.Struct(">?QQ").pack

Place = tuple[bool, int, float, str, str]
"""Where an event stands in its session: by `seq`, those without after the others, then by time, source and id."""


class SessionSum(msgspec.Struct, kw_only=True):
    """What events add to their session. The ranks say which event a fact came from; see `SESSION`.

    *first* is the place of the first one, and serves folding alone.
    """

    org: str
    session: str
    first: Place
    events: int = 0
    errors: int = 0
    turns: int = 0
    first_at: float
    last_at: float
    first_rank: bytes = NEVER_FIRST
    source: str = ""
    bot: str = ""
    start_rank: bytes = NEVER_FIRST
    channel: str = ""
    language: str = ""
    version: str = ""
    person: str = ""
    end_rank: bytes = NEVER_LAST
    ended_at: float | None = None
    end_type: str = ""
    end_source: str = ""
    end_id: str = ""
    error_rank: bytes = NEVER_FIRST
    fingerprint: str = ""
    error_type: str = ""
    error_culprit: str = ""
    error_message: str = ""
    error_at: float | None = None
    error_source: str = ""
    error_id: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to say beyond the sums."""
        return self.start_rank == self.error_rank == NEVER_FIRST and self.end_rank == NEVER_LAST


SESSION = Merging(
    key=("org", "session"),
    sums=("events", "errors", "turns"),
    least=("first_at",),
    greatest=("last_at",),
    first={
        "first_rank": ("source", "bot"),
        "start_rank": ("channel", "language", "version", "person"),
        "error_rank": (
            "fingerprint",
            "error_type",
            "error_culprit",
            "error_message",
            "error_at",
            "error_source",
            "error_id",
        ),
    },
    last={"end_rank": ("ended_at", "end_type", "end_source", "end_id")},
)


PLAIN = Merging(
    key=SESSION.key,
    sums=SESSION.sums,
    least=SESSION.least,
    greatest=SESSION.greatest,
    first={"first_rank": SESSION.first["first_rank"]},
)
"""The same for events that tell no fact about their session, which is most: it takes a third of the time."""


class ExceptionSum(msgspec.Struct, kw_only=True):
    """What events add to one exception of one org; the example is its latest event.

    *sessions* are those that it had not hit before: only the store knows them.
    """

    org: str
    fingerprint: str
    type: str
    culprit: str
    frame: str
    count: int = 0
    sessions: int = 0
    first_at: float
    last_at: float
    last_rank: bytes = NEVER_LAST
    origin: str = ""
    message: str = ""
    stack: str = ""
    last_session: str = ""
    last_id: str = ""


EXCEPTION = Merging(
    key=("org", "fingerprint"),
    sums=("count", "sessions"),
    least=("first_at",),
    greatest=("last_at",),
    last={"last_rank": ("origin", "message", "stack", "last_session", "last_id")},
)


class HitSum(msgspec.Struct, kw_only=True):
    """What events add to one exception in one session."""

    org: str
    fingerprint: str
    session: str
    count: int = 0
    first_at: float
    last_at: float


HIT = Merging(key=("org", "fingerprint", "session"), sums=("count",), least=("first_at",), greatest=("last_at",))


class Folded:
    """What some events add up to, each sum by its key."""

    def __init__(self) -> None:
        self.sessions: dict[tuple[str, str], SessionSum] = {}
        self.exceptions: dict[tuple[str, str], ExceptionSum] = {}
        self.hits: dict[tuple[str, str, str], HitSum] = {}

    def add_failure(self, row: Row, whole: SessionSum, place: Place) -> None:
        """Add a failed event to its session, its exception, and the exception's hits of that session."""
        told = failure(row.value)
        whole.errors += 1
        ranked = rank(*place)
        if ranked < whole.error_rank:
            whole.error_rank = ranked
            whole.fingerprint, whole.error_type, whole.error_culprit = told.fingerprint, told.type, told.culprit
            whole.error_message, whole.error_at = told.message, row.at
            whole.error_source, whole.error_id = row.source, row.id
        self._add_exception(row, told)
        key = (row.org, told.fingerprint, row.session)
        hit = self.hits.get(key)
        if hit is None:
            hit = self.hits[key] = HitSum(
                org=row.org, fingerprint=told.fingerprint, session=row.session, first_at=row.at, last_at=row.at
            )
        hit.count += 1
        hit.first_at, hit.last_at = min(hit.first_at, row.at), max(hit.last_at, row.at)

    def _add_exception(self, row: Row, told: Failure) -> None:
        key = (row.org, told.fingerprint)
        group = self.exceptions.get(key)
        if group is None:
            group = self.exceptions[key] = ExceptionSum(
                org=row.org,
                fingerprint=told.fingerprint,
                type=told.type,
                culprit=told.culprit,
                frame=told.frame,
                first_at=row.at,
                last_at=row.at,
            )
        group.count += 1
        group.first_at, group.last_at = min(group.first_at, row.at), max(group.last_at, row.at)
        # The latest by time: here places of different sessions are compared.
        ranked = rank(False, 0, row.at, row.source, row.id)
        if ranked > group.last_rank:
            group.last_rank = ranked
            group.origin, group.message, group.stack = told.origin, told.message, told.stack
            group.last_session, group.last_id = row.session, row.id


def fold(rows: Iterable[Row]) -> Folded:
    """Fold *rows*, each of them a new event."""
    folded = Folded()
    sessions = folded.sessions
    for row in rows:
        # This runs for every event: taken apart once, a row costs half of what its names would.
        id_, source, org, session, seq, at, type_, failed, _, _ = row
        place = (seq is None, seq or 0, at, source, id_)
        whole = sessions.get((org, session))
        if whole is None:
            whole = sessions[org, session] = SessionSum(
                org=org, session=session, first_at=at, last_at=at, first=place, source=source
            )
        elif place < whole.first:
            whole.first, whole.source = place, source
        whole.events += 1
        if at < whole.first_at:
            whole.first_at = at
        elif at > whole.last_at:
            whole.last_at = at
        if failed:
            folded.add_failure(row, whole, place)
        if (note := _NOTES.get(type_)) is not None:
            note(row, whole, place)
    for whole in sessions.values():
        whole.first_rank = rank(*whole.first)
        whole.bot = bot_of(whole.source)
    return folded


def rank(is_last: bool, seq: int, at: float, source: str, id_: str) -> bytes:
    """Return bytes that compare as the place does, in any store."""
    return _pack(is_last, seq + (1 << 63), round(at * 1_000_000) + _EPOCH) + f"{source}\0{id_}".encode()


def bot_of(source: str) -> str:
    """Return the bot of `/orgs/{org}/bots/{bot}`, or the whole of another source, cut."""
    parts = source.split("/")
    return (parts[4] if len(parts) == 5 and parts[1] == "orgs" and parts[3] == "bots" else source)[:TEXT]


def person_of(row: Row) -> str:
    """Return the user whom a session's begin names, as it is; empty for any other event."""
    return Told(row.value).text("user") if row.type == SessionStarted.type else ""


def _start(row: Row, whole: SessionSum, place: Place) -> None:
    ranked = rank(*place)
    if ranked < whole.start_rank:
        told = Told(row.value)
        whole.start_rank = ranked
        whole.channel, whole.language = told.text("channel")[:TEXT], told.text("language")[:TEXT]
        whole.version, whole.person = told.text("version")[:TEXT], told.text("user")[:TEXT]


def _end(row: Row, whole: SessionSum, place: Place) -> None:
    ranked = rank(*place)
    if ranked > whole.end_rank:
        whole.end_rank = ranked
        whole.ended_at, whole.end_type = row.at, Told(row.value).text("reason")[:TEXT]
        whole.end_source, whole.end_id = row.source, row.id


def _turn(_: Row, whole: SessionSum, __: Place) -> None:
    whole.turns += 1


_NOTES = {SessionStarted.type: _start, SessionEnded.type: _end, TurnStarted.type: _turn}
