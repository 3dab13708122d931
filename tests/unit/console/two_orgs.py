"""Two orgs that must not see each other: each with a conversation that failed, a dead letter, a job and a tail.

Whatever text is an org's own holds its canary.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from starlette.types import ASGIApp

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Reader
from headrace.console.building import build
from headrace.console.dead.book import LetterBook
from headrace.console.dead.jobs import Job, Jobs, Task
from headrace.console.dead.letters import Position
from headrace.console.dead.reading import LetterReading
from headrace.console.settings import ConsoleSettings
from headrace.console.sources import Sources
from headrace.console.tailing.rows import Seen
from headrace.console.tailing.tail import Sought, Tail
from headrace.console.viewer import Viewer
from headrace.console.watching.watch import Watch
from headrace.console.watching.watchman import Watchman
from headrace.console.web.tail_stream import TailStream
from headrace.control.pauses import Pauses, Pausing
from headrace.core.columns import Account
from headrace.core.positions import Positions
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.pages import ExceptionQuery
from headrace.ledger import positions
from headrace.ledger.audit import audit
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Origin, TopicPartition
from headrace.model.secret import Secret
from headrace.model.topic import TopicState
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import event
from headrace.wire import headers
from unit.console.asking_client import Asking, facts, open_site

ORGS = ("acme", "globex")
ORDER = {org: place for place, org in enumerate(ORGS)}
SETTINGS = ConsoleSettings(secret=Secret("0123456789abcdef0123456789abcdef"))
KNOWN = facts({"crm": Destination(name="crm", type="http", settings=msgspec.Struct())})


def canary(org: str) -> str:
    return f"canary-of-{org}"


class TwoOrgs:
    """The stores of the two, and the names of what each has."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log = MemoryEventLog(self.clock)
        self.broker = MemoryBroker(self.clock)
        self.letters = LetterBook()
        self.tail = Tail()
        self.jobs = Jobs(_work)
        for topic in (KNOWN.names.events, KNOWN.names.dead, KNOWN.names.attempts):
            self.broker.admin().create(TopicState(name=topic, partitions=len(ORGS), replication=1))
        for org in ORGS:
            self._converse(org)
        LetterReading(self.letters, self.broker.reader, KNOWN.names, self.clock).look()
        self._look_on()
        self.watch = Watch()
        self._watch_the_river()

    def names(self, org: str) -> dict[str, str]:
        """Return what *org* has, by the name of the place in a path that asks for it."""
        found = self.log.find_exceptions(ExceptionQuery(org=org))
        return {
            "org": org,
            "session": f"session-of-{org}",
            "user": f"user-of-{org}",
            "id": f"failed-of-{org}",
            "fingerprint": found.rows[0].fingerprint,
            "partition": str(ORDER[org]),
            "offset": "0",
            "destination": "crm",
            "topic": KNOWN.names.events,
        }

    @contextmanager
    def site(self, viewer: Viewer | None) -> Iterator[Asking]:
        """Open the console on them."""
        with open_site(
            viewer=viewer, log=self.log, broker=self.broker, clock=self.clock, known=KNOWN,
            letters=self.letters, jobs=self.jobs, tail=self.tail, watch=self.watch,
            more=lambda desk, access, pages: TailStream(self.tail, access).routes,
        ) as site:  # fmt: skip
            yield site

    def app(self, settings: ConsoleSettings) -> ASGIApp:
        """Return the whole console on them."""
        return build(self._sources, KNOWN, self.clock, settings, tail=self.tail)

    def _sources(self) -> Sources:
        return Sources(
            log=self.log,
            reader=self.broker.reader(),
            pauses=Pauses(self.broker.reader, KNOWN.names, self.clock),
            pausing=Pausing(self.broker, KNOWN.names, replication=1, in_sync=1),
            facts=KNOWN,
            clock=self.clock,
            letters=self.letters,
            jobs=self.jobs,
            tail=self.tail,
            watch=self.watch,
        )

    def _watch_the_river(self) -> None:
        def close_books(reader: Reader, seen: Callable[[int], None]) -> tuple[Account, Positions]:
            closed = audit(reader, KNOWN.names, KNOWN.destinations_of, seen=seen)
            return closed.account, closed.positions

        pauses = Pauses(self.broker.reader, KNOWN.names, self.clock)
        Watchman(
            self.watch, self.broker.reader, lambda reader: positions.look(reader, KNOWN.names), close_books, pauses,
            KNOWN.names, self.clock,
        ).step()  # fmt: skip

    def _converse(self, org: str) -> None:
        own = {"source": f"/orgs/{org}/bots/{canary(org)}", "subject": f"session-of-{org}"}
        error = {"origin": "custom_code", "type": canary(org), "message": canary(org), "stack": canary(org)}
        user = f"user-of-{org}"
        values = [
            event(f"began-of-{org}", type="bot.session.started", seq=0, data={"user": user, "channel": "web"}, **own),
            event(f"said-of-{org}", type="bot.message.received", seq=1, data={"text": canary(org)}, **own),
            event(
                f"failed-of-{org}", type="bot.action.failed", seq=2, data={"action": canary(org), "error": error}, **own
            ),
        ]
        self.log.upsert(values)
        self.jobs.start(
            Job(id=f"failed-of-{org}", who=canary(org), org=org, rate=1.0, total=1, asked_at=self.clock.wall()), [], org
        )
        producer = self.broker.producer(memory=1 << 20)
        key = f"{org}/session-of-{org}".encode()
        for value in values:
            producer.produce(KNOWN.names.events, key=key, value=value, partition=ORDER[org])
        mark = Mark(
            destination="crm", origin=Origin(KNOWN.names.events, ORDER[org], 2), attempts=3,
            first_failed_at=self.clock.wall(), due_at=self.clock.wall(), reason="rejected", error=canary(org),
        )  # fmt: skip
        producer.produce(KNOWN.names.dead, key=key, value=values[2], headers=headers.encode(mark), partition=ORDER[org])
        assert producer.close(5.0) == 0

    def _look_on(self) -> None:
        """Let the tail see what was emitted, as it does while somebody looks on."""
        self.tail.join(Sought(), lambda: None, None)
        topic, reader = KNOWN.names.events, self.broker.reader()
        for partition, (start, stop) in reader.bounds(topic).items():
            self.tail.publish(list(map(Seen, reader.read(TopicPartition(topic, partition), start, stop))), stop)


def _work(task: Task, positions: Sequence[Position]) -> None:
    task.tell(state="done")
