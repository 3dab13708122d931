"""Promise 4: a destination sees a session's events in the order of their offsets, retries included.

When an event comes to a destination, each earlier one of its session has been applied there, or comes in the same
request before it, or is a dead letter. So these are no breaks: repeats, an earlier event that the destination refused
in the same post, and a rejected one. A post that was under way when its worker froze is excused by the request's
worker and time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from chaos.findings import Findings
from chaos.index import Index
from chaos.ledger import LOG, Ledger
from chaos.records import Requested

Session = tuple[str, str]

_UNDER_WAY = 6.0
"""Seconds after its worker's thaw in which a post that was under way may still arrive: its time-out and some."""


class Queue:
    """One session's events in their order, and how far one destination has them."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = numbers
        self.at = {n: place for place, n in enumerate(numbers)}
        self._has: set[int] = set()
        self._low = 0

    def settle(self, n: int) -> None:
        """Note that *n* is there, or will never be."""
        self._has.add(self.at[n])
        while self._low in self._has:
            self._has.discard(self._low)
            self._low += 1

    def missing_before(self, arriving: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield each event of a request that comes before an earlier one, with the first such one."""
        seen: set[int] = set()
        low = self._low
        for n in arriving:
            place = self.at[n]
            while low in self._has or low in seen:
                low += 1
            if low < place:
                yield n, self.numbers[low]
            seen.add(place)


def check_order(index: Index, findings: Findings) -> None:
    """Check the order from emit to Kafka, from Kafka to each destination, and into the event log."""
    sessions = _sessions(index)
    _check_emits(index, sessions, findings)
    for destination in sorted({request.destination for request in index.ledger.requested}):
        _check_requests(index, destination, sessions, findings)
    _check_rows(index, sessions, findings)


def _sessions(index: Index) -> Mapping[Session, Sequence[int]]:
    """Return each session's events by their first offset."""
    firsts = [min(copies, key=lambda held: (held.partition, held.offset)) for n, copies in index.main.items() if n >= 0]
    sessions: dict[Session, list[int]] = defaultdict(list)
    for held in sorted(firsts, key=lambda held: (held.partition, held.offset)):
        sessions[held.event.org, held.event.session].append(held.event.n)
    return sessions


def _check_emits(index: Index, sessions: Mapping[Session, Sequence[int]], findings: Findings) -> None:
    for numbers in sessions.values():
        places = {index.main[n][0].partition for n in numbers}
        if len(places) > 1:
            findings.wrong("emit_order", f"{index.name(numbers[0])} and others of it are in partitions {places}")
        for earlier, later in pairwise(numbers):
            if index.main[earlier][0].event.k > index.main[later][0].event.k:
                findings.wrong("emit_order", f"{index.name(later)} stands behind {index.name(earlier)}")


def _queues(index: Index, destination: str, sessions: Mapping[Session, Sequence[int]]) -> dict[Session, Queue]:
    queues = {session: Queue(numbers) for session, numbers in sessions.items()}
    for queue in queues.values():
        for n in queue.numbers:
            if (destination, n) in index.dead:
                queue.settle(n)
    return queues


def _check_requests(
    index: Index, destination: str, sessions: Mapping[Session, Sequence[int]], findings: Findings
) -> None:
    queues = _queues(index, destination, sessions)
    frozen = _frozen(index.ledger)
    moments: list[tuple[float, int, Requested | Sequence[int]]] = [
        (request.at, 1, request) for request in index.ledger.requested if request.destination == destination
    ]
    # What was applied at the time of a request came with an earlier one.
    moments += [
        (each.at, 0, each.numbers)
        for each in index.ledger.applied
        if index.requests[each.request].destination == destination
    ]
    for _, _, moment in sorted(moments, key=lambda each: each[:2]):
        if not isinstance(moment, Requested):
            for n in moment:
                if n in index.main:
                    queues[_session(index, n)].settle(n)
            continue
        arriving: dict[Session, list[int]] = defaultdict(list)
        for event in moment.events:
            if event.n in index.main:
                arriving[_session(index, event.n)].append(event.n)
        breaks = [pair for session, numbers in arriving.items() for pair in queues[session].missing_before(numbers)]
        if breaks and _is_excused(moment, frozen):
            continue
        for n, earlier in breaks:
            findings.wrong(
                "order",
                f"{index.name(n)} in request {moment.request} to {destination} by {moment.worker} at {moment.at:.3f}, "
                f"before #{index.main[earlier][0].event.k}",
            )


def _check_rows(index: Index, sessions: Mapping[Session, Sequence[int]], findings: Findings) -> None:
    queues = _queues(index, LOG, sessions)
    for n in index.stored:
        if n not in index.main:
            continue
        queue = queues[_session(index, n)]
        for _, earlier in queue.missing_before([n]):
            findings.wrong("order", f"{index.name(n)} in the event log before #{index.main[earlier][0].event.k}")
        queue.settle(n)


def _session(index: Index, n: int) -> Session:
    event = index.main[n][0].event
    return event.org, event.session


def _frozen(ledger: Ledger) -> Mapping[str, Sequence[tuple[float, float]]]:
    """Return when which worker was frozen, and for how long after that something of it may arrive."""
    thawed = {healed.number: healed.at for healed in ledger.healed}
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for fault in ledger.injected:
        if fault.kind == "freeze_worker":
            spans[fault.victim].append((fault.at, thawed.get(fault.number, float("inf")) + _UNDER_WAY))
    return spans


def _is_excused(request: Requested, frozen: Mapping[str, Sequence[tuple[float, float]]]) -> bool:
    return any(since <= request.at <= until for since, until in frozen.get(request.worker, ()))
