"""Puts the console together."""

from collections.abc import Callable

from starlette.types import ASGIApp

from headrace.clock import Clock
from headrace.console.desk import Desk
from headrace.console.open_access import OpenAccess
from headrace.console.pages import Pages
from headrace.console.site import Site
from headrace.console.sources import Facts, Sources
from headrace.console.views import ACTIONS, VIEWS


def build(open_sources: Callable[[], Sources], facts: Facts, clock: Clock) -> ASGIApp:
    """Return the application. *open_sources* is called once in each thread that reads."""
    access = OpenAccess()
    pages = Pages(VIEWS, ACTIONS, facts, clock)
    return Site(VIEWS, ACTIONS, Desk(open_sources), pages, access).app
