"""One topic: its partitions, and its latest records."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import Text
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.console.views.topics import TopicLine, topic_line
from headrace.console.watching.members import holders
from headrace.console.watching.river import Part, Topic
from headrace.console.watching.seen import Seen, seen
from headrace.model.record import Header, Record, TopicPartition

MOST = 50
"""Records that one page shows."""

CUT = 2048
"""Bytes of a value that are shown."""

CUT_HEADER = 256


Count = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]


class TopicAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which topic, and which of its records: the latest of all partitions, or of one those before an offset."""

    topic: Annotated[Text, Meta(description="The name of a topic.")]
    partition: Annotated[Count | None, Meta(description="Only the records of this partition.")] = None
    before: Annotated[Count | None, Meta(description="Only those before this offset; needs `partition`.")] = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One record. *value* is its beginning as text, None where it has none; *size* is how many bytes it has."""

    partition: int
    offset: int
    at: float
    key: str
    headers: Sequence[tuple[str, str]]
    value: str | None
    size: int


class TopicPage(msgspec.Struct, frozen=True, kw_only=True):
    """*holders* are the members of the workers' group that hold its partitions, by their ids.

    *before* is where older records of the partition begin, None where there are none or several partitions.
    """

    topic: TopicLine
    parts: Sequence[Part]
    holders: Mapping[int, str]
    messages: Sequence[Message]
    before: int | None = None
    seen: Seen


def read_topic(ask: TopicAsk, sources: Sources) -> TopicPage:
    """Return one topic of the river; raise `Absent` for any other."""
    watched = sources.watch.latest()
    river = watched.river
    topic = next((each for each in river.topics if each.name == ask.topic), None) if river else None
    if river is None or topic is None:
        raise Absent("there is nothing here")
    spans = _spans(topic, ask)
    found = [_message(record) for place, span in spans.items() for record in sources.reader.read(place, *span)]
    found.sort(key=lambda each: (each.at, each.offset), reverse=True)
    first = min((span[0] for span in spans.values()), default=0)
    start = next((part.start for part in topic.parts if part.partition == ask.partition), 0)
    return TopicPage(
        topic=topic_line(topic, river.at, sources.facts),
        parts=topic.parts,
        holders=holders(watched, topic.name),
        messages=found[:MOST],
        before=first if ask.partition is not None and first > start else None,
        seen=seen(watched, None),
    )


def _spans(topic: Topic, ask: TopicAsk) -> dict[TopicPartition, tuple[int, int]]:
    """Return which offsets are to be read: of one partition so many, of several each its share."""
    parts = [part for part in topic.parts if ask.partition is None or part.partition == ask.partition]
    if not parts:
        raise Absent("there is nothing here")
    share = MOST if ask.partition is not None else max(2, MOST // len(parts))
    spans = {}
    for part in sorted(parts, key=lambda part: part.end - part.start, reverse=True)[:MOST]:
        end = part.end if ask.before is None or ask.partition is None else min(ask.before, part.end)
        start = max(part.start, end - share)
        if start < end:
            spans[TopicPartition(topic.name, part.partition)] = (start, end)
    return spans


def _message(record: Record) -> Message:
    value = record.value()
    return Message(
        partition=record.partition(),
        offset=record.offset(),
        at=record.timestamp()[1] / 1000,
        key=_text(record.key(), CUT_HEADER) or "",
        headers=[_header(header) for header in record.headers() or ()],
        value=_text(value, CUT),
        size=len(value or b""),
    )


def _header(header: Header) -> tuple[str, str]:
    name, value = header
    return name, _text(value, CUT_HEADER) or ""


def _text(value: bytes | None, most: int) -> str | None:
    return None if value is None else value[:most].decode(errors="replace")


TOPIC = View(
    name="topic",
    path="/topics/{topic}",
    title="Topic",
    ask=TopicAsk,
    answer=TopicPage,
    read=read_topic,
    audience="operator",
    help="The partitions of a topic, and its latest records, 50 at most, each value cut at 2 KiB.",
)
