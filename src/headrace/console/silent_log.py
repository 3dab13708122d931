"""An event log that knows nothing: what views read that can do without the real one while that does not answer."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from headrace.console.sources import Log, Sources
from headrace.eventlog.counting import Counter
from headrace.eventlog.pages import Page


class _SilentLog:
    """Of everything that such views ask it has nothing; they say in `log_trouble` that this is not all there is."""

    def counters(self, _: object) -> Sequence[Counter]:
        return ()

    def totals(self, _: object) -> Sequence[Counter]:
        return ()

    def read_to(self, _: str) -> Mapping[int, float]:
        return {}

    def find_exceptions(self, _: object) -> Page[Any]:
        return Page(rows=[])

    def find_sessions(self, _: object) -> Page[Any]:
        return Page(rows=[])

    def deeds(self, _: object) -> Page[Any]:
        return Page(rows=[])


def without_log(sources: Sources) -> Sources:
    """Return *sources* with an event log that knows nothing. No view that outlives the log asks for more of it."""
    return msgspec.structs.replace(sources, log=cast("Log", _SilentLog()))
