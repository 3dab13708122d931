"""What is wrong with the river, by what the console has in memory: one symptom for each rule and subject. Pure.

Names of topics, destinations and orgs are told, and never what a destination answered: it can quote an event.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from headrace.console.alarm.settings import AlertsSettings
from headrace.console.chores import Pulse
from headrace.console.show import duration, number, size
from headrace.console.watching.condition import parked
from headrace.console.watching.recent import Lane
from headrace.console.watching.river import River, Topic
from headrace.console.watching.watch import Watched
from headrace.core.alerts import Rule, Symptom

UNSEEN = 60.0
"""Seconds within which the console looks at the river."""

KEEPER = "keeper"
KEEPER_SILENT = 300.0
"""Seconds within which the event log's keeper comes to the end of a step."""

NAMED = 5
"""Orgs that one sentence names."""

RULES: Mapping[Rule, str] = {
    "lag": "Events, or retries that are due, wait too long.",
    "dead_letters": "Too many dead letters within five minutes.",
    "destination_parked": "A destination is parked for some org: it gets no posts but probes.",
    "destination_failing": "A destination takes nothing of some org for long.",
    "books_unbalanced": "The books do not balance: something is lost, or was written twice.",
    "books_old": "The books could not be closed.",
    "workers_silent": "Something waits, and no worker settles anything.",
    "river_unseen": "The console cannot see the river: Kafka does not answer it.",
    "event_log_failing": "The event log cannot be kept: counters and retention stand still.",
    "journal_filling": (
        "The journal of the bots on the console's own host fills up; when it is full events are dropped. "
        "Journals of other hosts are watched by the Prometheus rule HeadraceJournalFilling."
    ),
}
"""What each rule looks for."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """All that is looked at. Times are in seconds since the epoch; None is what is not known.

    *dead* is how many dead letters there were within five minutes, *paused* what people paused, by `Pause.name`,
    *journal* how many bytes this host's journal holds and may hold. A lane without an attempt since *forgotten* is
    left out.
    """

    now: float
    started_at: float
    watched: Watched
    lanes: Sequence[Lane] = ()
    forgotten: float = 0.0
    pulses: Sequence[Pulse] = ()
    paused: Collection[str] = ()
    dead: int | None = None
    journal: tuple[int, int] | None = None


def symptoms(seen: Seen, limits: AlertsSettings) -> Iterator[Symptom]:
    """Yield a symptom for each rule, and each of its subjects, of which something is known."""
    river = seen.watched.river
    yield _unseen(seen)
    if river is not None:
        yield from _lag(river, limits)
        yield _silence(river)
    if seen.dead is not None:
        yield Symptom(
            rule="dead_letters",
            is_wrong=seen.dead >= limits.dead_letters,
            says=f"{number(seen.dead)} dead letters within 5 min",
        )
    yield from _destinations(seen, limits)
    yield from _books(seen, limits)
    yield from (_keeper(pulse, seen) for pulse in seen.pulses if pulse.name == KEEPER)
    if seen.journal is not None:
        held, most = seen.journal
        yield Symptom(
            rule="journal_filling",
            is_wrong=held > limits.journal * most,
            says=f"the journal on the console's host holds {size(held)} of {size(most)}",
        )


def _unseen(seen: Seen) -> Symptom:
    river = seen.watched.river
    age = seen.now - (river.at if river else seen.started_at)
    return Symptom(
        rule="river_unseen", is_wrong=age > UNSEEN, says=f"the console has not seen the river for {duration(age)}"
    )


def _lag(river: River, limits: AlertsSettings) -> Iterator[Symptom]:
    for topic in (river.events, *river.tiers):
        late = lateness(topic, river.at)
        if late is not None:
            what = "the oldest event waits" if topic.kind == "events" else "the first retry is late"
            yield Symptom(
                rule="lag",
                subject=topic.name,
                is_wrong=late > limits.lag,
                says=f"{topic.name}: {what} {duration(late)}",
            )


def lateness(topic: Topic, now: float) -> float | None:
    """Return how long the oldest record has waited beyond its tier's delay; None when that is not known."""
    if not topic.lag:
        return 0.0 if topic.lag == 0 else None
    return None if topic.oldest_at is None else max(0.0, now - topic.oldest_at - (topic.delay or 0.0))


def _silence(river: River) -> Symptom:
    """Look whether anything at all is settled; how long it is not, the alarm counts."""
    parts = river.events.parts
    waiting = [part for part in parts if part.lag] or [part for part in parts if part.committed is None and part.end]
    stands = bool(waiting) and all(part.committed is None or part.standing_since is not None for part in waiting)
    return Symptom(
        rule="workers_silent",
        is_wrong=stands,
        says=f"no worker settles anything, and {number(sum(part.lag or part.end for part in waiting))} records wait",
    )


def _destinations(seen: Seen, limits: AlertsSettings) -> Iterator[Symptom]:
    river = seen.watched.river
    by_name: dict[str, list[Lane]] = {}
    for lane in seen.lanes:
        by_name.setdefault(lane.destination, []).append(lane)
    for name, lanes in sorted(by_name.items()):
        tried = [
            lane for lane in lanes if lane.at >= seen.forgotten and not {name, f"{name}/{lane.org}"} & set(seen.paused)
        ]
        failing = [lane for lane in tried if lane.failing_since is not None]
        if river is not None:
            waiting = [each for each in river.waiting if each.destination == name]
            orgs = sorted(parked(failing, waiting))
            yield Symptom(
                rule="destination_parked", subject=name, is_wrong=bool(orgs), says=f"{name} is parked{_orgs(orgs)}"
            )
        ages = {lane.org: seen.now - (lane.failing_since or seen.now) for lane in failing if lane.failures > 1}
        longest = max(ages.values(), default=0.0)
        yield Symptom(
            rule="destination_failing",
            subject=name,
            is_wrong=longest >= limits.failing,
            says=f"{name} takes nothing for {duration(longest)}{_orgs(sorted(ages))}",
        )


def _orgs(names: Sequence[str]) -> str:
    if not names or names == ["-"]:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f", of {', '.join(names[:NAMED])}{more}"


def _books(seen: Seen, limits: AlertsSettings) -> Iterator[Symptom]:
    books = seen.watched.books
    age = seen.now - (books.at if books else seen.started_at)
    yield Symptom(
        rule="books_old", is_wrong=age > limits.books_age, says=f"the books were not closed for {duration(age)}"
    )
    if books is not None:
        whole = books.whole
        yield Symptom(
            rule="books_unbalanced",
            is_wrong=not whole.balanced,
            says=f"the books do not balance: {number(whole.lost)} lost, {number(whole.duplicates)} duplicates",
        )


def _keeper(pulse: Pulse, seen: Seen) -> Symptom:
    age = seen.now - (pulse.done_at or seen.started_at)
    return Symptom(
        rule="event_log_failing",
        is_wrong=bool(pulse.failure) or age > KEEPER_SILENT,
        says=f"the event log was not kept for {duration(age)}",
    )
