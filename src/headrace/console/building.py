"""Puts the console together."""

from collections.abc import Callable, Sequence

from starlette.types import ASGIApp

from headrace.clock import Clock
from headrace.console.access.open_access import OpenAccess
from headrace.console.access.signed import SignedAccess, is_open_to_all
from headrace.console.annex import Annex
from headrace.console.settings import ConsoleSettings
from headrace.console.sources import Facts, Sources
from headrace.console.tailing.tail import Tail
from headrace.console.viewer import Viewer
from headrace.console.views.every import ACTIONS, VIEWS
from headrace.console.web.desk import Desk
from headrace.console.web.guard import serves
from headrace.console.web.health import Vitals, routes
from headrace.console.web.pages import Pages
from headrace.console.web.site import Access, Site
from headrace.console.web.tail_stream import TailStream
from headrace.eventlog.trail import Deed

ENTRANCE = Viewer("the sign-in")
"""In whose share the notes of sign-ins are."""


def build(
    open_sources: Callable[[], Sources],
    facts: Facts,
    clock: Clock,
    settings: ConsoleSettings,
    *,
    tail: Tail,
    vitals: Vitals | None = None,
    annexes: Sequence[Annex] = (),
) -> ASGIApp:
    """Return the application. *open_sources* is called once in each thread that reads; *annexes* are what others add.

    Raise `ConfigError` where *settings* would open it to everybody beyond this machine.
    """
    is_open = is_open_to_all(settings)
    views = [*VIEWS, *(view for each in annexes for view in each.views)]
    actions = [*ACTIONS, *(action for each in annexes for action in each.actions)]
    more = [route for each in annexes for route in each.routes]
    packages = [each.package for each in annexes]
    pages = Pages(views, actions, facts, clock, open_to_all=is_open, packages=packages)
    desk = Desk(open_sources)

    async def note(deed: Deed) -> None:
        await desk.ask(lambda sources: sources.log.note(deed), ENTRANCE)

    access: Access = OpenAccess() if is_open else SignedAccess(settings, pages, clock, note)
    is_served = serves(settings.names, open_to_all=is_open)
    more += TailStream(tail, access).routes
    if vitals is not None:
        more += routes(vitals, desk, access)
    return Site(views, actions, desk, pages, access, more, is_served=is_served).app
