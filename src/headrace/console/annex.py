"""What another room adds to the console's site, as the demo does with its chat."""

from collections.abc import Sequence

import msgspec
from starlette.routing import BaseRoute

from headrace.console.view import Action, View


class Annex(msgspec.Struct, frozen=True, kw_only=True):
    """Views and actions like the console's own, which stand after them, with *routes* that are neither.

    Their templates lie in `templates` of the Python *package*, and extend the console's `base.html`.
    """

    package: str
    views: Sequence[View] = ()
    actions: Sequence[Action] = ()
    routes: Sequence[BaseRoute] = ()
