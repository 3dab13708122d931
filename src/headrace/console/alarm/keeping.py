"""Keeps alerts in the trail, so that a console that begins again knows which are open: those are not told anew, and it
is told when they are over. One that stays `asked` there is open.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from headrace.core.alerts import Alert, Notice
from headrace.errors import StoreError
from headrace.eventlog.trail import Deed, DeedQuery, OwnTrail

ACTION = "alert"
"""What an alert is called in the trail."""

WHO = "the console"
"""Who raised it there."""

MOST = 1_000
"""Alerts that wait to be written, while the event log takes none."""

_log = structlog.get_logger("headrace.console")


class AlertKeeping:
    """Called by one thread. *open_trail* is called at the first use."""

    def __init__(self, open_trail: Callable[[], OwnTrail]) -> None:
        self._open_trail = open_trail
        self._trail: OwnTrail | None = None
        self._waiting: dict[str, Deed] = {}

    def open(self) -> Sequence[Alert] | None:
        """Return what was open when the console before ended, None while the event log does not tell."""
        alerts: dict[tuple[str, str], Alert] = {}
        try:
            for deed in self._open_deeds():
                try:
                    alert = msgspec.json.decode(deed.detail, type=Alert)
                except msgspec.DecodeError:
                    continue
                if (alert.rule, alert.subject) in alerts:  # another console's, or one that nobody could end
                    self._waiting[deed.id] = msgspec.structs.replace(deed, result="done")
                alerts.setdefault((alert.rule, alert.subject), alert)
        except StoreError as error:
            _log.info("console.alerts_unknown", error=str(error))
            return None
        return list(alerts.values())

    def keep(self, notices: Sequence[Notice]) -> None:
        """Write down what was raised and what is over; what the event log does not take waits for the next time."""
        for notice in notices:
            if notice.kind != "open" and len(self._waiting) < MOST:
                deed = _deed(notice)
                self._waiting[deed.id] = deed
        try:
            for id_ in list(self._waiting):
                self._own().note(self._waiting[id_])
                del self._waiting[id_]
        except StoreError as error:
            _log.info("console.alerts_not_kept", error=str(error))

    def close(self) -> None:
        """Release what is held."""
        if self._trail is not None:
            self._trail.close()

    def _open_deeds(self) -> Iterator[Deed]:
        after: str | None = None
        while True:
            page = self._own().deeds(DeedQuery(org=None, action=ACTION, result="asked", after=after, limit=500))
            yield from page.rows
            after = page.next
            if after is None:
                return

    def _own(self) -> OwnTrail:
        if self._trail is None:
            self._trail = self._open_trail()
        return self._trail


def _deed(notice: Notice) -> Deed:
    alert = notice.alert
    raised = msgspec.structs.replace(alert, resolved_at=None)
    return Deed(
        id=f"{ACTION}/{alert.rule}/{alert.subject}/{alert.raised_at}",
        at=alert.raised_at,
        who=WHO,
        action=ACTION,
        target=alert.subject or alert.rule,
        detail=msgspec.json.encode(raised).decode(),
        result="done" if notice.kind == "resolved" else "asked",
        answer=msgspec.json.encode({"resolved_at": alert.resolved_at}).decode() if alert.resolved_at else "",
    )
