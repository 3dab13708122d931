"""Answers as pages: Jinja2 templates that escape everything, and never a script or a style in the markup."""

from collections.abc import Mapping, Sequence
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
from headrace.console.web.answers import API, Problem
from headrace.console.web.lines import SUFFIX

_STATIC = files("headrace.console").joinpath("static")


class Refused(msgspec.Struct, frozen=True):
    """What was not done by the form of an *action*: why not, and what was *given*."""

    action: str = ""
    why: str = ""
    given: Mapping[str, str] = {}

    def typed(self, action: str, name: str, usual: object = "") -> object:
        """Return what stands in a field of the form of *action*: what was typed, else what is *usual*."""
        return self.given.get(name, usual) if action == self.action else usual


NOTHING_REFUSED = Refused()


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
        self._paths |= {f"{view.name}{SUFFIX}": f"{API}{view.path}{SUFFIX}" for view in views if view.rows}
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
            "field": show.field,
            "iso": show.iso,
            "duration": show.duration,
            "number": show.number,
            "size": show.size,
            "spans": show.spans,
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

    def view(
        self, view: View, ask: msgspec.Struct, answer: object, viewer: Viewer, refused: Refused = NOTHING_REFUSED
    ) -> str:
        """Render the page of *view*; *refused* is what somebody could not have done by a form of it."""
        here = partial(self._here, view.path, ask)
        lines = partial(self._here, f"{API}{view.path}{SUFFIX}", ask, limit=None) if view.rows else None
        return self._render(
            f"{view.name}.html", viewer, view=view, ask=ask, answer=answer, here=here, lines=lines, refused=refused
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
                "refused": values.get("refused", NOTHING_REFUSED),
                "viewer": viewer,
                "now": now,
                "ago": lambda at: show.ago(at, now),
                "navigation": [each for each in self._navigation if viewer is not None and _is_for(each, viewer)],
            }
        )

    def _link(self, name: str, /, **values: Any) -> str:
        return link(self._paths[name], values)

    def _here(self, path: str, ask: msgspec.Struct, /, **changes: Any) -> str:
        """Return this page's *path* with *changes* to what was asked."""
        return link(path, changed(ask, changes))


def asset(name: str) -> str:
    """Return the path of a static file, which changes with its content."""
    if name not in _digests:
        _digests[name] = sha256(_STATIC.joinpath(name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={_digests[name]}"


_digests: dict[str, str] = {}


def _is_for(view: View, viewer: Viewer) -> bool:
    return viewer.is_operator or view.audience == "org"
