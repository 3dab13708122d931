"""What the console's watchman saw last of river and books: pages read it from memory, and say how old it is."""

from collections.abc import Mapping

import msgspec

from headrace.broker.port import Group
from headrace.console.watching.history import History
from headrace.console.watching.recent import Recent
from headrace.console.watching.river import River
from headrace.core.columns import Account, Columns
from headrace.core.positions import Positions
from headrace.core.report import Report, enter_account
from headrace.model.pause import Pause


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """The books, closed at *positions*, which were taken at the time *at*; closing them took so many *seconds*."""

    at: float
    seconds: float
    account: Account
    positions: Positions
    whole: Report

    def of(self, org: str | None) -> Report:
        """Return the books of all, or those of *org*, which tell no positions: those are everybody's."""
        if org is None:
            return self.whole
        document = Report()
        enter_account(document, self.account.of(org))
        return document

    def cell(self, org: str, destination: str) -> Columns:
        """Return the columns of *org* at *destination*."""
        return self.account.cells.get((org, destination)) or Columns()


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """The latest look at the river and the latest books; None before the first.

    *pauses* are what people have paused, by name. *trouble* says why the last look failed, *books_trouble* why the
    books could not be closed; what was seen before stands until then. *group* is who was in the workers' consumer
    group, *group_at* that time, and *group_trouble* says why it is not known since.
    """

    river: River | None = None
    group: Group | None = None
    group_at: float | None = None
    books: Books | None = None
    pauses: Mapping[str, Pause] = {}
    trouble: str = ""
    books_trouble: str = ""
    group_trouble: str = ""


class Watch:
    """Holds what was seen. One thread tells, any thread asks."""

    def __init__(self) -> None:
        self._watched = Watched()
        self.history = History()
        self.recent = Recent()

    def latest(self) -> Watched:
        """Return what was seen last."""
        return self._watched

    def tell(self, **seen: object) -> None:
        """Change what was seen last."""
        self._watched = msgspec.structs.replace(self._watched, **seen)
