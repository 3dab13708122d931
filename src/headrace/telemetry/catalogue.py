"""The metric catalogue: every number that Headrace tells of itself, once, with its unit and its meaning.

To add a metric, add a line here and count it where it happens; what Prometheus reads, `docs/metrics.md` and the
dashboard's descriptions follow from the catalogue. Names are those of the design, section 2. No metric has an org as a
label: there are thousands of them, and the console has every org's numbers.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

PREFIX = "headrace_"

Kind = Literal["counter", "gauge", "histogram"]
Teller = Literal["worker", "console", "emitter"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric, as the code names it. *labels* tell its values apart; *bounds* are a histogram's, in its unit.

    A label in *optional* is there only where `telemetry.by_destination` asks for it.
    """

    name: str
    kind: Kind
    unit: str
    says: str
    teller: Teller
    labels: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def exposed(self) -> str:
        """The name that Prometheus knows."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == 'counter' else ''}"

    @property
    def series(self) -> Sequence[str]:
        """The names that queries can use."""
        if self.kind != "histogram":
            return (self.exposed,)
        return tuple(f"{self.exposed}{end}" for end in ("_bucket", "_sum", "_count"))


_POSTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SPANS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
_LATE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0)
_BATCHES = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)


def _worker(
    name: str, kind: Kind, unit: str, says: str, *, split: bool = False, bounds: Sequence[float] = ()
) -> Metric:
    optional = ("destination",) if split else ()
    return Metric(name=name, kind=kind, unit=unit, says=says, teller="worker", optional=optional, bounds=tuple(bounds))


def _console(name: str, kind: Kind, unit: str, says: str, *labels: str) -> Metric:
    return Metric(name=name, kind=kind, unit=unit, says=says, teller="console", labels=labels)


def _emitter(name: str, kind: Kind, unit: str, says: str, *labels: str) -> Metric:
    return Metric(name=f"emitter_{name}", kind=kind, unit=unit, says=says, teller="emitter", labels=labels)


WORKER: Sequence[Metric] = (
    _worker("records_polled", "counter", "records", "Records that the worker read, of the main topic and of tiers."),
    _worker(
        "events_delivered",
        "counter",
        "events",
        "Events that a destination took; one that is routed to two destinations counts twice.",
        split=True,
    ),
    _worker("events_retried", "counter", "events", "Moves to a tier, after a post or without one.", split=True),
    _worker("events_dead", "counter", "events", "Events that became dead letters.", split=True),
    _worker("posts", "counter", "posts", "Batches that were posted.", split=True),
    _worker("posts_failed", "counter", "posts", "Posts of which nothing was taken.", split=True),
    _worker("commits", "counter", "commits", "Commits of settled offsets."),
    _worker("post_seconds", "histogram", "seconds", "How long a post took.", bounds=_POSTS),
    _worker("batch_events", "histogram", "events", "How many events a post carried.", bounds=_BATCHES),
    _worker(
        "delivery_seconds",
        "histogram",
        "seconds",
        "From the time of an event to its delivery; every event of a batch counts as the first in it.",
        bounds=_SPANS,
    ),
    _worker(
        "lateness_seconds",
        "histogram",
        "seconds",
        "How long after its due time the first event of a tier's poll was read.",
        bounds=_LATE,
    ),
    _worker("held_bytes", "gauge", "bytes", "What the worker holds in lanes, in flight and unacknowledged."),
    _worker(
        "sessions_held", "gauge", "sessions", "Sessions, or lanes held whole, whose events queue behind one on a tier."
    ),
    _worker("lanes", "gauge", "lanes", "Lanes that there are: one for each org at each destination.", split=True),
    _worker("lanes_parked", "gauge", "lanes", "Lanes that get no posts but probes.", split=True),
    _worker("lanes_paused", "gauge", "lanes", "Lanes that a person lets have no posts.", split=True),
    _worker("lane_events", "gauge", "events", "Events that wait in lanes.", split=True),
    _worker("posts_in_flight", "gauge", "posts", "Posts that are under way.", split=True),
    _worker("partitions", "gauge", "partitions", "Partitions that are assigned to the worker."),
    _worker("poll_age_seconds", "gauge", "seconds", "How long ago the worker last polled."),
)

CONSOLE: Sequence[Metric] = (
    _console("lag_records", "gauge", "records", "Records that are not settled yet, of each topic.", "topic"),
    _console(
        "lag_seconds",
        "gauge",
        "seconds",
        "How long the oldest of them has waited, beyond the delay of its tier.",
        "topic",
    ),
    _console("tier_events", "gauge", "events", "Events that wait on a tier.", "tier"),
    _console("books_events", "gauge", "events", "A column of the books, when they were last closed.", "column"),
    _console("books_balanced", "gauge", "1 or 0", "Whether the books balanced when they were last closed."),
    _console("books_age_seconds", "gauge", "seconds", "How long ago the books were closed."),
    _console("watch_age_seconds", "gauge", "seconds", "How long ago the console last saw the river."),
    _console("keeper_age_seconds", "gauge", "seconds", "How long ago the event log's keeper did a step."),
    _console("chores_failing", "gauge", "chores", "What the console does in the background, and failed the last time."),
    _console("questions", "counter", "questions", "Questions that were read for pages and the API."),
    _console("questions_failed", "counter", "questions", "Questions that the event log or Kafka did not answer."),
    _console("viewers_open", "gauge", "streams", "Live streams that viewers have open."),
    _console("alerts_open", "gauge", "alerts", "Alerts that are open.", "rule"),
    _console("notifications_sent", "counter", "notifications", "Notifications that the webhook took."),
    _console("notifications_failed", "counter", "notifications", "Tries at which the webhook took a notification not."),
)

EMITTER: Sequence[Metric] = (
    _emitter("events_taken", "counter", "events", "Events that `emit` took."),
    _emitter("events_acknowledged", "counter", "events", "Events that Kafka has acknowledged."),
    _emitter("events_spilled", "counter", "events", "Events that went by way of the journal."),
    _emitter("events_recovered", "counter", "events", "Events of processes that are gone which this one brought on."),
    _emitter("events_dropped", "counter", "events", "Events that were not taken, or had to be given up.", "reason"),
    _emitter("values_unencodable", "counter", "values", "Values that are no JSON, and were replaced by their `repr`."),
    _emitter("segments_damaged", "counter", "stretches", "Stretches of journal that could not be read."),
    _emitter("waiting_events", "gauge", "events", "Events that Kafka does not have yet.", "place"),
    _emitter("queued_bytes", "gauge", "bytes", "What the queue between `emit` and the sender holds."),
    _emitter("journal_bytes", "gauge", "bytes", "What the journal's directory holds, for all processes of the host."),
    _emitter("journal_limit_bytes", "gauge", "bytes", "What it may hold, by `emitter.journal_bytes`."),
)

CATALOGUE: Sequence[Metric] = (*WORKER, *CONSOLE, *EMITTER)

BY_NAME = {metric.name: metric for metric in CATALOGUE}
