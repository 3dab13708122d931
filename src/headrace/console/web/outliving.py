"""How a view is read: as it is, or where it can do without, without the event log while that does not answer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.viewer import Absent, Busy, Greedy, Viewer
from headrace.console.web.answers import problem
from headrace.console.web.desk import Desk
from headrace.console.web.window import IsGone
from headrace.errors import StoreError

WITHOUT_LOG_AFTER = 3.0
"""Seconds after which a view that can do without the event log waits for it no more."""


async def tell(
    desk: Desk, view: View, ask: msgspec.Struct, viewer: Viewer, write: Callable[[Any], bytes], is_gone: IsGone
) -> bytes:
    """Return the answer as *write* makes it, in the thread that reads it: the event loop is everybody's."""

    def read(sources: Sources, log_trouble: str = "") -> bytes:
        return write(view.answer_to(viewer, ask, sources, log_trouble=log_trouble))

    if not view.outlives_log:
        return await desk.ask(read, viewer, view.needs, is_gone)
    try:
        return await desk.ask(read, viewer, view.needs, is_gone, WITHOUT_LOG_AFTER)
    except Greedy:
        raise
    except (Busy, StoreError) as error:
        silent = partial(read, log_trouble=problem(error, viewer).detail)
        try:
            return await desk.ask(silent, viewer, "memory", is_gone)
        except Absent:
            raise error from None  # the event log may know it
