"""A worker in this process whose consumer and producer are watched: which thread calls them, and what they fetch."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from headrace import app
from headrace.broker.kafka_client import group_config
from headrace.broker.port import Broker, Committed, Consumer, Producer, RebalanceListener
from headrace.config import Config
from headrace.delivery.worker import Worker
from headrace.model.record import Record, TopicPartition

Call = tuple[str, str]
"""A method and the name of the thread that called it."""


class WatchedConsumer:
    """A `Consumer`, and the listener of the one that it stands before; it notes every call of either.

    *lose* says of each poll that brought records, counted from 0, whether they are thrown away.
    """

    def __init__(
        self, make: Callable[[RebalanceListener], Consumer], listener: RebalanceListener, lose: Callable[[int], bool]
    ) -> None:
        self.calls: set[Call] = set()
        self.callbacks: set[tuple[str, str, bool]] = set()
        """A callback, the thread that it came on, and whether that thread was in a call of the consumer."""
        self._within: set[str] = set()
        self._listener = listener
        self._lose = lose
        self.polls = 0
        """Polls that brought records."""
        self._consumer = make(self)

    def poll(self, most: int, timeout: float) -> Sequence[Record]:
        records: Sequence[Record] = self._call("poll", most, timeout)
        if not records:
            return records
        self.polls += 1
        return () if self._lose(self.polls - 1) else records

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda *arguments, **named: self._call(method, *arguments, **named)

    def on_assign(self, assigned: Mapping[TopicPartition, Committed | None]) -> None:
        self._note("on_assign")
        self._listener.on_assign(assigned)

    def on_revoke(self, revoked: Sequence[TopicPartition]) -> None:
        self._note("on_revoke")
        self._listener.on_revoke(revoked)

    def on_lost(self, lost: Sequence[TopicPartition]) -> None:
        self._note("on_lost")
        self._listener.on_lost(lost)

    def _note(self, callback: str) -> None:
        thread = threading.current_thread().name
        self.callbacks.add((callback, thread, thread in self._within))

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        thread = threading.current_thread().name
        self.calls.add((method, thread))
        is_outermost = thread not in self._within
        self._within.add(thread)
        try:
            return getattr(self._consumer, method)(*arguments, **named)
        finally:
            if is_outermost:
                self._within.discard(thread)


class WatchedProducer:
    """A `Producer` that notes every call."""

    def __init__(self, producer: Producer) -> None:
        self.calls: set[Call] = set()
        self._producer = producer

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self.calls.add((method, threading.current_thread().name))
            return getattr(self._producer, method)(*arguments, **named)

        return call

    def __len__(self) -> int:
        return len(self._producer)


class WatchedBroker:
    """A `Broker` whose consumer and producer are watched."""

    def __init__(self, broker: Broker, lose: Callable[[int], bool] = lambda _: False) -> None:
        self._broker = broker
        self._lose = lose
        self.consumers: list[WatchedConsumer] = []
        self.producers: list[WatchedProducer] = []

    @property
    def polls(self) -> int:
        """Count the polls that brought records."""
        return sum(consumer.polls for consumer in self.consumers)

    def consumer(self, group: str, listener: RebalanceListener) -> Any:
        self.consumers.append(WatchedConsumer(lambda own: self._broker.consumer(group, own), listener, self._lose))
        return self.consumers[-1]

    def producer(self, **settings: Any) -> Any:
        self.producers.append(WatchedProducer(self._broker.producer(**settings)))
        return self.producers[-1]

    def __getattr__(self, method: str) -> Any:
        return getattr(self._broker, method)


@contextmanager
def worker_here(config: Config) -> Iterator[Worker]:
    """Run a worker of *config* in this process while the context lasts, then let it drain."""
    workers: list[Worker] = []
    has_begun = threading.Event()

    async def live() -> None:
        workers.append(app.worker(config))
        has_begun.set()
        await workers[0].run()

    thread = threading.Thread(target=lambda: asyncio.run(live()), name="event-loop")
    thread.start()
    assert has_begun.wait(30)
    try:
        yield workers[0]
    finally:
        workers[0].stop()
        thread.join(90)
    assert not thread.is_alive(), "the worker has drained"


def watch_fetches(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Let consumers made from now on count what they receive; return what says how many bytes that is so far."""
    received: dict[str, int] = {}

    def hear(text: str) -> None:
        statistics = json.loads(text)
        received[statistics["name"]] = int(statistics["rx_bytes"])

    def with_statistics(*arguments: Any) -> dict[str, object]:
        return {**group_config(*arguments), "statistics.interval.ms": 200, "stats_cb": hear}

    monkeypatch.setattr("headrace.broker.kafka_consumer.group_config", with_statistics)
    return lambda: sum(received.values())
