"""A console's memory of dead letters and of books, filled, and a dead topic to read: for `console_pages.py`."""

import random
from collections.abc import Sequence

from headrace.broker.memory import MemoryBroker
from headrace.broker.port import TopicState
from headrace.console.dead.book import MOST, LetterBook
from headrace.console.dead.letters import Letter
from headrace.console.watching.watch import Books, Watch
from headrace.core.columns import Account
from headrace.core.report import Line, Report
from headrace.model.mark import Mark
from headrace.model.record import Origin
from headrace.wire import headers
from headrace.wire.topics import TopicNames

PARTITIONS = 12
KINDS = 40
DAY = 86_400.0
BOOKED = 5_000
"""Orgs of the books."""


def letter_book(orgs: Sequence[str], now: float) -> LetterBook:
    """Return a book of as many letters as it holds, of a week, a third of them of the first org, some redriven."""
    chance = random.Random(1)
    book = LetterBook()
    book.add([_letter(number, orgs, now, chance) for number in range(MOST)], {})
    book.note(
        [(partition, offset) for partition in range(PARTITIONS) for offset in range(MOST // PARTITIONS // 9)], now
    )
    book.tell(as_of=now)
    return book


def dead_topic(broker: MemoryBroker, names: TopicNames, orgs: Sequence[str], now: float) -> None:
    """Write one letter of each org, at the begin of the partition that has the org's number."""
    broker.admin().create(TopicState(name=names.dead, partitions=len(orgs), replication=1))
    producer = broker.producer(memory=1 << 20)
    for partition, org in enumerate(orgs):
        mark = Mark(
            destination="crm",
            origin=Origin(names.events, partition, 0),
            attempts=3,
            first_failed_at=now - 60,
            due_at=now,
            reason="rejected",
            error="the destination refused it",
        )
        key, value = f"{org}/s-1".encode(), b'{"text": "' + b"a" * 600 + b'"}'
        producer.produce(names.dead, key=key, value=value, headers=headers.encode(mark), partition=partition)
    if producer.close(5.0):
        raise RuntimeError("the dead topic was not written")


def watch(orgs: Sequence[str], now: float) -> Watch:
    """Return a watch that has seen the books of *orgs* and of others, a tenth of them with trouble."""
    chance = random.Random(2)
    names = [*orgs, *(f"other-{number:05}" for number in range(BOOKED - len(orgs)))]
    lines = {name: _line(chance) for name in names}
    whole = Report(accepted=sum(line.accepted for line in lines.values()), orgs=lines)
    whole.delivered = whole.accepted
    seen = Watch()
    seen.tell(books=Books(at=now, seconds=0.1, account=Account(), positions={}, whole=whole))
    return seen


def _line(chance: random.Random) -> Line:
    accepted, rejected = chance.randrange(10_000), chance.randrange(100) if chance.random() < 1 / 10 else 0
    return Line(accepted=accepted + rejected, delivered=accepted, rejected=rejected)


def _letter(number: int, orgs: Sequence[str], now: float, chance: random.Random) -> Letter:
    offset, partition = divmod(number, PARTITIONS)
    died = now - 7 * DAY * (1 - number / MOST)
    kind = chance.randrange(KINDS)
    return Letter(
        partition=partition,
        offset=offset,
        org=orgs[0] if chance.random() < 1 / 3 else chance.choice(orgs),
        destination=chance.choice(["log", "crm"]),
        reason="rejected" if kind % 3 else "gave_up",
        error=f"the destination refused {number}: kind {kind}",
        kind=f"the destination refused …: kind {kind}",
        id=f"event-{number}",
        type="bot.message.sent",
        session=f"s-{number // 5}",
        attempts=3,
        origin=f"headrace.events/{partition}/{offset}",
        first_failed_at=died - 60,
        died=died,
        size=700,
        redriven_before=False,
    )
