"""Books that were closed before are the same as books that are closed for the first time, whatever happened between."""

from itertools import count as count_up

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import Committed
from headrace.core.columns import Cell
from headrace.ledger.audit import Audit, Ledger
from headrace.model.mark import Mark
from headrace.model.record import Origin, TopicPartition
from headrace.model.tile import Count, Redriven, RedriveNote, Tile
from headrace.model.topic import TopicState
from headrace.wire import attempts
from headrace.wire.headers import encode
from headrace.wire.times import to_text
from headrace.wire.topics import TopicNames
from unit.ledger.test_audit import Listener

NAMES = TopicNames()
TIER = "headrace.retry.5s"
LOGS = (NAMES.events, TIER)
ROUTES = {"a": ["crm", "log"], "b": ["crm"]}
FATES = ("delivered", "delivered", "tier", "dead")
BEGUN = 1_800_000_000.0


class River(RuleBasedStateMachine):
    """One partition number, settled by one worker after the other; what settles is chosen record by record."""

    def __init__(self) -> None:
        super().__init__()
        self.broker = MemoryBroker()
        for topic in (*LOGS, NAMES.dead, NAMES.attempts):
            self.broker.admin().create(TopicState(name=topic, partitions=1, replication=1))
        self.producer = self.broker.producer(memory=1 << 20)
        self.records: dict[str, list[list[Cell]]] = {log: [] for log in LOGS}
        self.dead: list[Cell] = []
        self.committed = dict.fromkeys(LOGS, (0, ""))
        self.last: dict[str, tuple[int, str]] = dict(self.committed)
        self.ids = count_up()
        self.now = BEGUN
        self.ledger = Ledger(NAMES, self.routes, kept=2)

    @staticmethod
    def routes(org: str) -> list[str]:
        return ROUTES.get(org, [])

    def write(self, topic: str, key: str, value: bytes, mark: Mark | None = None) -> None:
        headers = encode(mark) if mark else ()
        self.producer.produce(topic, key=key.encode(), value=value, headers=headers, partition=0)
        assert self.producer.flush(1.0) == 0

    def put(self, topic: str, cell: Cell) -> None:
        mark = Mark(
            destination=cell[1], origin=Origin(NAMES.events, 0, 0), attempts=1, first_failed_at=self.now,
            due_at=self.now, reason="rejected",
        )  # fmt: skip
        self.write(topic, f"{cell[0]}/s", b"{}", mark)

    @initialize()
    def begin(self) -> None:
        self.emit(["a", "b"] * 4)

    @rule(orgs=st.lists(st.sampled_from("ab"), min_size=1, max_size=6))
    def emit(self, orgs: list[str]) -> None:
        for org in orgs:
            self.write(NAMES.events, f"{org}/s", b"{}")
            self.records[NAMES.events].append([(org, destination) for destination in ROUTES[org]])

    @rule(log=st.sampled_from(LOGS), fates=st.lists(st.sampled_from(FATES), min_size=1, max_size=5), ends=st.booleans())
    def settle(self, log: str, fates: list[str], ends: bool) -> None:
        """Settle some records one tile each; the last may end before its commit."""
        for fate in fates:
            first, previous = self.last[log]
            if first >= len(self.records[log]):
                return
            counts = [self._settle_one(cell, fate) for cell in self.records[log][first]]
            name = f"w-{next(self.ids)}"
            tile = Tile(
                id=name, previous=previous or None, topic=log, partition=0, first=first, next=first + 1, records=1,
                at=to_text(self.now), counts=counts,
            )  # fmt: skip
            self.write(NAMES.attempts, "k", attempts.encode(tile))
            self.last[log] = (first + 1, name)
        if ends:
            self.commit(log)

    def _settle_one(self, cell: Cell, fate: str) -> Count:
        count = Count(org=cell[0], destination=cell[1], tiers={}, dead={})
        if fate == "tier":
            self.put(TIER, cell)
            self.records[TIER].append([cell])
            count.tiers["5s"] = 1
        elif fate == "dead":
            self.put(NAMES.dead, cell)
            self.dead.append(cell)
            count.dead["rejected"] = 1
        else:
            count.delivered = 1
        return count

    @rule(log=st.sampled_from(LOGS))
    def commit(self, log: str) -> None:
        self.committed[log] = self.last[log]
        self._commit(log, *self.last[log])

    def _commit(self, log: str, offset: int, tile: str) -> None:
        consumer = self.broker.consumer(NAMES.group, Listener())
        consumer.subscribe([log])
        consumer.poll(1, 0.0)
        consumer.commit({TopicPartition(log, 0): Committed(offset, tile)}, wait=True)
        consumer.close()

    @rule(log=st.sampled_from(LOGS))
    def crash(self, log: str) -> None:
        """The next worker goes on behind the commit; what was written behind it counts no more."""
        self.last[log] = self.committed[log]

    @rule(log=st.sampled_from(LOGS), back=st.integers(1, 12))
    def go_back(self, log: str, back: int) -> None:
        """Somebody sets the group's offset back, and with it what names its tile."""
        offset = max(0, self.committed[log][0] - back)
        self.committed[log] = self.last[log] = (offset, "")
        self._commit(log, offset, "")

    @rule(ahead=st.integers(1, 3))
    def skip(self, ahead: int) -> None:
        """Somebody sets the group's offset forward."""
        offset, name = self.committed[NAMES.events]
        if offset + ahead <= len(self.records[NAMES.events]):
            self.committed[NAMES.events] = self.last[NAMES.events] = (offset + ahead, name)
            self._commit(NAMES.events, offset + ahead, name)

    @rule(which=st.integers(0, 100))
    def redrive(self, which: int) -> None:
        if self.dead:
            offset = which % len(self.dead)
            org, destination = self.dead[offset]
            self.put(TIER, (org, destination))
            self.records[TIER].append([(org, destination)])
            made = [Redriven(org=org, destination=destination, tier="5s")]
            note = RedriveNote(
                topic=NAMES.dead, partition=0, offset=offset, org=org, destination=destination, at=to_text(self.now),
                records=made,
            )  # fmt: skip
            self.write(NAMES.attempts, "k", attempts.encode(note))

    @rule(hours=st.sampled_from([0.1, 0.7, 3.0]))
    def wait(self, hours: float) -> None:
        self.now += 3600 * hours

    @rule(
        topic=st.sampled_from([NAMES.attempts, NAMES.attempts, NAMES.events, TIER, NAMES.dead]), most=st.integers(1, 6)
    )
    def expire(self, topic: str, most: int) -> None:
        """Retention deletes some of the oldest records, settled or not."""
        start, end = self.broker.reader().bounds(topic)[0]
        self.broker.delete_records(TopicPartition(topic, 0), min(end, start + most))

    @invariant()
    def closes_as_if_for_the_first_time(self) -> None:
        again = self.ledger.close(self.broker.reader())

        assert plain(again) == plain(Ledger(NAMES, self.routes, kept=1000).close(self.broker.reader()))
        assert plain(again) == plain(Ledger(NAMES, self.routes, kept=2).close(self.broker.reader()))


def plain(audit: Audit) -> tuple[object, ...]:
    return (
        {cell: str(columns) for cell, columns in audit.account.cells.items()},
        audit.account.problems,
        audit.positions,
    )


TestRiver = River.TestCase
TestRiver.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


def test_what_was_read_is_not_read_again() -> None:
    river = River()
    river.emit(["a"] * 500)
    for _ in range(100):
        river.settle(NAMES.events, ["delivered", "dead"], ends=True)
    read: list[int] = []
    river.ledger.close(river.broker.reader(), seen=read.append)

    river.emit(["b"])
    river.settle(NAMES.events, ["dead"], ends=True)
    river.ledger.close(river.broker.reader(), seen=read.append)

    tiles, unsettled, letters = 200, 300, 200
    assert read[0] == tiles + unsettled + letters
    assert read[1] == 1 + 300 + 2  # the tile; what is in flight, part of whose block was settled; the letters


def test_a_sheet_that_the_edge_of_the_books_cuts_is_written_anew() -> None:
    """What was put on a tier before the books begin is let off; copies that came hours later are not."""
    river = River()
    river.emit(["b"] * 2)
    river.settle(NAMES.events, ["tier", "delivered"], ends=True)
    river.settle(TIER, ["delivered"], ends=True)
    river.wait(5.0)
    for _ in range(6):
        river.put(TIER, ("b", "crm"))
        river.records[TIER].append([("b", "crm")])
        river.settle(TIER, ["delivered"], ends=True)
    river.expire(NAMES.attempts, 1)
    river.expire(NAMES.events, 1)

    books = river.ledger.close(river.broker.reader())

    assert books.account.total().duplicates == 6
    assert plain(books) == plain(Ledger(NAMES, river.routes, kept=1000).close(river.broker.reader()))
