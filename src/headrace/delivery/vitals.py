"""What a worker tells those who look after it, on a thread of theirs."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import Future

from headrace.clock import Clock
from headrace.delivery.census import Census
from headrace.delivery.crew import Crew
from headrace.telemetry.health import Check, Health
from headrace.telemetry.metrics import Metrics
from headrace.telemetry.prometheus import Value

STALLED_AFTER = 30.0
"""Seconds within which the owner thread turns, whatever Kafka does."""

SILENT_AFTER = 60.0
"""Seconds within which Kafka has answered; it is asked four times as often."""

PATIENCE = 5.0
"""Seconds that the event loop may take to answer."""


class Vitals:
    """Health and numbers of one worker, from before it runs; *by_destination* tells destinations apart."""

    def __init__(self, metrics: Metrics, clock: Clock, *, by_destination: bool = False) -> None:
        self._metrics = metrics
        self._clock = clock
        self._by_destination = by_destination
        self._running: tuple[Crew, asyncio.AbstractEventLoop] | None = None

    def attach(self, crew: Crew, loop: asyncio.AbstractEventLoop) -> None:
        """Tell of *crew* from now on, whose dispatcher runs on *loop*."""
        self._running = (crew, loop)

    def livez(self) -> Health:
        """Tell whether both threads go on; if not, only a restart helps."""
        if self._running is None:
            return Health.of(start=Check(True, "the worker is starting"))
        turned = self._clock.monotonic() - self._running[0].owner.pulse.turned_at
        answers = self._census() is not None
        return Health.of(
            owner=Check(turned <= STALLED_AFTER, f"the owner thread turned {turned:.1f} s ago"),
            loop=Check(
                answers, "the event loop answers" if answers else f"the event loop is silent for {PATIENCE:g} s"
            ),
        )

    def readyz(self) -> Health:
        """Tell whether events are being delivered: Kafka answers, and partitions are this worker's."""
        if self._running is None:
            return Health.of(start=Check(False, "the worker is starting"))
        pulse, now = self._running[0].owner.pulse, self._clock.monotonic()
        answered = pulse.answered_at
        is_heard = answered is not None and not pulse.trouble and now - answered <= SILENT_AFTER
        kafka = "it has not answered yet" if answered is None else f"it answered {now - answered:.0f} s ago"
        return Health.of(
            kafka=Check(is_heard, pulse.trouble or kafka),
            partitions=Check(pulse.partitions > 0, f"{pulse.partitions} are assigned"),
            work=Check(not pulse.is_draining, "it drains" if pulse.is_draining else "it goes on"),
        )

    def values(self) -> Iterator[Value]:
        """Yield every number of the catalogue's that a worker has."""
        for name, destination, count in sorted(self._metrics.counters()):
            yield Value(name, count, {"destination": destination})
        for histogram, distribution in self._metrics.distributions():
            yield Value(histogram, distribution)
        for gauge, value in self._metrics.gauges():
            yield Value(gauge, value)
        if self._running is None:
            return
        pulse = self._running[0].owner.pulse
        yield Value("partitions", pulse.partitions)
        yield Value("poll_age_seconds", self._clock.monotonic() - pulse.polled_at)
        yield from self._lanes()

    def _lanes(self) -> Iterator[Value]:
        census = self._census()
        if census is None:
            return
        for name, field in _LANES.items():
            counts = {destination: getattr(each, field) for destination, each in census.items()}
            if self._by_destination:
                yield from (Value(name, count, {"destination": each}) for each, count in sorted(counts.items()))
            else:
                yield Value(name, sum(counts.values()))

    def _census(self) -> Mapping[str, Census] | None:
        """Ask the event loop how the lanes do; None when it does not answer."""
        assert self._running is not None
        (crew, loop), answer = self._running, Future[Mapping[str, Census]]()
        try:
            loop.call_soon_threadsafe(lambda: answer.set_result(crew.dispatcher.census()))
            return answer.result(PATIENCE)
        except (TimeoutError, RuntimeError):  # RuntimeError: the loop is closed
            return None


_LANES = {
    "lanes": "lanes",
    "lanes_parked": "parked",
    "lanes_paused": "paused",
    "lane_events": "events",
    "posts_in_flight": "posts",
}
