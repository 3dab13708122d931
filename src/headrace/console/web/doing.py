"""Does what people ask for, and writes it into the trail."""

import threading
from hashlib import blake2b
from typing import Any
from uuid import uuid4

import msgspec

from headrace.console.links import changed, places
from headrace.console.sources import Sources
from headrace.console.view import Action
from headrace.console.viewer import Busy, Viewer
from headrace.console.web.answers import problem
from headrace.errors import HeadraceError, StoreError
from headrace.eventlog.trail import Deed


def perform(
    action: Action, ask: msgspec.Struct, sources: Sources, viewer: Viewer, address: str, given_up: threading.Event
) -> Any:
    """Return what *action* answers; raise what it raises, and `StoreError` when it cannot be written down first.

    The deed is noted before it is done, so that nothing happens that nobody knows of, and again when it ended. A
    second note that fails takes nothing back: it is written later, as both are of what is urgent. Whoever has
    *given_up* by the time that it could begin was told that nothing was done: then it is not done.
    """
    if not action.noted:
        return action.do(ask, sources, viewer)
    asked = changed(ask, {})
    asked |= {name: _digest(getattr(ask, "org", None), asked[name]) for name in action.hides if name in asked}
    targets = [str(asked.pop(name)) for name in places(action.path)]
    deed = Deed(
        id=uuid4().hex,
        at=sources.clock.wall(),
        who=viewer.name,
        action=action.name,
        org=getattr(ask, "org", None) or viewer.org or "",
        target="/".join(targets),
        detail=msgspec.json.encode(asked).decode() if asked else "",
        address=address,
    )
    try:
        sources.log.note(deed)
    except StoreError:
        if not action.urgent:
            raise
        sources.late_notes.add(deed)
    if given_up.is_set():
        _end(sources, msgspec.structs.replace(deed, result="failed", answer="nobody waited any more"))
        raise Busy("nobody waited any more")
    try:
        done = action.do(ask, sources, viewer)
    except Exception as error:
        told = problem(error, viewer).detail if isinstance(error, HeadraceError) else "an error of the console itself"
        _end(sources, msgspec.structs.replace(deed, result="failed", answer=told))
        raise
    _end(sources, msgspec.structs.replace(deed, result="done", answer=msgspec.json.encode(done).decode()))
    return done


def _digest(org: str | None, name: object) -> str:
    """Return what tells *name* from others, and does not tell it."""
    return f"#{blake2b(f'{org}/{name}'.encode(), digest_size=8).hexdigest()}"


def _end(sources: Sources, deed: Deed) -> None:
    try:
        sources.log.note(deed)
    except StoreError:
        sources.late_notes.add(deed)
