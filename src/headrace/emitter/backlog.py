"""What lies in the journal and must go to Kafka: this process's own segments, and those of processes that are gone."""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from headrace.broker.port import Producer
from headrace.emitter.claim import DAMAGED
from headrace.emitter.intake import Intake
from headrace.emitter.journal import Journal
from headrace.emitter.legacy import Legacy
from headrace.emitter.returns import Returned, Returns
from headrace.emitter.segment import Segment
from headrace.errors import BrokerError, QueueFull, RecordTooLarge
from headrace.wire.envelope import CONTENT_TYPE
from headrace.wire.journal import MAGIC, Found, Frame

HEADERS = [("content-type", CONTENT_TYPE)]
"""The record's headers: the value is one event in structured mode."""

CUT = 1 << 20
"""A segment that is read along is ended at this size, so that it can be deleted soon and little is sent twice."""

_log = logging.getLogger("headrace.emitter")


class Backlog:
    """Reads segments in order and hands their frames to a producer. Only the courier calls it.

    *pending* frames are with the producer. Of this process's own, *settled* are done with and *acknowledged* by Kafka;
    *recovered* are acknowledged frames of others. A segment is deleted when all of it is settled, and never before.
    """

    def __init__(
        self,
        journal: Journal,
        directory: Path,
        *,
        intake: Intake,
        returns: Returns,
        partition: Callable[[bytes], int | None],
    ) -> None:
        self._journal = journal
        self._intake = intake
        self._returns = returns
        self._partition = partition
        self._legacy = Legacy(directory)
        self._open: list[Segment] = []
        self._reading: Segment | None = None
        self._damaged = 0
        self.pending = 0
        self.settled = 0
        self.acknowledged = 0
        self.recovered = 0

    @property
    def unread(self) -> bool:
        """Whether some frame was not handed to the producer yet. Under the lock where it must be exact."""
        return bool(self._legacy) or bool(self._journal) or (self._reading is not None and self._reading.unread)

    @property
    def busy(self) -> bool:
        """Whether some frame is not settled yet."""
        return self.unread or any(segment.pending or segment.returned for segment in self._open)

    @property
    def damaged(self) -> int:
        return self._damaged + self._legacy.unreadable

    def claim(self) -> None:
        """Take over the parts whose processes are gone."""
        self._legacy.look()

    def feed(self, producer: Producer, most: int) -> int:
        """Hand up to *most* frames to *producer*, as far as it has room; return how many it took."""
        fed = 0
        while fed < most and (next_ := self._peek()) is not None:
            segment, found, frame = next_
            if not self.hand(producer, segment, found.start, found.stop, frame):
                break
            segment.advance()
            fed += 1
        return fed

    def hand(self, producer: Producer, segment: Segment, start: int, stop: int, frame: Frame) -> bool:
        """Hand one frame to *producer*; return whether it had room."""
        try:
            producer.produce(
                frame.topic.decode(errors="replace"),
                key=frame.key,
                value=frame.value,
                headers=HEADERS,
                partition=self._partition(frame.key),
                on_ack=partial(self._settle, segment, start, stop),
            )
        except QueueFull:
            return False
        segment.pending += 1
        self.pending += 1
        return True

    def tidy(self) -> None:
        """Empty the segment that is being written when all of it is settled, so that none of it is sent again."""
        segment = self._reading
        if segment is None or segment.written is None or segment.pending or segment.returned:
            return
        with self._intake.lock:
            if segment.unread or segment.written.sealed or segment.end == len(MAGIC):
                return
            if segment.is_aside:
                self._journal.empty(segment.written)
                segment.begin_anew()
            else:
                self._journal.seal()
            missing, segment.frames = segment.written.frames - segment.frames, segment.written.frames
        self._lose(segment, missing)

    def spoil(self, segment: Segment) -> None:
        """Count a frame that was whole when it was read first and is not any more; its file is set aside as it is."""
        segment.is_aside = False
        self._damaged += 1
        self._lose(segment, 1)

    def withdraw(self) -> list[Frame]:
        """At the end: take out what was not handed over of this process's segment that is being read."""
        frames = []
        segment = self._reading
        if segment is not None and segment.written is not None:
            while found := self._next_in(segment):
                frames.append(found[1])
                segment.advance()
        return frames

    def forget(self, frames: int) -> None:
        """Delete this process's own segments that were begun to be read: their last *frames* are kept elsewhere."""
        self.settled += frames
        for segment in [segment for segment in self._open if segment.written]:
            self._finish(segment)

    def release(self) -> None:
        """Give up this process's part and those that were claimed; what is left stays for the next process."""
        self._journal.close()
        self._legacy.release()
        self.abandon()

    def abandon(self) -> None:
        """Close what a forked child inherited, touching nothing on the disk."""
        self._journal.abandon()
        for segment in self._open:
            segment.close()

    def _peek(self) -> tuple[Segment, Found, Frame] | None:
        """Look at the next frame, over the ends of segments; None when there is none now."""
        while segment := self._reading or self._begin():
            if found := self._next_in(segment):
                return segment, *found
            if not self._is_over(segment):
                return None
            self._reading = None
            segment.ended = True
            self._lose(segment, segment.written.frames - segment.frames if segment.written else 0)
        return None

    def _next_in(self, segment: Segment) -> tuple[Found, Frame] | None:
        """Look at the next frame of *segment*, and set aside what is none; a disk that fails ends it."""
        try:
            while found := segment.peek():
                if isinstance(found.what, Frame):
                    return found, found.what
                segment.set_aside(found.start, found.what)
                self._damaged += 1
                segment.advance()
        except OSError as error:
            _log.warning("%s cannot be read on: %s; it is left there", segment.path, error.strerror)
            self._damaged += 1
            segment.kept = True
        return None

    def _is_over(self, segment: Segment) -> bool:
        """Whether nothing more will come from *segment*: one that is still written to is ended when that is better."""
        if segment.written is None or segment.kept:
            return True
        with self._intake.lock:
            if not segment.written.sealed and (segment.end >= CUT or self._legacy):
                self._journal.seal()
            return segment.written.sealed and not segment.unread

    def _begin(self) -> Segment | None:
        """Open the next segment: those of processes that are gone are older, so they come first."""
        self._reading = self._legacy.next() or self._begin_own()
        if self._reading is not None:
            self._open.append(self._reading)
        return self._reading

    def _begin_own(self) -> Segment | None:
        while True:
            with self._intake.lock:
                written = self._journal.next()
                if written is None:
                    return None
                try:
                    return Segment.own(written)
                except OSError as error:
                    why = error.strerror
            _log.warning("%s is gone with %d journaled events: %s", written.path, written.frames, why)
            self._damaged += 1
            self._intake.drop("journal_lost", written.frames)
            self.settled += written.frames

    def _settle(self, segment: Segment, start: int, stop: int, error: BrokerError | None) -> None:
        segment.pending -= 1
        self.pending -= 1
        if error is not None and not isinstance(error, RecordTooLarge):
            self._returns.keep(Returned(segment=segment, start=start, stop=stop))
            return
        if error is not None:
            self._intake.drop("too_large")
        elif segment.claim is not None:
            self.recovered += 1
        else:
            self.acknowledged += 1
        segment.acknowledged += 1
        self.settled += segment.claim is None
        self._finish_if_settled(segment)

    def _lose(self, segment: Segment, frames: int) -> None:
        """Count frames that this process journaled and that are not there any more."""
        if segment.claim is None and frames > 0:
            self._intake.drop("journal_lost", frames)
            self.settled += frames
        self._finish_if_settled(segment)

    def _finish_if_settled(self, segment: Segment) -> None:
        if segment.settled:
            self._finish(segment)

    def _finish(self, segment: Segment) -> None:
        """Remove a segment that is done with; one whose damage found no room beside it becomes that itself."""
        if segment.is_aside:
            self._journal.delete(segment.path)
        else:
            with suppress(OSError):
                segment.path.replace(segment.path.with_suffix(DAMAGED))
        segment.close()
        self._open.remove(segment)
        if segment.claim is not None:
            self._legacy.done(segment.claim)
