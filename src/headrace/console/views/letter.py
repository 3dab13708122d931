"""One dead letter whole: why it died, where it came from, what it holds, and what became of it."""

import base64
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.dead.book import Memory
from headrace.console.dead.letters import LetterRow, letter_of
from headrace.console.fields import Org
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.viewer import Absent
from headrace.console.views.history import History, history_of
from headrace.model.record import Record, TopicPartition
from headrace.wire.letters import read_letter

VALUE = 256 << 10
"""Bytes of a value that are shown."""

AGAIN = 20
"""Other letters of the same event that are named."""

Partition = Annotated[int, Meta(ge=0, le=1 << 31, description="Of the dead topic.")]
Offset = Annotated[int, Meta(ge=0, le=(1 << 63) - 1, description="In that partition.")]


class LetterAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which letter: its position, as `headrace dead list` prints it."""

    partition: Partition
    offset: Offset
    org: Org | None = None


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """One header of the record."""

    name: str
    value: str


class LetterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A letter, its record, its *history*, and *others* of the same event at the same destination, the last first.

    *memory* tells how far the console knows whether letters are open. *value* is UTF-8, or in *value_base64* what is
    none; a record without a value has neither. *is_cut* says that it is longer than what is here.
    """

    letter: LetterRow
    headers: Sequence[Header]
    key: str | None
    value: str | None = None
    value_base64: str | None = None
    is_cut: bool = False
    history: History = History()
    others: Sequence[LetterRow] = ()
    memory: Memory = Memory()


def read_letter_page(ask: LetterAsk, sources: Sources) -> LetterAnswer:
    """Read one record of the dead topic."""
    # Before the letter's state: what is read to its end meanwhile must not make an unknown letter look forgotten.
    memory = sources.letters.memory
    record = find(sources, ask.partition, ask.offset)
    told = read_letter(record)
    found = letter_of(told)
    if ask.org not in {None, found.org}:
        raise Absent("there is nothing here")
    book = sources.letters
    others = []
    if found.id:
        alike = [each for each in book.of_event(found.org, found.id) if each.destination == found.destination]
        others = [each for each in alike if each.position != found.position]
    key, value = record.key(), record.value()
    text, encoded = _shown(value)
    return LetterAnswer(
        letter=book.row(found),
        headers=[Header(name=name, value=_text(held)) for name, held in record.headers() or ()],
        key=None if key is None else _text(key),
        value=text,
        value_base64=encoded,
        is_cut=len(value or b"") > VALUE,
        history=history_of(told, sources),
        others=[book.row(each) for each in others[: -AGAIN - 1 : -1]],
        memory=memory,
    )


def find(sources: Sources, partition: int, offset: int) -> Record:
    """Read the record at a position; raise `Absent` when Kafka holds none."""
    topic = sources.facts.names.dead
    start, stop = sources.reader.bounds(topic).get(partition, (0, 0))
    if not start <= offset < stop:
        raise Absent("there is nothing here")
    for record in sources.reader.read(TopicPartition(topic, partition), offset, offset + 1):
        return record
    raise Absent("there is nothing here")


def _shown(value: bytes | None) -> tuple[str | None, str | None]:
    """Return *value* as text, JSON spread over lines, or else in base64."""
    if value is None:
        return None, None
    if len(value) <= VALUE:
        try:
            return msgspec.json.format(value, indent=2).decode(), None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    try:
        value.decode()
    except UnicodeDecodeError:
        return None, base64.b64encode(value[:VALUE]).decode()
    return value[:VALUE].decode(errors="ignore"), None


def _text(held: bytes | None) -> str:
    return "" if held is None else held[:VALUE].decode(errors="replace")


LETTER = View(
    name="letter",
    path="/dead/{partition}/{offset}",
    title="Dead letter",
    ask=LetterAsk,
    answer=LetterAnswer,
    read=read_letter_page,
    help="One dead letter whole.",
)
