"""What a console tells those who look after it, and who may read it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.routing import BaseRoute

from headrace.console.alarm.alerting import Board
from headrace.console.chores import Pulse
from headrace.console.tailing.tail import Sought, Tail
from headrace.console.viewer import Viewer
from headrace.console.watching.watch import Watch
from headrace.console.web.desk import Desk
from headrace.console.web.health import Vitals, routes
from headrace.console.web.pages import Pages
from headrace.console.web.site import Access
from headrace.core.alerts import Alert
from headrace.errors import StoreError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.pages import Page, SessionQuery
from headrace.eventlog.port import SessionSummary
from headrace.telemetry.catalogue import CONSOLE
from headrace.testing.clock import FakeClock
from unit.console.asking_client import OPERATOR, Asking, open_site
from unit.console.river_scenes import NOW, books, part, river

KEPT = Pulse(name="keeper", does="", done_at=NOW)
ALERT = Alert(rule="lag", subject="headrace.events", says="it waits", since=NOW, raised_at=NOW)


class FailingLog(MemoryEventLog):
    """Answers nothing."""

    def find_sessions(self, query: SessionQuery) -> Page[SessionSummary]:
        raise StoreError("the disk is full")


@contextmanager
def console(
    watch: Watch | None = None,
    *,
    viewer: Viewer | None = OPERATOR,
    pulses: Sequence[Pulse] = (KEPT,),
    tail: Tail | None = None,
    log: MemoryEventLog | None = None,
) -> Iterator[Asking]:
    clock = FakeClock()
    board = Board(open=[ALERT])
    vitals = Vitals(watch or seen(), tail or Tail(), clock, pulses=lambda: pulses, board=lambda: board)

    def more(desk: Desk, access: Access, _: Pages) -> Sequence[BaseRoute]:
        return routes(vitals, desk, access)

    with open_site(viewer=viewer, more=more, clock=clock, log=log) as site:
        yield site


def seen(at: float = NOW) -> Watch:
    watch = Watch()
    watch.tell(river=river(part(end=150, oldest=7), tier=part(end=9, committed=2, oldest=31), at=at))
    watch.tell(books=books(at=at, accepted=150, delivered=143, retrying=7))
    return watch


def metrics(site: Asking) -> Mapping[tuple[str, str], float]:
    text = site.get("/metrics").text
    families = text_string_to_metric_families(text)
    return {(each.name, ",".join(each.labels.values())): each.value for family in families for each in family.samples}


def test_metrics_tell_river_books_and_alerts() -> None:
    with console() as site:
        site.get("/sessions")
        told = metrics(site)

    assert told["headrace_lag_records", "headrace.events"] == 50
    assert told["headrace_lag_seconds", "headrace.events"] == 7
    assert told["headrace_lag_seconds", "headrace.retry.30s"] == 1
    assert told["headrace_tier_events", "30s"] == 7
    assert (told["headrace_books_events", "delivered"], told["headrace_books_events", "lost"]) == (143, 0)
    assert told["headrace_books_balanced", ""] == 1
    assert (told["headrace_alerts_open", "lag"], told["headrace_alerts_open", "books_old"]) == (1, 0)
    assert told["headrace_questions_total", ""] == 1


def test_every_metric_of_the_console_is_told() -> None:
    with console() as site:
        names = {name for name, _ in metrics(site)}

    assert {metric.exposed for metric in CONSOLE} <= names


def test_before_the_first_look_nothing_is_made_up() -> None:
    with console(Watch(), pulses=[]) as site:
        names = {name for name, _ in metrics(site)}

    assert not {"headrace_lag_records", "headrace_books_balanced", "headrace_keeper_age_seconds"} & names


def test_questions_that_fail_and_viewers_are_counted() -> None:
    clock = FakeClock()
    tail = Tail()
    tail.join(Sought(), lambda: None, None)
    with console(log=FailingLog(clock), tail=tail) as site:
        assert site.get("/sessions").status == 503
        told = metrics(site)

    assert told["headrace_questions_failed_total", ""] == 1
    assert told["headrace_viewers_open", ""] == 1


@pytest.mark.parametrize(
    ("viewer", "headers", "status"),
    [
        (OPERATOR, {}, 200),
        (None, {}, 200),
        (None, {"x-forwarded-for": "203.0.113.7"}, 404),
        (None, {"forwarded": "for=203.0.113.7"}, 404),
        (Viewer("ann", "acme"), {}, 404),
    ],
)
def test_metrics_are_for_operators_and_this_machine(
    viewer: Viewer | None, headers: Mapping[str, str], status: int
) -> None:
    """The client of these tests comes from loopback; what a proxy passes on does not."""
    with console(viewer=viewer) as site:
        assert site.get("/metrics", headers).status == status


def test_whoever_asks_learns_whether_it_is_well_and_only_operators_why_not() -> None:
    ill = Pulse(name="keeper", does="", done_at=NOW, failure="cannot open /srv/secret.db")
    with console(pulses=[ill]) as site:
        told = site.get("/readyz")
    with console(pulses=[ill], viewer=Viewer("ann", "acme")) as site:
        hushed = site.get("/readyz")

    assert (told.status, told.json()["checks"]["event_log"]["says"]) == (503, "cannot open /srv/secret.db")
    assert (hushed.status, hushed.json()) == (503, {"ok": False, "checks": {}})


@pytest.mark.parametrize(
    ("watch", "pulses", "status"),
    [
        (seen, [KEPT], 200),
        (lambda: seen(NOW - 61), [KEPT], 503),
        (Watch, [KEPT], 503),
        (seen, [], 503),
        (seen, [Pulse(name="keeper", does="", done_at=NOW - 301)], 503),
    ],
)
def test_a_console_is_ready_when_what_it_shows_is_fresh(
    watch: Callable[[], Watch], pulses: Sequence[Pulse], status: int
) -> None:
    with console(watch(), pulses=pulses) as site:
        assert site.get("/readyz").status == status
        assert site.get("/livez").status == 200
