"""The live tail: what one reader sees of the events topic, handed to everybody who looks on. It does no I/O.

A viewer gets one update a second at most, with `SHOWN` events at most, chosen evenly where there were more. Who is slow
loses the oldest updates, and is told how many. So the work and the memory are bounded, whatever the river carries.
"""

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from headrace.console.tailing.rows import Seen, TailRow
from headrace.console.viewer import Busy, Greedy, Quota

SHOWN = 500
"""Events of one update."""

UPDATES = 10
"""Updates that wait for a slow viewer."""

VIEWERS = Quota(most=20, each=5, reserve=5)
"""Who may look on at the same time."""

FULL = "as many live tails are open as this console serves; close one"
SHARE = f"{VIEWERS.each} live tails of your org are open, which is as many as one org may have; close one"

RECENT = 500
"""Events that are remembered for who comes later."""


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which events; what is None leaves the choice open. A record that is no event counts as an error."""

    org: str | None = None
    session: str | None = None
    type: str | None = None
    errors: bool = False

    def takes(self, seen: Seen) -> bool:
        """Tell whether *seen* is one of them."""
        return (
            (self.org is None or self.org == seen.org)
            and (self.session is None or self.session == seen.session)
            and (self.type is None or self.type == seen.type)
            and (not self.errors or seen.has_error)
        )


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """What a second brought: *rows*, each of which stands for *one_in* events, to a tenth."""

    rows: Sequence[TailRow]
    one_in: float = 1.0


class Viewer:
    """Somebody of *org* (None: an operator) who looks on.

    *wake* is called, from another thread, when there is something to take.
    """

    def __init__(self, sought: Sought, wake: Callable[[], None], org: str | None) -> None:
        self.sought = sought
        self.org = org
        self.wake = wake
        self._updates: deque[Update] = deque(maxlen=UPDATES)
        self._lost = 0
        self._changing = threading.Lock()

    def give(self, update: Update) -> None:
        with self._changing:
            self._lost += len(self._updates) == UPDATES
            self._updates.append(update)
        self.wake()

    def take(self) -> tuple[Update | None, int]:
        """Return the oldest update, if there is one, and how many were lost before it."""
        with self._changing:
            update = self._updates.popleft() if self._updates else None
            lost, self._lost = self._lost, 0
        return update, lost


class Tail:
    """Everybody who looks on."""

    def __init__(self) -> None:
        self._changing = threading.Condition()
        self._viewers: list[Viewer] = []
        self._recent: deque[Seen] = deque(maxlen=RECENT)
        self._random = random.Random()  # noqa: S311  it chooses what is shown
        self.is_closed = False

    def join(self, sought: Sought, wake: Callable[[], None], org: str | None) -> Viewer:
        """Let somebody of *org* (None: an operator) look on; raise what `check` raises."""
        with self._changing:
            self.check(org)
            viewer = Viewer(sought, wake, org)
            self._viewers.append(viewer)
            self._changing.notify_all()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        with self._changing:
            self._viewers.remove(viewer)

    def forget(self) -> None:
        """Forget what was seen: nobody looks on any more, so there would be a gap after it."""
        with self._changing:
            self._recent.clear()

    @property
    def viewers(self) -> int:
        """How many look on."""
        return len(self._viewers)

    def check(self, org: str | None) -> None:
        """Raise `Busy` when too many look on for one more of *org* (None: an operator), `Greedy` when its own do."""
        refusal = VIEWERS.refusal([each.org for each in self._viewers], org)
        if refusal == "share":
            raise Greedy(SHARE)
        if refusal == "full" or self.is_closed:
            raise Busy(FULL)

    def wait(self, timeout: float) -> bool:
        """Wait until somebody looks on, and tell whether somebody does."""
        with self._changing:
            return bool(self._changing.wait_for(lambda: self._viewers or self.is_closed, timeout) and self._viewers)

    def publish(self, seen: Sequence[Seen], arrived: int) -> None:
        """Hand out what was read of *arrived* records; whoever seeks the same gets the same."""
        with self._changing:
            viewers = list(self._viewers)
            self._recent.extend(seen[-RECENT:])
        updates: dict[Sought, Update] = {}
        for viewer in viewers:
            if viewer.sought not in updates:
                updates[viewer.sought] = self._update(viewer.sought, seen, arrived)
            update = updates[viewer.sought]
            if update.rows:
                viewer.give(update)

    def recent(self, sought: Sought, most: int) -> list[TailRow]:
        """Return the latest events that were seen while somebody looked on, the latest first."""
        with self._changing:
            seen = list(self._recent)
        found = [each for each in reversed(seen) if sought.takes(each)]
        return [each.row for each in found[:most]]

    def close(self) -> None:
        """Let everybody go, and nobody in."""
        with self._changing:
            self.is_closed = True
            viewers = list(self._viewers)
            self._changing.notify_all()
        for viewer in viewers:
            viewer.wake()

    def _update(self, sought: Sought, seen: Sequence[Seen], arrived: int) -> Update:
        found = [each for each in seen if sought.takes(each)]
        chosen = found if len(found) <= SHOWN else self._random.sample(found, SHOWN)
        rows = sorted((each.row for each in chosen), key=lambda row: row.at or 0.0)
        stands_for = len(found) / max(1, len(rows)) * arrived / max(1, len(seen))
        return Update(rows=rows, one_in=max(1.0, round(stands_for, 1)))
