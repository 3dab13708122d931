"""One worker process: an event loop with the lanes, an owner thread with the consumer, and an orderly end."""

import asyncio
import gc
import signal
import sys
import threading

import msgspec
import structlog

from headrace.delivery.crew import Crew, Plan, muster
from headrace.delivery.hearing import hear, obey
from headrace.delivery.tracing import TracedSink
from headrace.delivery.trimming import trim_while_filled
from headrace.delivery.vitals import Vitals
from headrace.telemetry import traces
from headrace.telemetry.metrics import Metrics

SWITCH_INTERVAL = 0.0005
"""Seconds that the event loop waits, after each call that lets the interpreter go, until the owner thread gives it up.
Python's 5 ms, many times a post, make posts look as if they hung while a backlog is read."""

YOUNG_OBJECTS = 20_000
"""New objects after which Python looks for cycles among them. At its 700 it looks at the records of one poll several
times over, which costs more than to poll them."""

log = structlog.get_logger(__name__)


class Worker:
    """Reads the main topic and the tiers, and writes to destinations, until it is told to stop."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._crew: Crew | None = None
        self._is_stopped = False
        self.metrics = Metrics(by_destination=plan.by_destination)
        self.vitals = Vitals(self.metrics, plan.clock, by_destination=plan.by_destination)

    def stop(self) -> None:
        """Ask for the drain; harmless before `run` and when repeated."""
        self._is_stopped = True
        if self._crew is not None:
            self._crew.owner.stop()

    async def run(self) -> None:
        """Work until stopped. Raises what broke the worker; whatever it had not committed comes again."""
        plan, loop = self._plan, asyncio.get_running_loop()
        if traces.is_active():
            sinks = {name: TracedSink(sink, plan.names) for name, sink in plan.sinks.items()}
            plan = msgspec.structs.replace(plan, sinks=sinks)
        ended = asyncio.Event()
        crew = self._crew = muster(plan, loop, self.metrics)
        owner, dispatcher = crew.owner, crew.dispatcher
        self.vitals.attach(crew, loop)
        if self._is_stopped:
            owner.stop()

        def work() -> None:
            owner.run()
            loop.call_soon_threadsafe(ended.set)

        thread = threading.Thread(target=work, name="headrace-owner", daemon=True)
        # Nothing is posted to what is paused, not even in the first second.
        known = await hear(plan.pauses, dispatcher, {})
        chores = [
            loop.create_task(dispatcher.sweep()),
            loop.create_task(obey(plan.pauses, dispatcher, known)),
            loop.create_task(trim_while_filled(lambda: crew.weight)),
        ]
        thread.start()
        try:
            await ended.wait()
        finally:
            owner.stop()
            for chore in chores:
                chore.cancel()
            await dispatcher.abandon()
            for sink in plan.sinks.values():
                await sink.aclose()
            await asyncio.to_thread(crew.producer.close, 2.0)
        if owner.fault is not None:
            raise owner.fault
        log.info("delivery.stopped")


async def run_until_signalled(worker: Worker) -> None:
    """Run *worker* until SIGTERM or SIGINT asks it to drain; a second signal changes nothing.

    The process is taken to be the worker's own: the interpreter is set to its two threads and its many records.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    await worker.run()
