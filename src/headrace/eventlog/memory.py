"""An event log that lives as long as its process, for tests; it passes the same contract as the real one."""

from collections.abc import Iterable, Sequence

from headrace.clock import Clock
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent, Upserted
from headrace.eventlog.row import Row, read
from headrace.model.taxonomy import SessionEnded, TurnStarted


class MemoryEventLog:
    """An `EventLog` in a dictionary, in the order of arrival."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[tuple[str, str], Row] = {}

    def upsert(self, values: Sequence[bytes], orgs: Sequence[str] = ()) -> Upserted:
        now = self._clock.wall()
        added = repeated = 0
        refused: dict[int, str] = {}
        for position, value in enumerate(values):
            row = read(value, now, orgs[position] if orgs else "")
            if isinstance(row, str):
                refused[position] = row
            elif (row.source, row.id) in self._rows:
                repeated += 1
            else:
                self._rows[row.source, row.id] = row
                added += 1
        return Upserted(added=added, repeated=repeated, refused=refused)

    def sessions(self, org: str, *, limit: int = 100) -> Sequence[SessionSummary]:
        by_session: dict[str, list[Row]] = {}
        for row in self._rows.values():
            if row.org == org:
                by_session.setdefault(row.session, []).append(row)
        # Both lists are turned round, so that of sessions that began together the one that came last is first.
        summaries = [_summary(rows) for rows in reversed(by_session.values())]
        return sorted(summaries, key=lambda summary: summary.first_at, reverse=True)[:limit]

    def events(self, query: EventQuery) -> Sequence[StoredEvent]:
        found: Iterable[Row] = (row for row in self._rows.values() if _matches(row, query))
        found = reversed(list(found)) if query.session is None else _in_order(found)
        return [
            StoredEvent(
                org=row.org,
                session=row.session,
                seq=row.seq,
                at=row.at,
                type=row.type,
                failed=row.failed,
                value=row.value,
            )
            for row in list(found)[: query.limit]
        ]

    def close(self) -> None:
        """Keep everything: a closed store can be opened again by whoever still has it."""


def _matches(row: Row, query: EventQuery) -> bool:
    return (
        row.org == query.org
        and query.session in (None, row.session)
        and query.type in (None, row.type)
        and (row.failed or not query.failed)
    )


def _in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.seq is None, row.seq or 0, row.at))


def _summary(rows: Sequence[Row]) -> SessionSummary:
    failed = _in_order(row for row in rows if row.failed)
    ended = [row for row in rows if row.type == SessionEnded.type]
    return SessionSummary(
        org=rows[0].org,
        session=rows[0].session,
        source=rows[0].source,
        first_at=min(row.at for row in rows),
        last_at=max(row.at for row in rows),
        events=len(rows),
        errors=len(failed),
        turns=sum(row.type == TurnStarted.type for row in rows),
        first_error=failed[0].value if failed else None,
        end=ended[-1].value if ended else None,
    )
