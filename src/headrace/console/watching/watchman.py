"""Looks at the river every few seconds, and closes the books now and then, in a thread and with a reader of its own.

Neither takes more than a fifth of the time, however large the river is. While the books of a large one are closed, it
goes on looking.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from headrace.broker.port import Reader
from headrace.clock import Clock
from headrace.console.watching.history import sample
from headrace.console.watching.river import River, see
from headrace.console.watching.sampling import Sampling
from headrace.console.watching.watch import Books, Watch
from headrace.core.columns import Account
from headrace.core.positions import Positions
from headrace.core.report import Report, enter_account
from headrace.errors import HeadraceError
from headrace.model.pause import Pause
from headrace.wire.topics import TopicNames

GROUP_EVERY = 15.0
"""Seconds between two questions who is in the consumer group: each costs a process."""

SHARE = 0.2
"""Of the time that each of them may take."""


class Rhythm(msgspec.Struct, frozen=True):
    """Seconds between two *looks*, and between two times that the books are *closed*, at least."""

    look: float = 2.0
    close: float = 5.0


CALM = Rhythm()


class Pauses(Protocol):
    """Tells what people have paused, by name."""

    def look(self) -> Mapping[str, Pause]: ...

    def close(self) -> None: ...


Survey = Callable[[Reader], Positions]
"""Tells where the river stands."""

CloseBooks = Callable[[Reader, Callable[[int], None]], tuple[Account, Positions]]
"""Closes the books, and calls now and then while it reads."""


class Watchman:
    """Tells *watch* what is to be seen; one thread calls it. *survey* and *close_books* are the ledger's."""

    def __init__(
        self,
        watch: Watch,
        open_reader: Callable[[], Reader],
        survey: Survey,
        close_books: CloseBooks,
        pauses: Pauses,
        names: TopicNames,
        clock: Clock,
        rhythm: Rhythm = CALM,
    ) -> None:
        self._watch = watch
        self._open_reader = open_reader
        self._reader: Reader | None = None
        self._survey = survey
        self._close_books = close_books
        self._pauses = pauses
        self._names = names
        self._clock = clock
        self._rhythm = rhythm
        self._look_due = self._close_due = self._group_due = clock.monotonic()
        self._sampling = Sampling(names, watch.recent)

    def step(self) -> None:
        """Do what is due; raise `HeadraceError` when it cannot be done, and say so to who asks the watch."""
        if self._reader is None:
            self._reader = self._open_reader()
        self._look_if_due(self._reader)
        if self._clock.monotonic() >= self._close_due:
            self._close(self._reader)

    def close(self) -> None:
        """Release what is held."""
        if self._reader is not None:
            self._reader.close()
        self._pauses.close()

    def _look_if_due(self, reader: Reader) -> None:
        began = self._clock.monotonic()
        if began < self._look_due:
            return
        try:
            self._look(reader)
        except HeadraceError as error:
            # It waited for an answer that did not come, and cost nothing.
            self._look_due = self._clock.monotonic() + self._rhythm.look
            self._watch.tell(trouble=str(error))
            raise
        self._look_due = self._next(began, self._rhythm.look)

    def _next(self, began: float, every: float) -> float:
        """Return when something that *began* then, and ends now, may be done again."""
        now = self._clock.monotonic()
        return max(began + every, now + (now - began) * (1 / SHARE - 1))

    def _look(self, reader: Reader) -> None:
        positions = self._survey(reader)
        at = self._clock.wall()
        waiting, oldest = self._sampling.heads(reader, positions)
        topics = see(positions, oldest, self._names, at, self._watch.latest().river)
        on_tiers = sum(topic.lag or 0 for topic in topics if topic.kind == "retry")
        river = River(at=at, topics=topics, waiting=waiting, is_whole=len(waiting) >= on_tiers)
        self._sampling.attempts(reader, positions)
        delays = self._sampling.arrivals(reader, positions)
        self._watch.history.add(sample(river, delays))
        self._watch.tell(river=river, pauses=self._pauses.look(), trouble="")
        if self._clock.monotonic() >= self._group_due:
            self._look_at_group(reader, at)
            self._group_due = self._clock.monotonic() + GROUP_EVERY

    def _look_at_group(self, reader: Reader, at: float) -> None:
        """See who is in the group; where that cannot be told, the rest of the river was seen all the same."""
        try:
            self._watch.tell(group=reader.group(self._names.group), group_at=at, group_trouble="")
        except HeadraceError as error:
            self._watch.tell(group_trouble=str(error))

    def _close(self, reader: Reader) -> None:
        began, at = self._clock.monotonic(), self._clock.wall()
        try:
            account, positions = self._close_books(reader, lambda _: self._look_if_due(reader))
        except HeadraceError as error:
            self._close_due = self._clock.monotonic() + self._rhythm.close
            self._watch.tell(books_trouble=str(error))
            raise
        self._close_due = self._next(began, self._rhythm.close)
        whole = Report(positions=positions)
        enter_account(whole, account)
        seconds = self._clock.monotonic() - began
        books = Books(at=at, seconds=seconds, account=account, positions=positions, whole=whole)
        self._watch.tell(books=books, books_trouble="")
