"""An event log that lives as long as its process, for tests; it passes the same contract as the real ones.

It keeps events, exceptions and counters, and folds everything else anew for each question.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Literal, TypeVar

from headrace.clock import Clock
from headrace.eventlog import cursor, pages
from headrace.eventlog.counting import COUNTER, EVERY_ORG, Counter
from headrace.eventlog.erasure import event_digest, session_digest, sort_out, user_digest
from headrace.eventlog.fold import TEXT, fold, person_of
from headrace.eventlog.graphs import Counted, CounterQuery, TotalsQuery
from headrace.eventlog.memory_groups import Groups
from headrace.eventlog.memory_trail import noted, sought
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary, Hit, HitQuery, OrgHit, Page, SessionQuery
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent, Upserted
from headrace.eventlog.row import Row, read_all
from headrace.eventlog.session_pages import as_summary
from headrace.eventlog.trail import Deed, DeedQuery
from headrace.eventlog.upkeep import Action, Erased, Expired, Tombstone
from headrace.model.record import TopicPartition

T = TypeVar("T")


class MemoryEventLog:
    """A `Store` in dictionaries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, str], Row] = {}
        self._groups = Groups()
        self._buried: dict[bytes, float] = {}
        self._late: dict[bytes, set[bytes]] = {}
        self._counters: dict[tuple[int, str, str, int], Counter] = {}
        self._places: dict[TopicPartition, int] = {}
        self._tiles: dict[str, bytes] = {}
        self._deeds: dict[str, Deed] = {}

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        rows, refused = read_all(values, orgs, self._clock.wall())
        new = [row for key, row in rows.items() if key not in self._rows]
        found = sort_out(new, self._known, lambda digests: {each: self._buried[each] for each in self._known(digests)})
        for org, session in found.erased:
            self.erase_session(org, session)
        for digest, row in found.late:
            self._late.setdefault(digest, set()).add(event_digest(row))
        self._rows |= {(row.source, row.id): row for row in found.fresh}
        self._groups.add(fold(found.fresh))
        added, late = len(found.fresh), len(found.late)
        repeated = len(values) - len(refused) - added - late
        return Upserted(added=added, repeated=repeated, late=late, refused=refused)

    def sessions(self, org: str, *, limit: int = 100) -> Sequence[SessionSummary]:
        return self.find_sessions(SessionQuery(org=org, limit=limit, values=True)).rows

    def events(self, query: EventQuery) -> Sequence[StoredEvent]:
        return self.find_events(query).rows

    def find_sessions(self, query: SessionQuery) -> Page[SessionSummary]:
        values = {key: row.value for key, row in self._rows.items() if query.values}
        found = [as_summary(each, values) for each in fold(self._rows.values()).sessions.values()]
        found = [each for each in found if _is_sought(each, query)]
        found.sort(key=lambda each: (each.first_at, each.org, each.session), reverse=True)
        return _page(found, query.after, query.limit)

    def find_events(self, query: EventQuery) -> Page[StoredEvent]:
        found = [row for row in self._rows.values() if _matches(row, query)]
        if query.session is None:
            begun = {key: whole.first_at for key, whole in fold(self._rows.values()).sessions.items()}
            found.sort(key=lambda row: (begun[row.org, row.session], row.session, _place(row)), reverse=True)
        else:
            found.sort(key=_place)
        rows = [
            StoredEvent(
                org=row.org,
                session=row.session,
                seq=row.seq,
                at=row.at,
                type=row.type,
                failed=row.failed,
                value=row.value if query.values else b"",
                id=row.id,
            )
            for row in found
        ]
        page = _page(rows, query.after, query.limit)
        if query.session is None:
            return Page(rows=page.rows)
        sizes = accumulate(len(row.value) for row in page.rows)
        most = next((n for n, size in enumerate(sizes, 1) if size > (query.most_bytes or size)), query.limit)
        return _page(rows, query.after, min(most, query.limit))

    def missing(self, org: str, session: str) -> int | None:
        query = EventQuery(org=org, session=session)
        seqs = [row.seq for row in self._rows.values() if _matches(row, query)]
        if len(seqs) > pages.COUNTED:
            return None
        there = {seq for seq in seqs if seq is not None and seq >= 0}
        return max(there, default=-1) + 1 - len(there)

    def find_exceptions(self, query: ExceptionQuery) -> Page[ExceptionSummary]:
        return _page(self._groups.find(query, self._clock.wall()), query.after, query.limit)

    def find_hits(self, query: HitQuery) -> Page[Hit]:
        return _page(self._groups.hits(query, fold(self._rows.values()).sessions), query.after, query.limit)

    def hit_orgs(self, org: str | None, fingerprint: str, *, limit: int) -> Sequence[OrgHit]:
        return self._groups.orgs(org, fingerprint)[:limit]

    def decide(self, org: str | None, fingerprint: str, action: Action, by: str) -> int:
        return self._groups.decide(org, fingerprint, action, by, self._clock.wall())

    def erase_session(self, org: str, session: str) -> Erased:
        self._buried.setdefault(session_digest(org, session), self._clock.wall())
        gone = self._drop({key for key, row in self._rows.items() if (row.org, row.session) == (org, session)})
        self._groups.erase(org, session, fold(self._rows.values()))
        return gone

    def erase_user(self, org: str, user: str) -> Erased:
        self._buried[user_digest(org, user)] = self._clock.wall()
        chosen = [row for row in self._rows.values() if row.org == org and person_of(row) == user]
        gone = [self.erase_session(org, session) for session in {row.session for row in chosen}]
        return Erased(sessions=sum(each.sessions for each in gone), events=sum(each.events for each in gone))

    def tombstone(self, org: str, session: str) -> Tombstone | None:
        digest = session_digest(org, session)
        at = self._buried.get(digest)
        return None if at is None else Tombstone(at=at, late=len(self._late.get(digest, ())))

    def expire(self, before: float) -> Expired:
        self._counters = {key: each for key, each in self._counters.items() if not each.step or each.at >= before}
        gone = self._drop({key for key, row in self._rows.items() if row.at < before})
        self._groups.expire(before, {(row.org, row.session) for row in self._rows.values()})
        return Expired(sessions=gone.sessions, events=gone.events, is_all=True)

    def count(self, counted: Counted) -> bool:
        moves = [(counted.read[0], counted.read[1], counted.read[2])] if counted.read else []
        if counted.settled:
            before, after = counted.settled
            moves.append((before.place, before.offset, after.offset))
        moves += counted.moved
        if any(self._places.get(place, 0) != start for place, start, _ in moves):
            return False
        self._places |= {place: stop for place, _, stop in moves}
        self._tiles |= dict(counted.tiles)
        for id_ in counted.done:
            self._tiles.pop(id_, None)
        for part in counted.counters:
            _add(self._counters, (part.step, part.org, part.destination, part.at), part)
        return True

    def read_to(self, topic: str) -> Mapping[int, int]:
        return {place.partition: reached for place, reached in self._places.items() if place.topic == topic}

    def waiting(self) -> tuple[Mapping[TopicPartition, int], Sequence[bytes]]:
        return dict(self._places), list(self._tiles.values())

    def counters(self, query: CounterQuery) -> Sequence[Counter]:
        found = [
            each
            for each in self._counters.values()
            if (each.step, each.org) == (query.step, query.org or EVERY_ORG)
            and query.destination in (None, each.destination)
            and query.since <= each.at < query.until
        ]
        return sorted(found, key=lambda each: (each.at, each.destination))

    def totals(self, query: TotalsQuery) -> Sequence[Counter]:
        step, since = (0, 0) if query.since is None else (3600, int(query.since) // 3600 * 3600)
        sums: dict[tuple[str, str], Counter] = {}
        for each in self._counters.values():
            if (
                each.step == step
                and each.at >= since
                and (each.org == query.org if query.org else each.org != EVERY_ORG)
                and (query.orgs is None or each.org in query.orgs)
            ):
                whole = Counter(step=0, org=each.org, destination=each.destination, at=0)
                COUNTER.merge(sums.setdefault((each.org, each.destination), whole), each)
        ranked = sorted(
            sums.values(), key=lambda one: (-one.dead, -one.retried, -one.accepted, one.org, one.destination)
        )
        return ranked[: query.limit]

    def note(self, deed: Deed) -> None:
        noted(self._deeds, deed)

    def deeds(self, query: DeedQuery) -> Page[Deed]:
        return _page(sought(self._deeds.values(), query), query.after, query.limit)

    def close(self) -> None:
        """Keep everything: a closed store can be opened again by whoever still has it."""

    def _known(self, digests: Iterable[bytes]) -> list[bytes]:
        return [each for each in digests if each in self._buried]

    def _drop(self, keys: set[tuple[str, str]]) -> Erased:
        before = {(row.org, row.session) for row in self._rows.values()}
        for key in keys:
            del self._rows[key]
        after = {(row.org, row.session) for row in self._rows.values()}
        return Erased(sessions=len(before - after), events=len(keys))


def _is_sought(each: SessionSummary, query: SessionQuery) -> bool:
    texts = (each.session, each.user, each.bot, each.error_type, each.error_culprit, each.error_message)
    return (
        query.org in (None, each.org)
        and query.session in (None, each.session)
        and (query.since is None or each.first_at >= query.since)
        and (query.until is None or each.first_at < query.until)
        and query.bot in (None, each.bot)
        and (query.user is None or (each.user != "" and each.user == query.user[:TEXT]))
        and (each.errors > 0 or not query.errors)
        and (
            query.end_type is None
            or (query.end_type, bool(query.end_type)) == (each.end_type, each.ended_at is not None)
        )
        and any(query.text.lower() in text.lower() for text in texts)
    )


def _matches(row: Row, query: EventQuery) -> bool:
    return (
        row.org == query.org
        and query.session in (None, row.session)
        and query.type in (None, row.type)
        and query.id in (None, row.id)
        and (query.seq_from is None or row.seq is None or row.seq >= query.seq_from)
        and (query.seq_to is None or (row.seq is not None and row.seq <= query.seq_to))
        and (row.failed or not query.failed)
    )


def _place(row: Row) -> tuple[bool, int, float, str, str]:
    return row.seq is None, row.seq or 0, row.at, row.id, row.source


def _add(counters: dict[tuple[int, str, str, int], Counter], key: tuple[int, str, str, int], part: Counter) -> None:
    whole = counters.setdefault(key, Counter(step=part.step, org=part.org, destination=part.destination, at=part.at))
    COUNTER.merge(whole, part)


def _page(found: Sequence[T], after: str | None, limit: int) -> Page[T]:
    start = 0 if after is None else cursor.read(after, tuple[Literal["place"], int])[1]
    stop = start + limit
    return Page(rows=found[start:stop], next=cursor.write(("place", stop)) if stop < len(found) else None)
