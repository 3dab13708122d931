"""What a console tells those who look after it: `/metrics` for operators and this machine, `/livez` and `/readyz`.

All of it comes from memory, so that it is answered also while Kafka and the event log are not.
"""

from collections.abc import Callable, Iterator, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from headrace.clock import Clock
from headrace.console.alarm.alerting import Board
from headrace.console.alarm.symptoms import KEEPER, KEEPER_SILENT, RULES, UNSEEN, lateness
from headrace.console.chores import Pulse
from headrace.console.tailing.tail import Tail
from headrace.console.watching.watch import Watch
from headrace.console.web.answers import json
from headrace.console.web.desk import Desk
from headrace.console.web.guard import is_loopback
from headrace.console.web.site import Access
from headrace.core.report import Line
from headrace.telemetry.health import Check, Health
from headrace.telemetry.prometheus import Exposition, Value

_COLUMNS = [name for name in Line.__struct_fields__ if name != "balanced"]
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class Vitals:
    """Health and numbers of one console."""

    def __init__(
        self,
        watch: Watch,
        tail: Tail,
        clock: Clock,
        *,
        pulses: Callable[[], Sequence[Pulse]],
        board: Callable[[], Board],
    ) -> None:
        self._watch = watch
        self._tail = tail
        self._clock = clock
        self._pulses = pulses
        self._board = board

    def readyz(self) -> Health:
        """Tell whether what the console shows is fresh: it sees the river, and the event log is kept."""
        now, watched = self._clock.wall(), self._watch.latest()
        age = now - watched.river.at if watched.river else None
        keeper = next((pulse for pulse in self._pulses() if pulse.name == KEEPER), None)
        is_kept = keeper is not None and not keeper.failure and now - (keeper.done_at or 0.0) <= KEEPER_SILENT
        seen = "it was not seen yet" if age is None else f"it was seen {age:.0f} s ago"
        is_seen = age is not None and age <= UNSEEN
        return Health.of(
            kafka=Check(is_seen, seen if is_seen else watched.trouble or seen),
            event_log=Check(is_kept, (keeper.failure if keeper else "") or ("it is kept" if is_kept else "not yet")),
        )

    def values(self, desk: Desk) -> Iterator[Value]:
        """Yield every number of the catalogue's that a console has."""
        now = self._clock.wall()
        yield from self._river(now)
        yield from self._books(now)
        yield from self._keeper(now)
        yield Value("questions", desk.asked)
        yield Value("questions_failed", desk.unanswered)
        yield Value("viewers_open", self._tail.viewers)
        board = self._board()
        for rule in RULES:
            yield Value("alerts_open", sum(alert.rule == rule for alert in board.open), {"rule": rule})
        yield Value("notifications_sent", board.told.sent)
        yield Value("notifications_failed", board.told.failed)

    def _river(self, now: float) -> Iterator[Value]:
        river = self._watch.latest().river
        if river is None:
            return
        flowing = [topic for topic in (river.events, *river.tiers) if topic.lag is not None]
        for topic in flowing:
            yield Value("lag_records", topic.lag or 0, {"topic": topic.name})
        for topic in flowing:
            late = lateness(topic, river.at)
            if late is not None:
                yield Value("lag_seconds", late, {"topic": topic.name})
        for topic in river.tiers:
            yield Value("tier_events", topic.lag or 0, {"tier": topic.tier or topic.name})
        yield Value("watch_age_seconds", now - river.at)

    def _books(self, now: float) -> Iterator[Value]:
        books = self._watch.latest().books
        if books is None:
            return
        for column in _COLUMNS:
            yield Value("books_events", getattr(books.whole, column), {"column": column})
        yield Value("books_balanced", int(books.whole.balanced))
        yield Value("books_age_seconds", now - books.at)

    def _keeper(self, now: float) -> Iterator[Value]:
        for pulse in self._pulses():
            if pulse.name == KEEPER and pulse.done_at is not None:
                yield Value("keeper_age_seconds", now - pulse.done_at)
        yield Value("chores_failing", sum(bool(pulse.failure) for pulse in self._pulses()))


def routes(vitals: Vitals, desk: Desk, access: Access) -> Sequence[BaseRoute]:
    """Return the three paths. Whoever is neither an operator nor on this machine learns only whether all is well."""
    exposition = Exposition(lambda: vitals.values(desk))

    async def metrics(request: Request) -> Response:
        if not _is_trusted(request, access):
            raise HTTPException(404)
        content_type, body = exposition.render(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    async def livez(request: Request) -> Response:  # noqa: ARG001  that it is answered is the answer
        return json(Health.of(loop=Check(True, "the console answers")))

    async def readyz(request: Request) -> Response:
        health = vitals.readyz()
        return json(health if _is_trusted(request, access) else Health(health.ok, {}), health.status)

    return [Route("/metrics", metrics), Route("/livez", livez), Route("/readyz", readyz)]


def _is_trusted(request: Request, access: Access) -> bool:
    """Tell whether an operator asks, or this machine itself: what a proxy on it passes on comes from elsewhere."""
    viewer = access.viewer(request)
    if viewer is not None:
        return viewer.is_operator
    client = request.client.host if request.client else ""
    return is_loopback(client) and not any(name in request.headers for name in _FORWARDED)
