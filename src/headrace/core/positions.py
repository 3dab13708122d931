"""Where the books are closed: how far each partition was settled and written to.

Books closed at the same positions are the same, as long as Kafka still holds what they are made of.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from headrace.errors import HeadraceError, UsageError
from headrace.model.record import TopicPartition


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Of one partition: the *committed* offset (None where nobody commits), and the *end* that its log had.

    *start* is the first offset that was kept then, *tile* the tile that the commit named: the chain of tiles that
    counts is followed back from it.
    """

    committed: int | None
    end: int
    start: int = 0
    tile: str = ""


Positions = Mapping[str, Mapping[int, Position]]
"""By topic and partition."""


def check(wanted: Positions, now: Positions, *, named: Collection[str], whole: Collection[str]) -> None:
    """Raise unless the river, which is at *now*, was once at *wanted*, which tells of the topics *named*.

    Of the topics *whole* it has to keep all that it kept then.
    """
    for name in named:
        if name not in wanted:
            raise UsageError(f"the positions name no topic {name}: they are those of another river")
    for place, then in places(wanted):
        found = now.get(place.topic, {}).get(place.partition)
        if found is None:
            raise UsageError(
                f"{place} does not exist any more, or never did in this river: nothing can be closed there"
            )
        if found.end < then.end:
            raise UsageError(f"{place} ends at {found.end}, before the position {then.end}: it is another river's")
        if place.topic in whole and found.start > then.start:
            raise gone(place, then.start, found.start)


def gone(place: TopicPartition, first: int, start: int) -> HeadraceError:
    """Say that books cannot be closed without what retention has deleted."""
    return HeadraceError(
        f"{place}: retention has deleted the offsets {first} to {start - 1}, without which these books cannot be "
        "closed again; take newer positions"
    )


def places(positions: Positions) -> Iterator[tuple[TopicPartition, Position]]:
    """Yield every position, in order."""
    for topic, numbers in sorted(positions.items()):
        for number, position in sorted(numbers.items()):
            yield TopicPartition(topic, number), position
