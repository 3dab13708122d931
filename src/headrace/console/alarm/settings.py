"""When the console raises an alert, and whom it tells."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from headrace.core.alerts import Rule
from headrace.model.secret import Secret
from headrace.model.units import Duration


class AlertsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong enough to be told. The console watches; each alert is shown on its page, and posted to *url*."""

    url: Annotated[str, Meta(description="Where notifications are posted as JSON; without it they are only shown.")] = (
        ""
    )
    secret: Annotated[
        list[Secret],
        Meta(description="What signs notifications after Standard Webhooks; two while one is being rotated."),
    ] = []
    lag: Annotated[Duration, Meta(description="How old the oldest unsettled event of the main topic may be.")] = (
        Duration(300)
    )
    dead_letters: Annotated[int, Meta(ge=1, description="How many dead letters within five minutes are too many.")] = 10
    failing: Annotated[
        Duration, Meta(description="For how long an org's destination may take nothing, paused ones left out.")
    ] = Duration(600)
    books_age: Annotated[Duration, Meta(description="How old the books may become.")] = Duration(900)
    silence: Annotated[Duration, Meta(description="For how long nothing may be settled though something waits.")] = (
        Duration(120)
    )
    journal: Annotated[
        float, Meta(gt=0, le=1, description="How much of emitter.journal_bytes this host's journal may hold.")
    ] = 0.5
    repeat: Annotated[Duration, Meta(description="How long an alert is open before it is told again.")] = Duration(
        14_400
    )
    off: Annotated[list[Rule], Meta(description="Rules that are not looked at.")] = []

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if self.url and not (parts.scheme in {"http", "https"} and parts.hostname):
            raise ValueError(f"url: {self.url!r} is no address; write https://host/path")
