"""What a console reads from an event log, page by page.

The org is an argument of every query and has no default: an org's viewer always gives theirs, None is every org and
for operators only. A page's `next` is opaque text for `after`, and None on the last page. To keep every answer short a
page looks at `SCAN` candidates at most: with filters that hardly anything passes it may hold less than was asked for
and still have a `next`.
"""

from collections.abc import Sequence
from typing import Generic, Literal, Protocol, TypeVar, get_args

import msgspec

from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent

T = TypeVar("T")

SCAN = 20_000
"""Candidates that one page looks at."""

COUNTED = 100_000
"""Events of a session that are looked through for what is missing."""

State = Literal["ignored", "resolved", "ongoing", "new", "regressed"]
"""Of an exception, the least urgent first. New: first seen within `NEW_FOR`. Regressed: it came again after it was
resolved. An operator sees the most urgent state of all orgs that it hit."""
STATES: tuple[State, ...] = get_args(State)

Order = Literal["last", "events"]
"""Of exceptions: the last seen first, or those with the most events."""

NEW_FOR = 86_400.0
"""Seconds for which an exception is new."""


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Some rows, and where the next ones begin."""

    rows: Sequence[T]
    next: str | None = None


class SessionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions, the last begun first: begun from *since* up to *until*, of one *bot* or *user*, with *errors*, …

    *end_type* is the reason of the end; the empty text means those that have not ended. *text* is looked for, whatever
    its case, in the session's name, user, bot, and the first error's type, culprit and message. *session* names one.

    *values*: read the events that a summary has as `first_error` and `end`, which may be long; else these are None.
    """

    org: str | None
    session: str | None = None
    since: float | None = None
    until: float | None = None
    bot: str | None = None
    user: str | None = None
    errors: bool = False
    end_type: str | None = None
    text: str = ""
    values: bool = False
    after: str | None = None
    limit: int = 50


class ExceptionSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Failures of one fingerprint: of one org, or of all that it hit.

    *culprit* is the action, or the dialog and step; *frame* the nearest one of the bot's own code. *origin*, *message*
    and *stack* (nearest frame last, one per line) are those of its latest event, *last_id* of *last_session* of
    *last_org*. *count* and *sessions* go on counting what retention has deleted.
    """

    fingerprint: str
    type: str
    culprit: str
    frame: str
    state: State
    count: int
    sessions: int
    orgs: int
    first_at: float
    last_at: float
    origin: str
    message: str
    stack: str
    last_org: str
    last_session: str
    last_id: str
    changed_by: str = ""
    changed_at: float | None = None


class ExceptionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which exceptions, in which *order*: seen from *since* on, first seen before *until*, in one *state*, …

    *text* is looked for in type, culprit, frame and message. *fingerprint* names one.

    What is counted between two pages may come twice by its events, or not at all. Those of every org are ranked among
    the `SCAN` largest counts of one org; those that are larger together than in any org come after, with the next.
    """

    org: str | None
    fingerprint: str | None = None
    since: float | None = None
    until: float | None = None
    state: State | None = None
    text: str = ""
    order: Order = "last"
    after: str | None = None
    limit: int = 50


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One exception in one session. *version* is its bot's; it is empty where that is not known."""

    org: str
    session: str
    count: int
    first_at: float
    last_at: float
    bot: str = ""
    version: str = ""


class HitQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions the exception *fingerprint* hit, the last hit first."""

    org: str | None
    fingerprint: str
    after: str | None = None
    limit: int = 50


class OrgHit(msgspec.Struct, frozen=True, kw_only=True):
    """One exception in one org. *count* and *sessions* go on counting what retention has deleted."""

    org: str
    count: int
    sessions: int
    first_at: float
    last_at: float


class Pages(Protocol):
    """Reads an event log. Each method raises `StoreError`, and `UsageError` for an `after` that is none of its own."""

    def find_sessions(self, query: SessionQuery) -> Page[SessionSummary]: ...

    def find_events(self, query: EventQuery) -> Page[StoredEvent]: ...

    def missing(self, org: str, session: str) -> int | None:
        """Return how many `seq` of a session are not there, from 0 up to the greatest that is.

        None: of a session with more than `COUNTED` events that is not known.
        """
        ...

    def find_exceptions(self, query: ExceptionQuery) -> Page[ExceptionSummary]: ...

    def find_hits(self, query: HitQuery) -> Page[Hit]: ...

    def hit_orgs(self, org: str | None, fingerprint: str, *, limit: int) -> Sequence[OrgHit]:
        """Return the orgs that the exception *fingerprint* hit, those with the most events first."""
        ...


def state_of(*, ignored: bool, resolved_at: float | None, first_at: float, last_at: float, now: float) -> State:
    """Return the state of one org's exception."""
    if ignored:
        return "ignored"
    if resolved_at is not None:
        return "resolved" if last_at <= resolved_at else "regressed"
    return "new" if first_at > now - NEW_FOR else "ongoing"


def most_urgent(states: Sequence[State]) -> State:
    """Return what an operator sees of *states*, one per org."""
    return max(states, key=STATES.index)
