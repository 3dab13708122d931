"""What goes on in the background while the console is served, each in a thread of its own."""

import threading
from collections.abc import Callable

import msgspec
import structlog

from headrace.clock import Clock
from headrace.errors import HeadraceError

log = structlog.get_logger(__name__)


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """How a chore does: when it was last done and when it last failed, in seconds since the epoch, and why.

    *failure* is empty as soon as it was done again.
    """

    name: str
    does: str
    done_at: float | None = None
    failed_at: float | None = None
    failure: str = ""


class Chore:
    """Does *step* again and again, *every* so many seconds; one that fails is told of, and tried again.

    *does* says in a few words what it is good for. *close* is called at the end, by the same thread.
    """

    def __init__(
        self,
        name: str,
        does: str,
        step: Callable[[], object],
        every: float,
        clock: Clock,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.pulse = Pulse(name=name, does=does)
        self._step = step
        self._every = every
        self._clock = clock
        self._close = close
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"headrace-console-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float) -> None:
        """Ask it to end, and wait up to *timeout* seconds; a read of a Kafka that is away may take longer."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def do(self) -> None:
        """Do one step, and tell how it went."""
        try:
            self._step()
        except HeadraceError as error:
            self._fail(str(error))
        except Exception as error:
            log.exception("console.chore_failed", chore=self.pulse.name)
            self._fail(f"{type(error).__name__}: {error}")
        else:
            self.pulse = msgspec.structs.replace(self.pulse, done_at=self._clock.wall(), failure="")

    def _run(self) -> None:
        while not self._stop.is_set():
            self.do()
            self._stop.wait(self._every)
        self._close()

    def _fail(self, failure: str) -> None:
        self.pulse = msgspec.structs.replace(self.pulse, failed_at=self._clock.wall(), failure=failure)
