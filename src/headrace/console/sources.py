"""What the console reads, and by whom: handed in by `headrace.app`, so that no service knows another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.console.alarm.alerting import Board, NoAlerts
from headrace.console.chores import Pulse
from headrace.console.dead.book import LetterBook
from headrace.console.dead.jobs import Jobs
from headrace.console.late_notes import LateNotes
from headrace.console.rehearsals import Rehearsals, Rehearse, not_here
from headrace.console.tailing.tail import Tail
from headrace.console.watching.findings import Findings
from headrace.console.watching.watch import Watch
from headrace.eventlog.graphs import Graphs
from headrace.eventlog.pages import Pages
from headrace.eventlog.port import EventLog
from headrace.eventlog.trail import Trail
from headrace.eventlog.upkeep import Upkeep
from headrace.model.destination import Destination
from headrace.model.pause import Pause
from headrace.settings.pages import Shown
from headrace.wire.topics import TopicNames


class Log(EventLog, Pages, Upkeep, Graphs, Trail, Protocol):
    """An event log with all that pages ask of it."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while the console runs. Times are in seconds."""

    environment: str
    names: TopicNames
    destinations: Mapping[str, Destination]
    destinations_of: Callable[[str], Sequence[str]]
    tiers: Sequence[float]
    give_up_after: float
    retention: float
    topic_retention: float = 0.0
    """How long events are kept on their topic; the other topics keep twice as long. 0: not known."""
    settings: Mapping[str, Shown] = {}
    """The configuration in force, secrets hidden."""
    versions: Mapping[str, str] = {}


class Pauses(Protocol):
    """Tells what people have paused, by `Pause.name`; raises `BrokerError` when that is not known."""

    def look(self) -> Mapping[str, Pause]: ...

    def close(self) -> None: ...


class Pausing(Protocol):
    """Pauses destinations and lets them go on; raises `BrokerError` when Kafka does not take the decision."""

    def pause(self, pause: Pause) -> None: ...

    def resume(self, pause: Pause) -> None: ...


class Alerts(Protocol):
    """Tells what is wrong; `test` posts a notification, and returns why it was not taken, or nothing."""

    def board(self) -> Board: ...

    def test(self) -> str: ...


class Sources(msgspec.Struct, kw_only=True):
    """What one thread of the desk reads. *log*, *reader* and *pauses* are its own; the others are everybody's."""

    log: Log
    reader: Reader
    pauses: Pauses
    pausing: Pausing
    facts: Facts
    clock: Clock
    watch: Watch = msgspec.field(default_factory=Watch)
    pulses: Callable[[], Sequence[Pulse]] = tuple
    findings: Callable[[], Findings] = Findings
    rehearse: Rehearse = not_here
    rehearsals: Rehearsals = msgspec.field(default_factory=Rehearsals)
    alerts: Alerts = msgspec.field(default_factory=NoAlerts)
    letters: LetterBook = msgspec.field(default_factory=LetterBook)
    jobs: Jobs = msgspec.field(default_factory=Jobs)
    late_notes: LateNotes = msgspec.field(default_factory=LateNotes)
    tail: Tail = msgspec.field(default_factory=Tail)

    def close(self) -> None:
        """Release what is the thread's own."""
        self.log.close()
        self.reader.close()
        self.pauses.close()
