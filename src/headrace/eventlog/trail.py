"""What people did, and programs with a token in their name: who, when, to what, and how it ended.

A deed is noted twice under one id: before it is done, as `asked`, and again when it ended. So nothing is done that is
not written down, and a deed that stays `asked` says that nobody knows how it ended. Retention deletes no deeds: the
trail outlives what it tells of.
"""

from typing import Literal, Protocol

import msgspec

from headrace.eventlog.pages import Page

Result = Literal["asked", "done", "failed"]

TEXT = 300
"""Characters of a name before it is cut."""

DETAIL = 4_000
"""Characters of *detail* and of *answer* before they are cut."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that *who* did to *target*, at *at* in seconds since the epoch.

    *org* is whose it was, empty when it was nobody's in particular: only operators see that. *detail* is what was asked
    for, and *answer* what came of it, as JSON or as a sentence. *address* is where the request came from.
    """

    id: str
    at: float
    who: str
    action: str
    org: str = ""
    target: str = ""
    detail: str = ""
    result: Result = "asked"
    answer: str = ""
    address: str = ""


class DeedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which deeds, the last first: done from *since* up to *until*, by *who*, of one *action*, on one *target*, …

    *org* None is every org's and nobody's. *text* is looked for, whatever its case, in who, target, detail and answer.
    """

    org: str | None
    since: float | None = None
    until: float | None = None
    who: str | None = None
    action: str | None = None
    target: str | None = None
    result: Result | None = None
    text: str = ""
    after: str | None = None
    limit: int = 50


class Trail(Protocol):
    """Writes and reads deeds. Each method raises `StoreError`."""

    def note(self, deed: Deed) -> None:
        """Write *deed*; of one that is there under its id, change only the result and the answer."""
        ...

    def deeds(self, query: DeedQuery) -> Page[Deed]:
        """Return one page; raise `UsageError` for an `after` that is none of its own."""
        ...


class OwnTrail(Trail, Protocol):
    """A trail that is one's own, to be closed."""

    def close(self) -> None: ...


def cut(deed: Deed) -> Deed:
    """Return *deed* with every text as long as the trail keeps it."""
    names = {name: _cut(getattr(deed, name), TEXT) for name in ("who", "action", "org", "target", "address")}
    return msgspec.structs.replace(deed, **names, detail=_cut(deed.detail, DETAIL), answer=_cut(deed.answer, DETAIL))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
