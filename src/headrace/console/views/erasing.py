"""Erasing a session, or all sessions of a user: what would go, and doing it once its name is typed.

Nobody can undo it, so an org's viewers do it only where it was given to them. What is not there, or not theirs, is told
first, and alike.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from headrace.console.fields import LONGEST, Org
from headrace.console.links import link
from headrace.console.sources import Sources
from headrace.console.telling.summary import Summary, summary_of
from headrace.console.view import Action, View
from headrace.console.viewer import Absent, Forbidden, Viewer
from headrace.console.views.session import SESSION
from headrace.errors import UsageError
from headrace.eventlog.pages import SessionQuery
from headrace.eventlog.upkeep import Erased

SHOWN = 50
"""Sessions of a user that are shown."""

ErasableName = Annotated[str, Meta(min_length=1, max_length=LONGEST, description="The session.")]
UserName = Annotated[str, Meta(min_length=1, max_length=LONGEST, description="The user, as the channel names them.")]
Typed = Annotated[str, Meta(max_length=LONGEST + 2, description="The name of what is erased, once more.")]
"""With a line's end, which a form may add."""


class SessionToEraseAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which session."""

    org: Org
    session: ErasableName


class ToErase(msgspec.Struct, frozen=True, kw_only=True):
    """What would go: these sessions, and of a user with more of them more. *name* is what has to be typed."""

    name: str
    sessions: list[Summary]


class EraseSessionAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which session; *confirm* repeats its name."""

    org: Org
    session: ErasableName
    confirm: Typed = ""


class UserToEraseAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which user."""

    org: Org
    user: UserName


class EraseUserAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which user; *confirm* repeats their name."""

    org: Org
    user: UserName
    confirm: Typed = ""


def read_session_to_erase(ask: SessionToEraseAsk, sources: Sources) -> ToErase:
    """Return the session; raise `Absent` when it is not there."""
    found = sources.log.find_sessions(SessionQuery(org=ask.org, session=ask.session, limit=1)).rows
    if not found:
        raise Absent("there is nothing here")
    return ToErase(name=ask.session, sessions=[summary_of(each) for each in found])


def erase_session(ask: EraseSessionAsk, sources: Sources, by: Viewer) -> Erased:
    """Erase the session, and keep from then on what comes of it out."""
    if not sources.log.find_sessions(SessionQuery(org=ask.org, session=ask.session, limit=1)).rows:
        raise Absent("there is nothing here")
    _check(by, ask.confirm, ask.session)
    return sources.log.erase_session(ask.org, ask.session)


def read_user_to_erase(ask: UserToEraseAsk, sources: Sources) -> ToErase:
    """Return the last sessions of the user. A user with none may be erased all the same: more may be on its way."""
    found = sources.log.find_sessions(SessionQuery(org=ask.org, user=ask.user, limit=SHOWN)).rows
    return ToErase(name=ask.user, sessions=[summary_of(each) for each in found])


def erase_user(ask: EraseUserAsk, sources: Sources, by: Viewer) -> Erased:
    """Erase all sessions that the user began until now."""
    _check(by, ask.confirm, ask.user)
    return sources.log.erase_user(ask.org, ask.user)


def _check(by: Viewer, typed: str, name: str) -> None:
    if not by.may_erase:
        raise Forbidden("you may not erase; operators may, and whoever it was given to; nothing was erased")
    if _as_typed(typed) != _as_typed(name):
        raise UsageError("the name that was typed is another one; nothing was erased")


def _as_typed(name: str) -> str:
    """Return *name* as a field of one line holds it: a browser leaves the ends of lines out."""
    return name.replace("\r", "").replace("\n", "").strip()


def _to_session(ask: EraseSessionAsk, _: Erased) -> str:
    return link(SESSION.path, {"org": ask.org, "session": ask.session})


def _to_user(ask: EraseUserAsk, _: Erased) -> str:
    return link(ERASE_USER.path, {"org": ask.org, "user": ask.user})


ERASE_SESSION = View(
    name="erase_session",
    path="/sessions/{org}/{session}/erase",
    title="Erase a session",
    ask=SessionToEraseAsk,
    answer=ToErase,
    read=read_session_to_erase,
    help="What would go if this session were erased.",
)
DO_ERASE_SESSION = Action(
    name="do_erase_session",
    path=ERASE_SESSION.path,
    title="Erase a session",
    ask=EraseSessionAsk,
    answer=Erased,
    do=erase_session,
    audience="org",
    form="erase_session",
    back=_to_session,
    hides=("session", "confirm"),
    help="Erase one session for ever. An org's viewers may where it was given to them.",
)
ERASE_USER = View(
    name="erase_user",
    path="/users/{org}/{user}/erase",
    title="Erase a user",
    ask=UserToEraseAsk,
    answer=ToErase,
    read=read_user_to_erase,
    help="What would go if this user's sessions were erased.",
)
DO_ERASE_USER = Action(
    name="do_erase_user",
    path=ERASE_USER.path,
    title="Erase a user",
    ask=EraseUserAsk,
    answer=Erased,
    do=erase_user,
    audience="org",
    form="erase_user",
    back=_to_user,
    hides=("user", "confirm"),
    help="Erase all sessions of one user for ever. An org's viewers may where it was given to them.",
)
