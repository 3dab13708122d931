"""Held sessions: which event of a session may be posted now, while an earlier one is on a tier (design, section 8).

All offsets here are origins: places on one partition of the main topic. So events are compared by when they were
emitted, not by where retries have put them.
"""

from collections import Counter
from collections.abc import Callable, Container
from enum import Enum

from headrace.core.origins import Origins
from headrace.model.units import Duration

Key = tuple[int, bytes | None]
"""A partition, and whose order is kept in it: the key of a session's records, or an org."""

EVERYTHING = None
"""In place of a session where a lane's partition is held whole; no record has it for a key."""


class Turn(Enum):
    """What an event may do now."""

    GO = "go"
    """Enter the lane."""
    WAIT = "wait"
    """Wait beside the lane: all that is before it will be there soon."""
    HOP = "hop"
    """Move to the tier of the session's first event, without a post."""
    LATER = "later"
    """Stay on its tier, where it was read ahead of its time."""


class Hold:
    """One session at one destination: which of its events are on tiers, and which are on their way.

    The first event on a tier is posted, and those that follow it. One that was posted before waits for its due time.
    Followers that never were are read ahead once nothing that may come back is before them: the session *drains*.
    """

    __slots__ = ("_retrying", "away", "due", "fresh", "is_counted", "posted", "tier", "waiting")

    def __init__(self) -> None:
        self.tier: Duration | None = None
        """Where the first event on a tier is."""
        self.away = Origins()
        """On tiers."""
        self.due: set[int] = set()
        """From tiers, in the lane or in flight."""
        self.fresh: set[int] = set()
        """From the main topic, in the lane or in flight."""
        self.waiting = Origins()
        """From the main topic, beside the lane until what is before them is in it."""
        self.posted: set[int] = set()
        """Those of `away` and `due` that were posted before."""
        self.is_counted = False
        """Whether the table counts it as draining: what other threads may ask, for it is written in one go."""
        self._retrying = 0

    @property
    def is_over(self) -> bool:
        """Whether the session is held no more: new events can only come behind all that it has."""
        return not self.away and not self.due

    @property
    def is_draining(self) -> bool:
        return bool(self.away) and not self._retrying and not self.fresh and self.away.first not in self.posted

    def turn_of_fresh(self, origin: int) -> Turn:
        """Say what an event that was polled from the main topic may do, and note it when it goes."""
        if not self.away or origin < self.away.first:
            self.fresh.add(origin)
            return Turn.GO
        if not self.is_draining:
            return Turn.HOP
        if origin not in self.away:
            self.waiting.add(origin)
        return Turn.WAIT

    def turn_of_due(self, origin: int, *, early: bool = False) -> Turn:
        """Say what an event that was read from a tier may do, *early* or in time, and note it when it goes."""
        if origin not in self.away:
            # A copy that a crash has left of an event that went its way.
            return Turn.LATER if early else Turn.GO
        is_next = origin == self.away.first and not (self.waiting and self.waiting.first < origin)
        if not is_next and self.is_draining:
            return Turn.WAIT
        if not is_next or self.fresh or (early and not self.is_draining):
            return Turn.LATER if early else Turn.HOP
        self.away.pop()
        self.due.add(origin)
        self._retrying += origin in self.posted
        return Turn.GO

    def let_in(self, room: Container[int]) -> int | None:
        """Say which of those that wait in the *room* may go now, and note that it does; None when none may."""
        if self.waiting and not (self.away and self.away.first < self.waiting.first):
            origin = self.waiting.pop()
            self.fresh.add(origin)
            return origin
        if self.is_draining and self.away.first in room:
            origin = self.away.pop()
            self.due.add(origin)
            return origin
        return None

    def put(self, origin: int, tier: Duration, *, posted: bool) -> None:
        """Note that an event moves to *tier*."""
        self._leave(origin)
        self.away.add(origin)
        if posted:
            self.posted.add(origin)
        if origin == self.away.first or self.tier is None:
            self.tier = tier

    def gone(self, origin: int) -> None:
        """Note that an event was delivered, or is dead."""
        self._leave(origin)
        self.away.discard(origin)
        self.posted.discard(origin)

    def absorb(self, other: "Hold") -> None:
        """Take over what *other* holds."""
        for origin in other.away:
            self.away.add(origin)
        for origin in other.waiting:
            self.waiting.add(origin)
        self.due |= other.due
        self.fresh |= other.fresh
        self.posted |= other.posted
        self._retrying = len(self.due & self.posted)
        if self.tier is None or (other.away and other.away.first == self.away.first):
            self.tier = other.tier

    def _leave(self, origin: int) -> None:
        self.fresh.discard(origin)
        self.waiting.discard(origin)
        if origin in self.due:
            self.due.remove(origin)
            self._retrying -= origin in self.posted


class Allowance:
    """How many sessions one worker may hold one by one, all lanes together."""

    __slots__ = ("left",)

    def __init__(self, sessions: int) -> None:
        self.left = sessions


class Holds:
    """The held sessions of one lane.

    Once the worker's allowance is used up, a lane's partition is held whole, by one hold, until that is over.
    """

    __slots__ = ("_allowance", "_holds", "draining")

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._holds: dict[Key, Hold] = {}
        self.draining: Counter[int] = Counter()
        """How many sessions drain, by partition."""

    def __len__(self) -> int:
        return len(self._holds)

    def get(self, key: Key) -> Hold | None:
        """Return the hold under *key* itself."""
        return self._holds.get(key)

    def find(self, key: Key) -> tuple[Key, Hold | None]:
        """Return what holds the session of *key*, and under which key."""
        hold = self._holds.get(key)
        if hold is None:
            whole = (key[0], EVERYTHING)
            hold = self._holds.get(whole)
            return (whole, hold) if hold is not None else (key, None)
        return key, hold

    def begin(self, key: Key, fresh: Callable[[Key], set[int]]) -> tuple[Key, Hold]:
        """Return what holds the session of *key*, from now on if nothing did; the caller puts something there.

        *fresh* names the events of a key that came from the main topic and are in the lane or in flight.
        """
        key, hold = self.find(key)
        if hold is not None:
            return key, hold
        merged: list[Hold] = []
        if self._allowance.left <= 0:
            merged = [self._drop(each) for each in list(self._holds) if each[0] == key[0]]
            key = (key[0], EVERYTHING)
        hold = self._holds[key] = Hold()
        self._allowance.left -= 1
        hold.fresh = fresh(key)
        for each in merged:
            hold.absorb(each)
        return key, hold

    def note(self, key: Key, hold: Hold) -> None:
        """Look at a hold again after it changed: it may be over, or drain, or not any more."""
        is_draining = hold.is_draining
        if is_draining != hold.is_counted:
            hold.is_counted = is_draining
            self.draining[key[0]] += 1 if is_draining else -1
        if hold.is_over and self._holds.get(key) is hold:
            self._drop(key)

    def forget(self, partition: int) -> None:
        """Drop what is held of a partition that went away."""
        for key in [key for key in self._holds if key[0] == partition]:
            self._drop(key)

    def _drop(self, key: Key) -> Hold:
        hold = self._holds.pop(key)
        self._allowance.left += 1
        if hold.is_counted:
            hold.is_counted = False
            self.draining[key[0]] -= 1
        return hold
