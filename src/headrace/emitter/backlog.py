"""What lies in the journal and must go to Kafka: this process's own segments, and those of processes that are gone."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from headrace.broker.port import Producer
from headrace.emitter.claim import Claim, parts
from headrace.emitter.journal import Journal
from headrace.emitter.returns import Returns
from headrace.errors import BrokerError, QueueFull
from headrace.wire.envelope import CONTENT_TYPE
from headrace.wire.journal import Damaged, Frame, encode, read

HEADERS = [("content-type", CONTENT_TYPE)]
"""The record's headers: the value is one event in structured mode."""


class Segment:
    """One file on its way to Kafka; it is deleted when all of it is settled."""

    def __init__(self, path: Path, claim: Claim | None) -> None:
        self.path = path
        self.claim = claim
        self.pending = 0
        self.read = False
        self.kept = False

    @property
    def settled(self) -> bool:
        return self.read and not self.pending and not self.kept


class Backlog:
    """Reads segments in order and hands their frames to a producer. Only the courier calls it; *lock* guards *journal*.

    *pending* frames are with the producer. Of this process's own, *settled* are done with and *acknowledged* by Kafka;
    *recovered* are acknowledged frames of others.
    """

    def __init__(
        self,
        journal: Journal,
        directory: Path,
        *,
        lock: threading.Lock,
        returns: Returns,
        partition: Callable[[bytes], int | None],
    ) -> None:
        self._journal = journal
        self._lock = lock
        self._returns = returns
        self._directory = directory
        self._partition = partition
        self._claims: deque[tuple[Claim, deque[Path]]] = deque()
        self._open: list[Segment] = []
        self._reading: Segment | None = None
        self._frames: Iterator[Frame | Damaged] = iter(())
        self._held: Frame | None = None
        self.pending = 0
        self.settled = 0
        self.acknowledged = 0
        self.recovered = 0
        self.damaged = 0

    @property
    def unread(self) -> bool:
        """Whether some frame was not handed to the producer yet."""
        return self._reading is not None or bool(self._journal) or bool(self._claims)

    @property
    def busy(self) -> bool:
        """Whether some frame is not settled yet."""
        return self.unread or bool(self._open)

    def claim(self) -> None:
        """Take over the parts whose processes are gone."""
        claimed = []
        for part in parts(self._directory):
            with suppress(OSError):
                claim = Claim.take(self._directory, part)
                if claim is not None:
                    claimed.append((claim, deque(claim.segments())))
        self._claims.extend(sorted(claimed, key=lambda found: _age(found[1])))

    def feed(self, producer: Producer, most: int) -> int:
        """Hand up to *most* frames to *producer*, as far as it has room; return how many it took."""
        fed = 0
        while fed < most:
            frame = self._held or self._next()
            if frame is None:
                break
            segment = self._reading
            assert segment is not None
            try:
                producer.produce(
                    frame.topic.decode(errors="replace"),
                    key=frame.key,
                    value=frame.value,
                    headers=HEADERS,
                    partition=self._partition(frame.key),
                    on_ack=partial(self._settle, segment, frame),
                )
            except QueueFull:
                self._held = frame
                break
            self._held = None
            segment.pending += 1
            self.pending += 1
            fed += 1
        return fed

    def rewrite_rest(self, journal: Callable[[Sequence[bytes]], object]) -> None:
        """At the end, let *journal* keep what was not read yet of a segment that was begun, instead of all of it.

        So the next process neither repeats the part that was sent, nor sends it behind what came later. Under the lock,
        and once the producer has given up.
        """
        segment = self._reading
        if segment is None or segment.claim is not None:
            return
        rest = [frame for frame in (self._held, *self._frames) if isinstance(frame, Frame)]
        if journal([encode(frame.topic, frame.key, frame.value) for frame in rest]) is None:
            self._reading = None
            self.settled += len(rest)
            segment.read = True
            self._delete_if_settled(segment)

    def release(self) -> None:
        """Give up this process's part and those that were claimed; what is left stays for the next process."""
        self._journal.close()
        for claim in self._owned():
            claim.release()

    def abandon(self) -> None:
        """Close what a forked child inherited."""
        self._journal.abandon()
        for claim in self._owned():
            claim.abandon()

    def _owned(self) -> list[Claim]:
        return [claim for claim, _ in self._claims] + [segment.claim for segment in self._open if segment.claim]

    def _next(self) -> Frame | None:
        """Read on, over the ends of segments; None when there is nothing more."""
        while True:
            for found in self._frames:
                if isinstance(found, Frame):
                    return found
                self._set_aside(found)
            if self._reading is not None:
                segment, self._reading = self._reading, None
                segment.read = True
                self._delete_if_settled(segment)
            if not self._begin():
                return None

    def _begin(self) -> bool:
        """Open the next segment: those of processes that are gone are older, so they come first."""
        while self._claims:
            claim, paths = self._claims[0]
            while paths:
                if self._read(Segment(paths.popleft(), claim)):
                    return True
            self._claims.popleft()
            self._release_if_done(claim)
        while path := self._next_own():
            if self._read(Segment(path, None)):
                return True
        return False

    def _next_own(self) -> Path | None:
        with self._lock:
            return self._journal.next_sealed()

    def _read(self, segment: Segment) -> bool:
        """Read a whole segment; one that the disk does not give is left where it is, and counted."""
        try:
            self._frames = read(segment.path.read_bytes())
        except OSError:
            self.damaged += 1
            return False
        self._reading = segment
        self._open.append(segment)
        return True

    def _settle(self, segment: Segment, frame: Frame, error: BrokerError | None) -> None:
        segment.pending -= 1
        self.pending -= 1
        self.settled += segment.claim is None
        if error is not None and segment.claim is not None and self._returns.closing:
            segment.kept = True  # whole, and in its place, for the next process
        elif error is not None:
            self._returns.keep(frame, error)
        elif segment.claim is None:
            self.acknowledged += 1
        else:
            self.recovered += 1
        self._delete_if_settled(segment)

    def _delete_if_settled(self, segment: Segment) -> None:
        if segment.settled:
            self._journal.delete(segment.path)
            self._open.remove(segment)
            if segment.claim is not None:
                self._release_if_done(segment.claim)

    def _release_if_done(self, claim: Claim) -> None:
        waiting = any(claim is other for other, _ in self._claims)
        if not waiting and not any(claim is segment.claim for segment in self._open):
            claim.release()

    def _set_aside(self, damage: Damaged) -> None:
        self.damaged += 1
        assert self._reading is not None
        with suppress(OSError), self._reading.path.with_suffix(".damaged").open("ab") as file:
            file.write(damage.bytes)


def _age(segments: deque[Path]) -> float:
    """When the oldest of *segments* was last written to: parts are sent in the order of their processes."""
    with suppress(OSError):
        return segments[0].stat().st_mtime if segments else 0.0
    return 0.0
