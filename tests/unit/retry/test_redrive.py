"""Dead letters, from the dead topic back to the first tier."""

from collections.abc import Sequence

import pytest

from headrace.broker.memory import MemoryBroker
from headrace.errors import TopicMissing
from headrace.model.mark import DeadReason, Mark
from headrace.model.record import Header, Origin, Record, TopicPartition
from headrace.model.tile import Redriven, RedriveNote
from headrace.model.topic import TopicState
from headrace.model.units import Duration
from headrace.retry.aims import Ways
from headrace.retry.dead import DeadLetters, State, Wanted
from headrace.retry.redrive import Redrive, Redriver, Skipped
from headrace.testing.clock import EPOCH, FakeClock
from headrace.wire import attempts
from headrace.wire.headers import decode, encode
from headrace.wire.letters import DeadLetter
from headrace.wire.topics import TopicNames

NAMES = TopicNames()
TIER = "headrace.retry.5s"
ROUTES = {"a": ["crm", "log"], "b": ["crm"]}
WAYS = Ways(lambda org: ROUTES.get(org, []), {"crm", "log"}, Duration(5))


class Cluster:
    """Topics of two partitions with letters in them."""

    def __init__(self, *, tier: bool = True) -> None:
        self.broker = MemoryBroker()
        self.clock = FakeClock()
        for topic in [NAMES.events, NAMES.dead, NAMES.attempts, *([TIER] if tier else [])]:
            self.broker.admin().create(TopicState(name=topic, partitions=2, replication=1))
        self.producer = self.broker.producer(memory=1 << 20)

    def write(self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header], number: int) -> None:
        self.producer.produce(topic, key=key, value=value, headers=headers, partition=number)
        assert self.producer.flush(1.0) == 0

    def bury(
        self,
        org: str = "b",
        destination: str = "crm",
        reason: DeadReason = "rejected",
        *,
        number: int = 0,
        value: bytes | None = b"",
        died: float = 0.0,
    ) -> None:
        mark = Mark(
            destination=destination,
            origin=Origin(NAMES.events, number, 0),
            attempts=3,
            first_failed_at=1.0,
            due_at=died,
            reason=reason,
            error="no",
        )
        body = event(org) if value == b"" else value
        self.write(NAMES.dead, f"{org}/s".encode(), body, encode(mark), number)

    def letters(self, wanted: Wanted | None = None) -> list[tuple[DeadLetter, State]]:
        return list(DeadLetters(self.broker.reader(), NAMES).read(wanted or Wanted()))

    def redrive(self, *, rate: float | None = None, dry_run: bool = False) -> Redrive:
        redriver = Redriver(self.broker.reader(), self.producer, NAMES, WAYS, self.clock, sleep=self.clock.advance)
        return redriver.run([letter for letter, _ in self.letters()], rate=rate, dry_run=dry_run)

    def held(self, topic: str) -> list[Record]:
        reader = self.broker.reader()
        bounds = sorted(reader.bounds(topic).items())
        return [record for number, span in bounds for record in reader.read(TopicPartition(topic, number), *span)]


def event(org: str) -> bytes:
    return b'{"specversion":"1.0","id":"e","source":"/orgs/%s/bots/b","type":"t"}' % org.encode()


def test_letters_are_open_until_they_are_redriven() -> None:
    cluster = Cluster()
    cluster.bury()
    cluster.bury("a", "log", number=1)
    first = cluster.redrive()
    cluster.bury("a", "crm", number=1)

    assert (first.redriven, first.records, first.skipped) == (2, 2, [])
    assert [letter.position for letter, _ in cluster.letters()] == ["1/1"]
    assert [(letter.position, state) for letter, state in cluster.letters(Wanted(state=None))] == [
        ("0/0", "redriven"),
        ("1/0", "redriven"),
        ("1/1", "open"),
    ]


@pytest.mark.parametrize(
    ("wanted", "positions"),
    [
        (Wanted(), ["0/0", "0/1", "1/0"]),
        (Wanted(org="a"), ["1/0"]),
        (Wanted(destination="crm"), ["0/0", "0/1"]),
        (Wanted(reason="gave_up"), ["0/1"]),
        (Wanted(since=50.0), ["0/1"]),
        (Wanted(positions={(0, 1), (1, 0), (1, 9)}), ["0/1", "1/0"]),
        (Wanted(state="redriven"), []),
    ],
)
def test_letters_are_filtered(wanted: Wanted, positions: list[str]) -> None:
    cluster = Cluster()
    cluster.bury()
    cluster.bury(reason="gave_up", died=100.0)
    cluster.bury("a", "log", number=1)

    assert [letter.position for letter, _ in cluster.letters(wanted)] == positions


def test_redriven_record_is_the_event_anew() -> None:
    """Key, value, origin and partition stay; attempts and the first failure begin again."""
    cluster = Cluster()
    cluster.bury("a", "log", number=1)
    cluster.redrive()

    (record,) = cluster.held(TIER)

    assert (record.partition(), record.key(), record.value()) == (1, b"a/s", event("a"))
    assert decode(record.headers()) == Mark(
        destination="log",
        origin=Origin(NAMES.events, 1, 0),
        attempts=0,
        first_failed_at=EPOCH,
        due_at=EPOCH + 5,
        reason="redriven",
        error="no",
        redriven=True,
    )


def test_letter_without_a_destination_becomes_one_record_per_destination_and_one_note() -> None:
    cluster = Cluster()
    cluster.bury("a", "-", "no_route")

    done = cluster.redrive()

    assert (done.redriven, done.records) == (1, 2)
    assert [decode(record.headers()).destination for record in cluster.held(TIER)] == ["crm", "log"]
    (note,) = [attempts.decode(record.value() or b"") for record in cluster.held(NAMES.attempts)]
    assert isinstance(note, RedriveNote)
    assert (note.topic, note.partition, note.offset, note.org, note.destination) == (NAMES.dead, 0, 0, "a", "-")
    assert note.records == [
        Redriven(org="a", destination="crm", tier="5s"),
        Redriven(org="a", destination="log", tier="5s"),
    ]


def test_letter_that_can_go_nowhere_is_skipped_and_named_and_stays_open() -> None:
    cluster = Cluster()
    cluster.bury("b", "erp")
    cluster.bury()

    done = cluster.redrive()

    assert done.redriven == 1
    assert done.skipped == [Skipped("0/0", "the destination erp is not configured; add it, or leave the letter")]
    assert [letter.position for letter, _ in cluster.letters()] == ["0/0"]


def test_dry_run_writes_nothing() -> None:
    cluster = Cluster()
    cluster.bury("a", "-", "no_route")
    cluster.bury("b", "erp")

    done = cluster.redrive(dry_run=True)

    assert (done.dry_run, done.redriven, done.records, len(done.skipped)) == (True, 1, 2, 1)
    assert cluster.held(TIER) == cluster.held(NAMES.attempts) == []


def test_rate_is_kept() -> None:
    cluster = Cluster()
    for _ in range(25):
        cluster.bury()

    cluster.redrive(rate=5.0)

    assert cluster.clock.monotonic() == pytest.approx(5.0)


def test_value_too_large_for_the_dead_topic_is_fetched_from_its_origin() -> None:
    cluster = Cluster()
    cluster.write(NAMES.events, b"b/s", event("b"), (), 0)
    cluster.bury("b", "crm", "too_large", value=None)

    cluster.redrive()

    assert [record.value() for record in cluster.held(TIER)] == [event("b")]


def test_value_that_is_nowhere_any_more_is_skipped() -> None:
    cluster = Cluster()
    cluster.bury("b", "crm", "too_large", value=None)

    (skipped,) = cluster.redrive().skipped

    assert "not kept at its origin any more" in skipped.why


def test_record_that_no_broker_takes_leaves_its_letter_open() -> None:
    cluster = Cluster(tier=False)
    cluster.bury()

    done = cluster.redrive()

    assert (done.redriven, len(done.skipped)) == (0, 1)
    assert [letter.position for letter, _ in cluster.letters()] == ["0/0"]
    assert cluster.held(NAMES.attempts) == []


def test_letters_of_a_cluster_without_topics_name_the_command_that_makes_them() -> None:
    with pytest.raises(TopicMissing, match="headrace topics apply"):
        list(DeadLetters(MemoryBroker().reader(), NAMES).read(Wanted()))
