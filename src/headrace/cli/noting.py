"""Notes in the audit trail what a command does, as the console notes what is done there."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from uuid import uuid4

import msgspec

from headrace.cli.output import say
from headrace.clock import SystemClock
from headrace.errors import HeadraceError, StoreError
from headrace.eventlog.opening import Store, open_event_log
from headrace.eventlog.settings import EventlogSettings
from headrace.eventlog.trail import Deed

ADDRESS = "the command line"
"""Where a deed of a command came from, in the trail."""

Ended = Callable[[object], None]
"""Is told what came of it."""


@contextmanager
def noted(settings: EventlogSettings, action: str, *, org: str | None, target: str, asked: object) -> Iterator[Ended]:
    """Write down, before it is done and when it ended, what whoever uses this machine does.

    Where the event log cannot be reached it is done all the same, and said that it is not noted.
    """
    deed = Deed(
        id=uuid4().hex,
        at=SystemClock().wall(),
        who=getpass.getuser(),
        action=action,
        org=org or "",
        target=target,
        detail=_written(asked),
        address=ADDRESS,
    )
    with closing(open_event_log(settings, SystemClock())) as trail:
        is_noted = _begin(settings, trail, deed)
        answers: list[object] = []
        try:
            yield answers.append
        except Exception as error:
            told = str(error) if isinstance(error, HeadraceError) else type(error).__name__
            _end(trail, deed, is_noted=is_noted, result="failed", answer=told)
            raise
        _end(trail, deed, is_noted=is_noted, result="done", answer=_written(answers[-1]) if answers else "")


def _begin(settings: EventlogSettings, trail: Store, deed: Deed) -> bool:
    try:
        # One that nobody has made is no trail that anybody reads: it is not made for this.
        if not settings.is_postgres and not settings.path().exists():
            raise StoreError(f"there is no event log at {settings.path()}")
        trail.note(deed)
    except HeadraceError as error:
        say(f"this is not noted in the audit trail: {error}")
        return False
    return True


def _end(trail: Store, deed: Deed, *, is_noted: bool, **ended: str) -> None:
    """One that cannot be written down takes nothing back: the deed is done, and stays `asked` in the trail."""
    if is_noted:
        with suppress(HeadraceError):
            trail.note(msgspec.structs.replace(deed, **ended))


def _written(document: object) -> str:
    return msgspec.json.encode(document, enc_hook=str).decode()
