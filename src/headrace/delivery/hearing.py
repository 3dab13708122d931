"""Hearing what people decide while a worker runs."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from headrace.delivery.dispatcher import Dispatcher
from headrace.errors import BrokerError
from headrace.model.pause import Pause

LOOK_EVERY = 1.0
"""Seconds between two looks."""

Look = Callable[[], Mapping[str, Pause]]
"""Returns what is paused now, by name; blocks, and raises `BrokerError` when that is not known."""

log = structlog.get_logger(__name__)


async def obey(look: Look, dispatcher: Dispatcher, known: Mapping[str, Pause]) -> None:
    """Let *dispatcher* do as people decide, who had decided what is *known*. Runs until it is cancelled."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        known = await hear(look, dispatcher, known)


async def hear(look: Look, dispatcher: Dispatcher, known: Mapping[str, Pause]) -> Mapping[str, Pause]:
    """Return what is decided now; what was *known* holds while Kafka does not tell."""
    try:
        found = await asyncio.to_thread(look)
    except BrokerError as error:
        log.info("delivery.pauses_unknown", error=str(error))
        return known
    if found != known:
        log.info("delivery.paused", destinations=sorted(found))
        dispatcher.decide(found)
    return found
