"""Asks who is in a consumer group, in a process of its own.

A broker that goes away while such a question is open ends the process that asked: librdkafka aborts (its issues #4605
and #5397). So a short-lived process asks, and whoever wants to know lives on. The client's settings come on its
standard input, where nobody else reads them.
"""

import subprocess
import sys
from collections.abc import Mapping

import msgspec
from confluent_kafka import ConsumerGroupState, KafkaException
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription

from headrace.broker.kafka_client import ANSWER_WITHIN
from headrace.broker.port import Group, Member
from headrace.errors import BrokerError, BrokerUnavailable
from headrace.model.record import TopicPartition

_BEGIN_WITHIN = 10.0
"""Seconds that a process may need beside its question."""


class Question(msgspec.Struct, frozen=True):
    """Which group, and how the brokers are reached."""

    group: str
    client: Mapping[str, str | int | float | bool]


class Answer(msgspec.Struct, frozen=True):
    """What came of it: the group, or why not."""

    group: Group | None = None
    why: str = ""


def ask(question: Question) -> Group:
    """Return who is in a group; raise `BrokerError` when that cannot be told."""
    try:
        asked = subprocess.run(
            [sys.executable, "-m", "headrace.broker.kafka_group"],
            input=msgspec.json.encode(question),
            capture_output=True,
            timeout=_BEGIN_WITHIN + ANSWER_WITHIN,
            check=True,
        )
    except (subprocess.SubprocessError, OSError) as error:
        how = f"status {error.returncode}" if isinstance(error, subprocess.CalledProcessError) else type(error).__name__
        raise BrokerUnavailable(f"Kafka did not tell who is in the group {question.group} ({how})") from None
    answer = msgspec.json.decode(asked.stdout, type=Answer)
    if answer.group is None:
        raise BrokerError(f"Kafka did not tell who is in the group {question.group}: {answer.why}")
    return answer.group


def describe(question: Question) -> Answer:
    """Ask the brokers."""
    try:
        client = AdminClient(dict(question.client))
        asked = client.describe_consumer_groups([question.group], request_timeout=ANSWER_WITHIN)
        return Answer(_group(asked[question.group].result()))
    except KafkaException as error:
        return Answer(why=str(error.args[0]))


def _group(told: ConsumerGroupDescription) -> Group:
    members = [
        Member(
            id=each.member_id,
            client=each.client_id,
            host=each.host.removeprefix("/"),
            holds=sorted(TopicPartition(place.topic, place.partition) for place in each.assignment.topic_partitions),
        )
        for each in told.members
    ]
    members.sort(key=lambda each: each.id)
    match told.state:
        case ConsumerGroupState.STABLE:
            return Group(state="stable", members=members)
        case ConsumerGroupState.EMPTY:
            return Group(state="empty")
        case ConsumerGroupState.DEAD:
            return Group(state="dead")
        case _:  # the client has no names for those of KIP-848
            return Group(state="rebalancing", members=members)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(describe(msgspec.json.decode(sys.stdin.buffer.read(), type=Question))))
