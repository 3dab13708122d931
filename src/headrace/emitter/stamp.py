"""An event's identity and time, made together because both come from one look at the clock."""

import os
import time
from collections.abc import Callable
from itertools import count
from time import gmtime, strftime


class Stamper:
    """Returns (id, time) of an event: a UUIDv7 (RFC 9562) and RFC 3339 in UTC with microseconds.

    Ids rise within a process, also when the clock is set back: behind the millisecond stand 26 random bits that stay
    and a counter that begins at a random place (RFC 9562, section 6.2), so an id costs no random number of its own.
    Threads may share a stamper: both caches are replaced whole. A forked child must make its own.
    """

    __slots__ = ("_clock", "_fixed", "_millisecond", "_second", "_tail")

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        random = int.from_bytes(os.urandom(10), "big")
        self._clock = clock
        self._fixed = f"7{random >> 68:03x}-{0x8000 | random >> 54 & 0x3FFF:04x}"
        self._tail = count(random & (1 << 47) - 1).__next__
        self._millisecond = (-1, "")
        self._second = (-1, "")

    def __call__(self) -> tuple[str, str]:
        now = self._clock()
        millisecond, head = self._millisecond
        if now // 1_000_000 > millisecond:
            millisecond = now // 1_000_000
            head = f"{millisecond >> 16:08x}-{millisecond & 0xFFFF:04x}-{self._fixed}-"
            self._millisecond = (millisecond, head)
        second, text = self._second
        if now // 1_000_000_000 != second:
            second = now // 1_000_000_000
            text = strftime("%Y-%m-%dT%H:%M:%S.", gmtime(second))
            self._second = (second, text)
        return f"{head}{self._tail():012x}", f"{text}{now // 1_000 % 1_000_000:06d}Z"
