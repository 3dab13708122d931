"""Access without a sign-in, for a console that only this machine can reach."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from headrace.console.viewer import Viewer


class OpenAccess:
    """Everybody is an operator."""

    routes: Sequence[BaseRoute] = ()
    is_open = True

    def viewer(self, request: Request) -> Viewer | None:  # noqa: ARG002  # whoever it is
        return Viewer("somebody on this machine")
