"""Routes whose places hold any text: a `/` that is percent-encoded is part of a name, and ends no place."""

from collections.abc import MutableMapping
from typing import Any

from starlette.routing import Match, Route
from starlette.types import Scope

from headrace.console.links import read_segment


class ExactRoute(Route):
    """A `Route` that is matched against the path as it was sent, each place decoded by itself."""

    def matches(self, scope: Scope) -> tuple[Match, MutableMapping[str, Any]]:
        sent = scope.get("raw_path")
        if sent is None:
            return super().matches(scope)
        match, found = super().matches({**scope, "path": sent.decode("latin-1")})
        if match is not Match.NONE:
            found["path_params"] = {name: read_segment(value) for name, value in found["path_params"].items()}
        return match, found
