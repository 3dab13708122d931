"""A test send: one marked event, through the real sink, to see what goes over the wire and what comes back."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import msgspec
from msgspec import Meta

from headrace.console.fields import Destination, Org
from headrace.console.links import link
from headrace.console.rehearsals import Rehearsal
from headrace.console.sources import Sources
from headrace.console.view import Action
from headrace.console.viewer import Absent, Viewer
from headrace.console.views.destination import check
from headrace.errors import UsageError

TYPE = "headrace.test"
"""The type of a test event: no bot emits it."""


class RehearseAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Where the test event goes, and whose it is."""

    destination: Destination
    org: Annotated[Org | None, Meta(description="The org whose event it is; operators have to name one.")] = None


def send(ask: RehearseAsk, sources: Sources, by: Viewer) -> Rehearsal:
    """Post one test event, past Kafka and the books, and remember what was said."""
    if ask.destination not in sources.facts.destinations:
        raise Absent("there is nothing here")
    if ask.org is None:
        raise UsageError("name the org whose test event it is")
    check(ask.destination, ask.org, sources)
    id_, at = str(uuid4()), sources.clock.wall()
    exchange = sources.rehearse(ask.destination, ask.org, id_, marked_event(ask.org, id_, at))
    rehearsal = Rehearsal(id=id_, at=at, by=by.name, org=ask.org, destination=ask.destination, exchange=exchange)
    sources.rehearsals.add(rehearsal)
    return rehearsal


def marked_event(org: str, id_: str, at: float) -> bytes:
    """Return a CloudEvent that says what it is."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": id_,
            "source": f"/orgs/{org}/bots/headrace-test",
            "subject": "headrace-test",
            "type": TYPE,
            "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "datacontenttype": "application/json",
            "data": {"message": "a test, sent by hand from the Headrace console"},
        }
    )


def _back(ask: RehearseAsk, done: Rehearsal) -> str:
    return link("/destinations/{destination}", {"destination": ask.destination, "org": ask.org, "test": done.id})


TEST = Action(
    name="test",
    path="/destinations/{destination}/test",
    title="Test send",
    ask=RehearseAsk,
    answer=Rehearsal,
    do=send,
    audience="org",
    form="destination",
    back=_back,
    needs="time",
    help="Send one marked event (headrace.test) to a destination, and see request, signature and answer.",
)
