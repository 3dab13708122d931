"""A bot that talks in many sessions of many orgs, and writes down before and after each emit what it does.

    python -m chaos.bot ASSIGNMENT

SIGTERM lets it stop talking and leave when Kafka has all that it took and the journal's directory is empty.
"""

import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from chaos.parent import die_with_parent
from chaos.records import Emitted, Emitting, Writer
from headrace import Emitter

TICK = 0.02
_PADDING = "What a bot says about a thing like this, and then some. " * 3


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a bot is told: its name, which is new at each start, the first number that is its own, and how to talk."""

    name: str
    first: int
    config: str
    records: str
    orgs: Sequence[str]
    quieter: Sequence[str]
    sessions: int
    rate: float
    patience: float


def talk(assignment: Assignment, emitter: Emitter, stop: list[int]) -> Iterator[int]:
    """Emit at the rate that was asked for until told to stop; yield after each tick how many were emitted."""
    rng = random.Random(assignment.name)
    weights = [1 if org in assignment.quieter else 4 for org in assignment.orgs]
    writer = Writer(Path(assignment.records))
    said: dict[tuple[str, str], int] = {}
    logs = {
        (org, f"{assignment.name}-{number}"): emitter.session(
            org=org, bot="chaos", session=f"{assignment.name}-{number}"
        )
        for org in assignment.orgs
        for number in range(assignment.sessions)
    }
    began, emitted = time.monotonic(), 0
    while not stop:
        # A bot that was frozen does not make up for it: that would be a burst, and not this test's matter.
        behind = int((time.monotonic() - began) * assignment.rate) - emitted
        if behind > assignment.rate:
            began += (behind - 1) / assignment.rate
            behind = 1
        for _ in range(max(0, behind)):
            (org,) = rng.choices(assignment.orgs, weights)
            session = f"{assignment.name}-{rng.randrange(assignment.sessions)}"
            k = said[org, session] = said.get((org, session), -1) + 1
            n = assignment.first + emitted
            writer.write(Emitting(n, org, session, k, time.time()))
            is_taken = logs[org, session].emit(
                "bot.message.sent", n=n, org=org, session=session, k=k, text=_PADDING[: rng.randrange(len(_PADDING))]
            )
            writer.write(Emitted(n, is_taken, time.time()))
            emitted += 1
        yield emitted
        time.sleep(TICK)


def leave(emitter: Emitter, journal: Path | None, patience: float) -> bool:
    """Wait until Kafka has everything, also what others left in *journal*; return whether it does."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if emitter.flush(1.0) == 0 and not (journal and list(journal.glob("*.seg"))):
            break
        time.sleep(0.1)
    return emitter.close() == 0


def main(assignment: Assignment) -> int:
    """Talk, then leave."""
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    emitter = Emitter.from_config(assignment.config)
    for _ in talk(assignment, emitter, stop):
        pass
    # Who says nothing is there for what others left; who does has a segment of its own until it closes.
    journal = None if assignment.rate else Path(emitter._settings.journal_dir)
    is_done = leave(emitter, journal, assignment.patience)
    sys.stdout.write(f"{msgspec.json.encode(emitter.stats()).decode()}\n")
    return 0 if is_done else 1


if __name__ == "__main__":
    die_with_parent()
    sys.exit(main(msgspec.json.decode(sys.argv[1], type=Assignment)))
