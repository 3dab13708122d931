"""A console's memory of dead letters, filled to its limit: for `console_pages.py`."""

import random
from collections.abc import Sequence

from headrace.console.dead.book import MOST, LetterBook
from headrace.console.dead.letters import Letter

PARTITIONS = 12
KINDS = 40
DAY = 86_400.0


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
