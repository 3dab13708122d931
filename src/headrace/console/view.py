"""What a view is: a question, its answer, and who reads it."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import msgspec

from headrace.console.silent_log import without_log
from headrace.console.sources import Sources
from headrace.console.viewer import Audience, Viewer

Needs = Literal["memory", "stores", "time"]
"""What it takes to answer: what the console remembers and no more; the event log or Kafka; or seconds of either, or of
a server that may hang. Each has threads of its own.
"""


class Rows(Protocol):
    """One page of many things. A row is written as it is."""

    @property
    def rows(self) -> Sequence[Any]: ...

    @property
    def next(self) -> str | None: ...


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One question that can be asked of the console, as a page at *path* and as JSON at `/api/v1` and *path*.

    *ask* is a struct of the parameters, those of the path and those of the query; one with a field `org` can be asked
    by an org's viewers, and gets theirs. *read* is called in a thread with the ask and the sources, and returns an
    *answer*, a struct too. The template is called like the view; where it is empty there is no page. *group* is the
    heading of the navigation under which the page stands, none if it is empty. With *has_stream* the same ask is
    answered at `/stream` below both paths by server-sent events, as they come. *rows* picks the rows of an answer and
    their `next`: such a view, whose ask has `after` and `limit`, can be read as lines of JSON too, at `.ndjson`.
    *for_org* takes out of an answer what an org's viewers are not told, whichever way they ask. A view that *needs*
    memory alone must never touch the event log or Kafka: it is asked for while they hang. One that *outlives_log* is
    told without the event log while that does not answer: its answer says why in `log_trouble`, and lacks what the
    log has.
    """

    name: str
    path: str
    title: str
    ask: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    read: Callable[[Any, Sources], Any]
    audience: Audience = "org"
    group: str = ""
    has_page: bool = True
    has_stream: bool = False
    rows: Callable[[Any], Rows] | None = None
    for_org: Callable[[Any], Any] | None = None
    needs: Needs = "stores"
    outlives_log: bool = False
    help: str = ""

    def answer_to(self, viewer: Viewer, ask: Any, sources: Sources, *, log_trouble: str = "") -> Any:
        """Return the answer as *viewer* gets it; raise what *read* raises. With *log_trouble* nobody asks the log."""
        answer = self.read(ask, without_log(sources) if log_trouble else sources)
        if log_trouble:
            answer = msgspec.structs.replace(answer, log_trouble=log_trouble)
        return answer if viewer.is_operator or self.for_org is None else self.for_org(answer)


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be done, by POST to *path*, as a form and as JSON.

    *ask* holds the parameters of the path and the fields of the form. *do* is called in a thread with the ask, the
    sources and who does it, returns an *answer*, and is written into the trail unless it is not *noted*.
    *back* says where the page goes then: a path made of the ask's fields. *form* names the view on whose page its form
    stands, which is shown again with what was typed when that is refused; without one a problem is shown. Of the
    parameters that it *hides* the trail keeps a digest only: what is erased must leave no name. It *needs* the event
    log, where it is noted, or time as well. What is *urgent* is done also where that cannot be: it is noted later.
    """

    name: str
    path: str
    title: str
    ask: type[msgspec.Struct]
    answer: type[msgspec.Struct]
    do: Callable[[Any, Sources, Viewer], Any]
    audience: Audience = "operator"
    back: Callable[[Any, Any], str]
    form: str = ""
    noted: bool = True
    hides: Sequence[str] = ()
    urgent: bool = False
    needs: Needs = "stores"
    help: str = ""
