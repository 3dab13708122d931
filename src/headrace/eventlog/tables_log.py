"""An event log in tables: what both stores do alike, whatever their transactions are."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, suppress

from headrace.clock import Clock
from headrace.eventlog import counter_tables, erasing, exception_pages, session_pages, trail_tables
from headrace.eventlog.counting import Counter
from headrace.eventlog.graphs import Counted, CounterQuery, TotalsQuery
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary, Hit, HitQuery, OrgHit, Page, SessionQuery
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent, Upserted
from headrace.eventlog.row import Row, read_all
from headrace.eventlog.tables import Tables
from headrace.eventlog.trail import Deed, DeedQuery
from headrace.eventlog.upkeep import Action, Erased, Expired, Tombstone
from headrace.model.record import TopicPartition


class TablesEventLog(ABC):
    """A `Store` whose tables a subclass reaches: it says what a transaction is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @abstractmethod
    def _looking(self) -> AbstractContextManager[Tables]:
        """Read from one state of the store."""

    @abstractmethod
    def _storing(self) -> AbstractContextManager[Tables]:
        """Add to the store; others may add at the same time."""

    @abstractmethod
    def _erasing(self) -> AbstractContextManager[Tables]:
        """Change the store alone, and leave nothing of what is deleted."""

    @abstractmethod
    def close(self) -> None:
        """Release what is held."""

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        now = self._clock.wall()
        rows, refused = read_all(values, orgs, now)
        added = late = 0
        if rows:
            added, late = self._store(rows.values(), now)
        repeated = len(values) - len(refused) - added - late
        return Upserted(added=added, repeated=repeated, late=late, refused=refused)

    def sessions(self, org: str, *, limit: int = 100) -> Sequence[SessionSummary]:
        return self.find_sessions(SessionQuery(org=org, limit=limit, values=True)).rows

    def events(self, query: EventQuery) -> Sequence[StoredEvent]:
        return self.find_events(query).rows

    def find_sessions(self, query: SessionQuery) -> Page[SessionSummary]:
        with self._looking() as tables:
            return session_pages.find_sessions(tables, query)

    def find_events(self, query: EventQuery) -> Page[StoredEvent]:
        with self._looking() as tables:
            return tables.find_events(query)

    def missing(self, org: str, session: str) -> int | None:
        with self._looking() as tables:
            return session_pages.missing(tables, org, session)

    def find_exceptions(self, query: ExceptionQuery) -> Page[ExceptionSummary]:
        with self._looking() as tables:
            return exception_pages.find_exceptions(tables, query, self._clock.wall())

    def find_hits(self, query: HitQuery) -> Page[Hit]:
        with self._looking() as tables:
            return exception_pages.find_hits(tables, query)

    def hit_orgs(self, org: str | None, fingerprint: str, *, limit: int) -> Sequence[OrgHit]:
        with self._looking() as tables:
            return exception_pages.hit_orgs(tables, org, fingerprint, limit)

    def decide(self, org: str | None, fingerprint: str, action: Action, by: str) -> int:
        with self._erasing() as tables:
            return erasing.decide(tables, org, fingerprint, action, by, self._clock.wall())

    def erase_session(self, org: str, session: str) -> Erased:
        with self._erasing() as tables:
            return erasing.erase(tables, [(org, session)], self._clock.wall())

    def erase_user(self, org: str, user: str) -> Erased:
        with self._erasing() as tables:
            return erasing.erase_user(tables, org, user, self._clock.wall())

    def tombstone(self, org: str, session: str) -> Tombstone | None:
        with self._looking() as tables:
            return erasing.tombstone(tables, org, session)

    def expire(self, before: float) -> Expired:
        with self._erasing() as tables:
            return erasing.expire(tables, before)

    def count(self, counted: Counted) -> bool:
        with suppress(counter_tables.OutpacedError):
            with self._storing() as tables:
                counter_tables.count(tables, counted)
            return True
        return False

    def read_to(self, topic: str) -> Mapping[int, int]:
        with self._looking() as tables:
            return counter_tables.read_to(tables, topic)

    def waiting(self) -> tuple[Mapping[TopicPartition, int], Sequence[bytes]]:
        with self._looking() as tables:
            return counter_tables.waiting(tables)

    def counters(self, query: CounterQuery) -> Sequence[Counter]:
        with self._looking() as tables:
            return counter_tables.counters(tables, query)

    def totals(self, query: TotalsQuery) -> Sequence[Counter]:
        with self._looking() as tables:
            return counter_tables.totals(tables, query)

    def note(self, deed: Deed) -> None:
        with self._storing() as tables:
            trail_tables.note(tables, deed)

    def deeds(self, query: DeedQuery) -> Page[Deed]:
        with self._looking() as tables:
            return trail_tables.deeds(tables, query)

    def _store(self, rows: Collection[Row], now: float) -> tuple[int, int]:
        """Store *rows* in one transaction; return how many were new, and how many came too late."""
        with self._storing() as tables:
            return tables.store(rows, now)
