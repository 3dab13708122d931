"""What stands in the console for as long as it runs: its memory of dead letters, its jobs and its live tail."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import msgspec

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.console.chores import Chore
from headrace.console.dead.book import LetterBook
from headrace.console.dead.jobs import TIDY_EVERY, Jobs
from headrace.console.dead.reading import LOOK_EVERY, LetterReading
from headrace.console.dead.redriving import Redriver, Redriving
from headrace.console.late_notes import NOTE_EVERY, LateNotes
from headrace.console.tailing.reading import LOOK_EVERY as TAIL_EVERY
from headrace.console.tailing.reading import TailReading
from headrace.console.tailing.tail import Tail
from headrace.eventlog.trail import OwnTrail
from headrace.wire.topics import TopicNames


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What every thread of the desk shares, and the chores that keep it up to date."""

    letters: LetterBook
    jobs: Jobs
    tail: Tail
    late_notes: LateNotes
    chores: Sequence[Chore]


def stand(
    names: TopicNames,
    clock: Clock,
    *,
    open_reader: Callable[[], Reader],
    open_redriver: Callable[[], AbstractContextManager[Redriver]],
    open_trail: Callable[[], OwnTrail],
) -> Standing:
    """Make all of it; nothing is opened before a chore begins."""
    letters, tail = LetterBook(), Tail()
    reading = LetterReading(letters, open_reader, names, clock)
    redriving = Redriving(
        letters, reading, names, clock, open_redriver=open_redriver, open_reader=open_reader, open_trail=open_trail
    )
    jobs = Jobs(redriving.run)
    late_notes = LateNotes(open_trail)
    tailing = TailReading(tail, open_reader, names.events)
    chores = [
        Chore("tail", "reads live events while somebody looks on", tailing.step, TAIL_EVERY, clock, tailing.close),
        Chore("jobs", "forgets jobs that ended long ago", jobs.tidy, TIDY_EVERY, clock, jobs.close),
        Chore("letters", "reads dead letters, and which were redriven", reading.look, LOOK_EVERY, clock, reading.close),
        Chore("trail", "notes later what it could not", late_notes.step, NOTE_EVERY, clock, late_notes.close),
    ]
    return Standing(letters=letters, jobs=jobs, tail=tail, late_notes=late_notes, chores=chores)
