"""An event's identity and time, made together because both come from one look at the clock."""

import random
import time
from collections.abc import Callable
from itertools import count
from time import gmtime, strftime


class Stamper:
    """Returns (id, time) of an event: a UUIDv7 (RFC 9562) and RFC 3339 in UTC with microseconds.

    Ids rise within a process, also when the clock is set back. Each millisecond begins at a random place of its
    74 bits and counts up from there (RFC 9562, section 6.2, method 2), so an id costs no random number of its own.
    Threads may share a stamper: both caches are replaced whole. A forked child must make its own.
    """

    __slots__ = ("_bits", "_clock", "_millisecond", "_second")

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        # Seeded by the system. `os.urandom` itself lets go of the interpreter lock, which may come back late.
        self._bits = random.Random().getrandbits  # noqa: S311  ids are unique, not secret
        self._second = (-1, "")
        self._millisecond = (-1, "", count().__next__)

    def __call__(self) -> tuple[str, str]:
        now = self._clock()
        second, text = self._second
        if now // 1_000_000_000 != second:
            second = now // 1_000_000_000
            text = strftime("%Y-%m-%dT%H:%M:%S.", gmtime(second))
            self._second = (second, text)
        millisecond, head, tail = self._millisecond
        if now // 1_000_000 > millisecond:
            head, tail = self._turn(now // 1_000_000)
        return f"{head}{tail():012x}", f"{text}{now // 1_000 % 1_000_000:06d}Z"

    def _turn(self, millisecond: int) -> tuple[str, Callable[[], int]]:
        bits = self._bits
        stamp = f"{millisecond:012x}"
        head = f"{stamp[:8]}-{stamp[8:]}-7{bits(12):03x}-{0x8000 | bits(14):04x}-"
        tail = count(bits(47)).__next__
        self._millisecond = (millisecond, head, tail)
        return head, tail
