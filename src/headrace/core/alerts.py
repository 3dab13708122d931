"""Alerts: when something that is wrong is told, told again, and told to be over. Pure; *now* is an argument.

An alert is raised when its cause has stood for a while, and resolved when it has been gone for a while, so that what
comes and goes is told once. What is not known changes nothing.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

Rule = Literal[
    "lag",
    "dead_letters",
    "destination_parked",
    "destination_failing",
    "books_unbalanced",
    "books_old",
    "workers_silent",
    "river_unseen",
    "event_log_failing",
    "journal_filling",
]

CALM = 60.0
"""Seconds for which all has to be well before an alert is resolved."""

SUBJECTS = 500
"""Alerts and beginnings of alerts that are kept at the same time; what comes beyond has to wait for room."""


class Symptom(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at one *subject* of a rule came to; *says* is one sentence without an event's content."""

    rule: Rule
    subject: str = ""
    is_wrong: bool
    says: str


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something is wrong, or was. Times are in seconds since the epoch; *since* is when it was found first."""

    rule: Rule
    subject: str
    says: str
    since: float
    raised_at: float
    resolved_at: float | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told."""

    kind: Literal["raised", "open", "resolved"]
    alert: Alert


class Alarms:
    """Turns symptoms into notices. *after* says for how long a rule's cause has to stand, in seconds, else not at all;
    *calm* for how long it has to be gone, else `CALM`.

    What stays open is told again each *repeat* seconds.
    """

    def __init__(self, after: Mapping[Rule, float], *, repeat: float, calm: Mapping[Rule, float] | None = None) -> None:
        self._after = after
        self._repeat = repeat
        self._calm = calm or {}
        self._causes: dict[tuple[Rule, str], _Cause] = {}

    def look(self, symptoms: Iterable[Symptom], now: float) -> Sequence[Notice]:
        """Take in what was found at *now*, and return what is to be told of it."""
        notices = []
        for symptom in symptoms:
            key = (symptom.rule, symptom.subject)
            cause = self._causes.get(key)
            if cause is None:
                if not symptom.is_wrong or len(self._causes) >= SUBJECTS:
                    continue
                cause = self._causes[key] = _Cause(now)
            cause.forgotten_at = None
            notice = self._judge(cause, symptom, now)
            if cause.is_over:
                del self._causes[key]
            if notice is not None:
                notices.append(notice)
        return [*notices, *self._forget(now)]

    def restore(self, alerts: Iterable[Alert], now: float, forget: float) -> None:
        """Take in alerts that were open before; they were told, and are told again no sooner than others.

        One whose subject is not heard of within *forget* seconds is over: it may be there no more.
        """
        for alert in alerts:
            cause = _Cause(alert.since)
            cause.alert, cause.told_at, cause.forgotten_at = alert, now, now + forget
            self._causes.setdefault((alert.rule, alert.subject), cause)

    def open(self) -> Sequence[Alert]:
        """Return the alerts that are open, the latest first."""
        found = [cause.alert for cause in self._causes.values() if cause.alert is not None]
        return sorted(found, key=lambda alert: -alert.raised_at)

    def _forget(self, now: float) -> Iterator[Notice]:
        for key, cause in list(self._causes.items()):
            if cause.alert is not None and cause.forgotten_at is not None and now >= cause.forgotten_at:
                del self._causes[key]
                yield _resolved(cause.alert, now)

    def _judge(self, cause: "_Cause", symptom: Symptom, now: float) -> Notice | None:
        if not symptom.is_wrong:
            return self._calm_down(cause, self._calm.get(symptom.rule, CALM), now)
        cause.well_since = None
        if cause.alert is None:
            if now - cause.since < self._after.get(symptom.rule, 0.0):
                return None
            cause.alert = Alert(
                rule=symptom.rule, subject=symptom.subject, says=symptom.says, since=cause.since, raised_at=now
            )
            cause.told_at = now
            return Notice(kind="raised", alert=cause.alert)
        cause.alert = msgspec.structs.replace(cause.alert, says=symptom.says)
        if now - cause.told_at < self._repeat:
            return None
        cause.told_at = now
        return Notice(kind="open", alert=cause.alert)

    def _calm_down(self, cause: "_Cause", calm: float, now: float) -> Notice | None:
        if cause.alert is None:
            cause.is_over = True
            return None
        cause.well_since = now if cause.well_since is None else cause.well_since
        if now - cause.well_since < calm:
            return None
        cause.is_over = True
        return _resolved(cause.alert, now)


def _resolved(alert: Alert, now: float) -> Notice:
    return Notice(kind="resolved", alert=msgspec.structs.replace(alert, resolved_at=now))


class Growth:
    """By how much a sum has grown within the last *window* seconds."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, total: int, now: float) -> int:
        """Note the *total* at *now*, and return the growth. What shrinks was made anew, and begins there."""
        if self._seen and total < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, total))
        while len(self._seen) > 1 and self._seen[1][0] <= now - self._window:
            self._seen.popleft()
        return total - self._seen[0][1]


class _Cause:
    """One subject of one rule in which something is wrong, or was a moment ago."""

    __slots__ = ("alert", "forgotten_at", "is_over", "since", "told_at", "well_since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.told_at = since
        self.well_since: float | None = None
        self.alert: Alert | None = None
        self.forgotten_at: float | None = None
        self.is_over = False
