"""How far a partition may be committed: only past chunks that are settled, in a chain of tiles without a gap."""

from collections import deque

from headrace.core.runs import Assignment, Chunk
from headrace.model.record import TopicPartition


class Progress:
    """One assignment of one partition, from the first poll to the last commit. Owned by one thread.

    A chunk goes through three states: open, settled (its tile is written, in offset order) and booked (its tile is
    acknowledged). Only what is booked, with nothing unbooked before it, may be committed.
    """

    __slots__ = (
        "_acknowledged",
        "_began",
        "_chunks",
        "_tiled",
        "asked",
        "assignment",
        "booked",
        "gap_at",
        "last_tile",
        "looks",
        "next",
    )

    def __init__(self, partition: TopicPartition, following: int | None, last_tile: str | None) -> None:
        self.assignment = Assignment(partition)
        self.next = following
        """The next offset to poll; None until the first poll of a partition without a commit."""
        self.last_tile = last_tile
        self.gap_at: int | None = None
        self.looks = 0
        """How often the gap at `gap_at` was looked at once more."""
        self.booked: tuple[int, str] | None = None
        """What may be committed: the next offset, and the tile that covers what is before it."""
        self.asked: tuple[int, str] | None = None
        """What was last asked to be committed."""
        self._began = (following, last_tile)
        self._chunks: deque[Chunk] = deque()
        self._tiled: deque[tuple[Chunk, str]] = deque()
        self._acknowledged: set[str] = set()
        """Tiles that wait for the acknowledgement of an earlier one."""

    def add(self, chunk: Chunk) -> None:
        """Take a chunk that was polled; offsets never go back."""
        assert self.next is None or chunk.first >= self.next, "a chunk before the poll's place"
        self.next = chunk.next
        self._chunks.append(chunk)

    @property
    def is_idle(self) -> bool:
        """Whether all that was polled is booked, or stands behind what stays on its tier for now."""
        return not self._tiled and all(chunk.open == chunk.left for chunk in self._chunks) and not self.next_settled()

    @property
    def place(self) -> tuple[int, str] | None:
        """Return what is booked, or else what was committed before; None when nothing was."""
        following, last_tile = self.booked or self._began
        return (following, last_tile or "") if following is not None else None

    def anew(self) -> "Progress":
        """Return a new assignment of the partition that goes on behind what is booked."""
        following, last_tile = self.booked or self._began
        progress = Progress(self.assignment.partition, following, last_tile)
        progress.booked = self.booked  # the last commit may have failed
        return progress

    def next_settled(self) -> Chunk | None:
        """Return the first chunk whose tile is not written yet if it is settled."""
        return self._chunks[0] if self._chunks and self._chunks[0].open == 0 else None

    def tile_written(self, tile: str) -> None:
        """Note that the tile of `next_settled` is on its way; it names the one before it."""
        self._tiled.append((self._chunks.popleft(), tile))
        self.last_tile = tile

    def tile_booked(self, tile: str) -> None:
        """Note that the brokers have *tile*. One that was refused is sent again, and so comes behind a later one."""
        self._acknowledged.add(tile)
        while self._tiled and self._tiled[0][1] in self._acknowledged:
            chunk, name = self._tiled.popleft()
            self._acknowledged.remove(name)
            self.booked = (chunk.next, name)
