"""Who asks, what they may ask for, and how much of it at once."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from headrace.errors import HeadraceError

Audience = Literal["org", "operator"]
"""Whom a view or an action is for. What is for an org's viewers is for operators too."""


class Absent(HeadraceError):
    """There is no such thing, or it is not the viewer's to see: both are told alike."""


class Forbidden(HeadraceError):
    """It is the viewer's to see, and not theirs to do."""


class Busy(HeadraceError):
    """The console has too much to do to answer now."""


class Greedy(Busy):
    """Who asks has as much open at once as one viewer may."""


class Viewer(msgspec.Struct, frozen=True):
    """A person, or a program with a *token*, of that id. *org* None: an operator, who sees every org.

    *is_eraser*: a viewer of an org to whom erasing was given, too.
    """

    name: str
    org: str | None = None
    token: str = ""
    is_eraser: bool = False

    @property
    def is_operator(self) -> bool:
        return self.org is None

    @property
    def may_erase(self) -> bool:
        return self.is_operator or self.is_eraser

    @property
    def share(self) -> str:
        """By what it is counted what one viewer has open: all of an org are one."""
        if self.org is not None:
            return f"org {self.org}"
        return f"token {self.token}" if self.token else f"person {self.name}"


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a thing there may be at once: *most* of them, of one org *each*, and *reserve* are for operators."""

    most: int
    each: int
    reserve: int

    def refusal(self, taken: Sequence[str | None], org: str | None) -> Literal["full", "share"] | None:
        """Say why a viewer of *org* (None: an operator) gets none; *taken* are the orgs of those who have one.

        `share`: it has its own already; `full`: there is none for it, whoever has them.
        """
        if len(taken) >= self.most:
            return "full"
        if org is None:
            return None
        if taken.count(org) >= self.each:
            return "share"
        of_orgs = sum(each is not None for each in taken)
        return "full" if of_orgs >= self.most - self.reserve else None


def admit(viewer: Viewer, audience: Audience, org: str | None) -> str | None:
    """Return the org that *viewer* gets when asking for *org* (None: whichever they may see); raise `Absent`."""
    if viewer.org is None:
        return org
    if audience == "operator" or org not in {None, viewer.org}:
        raise Absent("there is nothing here")
    return viewer.org
