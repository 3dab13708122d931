"""Finds where the river stands now."""

from headrace.broker.port import Committed, Reader
from headrace.core.positions import Position, Positions
from headrace.errors import TopicMissing
from headrace.model.record import TopicPartition
from headrace.wire.topics import TopicNames


def look(reader: Reader, names: TopicNames) -> Positions:
    """Return where every topic of the river stands; raise `TopicMissing`, and `BrokerError` if Kafka does not answer.

    Commits come first, then the end of the attempts topic, then the other ends: what a tile or a note says was put
    somewhere had been acknowledged there before, so whoever looks there later finds it.
    """
    topics = reader.topics()
    for name in (names.events, names.dead, names.attempts):
        if name not in topics:
            raise TopicMissing(f"the topic {name} does not exist: `headrace topics apply` makes it")
    settling = [names.events, *(name for name in topics if names.delay_of(name) is not None)]
    places = [TopicPartition(name, number) for name in settling for number in range(topics[name])]
    committed = reader.committed(names.group, places)
    positions: dict[str, dict[int, Position]] = {}
    for name in (names.attempts, *settling, names.dead):
        bounds = reader.bounds(name)
        if name in settling:
            commits = {number: committed.get(TopicPartition(name, number), Committed(0)) for number in bounds}
            positions[name] = {
                number: Position(commits[number].offset, end, start, commits[number].metadata)
                for number, (start, end) in bounds.items()
            }
        else:
            positions[name] = {number: Position(None, end, start) for number, (start, end) in bounds.items()}
    return positions
