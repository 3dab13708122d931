"""Alerts from the watch to the page and the webhook, in virtual time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
import pytest

from headrace.console.alarm.alerting import UNPARKED, Alerting
from headrace.console.alarm.keeping import AlertKeeping
from headrace.console.alarm.notifying import Notifier
from headrace.console.alarm.settings import AlertsSettings
from headrace.console.chores import Pulse
from headrace.console.viewer import Viewer
from headrace.console.watching.watch import Watch
from headrace.core.alerts import CALM
from headrace.errors import BrokerError, StoreError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.trail import DeedQuery
from headrace.model.pause import Pause
from headrace.testing.clock import FakeClock
from headrace.wire.attempts import Attempt
from headrace.wire.times import to_text
from unit.console.asking_client import As, Asking, open_site
from unit.console.river_scenes import NOW, books, part, river, waiting

FORGET = 7_200.0


class Posted(Notifier):
    """Keeps what is told instead of posting it."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__("http://127.0.0.1:9/", None, clock)
        self.texts: list[str] = []
        self.trouble = ""

    def _post(self, id_: str, body: bytes) -> str:
        if not self.trouble:
            self.texts.append(msgspec.json.decode(body)["text"])
        return self.trouble


class Watching:
    """A watch whose river a test changes, and the alerting over it."""

    def __init__(
        self, limits: AlertsSettings | None = None, clock: FakeClock | None = None, log: MemoryEventLog | None = None
    ) -> None:
        self.clock = clock or FakeClock()
        self.log = log or MemoryEventLog(self.clock)
        self.watch = Watch()
        self.posted = Posted(self.clock)
        self.paused: Callable[[], Mapping[str, Pause]] = dict
        self.see()
        self.alerting = Alerting(
            limits or AlertsSettings(),
            self.watch,
            self.posted,
            self.clock,
            pulses=lambda: [Pulse(name="keeper", does="", done_at=self.clock.wall())],
            pauses=self._tell_pauses,
            journal=lambda: None,
            forget=FORGET,
            keeping=AlertKeeping(lambda: self.log),
        )

    def see(self, oldest: float | None = None, dead: int = 0, *, parked: bool = False) -> None:
        at = self.clock.wall()
        main = part(end=200, oldest=oldest) if oldest else part()
        seen = msgspec.structs.replace(river(main, dead=dead), at=NOW, waiting=[waiting("acme", "parked")] * parked)
        self.watch.tell(river=msgspec.structs.replace(seen, at=at) if not oldest else seen, books=books(at=at))

    def _tell_pauses(self) -> Mapping[str, Pause]:
        return self.paused()

    def step(self, seconds: float = 5.0) -> None:
        self.alerting.step()
        self.clock.advance(seconds)

    def open(self) -> list[str]:
        return [alert.rule for alert in self.alerting.board().open]


def fail(watching: Watching, org: str, seconds: float) -> None:
    """Let two posts fail, the first so many seconds ago."""
    for ago in (seconds, 1.0):
        at = to_text(watching.clock.wall() - ago)
        attempt = Attempt(org=org, destination="crm", at=at, ms=1.0, events=1, bytes=1, retryable=1)
        watching.watch.recent.add(attempt)


def test_lag_is_told_once_shown_and_told_to_be_over() -> None:
    watching = Watching()
    watching.see(oldest=400)
    for _ in range(3):
        watching.step()
    assert watching.open() == ["lag"]
    assert watching.posted.texts == ["[Headrace] headrace.events: the oldest event waits 6 min 40 s"]

    watching.see()
    watching.step(CALM)
    watching.see()
    watching.step()

    assert watching.open() == []
    assert [alert.rule for alert in watching.alerting.board().past] == ["lag"]
    assert watching.posted.texts[1:] == ["[Headrace] resolved: headrace.events: the oldest event waits 6 min 40 s"]


def test_dead_letters_are_counted_from_the_first_look_on() -> None:
    watching = Watching()
    watching.see(dead=1_000)
    watching.step()
    assert watching.open() == []

    watching.see(dead=1_010)
    watching.step()

    assert watching.open() == ["dead_letters"]


def test_a_rule_that_is_off_is_not_looked_at() -> None:
    watching = Watching(AlertsSettings(off=["lag"]))
    watching.see(oldest=400)
    watching.step()

    assert watching.open() == []


def test_a_paused_destination_is_left_alone_also_while_kafka_does_not_tell() -> None:
    watching = Watching()
    fail(watching, "acme", 700.0)
    watching.paused = lambda: {"crm": Pause(destination="crm")}
    watching.step()

    def away() -> Mapping[str, Pause]:
        raise BrokerError("nobody answers")

    watching.paused = away
    watching.step()
    assert watching.open() == []
    watching.paused = dict
    watching.step()

    assert watching.open() == ["destination_failing"]


def test_a_destination_that_is_parked_and_let_go_again_and_again_is_told_of_once() -> None:
    watching = Watching()
    for step in range(160):
        is_well = step % 40 >= 20  # a hundred seconds of each
        if is_well:
            at = to_text(watching.clock.wall())
            well = Attempt(org="acme", destination="crm", at=at, ms=1.0, events=1, bytes=1, delivered=1)
            watching.watch.recent.add(well)
        else:
            fail(watching, "acme", 2.0)
        watching.see(parked=not is_well)
        watching.step()
    assert watching.posted.texts == ["[Headrace] crm is parked, of acme"]

    watching.watch.recent.add(well)
    for _ in range(round(UNPARKED / 5) + 2):
        watching.see()
        watching.watch.recent.add(msgspec.structs.replace(well, at=to_text(watching.clock.wall())))
        watching.step()
    assert watching.posted.texts[1:] == ["[Headrace] resolved: crm is parked, of acme"]


def test_a_console_that_begins_again_tells_nothing_anew_and_tells_what_is_over() -> None:
    before = Watching()
    before.see(oldest=400)
    before.step()
    assert before.posted.texts == ["[Headrace] headrace.events: the oldest event waits 6 min 40 s"]

    after = Watching(clock=before.clock, log=before.log)
    after.see(oldest=400)
    after.step()
    assert after.posted.texts == []
    assert after.open() == ["lag"]

    last = Watching(clock=before.clock, log=before.log)
    last.step(CALM)
    last.see()
    last.step()
    assert last.posted.texts == ["[Headrace] resolved: headrace.events: the oldest event waits 6 min 40 s"]
    (deed,) = last.log.deeds(DeedQuery(org=None)).rows
    assert (deed.action, deed.who, deed.org, deed.result) == ("alert", "the console", "", "done")
    assert Watching(clock=before.clock, log=before.log).open() == []


def test_an_alert_about_what_is_there_no_more_is_over_some_time_after_the_console_began_again() -> None:
    before = Watching()
    fail(before, "acme", 2.0)
    before.see(parked=True)
    for _ in range(8):
        before.step()
    assert before.open() == ["destination_parked"]

    after = Watching(clock=before.clock, log=before.log)
    after.see()
    after.step()
    assert after.open() == ["destination_parked"], "nothing is known of it yet"
    after.see()
    after.step(FORGET)
    after.see()
    after.step()

    assert after.open() == []
    assert after.posted.texts == ["[Headrace] resolved: crm is parked, of acme"]
    assert [deed.result for deed in after.log.deeds(DeedQuery(org=None)).rows] == ["done"]


def test_an_alert_of_a_rule_that_is_off_now_is_not_open_any_more() -> None:
    before = Watching()
    before.see(oldest=400)
    before.step()

    after = Watching(AlertsSettings(off=["lag"]), clock=before.clock, log=before.log)
    after.step()

    assert (after.open(), after.posted.texts) == ([], [])
    assert [deed.result for deed in after.log.deeds(DeedQuery(org=None)).rows] == ["done"]


def test_while_the_event_log_fails_alerts_are_told_and_written_down_later(monkeypatch: pytest.MonkeyPatch) -> None:
    watching = Watching()

    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(watching.log, "deeds", fail)
    monkeypatch.setattr(watching.log, "note", fail)
    watching.see(oldest=400)
    watching.step()
    assert watching.open() == ["lag"]
    monkeypatch.undo()
    watching.see(oldest=400)
    watching.step()

    assert [deed.result for deed in watching.log.deeds(DeedQuery(org=None)).rows] == ["asked"]
    assert len(watching.posted.texts) == 1


@contextmanager
def page(watching: Watching) -> Iterator[Asking]:
    with open_site(alerts=watching.alerting, clock=watching.clock) as site:
        yield site


def test_the_page_shows_what_is_open_what_is_over_and_every_rule() -> None:
    watching = Watching()
    watching.see(oldest=400)
    watching.step()

    with page(watching) as site:
        document, shown = site.get("/api/v1/alerts").json(), site.get("/alerts")

    assert [alert["says"] for alert in document["open"]] == ["headrace.events: the oldest event waits 6 min 40 s"]
    assert [rule["open"] for rule in document["rules"] if rule["rule"] == "lag"] == [1]
    assert shown.status == 200
    assert "the oldest event waits 6 min 40 s" in shown.text
    assert "1 open" in shown.text
    assert 'href="/topics"' in shown.text


@pytest.mark.parametrize(("trouble", "seen"), [("", ">taken<"), ("it answers 503", "it answers 503")])
def test_a_test_is_sent_from_the_page_which_says_what_came_of_it(trouble: str, seen: str) -> None:
    watching = Watching()
    watching.posted.trouble = trouble

    with page(watching) as site:
        sent = site.post("/alerts/test")
        shown = site.get("/alerts")

    assert (sent.status, sent.headers["location"]) == (303, "/alerts")
    assert seen in shown.text


def test_without_a_webhook_the_page_says_what_to_set() -> None:
    with open_site() as site:
        assert "alerts.url" in site.get("/alerts").text
        assert site.post("/api/v1/alerts/test", json={}).status == 400


def test_alerts_are_for_operators() -> None:
    with open_site(access=As(Viewer("ann", "acme"))) as site:
        answers: Sequence[int] = [site.get(path).status for path in ("/alerts", "/api/v1/alerts")]
        answers = [*answers, site.post("/api/v1/alerts/test", json={}).status]

    assert answers == [404, 404, 404]
