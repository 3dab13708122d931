"""The audit trail: what people did, the last first."""

from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from headrace.console.fields import After, Limit, Org, Text, Time
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.eventlog.pages import Page
from headrace.eventlog.trail import Deed, DeedQuery, Result


class TrailAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which deeds."""

    org: Org | None = None
    who: Annotated[Text | None, Meta(description="By this person or token only.")] = None
    action: Annotated[Text | None, Meta(description="Of this kind only, such as redrive.")] = None
    target: Annotated[Text | None, Meta(description="To this only: a destination, a letter, a job.")] = None
    result: Annotated[Result | None, Meta(description="`asked` says that nobody knows how it ended.")] = None
    text: Annotated[Text, Meta(description="In who, target, what was asked for, or what came of it.")] = ""
    since: Annotated[Time | None, Meta(description="Done at or after this time.")] = None
    until: Annotated[Time | None, Meta(description="Done before this time.")] = None
    after: After | None = None
    limit: Limit = 50


def read_trail(ask: TrailAsk, sources: Sources) -> Page[Deed]:
    """Return one page of deeds. An org's viewers see what was done to what is theirs, whoever did it."""
    return sources.log.deeds(DeedQuery(**msgspec.structs.asdict(ask)))


def without_addresses(page: Page[Deed]) -> Page[Deed]:
    """Return *page* without where each deed came from: a person's network, or an operator's, is no org's business."""
    return replace(page, rows=[replace(deed, address="") for deed in page.rows])


TRAIL = View(
    name="trail",
    path="/trail",
    title="Audit trail",
    ask=TrailAsk,
    answer=Page[Deed],
    read=read_trail,
    for_org=without_addresses,
    group="House",
    help="What people did: who, when, to what, and how it ended.",
)
