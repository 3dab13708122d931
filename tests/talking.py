"""Bots that talk all the while something happens to the river: a steady stream of events, counted by org."""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from itertools import cycle
from types import TracebackType
from typing import Self

from headrace import app
from headrace.config import Config

SESSIONS = 10
"""Of each org."""


class Talking:
    """Emits *rate* events per second for *orgs* by turns, while the context lasts; *emitted* counts them."""

    def __init__(self, config: Config, orgs: Sequence[str], rate: float = 200.0) -> None:
        self._config = config
        self._orgs = orgs
        self._rate = rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._talk)
        self.emitted: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(60)

    def _talk(self) -> None:
        with closing(app.emitter(self._config)) as emitter:
            names = [(org, f"s-{number}") for number in range(SESSIONS) for org in self._orgs]
            logs = cycle([(org, emitter.session(org=org, bot="bot", session=name)) for org, name in names])
            began, said = time.monotonic(), 0
            while not self._stop.is_set():
                while said < (time.monotonic() - began) * self._rate:
                    org, log = next(logs)
                    self.emitted[org] += log.emit("bot.message.sent", text=f"number {said}")
                    said += 1
                time.sleep(0.01)
            emitter.flush(30)
