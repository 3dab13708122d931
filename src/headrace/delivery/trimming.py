"""Gives memory that was freed back to the system, which glibc else keeps: many threads, much fragmentation.

A worker that a backlog filled once would otherwise look twice as large as what it holds, for as long as it lives.
"""

import asyncio
import ctypes
from collections.abc import Callable

TRIM_EVERY = 2.0
"""Seconds between two looks."""

TRIM_FROM = 4 << 20
"""Bytes that must have been held since the last look: a worker that holds less has little to give back."""


async def trim_while_filled(held: Callable[[], int]) -> None:
    """Trim the heap now and then while *held* says that much is in use. Runs until it is cancelled."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    before = 0
    while trim is not None:
        await asyncio.sleep(TRIM_EVERY)
        now = held()
        if max(before, now) >= TRIM_FROM:
            # In a thread, since it may take some milliseconds; ctypes lets the interpreter go meanwhile.
            await asyncio.to_thread(trim, 0)
        before = now
