"""Does the jobs: puts dead letters back, a second's worth at a time, and notes in the trail how it went.

Within one console no letter is redriven by two jobs: what a job is about to put back it claims. Another console, or
the command line, at work on the same letters is kept out by the notes in Kafka, which are read before each group; what
both put back within the time of one group is sent twice, which every destination bears. As long as the console is still
reading all notes, a job reads by itself those that can be of its letters: none is older than the letter.
"""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, suppress
from typing import Protocol

import msgspec
import structlog

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.console.dead.book import LetterBook
from headrace.console.dead.jobs import Task, with_skipped
from headrace.console.dead.letters import Position
from headrace.console.dead.notes import NoteReading
from headrace.console.dead.reading import LetterReading
from headrace.errors import StoreError
from headrace.eventlog.trail import Deed, OwnTrail, Result, Trail
from headrace.model.record import TopicPartition
from headrace.wire.letters import DeadLetter, read_letter
from headrace.wire.topics import TopicNames

_log = structlog.get_logger("headrace.console")

GROUP = 500
"""Letters of one group at most."""

GAP = 50
"""Records that are read in vain rather than begin another read."""

FAILED = "Kafka did not take them all; what was not put back is open, so redrive it again"

TOLD_EVERY = 5.0
"""Seconds after which the trail is told how far a job is: what a console that ends in the middle leaves behind."""

DEED = "redrive-job"
"""What a job is called in the trail."""


class SkippedLetter(Protocol):
    """A letter that stays where it is."""

    @property
    def position(self) -> str: ...

    @property
    def why(self) -> str: ...


class Redone(Protocol):
    """What came of a group."""

    @property
    def redriven(self) -> int: ...

    @property
    def records(self) -> int: ...

    @property
    def skipped(self) -> Sequence[SkippedLetter]: ...


class Redriver(Protocol):
    """Puts letters back, and notes it."""

    def run(self, letters: Iterable[DeadLetter]) -> Redone: ...


class Redriving:
    """What all jobs share. Each has a redriver, a reader and a trail of its own, opened by what is handed in."""

    def __init__(
        self,
        book: LetterBook,
        reading: LetterReading,
        names: TopicNames,
        clock: Clock,
        *,
        open_redriver: Callable[[], AbstractContextManager[Redriver]],
        open_reader: Callable[[], Reader],
        open_trail: Callable[[], OwnTrail],
    ) -> None:
        self._book = book
        self._reading = reading
        self._names = names
        self._clock = clock
        self._open_redriver = open_redriver
        self._open_reader = open_reader
        self._open_trail = open_trail
        self._claiming = threading.Lock()
        self._claimed: set[Position] = set()

    def run(self, task: Task, positions: Sequence[Position]) -> None:
        """Redrive the letters at *positions*."""
        with closing(self._open_trail()) as trail:
            with suppress(StoreError):  # who asked for it is noted already
                trail.note(self._deed(task, "asked"))
            try:
                self._redrive(task, positions, trail)
            except Exception as error:  # noqa: BLE001  a job that nobody waits for must say how it ended
                # What a broker says may name hosts, and a job is for an org's viewers too.
                _log.warning("console.redrive_failed", job=task.job.id, error=f"{type(error).__name__}: {error}")
                task.tell(state="failed", error=FAILED, ended_at=self._clock.wall())
            with suppress(StoreError):
                trail.note(self._deed(task, "failed" if task.job.state == "failed" else "done"))

    def _redrive(self, task: Task, positions: Sequence[Position], trail: Trail) -> None:
        if not task.cancelled.is_set():
            task.tell(state="running", begun_at=self._clock.wall())
            with self._open_redriver() as redriver, closing(self._open_reader()) as reader:
                begun, handled, notes = time.monotonic(), 0, NoteReading(self._book, self._names)
                told_at = -TOLD_EVERY
                for group in groups(positions, task.job.rate):
                    if task.cancelled.wait(max(0.0, begun + handled / task.job.rate - time.monotonic())):
                        break
                    self._look(notes, reader, positions)
                    self._do(task, group, redriver, reader)
                    handled += len(group)
                    if time.monotonic() - told_at >= TOLD_EVERY:
                        told_at = time.monotonic()
                        with suppress(StoreError):
                            trail.note(self._deed(task, "asked"))
        is_cut = task.cancelled.is_set() and task.job.handled < task.job.total
        task.tell(state="cancelled" if is_cut else "done", ended_at=self._clock.wall())
        if not is_cut:
            task.tell(error="")

    def _look(self, notes: NoteReading, reader: Reader, positions: Sequence[Position]) -> None:
        """Look at what was redriven meanwhile."""
        if self._reading.is_complete:
            self._reading.look()
            return
        if not notes.has_begun:
            died = [letter.died if (letter := self._book.letter(each)) else 0.0 for each in positions]
            notes.begin(reader, min(died, default=None))
        notes.read(reader)

    def _do(self, task: Task, group: Sequence[Position], redriver: Redriver, reader: Reader) -> None:
        """Redrive one group."""
        skipped = [(position, "it was redriven already") for position in group if self._is_done(position)]
        left = [position for position in group if not self._is_done(position)]
        mine = self._claim(left)
        skipped += [(position, "another job is redriving it") for position in left if position not in mine]
        try:
            found: set[Position] = set()
            done = redriver.run(self._letters(reader, mine, found))
            skipped += [(position, "Kafka does not hold it any more") for position in mine - found]
            stayed = {each.position for each in done.skipped}
            gone = [place for place in found if written(place) not in stayed]
            self._book.note(gone, self._clock.wall())
        finally:
            with self._claiming:
                self._claimed -= mine
        job = task.job
        told = [(written(position), why) for position, why in skipped]
        told += [(each.position, each.why) for each in done.skipped]
        reasons = job.reasons
        for position, why in told:
            reasons = with_skipped(reasons, why, position)
        task.tell(
            handled=job.handled + len(group),
            redriven=job.redriven + done.redriven,
            records=job.records + done.records,
            skipped=job.skipped + len(told),
            reasons=reasons,
        )

    def _is_done(self, position: Position) -> bool:
        return self._book.state(position) == "redriven"

    def _claim(self, positions: Iterable[Position]) -> set[Position]:
        with self._claiming:
            mine = {position for position in positions if position not in self._claimed and not self._is_done(position)}
            self._claimed |= mine
        return mine

    def _letters(self, reader: Reader, positions: Collection[Position], found: set[Position]) -> Iterator[DeadLetter]:
        """Read letters whole, and add to *found* which there are: Kafka may not hold all of them any more."""
        bounds = reader.bounds(self._names.dead)
        for partition, start, stop in runs(positions):
            first, end = bounds.get(partition, (0, 0))
            place = TopicPartition(self._names.dead, partition)
            for record in reader.read(place, max(first, start), min(end, stop)):
                position = (partition, record.offset())
                if position in positions:
                    found.add(position)
                    yield read_letter(record)

    def _deed(self, task: Task, result: Result) -> Deed:
        job = task.job
        chosen = {"positions": job.positions} if job.positions else {"wanted": job.wanted}
        detail = {"total": job.total, "rate": job.rate, **chosen}
        answer = {name: getattr(job, name) for name in ("state", "redriven", "records", "skipped", "reasons", "error")}
        return Deed(
            id=job.id,
            at=job.asked_at,
            who=job.who,
            action=DEED,
            org=job.org or "",
            target=job.id,
            detail=msgspec.json.encode(detail).decode(),
            result=result,
            answer="" if result == "asked" and not job.handled else msgspec.json.encode(answer).decode(),
        )


def written(position: Position) -> str:
    """Write a position as people name it."""
    return f"{position[0]}/{position[1]}"


def groups(positions: Sequence[Position], rate: float) -> Iterator[Sequence[Position]]:
    """Cut *positions* into groups of a second at most, in the order of the topic."""
    most = max(1, min(GROUP, math.floor(rate)))
    ordered = sorted(positions)
    for start in range(0, len(ordered), most):
        yield ordered[start : start + most]


def runs(positions: Iterable[Position]) -> Iterator[tuple[int, int, int]]:
    """Yield partition, first offset and the one after the last of reads that have *positions* in them."""
    by_partition: dict[int, list[int]] = defaultdict(list)
    for partition, offset in sorted(positions):
        by_partition[partition].append(offset)
    for partition, offsets in by_partition.items():
        start = last = offsets[0]
        for offset in offsets[1:]:
            if offset - last > GAP:
                yield partition, start, last + 1
                start = offset
            last = offset
        yield partition, start, last + 1
