"""Lets go what is older than the retention: by the keeper of a console, and by every worker that stores events."""

import threading
from collections.abc import Callable
from typing import Protocol

import structlog

from headrace.clock import Clock
from headrace.errors import StoreError
from headrace.eventlog.upkeep import Expired

EXPIRE_EVERY = 600.0
"""Seconds between two looks for what is too old, once nothing of it is left."""

EXPIRE_AGAIN = 60.0
"""Seconds after which a look that failed is tried again."""

LOOK_EVERY = 5.0
"""Seconds between two steps of a thread that does nothing else."""

DAY = 86_400

_log = structlog.get_logger("headrace.eventlog")


class Expires(Protocol):
    """What is let go of."""

    def expire(self, before: float) -> Expired: ...


class OwnStore(Expires, Protocol):
    """A store that is one's own, to be closed."""

    def close(self) -> None: ...


class Retention:
    """Keeps *store* within *seconds*, which count in whole days; 0 is for ever. One thread calls it."""

    def __init__(self, store: Expires, clock: Clock, seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._seconds = seconds
        self._expires_at = clock.monotonic()
        self._failed = ""

    def step(self) -> None:
        """Let a portion of what is too old go, if it is time to look.

        Raise `StoreError` when it fails, and again at each call until it succeeds, so that it stays known.
        """
        if self._seconds and self._clock.monotonic() >= self._expires_at:
            self._failed = self._expire()
        if self._failed:
            raise StoreError(f"what is too old was not let go: {self._failed}")

    def _expire(self) -> str:
        """Let a portion go; return why it failed, or nothing."""
        try:
            gone = self._store.expire((self._clock.wall() - self._seconds) // DAY * DAY)
        except StoreError as error:
            self._expires_at = self._clock.monotonic() + EXPIRE_AGAIN
            return str(error)
        if gone.is_all:
            self._expires_at = self._clock.monotonic() + EXPIRE_EVERY
        return ""


class Expiring:
    """A thread that keeps a store of its own, which *open_store* opens, within its retention until it is closed.

    So that old events go where no console runs, too. Many at the same time do no harm: each finds what is left.
    """

    def __init__(self, open_store: Callable[[], OwnStore], clock: Clock, seconds: float) -> None:
        self._open_store = open_store
        self._clock = clock
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless it did already or everything is kept for ever."""
        if self._thread is None and self._seconds:
            self._thread = threading.Thread(target=self._run, name="eventlog-retention", daemon=True)
            self._thread.start()

    def close(self, timeout: float) -> None:
        """End, and wait for a portion under way for *timeout* seconds at most."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        store = self._open_store()
        retention = Retention(store, self._clock, self._seconds)
        failure = ""
        while not self._stop.wait(LOOK_EVERY):
            try:
                retention.step()
            except StoreError as error:
                if str(error) != failure:
                    _log.warning("eventlog.not_expired", error=str(error))
                failure = str(error)
            else:
                failure = ""
        store.close()
