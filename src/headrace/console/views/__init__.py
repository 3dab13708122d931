"""The views, one file each: its ask, its answer, and how it is read.

May import: `headrace.console.{view,viewer,sources}` and what `headrace.console` may.
Must never: import Starlette or Jinja2, know who asks (`org` in the ask is theirs already), return text that is markup.
"""

from collections.abc import Sequence

from headrace.console.view import Action, View
from headrace.console.views.sessions import SESSIONS

VIEWS: Sequence[View] = (SESSIONS,)
"""Every view, in the order of the navigation."""

ACTIONS: Sequence[Action] = ()
"""Everything that can be done."""
