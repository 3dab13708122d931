"""What the client does behind our back: callbacks that raise, arrivals it forgets, members that stall (6, 14, 15)."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from headrace.broker import kafka_consumer
from headrace.broker.kafka import KafkaBroker
from headrace.broker.port import Committed
from headrace.broker.settings import KafkaSettings
from headrace.localkafka.cluster import LocalKafka
from headrace.model.record import TopicPartition
from headrace.testing.broker_bench import Member, name, new_topic, numbers, until, values, write
from headrace.testing.broker_group_contract import commit_all

CHURN = 8.0
"""Seconds for which members come and go."""

STALL = 20.0
"""Seconds after which a partition that nobody reads is taken to be forgotten, on a machine that is busy."""


class Silence:
    """How often places were looked for in vain, and otherwise."""

    lasts = True
    asked = 0
    answered = 0


@pytest.fixture
def broker(kafka: str) -> KafkaBroker:
    return KafkaBroker(KafkaSettings(bootstrap_servers=kafka))


def test_a_listener_that_raises_when_partitions_arrive_costs_no_record(broker: KafkaBroker) -> None:
    topic = new_topic(broker)
    write(broker, topic, numbers(0, 500))
    member = Member(broker, name("group"), topic)
    member.poll_until(500)

    def fail() -> None:
        raise RuntimeError("a bug in the listener")

    member.arriving = fail
    member.consumer.seek(TopicPartition(topic, 0), 0)
    member.consumer.subscribe([topic, new_topic(broker)])
    member.poll(3.0)
    with pytest.raises(RuntimeError, match="a bug in the listener"):
        member.poll_for(20.0)

    assert values(member.records[500:]) == numbers(0, 500), "the poll that the callback came in returned its records"
    member.consumer.close()


def test_partitions_that_arrive_while_the_place_of_others_is_not_known_are_read(
    broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two assignments in a row, the first while the coordinator does not answer: neither may be forgotten."""
    early, late = new_topic(broker), new_topic(broker)
    write(broker, early, numbers(0, 5))
    write(broker, late, numbers(5, 10))
    silence = _keep_silent_about(monkeypatch, early)
    member = Member(broker, name("group"), early)
    until(lambda: silence.asked > 0, member)
    member.consumer.subscribe([early, late])
    until(lambda: silence.answered > 0, member)

    silence.lasts = False
    member.poll_until(10)

    assert sorted(member.values(), key=str) == numbers(0, 10)
    member.consumer.close()


def test_a_member_leaves_in_time_although_its_last_commit_never_arrives(new_kafka: Callable[..., LocalKafka]) -> None:
    """librdkafka waits for a commit that is under way: three quarters of a minute when Kafka is gone."""
    cluster = new_kafka()
    broker = KafkaBroker(KafkaSettings(bootstrap_servers=cluster.bootstrap_servers))
    topic = new_topic(broker)
    place = TopicPartition(topic, 0)
    write(broker, topic, numbers(0, 3))
    member = Member(broker, name("group"), topic)
    member.poll_until(3)
    cluster.kill_broker(0)
    member.consumer.commit({place: Committed(3)})
    member.poll_for(1.0)

    started = time.monotonic()
    member.consumer.close()

    assert time.monotonic() - started < 20.0
    assert member.told == [("assign", [place]), ("revoke", [place])]


@pytest.mark.parametrize("members", [12, pytest.param(50, marks=pytest.mark.slow)])
def test_members_that_come_and_go_leave_no_partition_unread(broker: KafkaBroker, members: int) -> None:
    """KIP-848 stalled for minutes in older clients: every partition is read on while members join and leave."""
    topic, group = new_topic(broker, partitions=2 * members), name("group")
    places = [TopicPartition(topic, partition) for partition in range(2 * members)]
    crowd = Crowd(broker, group, topic)
    with crowd.of(members):
        written = _write_until(broker, places, crowd, time.monotonic() + CHURN)
        crowd.is_calm.set()
        await_all = time.monotonic() + STALL
        while not all(len(crowd.seen[place]) == written for place in places) and time.monotonic() < await_all:
            time.sleep(0.1)

    assert crowd.joined > 2 * members, "members came and went"
    assert crowd.slowest < STALL, f"a partition was not read for {crowd.slowest:.1f} s"
    assert {place: len(crowd.seen[place]) for place in places} == dict.fromkeys(places, written)
    # A last commit that meets the rebalance of those who leave beside it fails; what it was about is then read again.
    reader = broker.reader()
    committed = {place: each.offset for place, each in reader.committed(group, places).items()}
    reader.close()
    assert max(committed.values()) == written
    heir = Member(broker, group, topic)
    heir.poll_until(sum(written - committed.get(place, 0) for place in places))
    for record in heir.records:
        committed[TopicPartition(record.topic(), record.partition())] = record.offset() + 1
    assert committed == dict.fromkeys(places, written)
    heir.consumer.close()


class Crowd:
    """Members of one group, each in a thread of its own, that join and leave until `is_calm`; then three stay."""

    def __init__(self, broker: KafkaBroker, group: str, topic: str) -> None:
        self._broker = broker
        self._group = group
        self._topic = topic
        self._is_over = threading.Event()
        self.is_calm = threading.Event()
        self.joined = 0
        self.seen: defaultdict[TopicPartition, set[int]] = defaultdict(set)
        self.read_at: dict[TopicPartition, float] = {}
        self.slowest = 0.0

    @contextmanager
    def of(self, members: int) -> Iterator[None]:
        """Let so many come and go while the context lasts; at its end the last ones leave."""
        threads = [threading.Thread(target=self._come_and_go, args=(number,)) for number in range(members)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.is_calm.set()
            self._is_over.set()
            for thread in threads:
                thread.join(60)

    def _come_and_go(self, number: int) -> None:
        chance = random.Random(number)
        while not self.is_calm.is_set():
            self._take_part(chance.uniform(0.5, 4))
            time.sleep(chance.uniform(0, 0.5))
        if number < 3:
            self._take_part(float("inf"))

    def _take_part(self, seconds: float) -> None:
        """Join, read and commit for so long, and leave."""
        end = time.monotonic() + seconds
        member = Member(self._broker, self._group, self._topic)
        member.leaving = lambda: commit_all(member)
        self.joined += 1
        while time.monotonic() < end and not self._is_over.is_set():
            member.poll()
            for record in member.records[-1000:]:
                place = TopicPartition(record.topic(), record.partition())
                self.seen[place].add(record.offset())
                self.read_at[place] = time.monotonic()
        member.consumer.close()


def _write_until(broker: KafkaBroker, places: Sequence[TopicPartition], crowd: Crowd, end: float) -> int:
    """Write to every place ten times a second, and note for how long the crowd left one alone; return how often."""
    producer = broker.producer(memory=8 << 20)
    crowd.read_at |= dict.fromkeys(places, time.monotonic())
    written = 0
    while time.monotonic() < end:
        for place in places:
            producer.produce(place.topic, key=None, value=b"%d" % written, partition=place.partition)
        written += 1
        assert producer.flush(30) == 0
        time.sleep(0.1)
        crowd.slowest = max(crowd.slowest, time.monotonic() - min(crowd.read_at.values()))
    producer.close(1)
    return written


def _keep_silent_about(monkeypatch: pytest.MonkeyPatch, topic: str) -> Silence:
    """Let looks for the places of *topic* fail, as without a coordinator, until the silence is over."""
    silence = Silence()
    committed = kafka_consumer._committed

    def fail_while_silent(client: Any, places: list[Any], timeout: float) -> Any:
        if silence.lasts and any(place.topic == topic for place in places):
            silence.asked += 1
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        found = committed(client, places, timeout)
        silence.answered += 1
        return found

    monkeypatch.setattr(kafka_consumer, "_committed", fail_while_silent)
    return silence
