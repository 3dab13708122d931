"""Answers as pages: Jinja2 templates that escape everything, and never a script or a style in the markup."""

from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from importlib.resources import files
from typing import Any

import msgspec
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from headrace.clock import Clock
from headrace.console import show
from headrace.console.links import changed, link
from headrace.console.sources import Facts
from headrace.console.view import Action, View
from headrace.console.viewer import Viewer
from headrace.console.watching import charts
from headrace.console.web.answers import Problem

_STATIC = files("headrace.console").joinpath("static")


class Pages:
    """Renders views. *open_to_all* says that nobody has to sign in, which every page tells.

    *packages* are those of rooms that add to the site, with templates of their own.
    """

    def __init__(
        self,
        views: Sequence[View],
        actions: Sequence[Action],
        facts: Facts,
        clock: Clock,
        *,
        open_to_all: bool = False,
        packages: Sequence[str] = (),
    ) -> None:
        self._clock = clock
        self._paths = {view.name: view.path for view in views} | {action.name: action.path for action in actions}
        self._navigation = [view for view in views if view.group]
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(each) for each in ("headrace.console", *packages)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters |= {
            "when": show.when,
            "clock": show.clock,
            "iso": show.iso,
            "duration": show.duration,
            "number": show.number,
            "size": show.size,
            "columns": charts.columns,
            "depths": charts.depths,
            "dues": charts.dues,
            "document": charts.document,
        }
        self._environment.globals |= {
            "link": self._link,
            "asset": asset,
            "percent": show.percent,
            "facts": facts,
            "open_to_all": open_to_all,
        }

    def view(self, view: View, ask: msgspec.Struct, answer: object, viewer: Viewer) -> str:
        """Render the page of *view*."""
        return self._render(
            f"{view.name}.html", viewer, view=view, ask=ask, answer=answer, here=partial(self._here, view, ask)
        )

    def problem(self, problem: Problem, viewer: Viewer | None) -> str:
        """Render what is shown instead of a page."""
        return self._render("problem.html", viewer, problem=problem)

    def page(self, template: str, viewer: Viewer | None, **values: object) -> str:
        """Render a page that is no view."""
        return self._render(template, viewer, **values)

    def _render(self, template: str, viewer: Viewer | None, **values: object) -> str:
        now = self._clock.wall()
        return self._environment.get_template(template).render(
            values
            | {
                "viewer": viewer,
                "now": now,
                "ago": lambda at: show.ago(at, now),
                "navigation": [each for each in self._navigation if viewer is not None and _is_for(each, viewer)],
            }
        )

    def _link(self, name: str, /, **values: Any) -> str:
        return link(self._paths[name], values)

    def _here(self, view: View, ask: msgspec.Struct, /, **changes: Any) -> str:
        """Return this page's path with *changes* to what was asked."""
        return link(view.path, changed(ask, changes))


def asset(name: str) -> str:
    """Return the path of a static file, which changes with its content."""
    if name not in _digests:
        _digests[name] = sha256(_STATIC.joinpath(name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={_digests[name]}"


_digests: dict[str, str] = {}


def _is_for(view: View, viewer: Viewer) -> bool:
    return viewer.is_operator or view.audience == "org"
