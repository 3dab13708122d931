"""`headrace tail`: live events, as they arrive on Kafka."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from headrace import app
from headrace import config as configuration
from headrace.broker.port import Reader
from headrace.cli.plain import plain
from headrace.errors import TopicMissing
from headrace.model.record import Record, TopicPartition
from headrace.wire.envelope import Bad, org_of, read

LOOK_EVERY = 0.2
"""Seconds between two looks at the topic's ends, where nothing is new."""


class Shown(msgspec.Struct, kw_only=True):
    """One record: the event on one line, or why it is none."""

    position: str
    org: str = "-"
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: str | msgspec.UnsetType = msgspec.UNSET


class _Face(msgspec.Struct):
    """What of an event is sought, and stands first on its line."""

    type: str
    time: object = "-"
    subject: object = "-"
    data: msgspec.Raw = msgspec.Raw(b"")


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are shown; None leaves the choice open. Records that are no events are shown when all is."""

    org: str | None = None
    session: str | None = None
    type: str | None = None

    def takes(self, org: str, session: object, type: str) -> bool:  # noqa: A002 -- CloudEvents calls it so
        """Tell whether an event is one of them."""
        return self.org in (None, org) and self.session in (None, session) and self.type in (None, type)

    @property
    def is_all(self) -> bool:
        return self == Sought()


def tail(
    *,
    org: str | None = None,
    session: str | None = None,
    type: str | None = None,  # noqa: A002 -- the option's name
    from_beginning: Annotated[bool, Parameter(negative=())] = False,
    limit: int | None = None,
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Show live events, one line each, until Ctrl-C. It joins no consumer group and takes nothing from anybody.

    Example: headrace tail --org 00D000000000001 --type bot.action.failed

    Parameters
    ----------
    org
        Events of this org only.
    session
        Events of this session only.
    type
        Events of this type only.
    from_beginning
        Begin with the oldest events that Kafka holds instead of the next ones.
    limit
        End after so many lines.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document per line, with the whole event.
    """
    loaded = configuration.load(config)
    sought = Sought(org=org, session=session, type=type)
    reader = app.broker(loaded).reader()
    try:
        records = follow(reader, loaded.names.events, from_beginning=from_beginning)
        for shown, line in islice(lines(records, sought), limit):
            print(msgspec.json.encode(shown).decode() if json else line, flush=True)
    except KeyboardInterrupt:
        return 0
    finally:
        reader.close()
    return 0


def follow(
    reader: Reader, topic: str, *, from_beginning: bool = False, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Record]:
    """Yield the records of *topic* for ever, in each partition's order."""
    if topic not in reader.topics():
        raise TopicMissing(f"the topic {topic} does not exist: `headrace topics apply` makes it")
    places = {number: start if from_beginning else end for number, (start, end) in reader.bounds(topic).items()}
    while True:
        is_still = True
        for number, (start, end) in sorted(reader.bounds(topic).items()):
            place = max(start, places.get(number, 0))
            if place < end:
                is_still = False
                yield from reader.read(TopicPartition(topic, number), place, end)
            places[number] = max(place, end)
        if is_still:
            sleep(LOOK_EVERY)


def lines(records: Iterator[Record], sought: Sought) -> Iterator[tuple[Shown, str]]:
    """Yield what is sought, as a document and as a line that is safe for a terminal."""
    for record in records:
        position = f"{record.partition()}/{record.offset()}"
        value = record.value() or b""
        envelope = read(value)
        if isinstance(envelope, Bad):
            if sought.is_all:
                shown = Shown(position=position, error=f"{envelope.reason}: {envelope.error}")
                yield shown, plain(f"{position}  {shown.error}")
            continue
        owner = org_of(record.key(), envelope.source)
        org = "-" if isinstance(owner, Bad) else owner
        face = msgspec.json.decode(value, type=_Face)
        if sought.takes(org, face.subject, face.type):
            whole = msgspec.Raw(msgspec.json.format(value, indent=-1))
            about = f"{face.time}  {org}  {face.subject}  {face.type}"
            yield Shown(position=position, org=org, event=whole), plain(f"{about}  {_flat(face.data)}".rstrip())


def _flat(data: msgspec.Raw) -> str:
    raw = bytes(data)
    return msgspec.json.format(raw, indent=-1).decode() if raw else ""
