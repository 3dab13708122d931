"""Looks for what is wrong every few seconds, tells it, and remembers what there was."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import msgspec
import structlog

from headrace.clock import Clock
from headrace.console.alarm.keeping import AlertKeeping
from headrace.console.alarm.notifying import Notifier, Told
from headrace.console.alarm.settings import AlertsSettings
from headrace.console.alarm.symptoms import Seen, symptoms
from headrace.console.chores import Pulse
from headrace.console.watching.watch import Watch
from headrace.core.alerts import Alarms, Alert, Growth, Notice, Rule
from headrace.errors import BrokerError, UsageError
from headrace.model.pause import Pause

LOOK_EVERY = 5.0
PAST = 200
"""Alerts that are over and remembered."""

WINDOW = 300.0
"""Seconds in which dead letters are counted."""

PARKED = 30.0
UNPARKED = 600.0
"""Seconds for which a destination has to be parked until it is told, and well until that is over: one that is parked
and let go again and again is told of once.
"""

_log = structlog.get_logger("headrace.console")


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts for whoever asks; *at* is when it was looked for them last, in seconds since the epoch."""

    at: float | None = None
    open: Sequence[Alert] = ()
    past: Sequence[Alert] = ()
    told: Told = Told()
    limits: AlertsSettings = AlertsSettings()


class NoAlerts:
    """Where nobody looks for what is wrong."""

    def board(self) -> Board:
        return Board()

    def test(self) -> str:
        raise UsageError("nobody looks for alerts here")


class Alerting:
    """Its `step` is a chore's; any thread asks for the `board`, and for a `test`.

    *pauses* tells what people have paused, *journal* how many bytes this host's journal holds and may hold. A lane that
    was not tried for *forget* seconds is not failing any more: there is nothing left to try. *keeping* knows what was
    open when the console before ended; what is not heard of for *forget* seconds since then is over, too.
    """

    def __init__(
        self,
        limits: AlertsSettings,
        watch: Watch,
        notifier: Notifier,
        clock: Clock,
        *,
        pulses: Callable[[], Sequence[Pulse]],
        pauses: Callable[[], Mapping[str, Pause]],
        journal: Callable[[], tuple[int, int] | None],
        forget: float,
        keeping: AlertKeeping | None = None,
    ) -> None:
        self._limits = limits
        self._watch = watch
        self._notifier = notifier
        self._clock = clock
        self._pulses = pulses
        self._pauses = pauses
        self._journal = journal
        self._forget = forget
        self._keeping = keeping
        self._is_restored = keeping is None
        self._started_at = clock.wall()
        self._paused: Mapping[str, Pause] = {}
        self._dead = Growth(WINDOW)
        self._past: deque[Alert] = deque(maxlen=PAST)
        after: Mapping[Rule, float] = {
            "workers_silent": limits.silence,
            "books_unbalanced": 30.0,
            "event_log_failing": 60.0,
            "destination_parked": PARKED,
        }
        self._alarms = Alarms(after, repeat=limits.repeat, calm={"destination_parked": UNPARKED})
        self._board = Board(limits=limits)

    def board(self) -> Board:
        """Return the alerts as of the last look."""
        return msgspec.structs.replace(self._board, told=self._notifier.told)

    def test(self) -> str:
        """Post a test notification; return why it was not taken, or nothing."""
        return self._notifier.test()

    def step(self) -> None:
        """Look once, and tell what is to be told."""
        now = self._clock.wall()
        self._restore(now)
        found = [each for each in symptoms(self._see(now), self._limits) if each.rule not in self._limits.off]
        notices = self._alarms.look(found, now)
        for notice in notices:
            alert = notice.alert
            _log.warning(f"console.alert_{notice.kind}", rule=alert.rule, subject=alert.subject, says=alert.says)
            if notice.kind == "resolved":
                self._past.appendleft(alert)
        self._board = Board(at=now, open=self._alarms.open(), past=list(self._past), limits=self._limits)
        if self._keeping is not None:
            self._keeping.keep(notices)
        self._notifier.tell(notices)
        self._notifier.work()

    def close(self) -> None:
        """Release what is held."""
        if self._keeping is not None:
            self._keeping.close()

    def _restore(self, now: float) -> None:
        if self._keeping is None or self._is_restored:
            return
        known = self._keeping.open()
        if known is not None:
            off = [alert for alert in known if alert.rule in self._limits.off]
            self._keeping.keep([Notice(kind="resolved", alert=alert) for alert in off])
            self._alarms.restore([alert for alert in known if alert not in off], now, self._forget)
            self._is_restored = True

    def _see(self, now: float) -> Seen:
        watched = self._watch.latest()
        dead: int | None = None
        if watched.river is not None:
            topics = [topic for topic in watched.river.topics if topic.kind == "dead"]
            dead = self._dead.add(sum(part.end for topic in topics for part in topic.parts), now)
        return Seen(
            now=now,
            started_at=self._started_at,
            watched=watched,
            lanes=self._watch.recent.lanes(),
            forgotten=now - self._forget,
            pulses=self._pulses(),
            paused=list(self._look_for_pauses()),
            dead=dead,
            journal=self._journal(),
        )

    def _look_for_pauses(self) -> Mapping[str, Pause]:
        """What was known holds while Kafka does not tell."""
        try:
            self._paused = self._pauses()
        except BrokerError as error:
            _log.info("console.pauses_unknown", error=str(error))
        return self._paused
