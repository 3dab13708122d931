"""Graphs: per minute, up to how far everything is counted, and never zero where nobody knows."""

import pytest

from headrace.console.flow import FRESH, Period, Point, points, sums
from headrace.eventlog.counting import Counter
from headrace.eventlog.graphs import Counted
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import FakeClock
from unit.console.asking_client import NOW, Asking, open_site
from unit.console.counted_log import MINUTE, counted, counted_up_to, counters, emitted
from unit.console.watched_river import known, watched


def _graph(site: Asking, path: str) -> list[dict[str, float | None]]:
    found: list[dict[str, float | None]] = site.get(path).json()["points"]
    return found


def test_graphs_are_per_minute_and_end_with_the_last_whole_step() -> None:
    with open_site(watch=watched(), known=known(), log=counted()) as site:
        hour, day = _graph(site, "/api/v1/?range=1h"), _graph(site, "/api/v1/?range=24h")

    whole, quarters = [each for each in hour if each["whole"]], [each for each in day if each["whole"]]
    assert (len(whole), len(quarters)) == (60, 96)
    (point,) = [each for each in whole if each["accepted"]]
    assert (point["at"], point["accepted"], point["succeeded"], point["failed"]) == (MINUTE, 66, 4, 1)
    assert [each["accepted"] for each in quarters if each["accepted"]] in ([4.4], []), "fifteen minutes a point"


def test_emitted_is_drawn_while_no_worker_settles_anything() -> None:
    log = MemoryEventLog(FakeClock())
    log.count(Counted(counters=[*emitted(MINUTE, 33), *emitted(MINUTE + 60, 0)]))
    counted_up_to(log, NOW)
    with open_site(watch=watched(), known=known(), log=log) as site:
        graph, page = _graph(site, "/api/v1/"), site.get("/").text
        of_one = _graph(site, "/api/v1/orgs/a")

    told = {each["at"]: (each["emitted"], each["delivered"]) for each in graph}
    assert (told[MINUTE], told[MINUTE + 60]) == ((33, 0), (0, 0))
    assert told[MINUTE - 60] == (None, 0), "nobody looked then"
    assert "Emitted, posted and delivered" in page
    assert {each["emitted"] for each in of_one} == {None}, "the topic does not tell whose they are"


def test_minute_under_way_is_shown_at_its_rate_so_far() -> None:
    """In the first minute of a river there is no other."""
    clock = FakeClock()
    clock.advance(30 - NOW % 60)
    log = MemoryEventLog(clock)
    minute = int(clock.wall() - 30)
    log.count(Counted(counters=counters("a", "crm", minute, accepted=60, delivered=50, posts=4)))
    log.count(Counted(counters=emitted(minute, 70)))
    counted_up_to(log, clock.wall())
    with open_site(watch=watched(), known=known(), log=log, clock=clock) as site:
        *hour, last = _graph(site, "/api/v1/")
        page = site.get("/").text

    assert [each["accepted"] for each in hour] == [0.0] * 60
    assert (last["at"], last["whole"], last["accepted"], last["succeeded"]) == (minute, False, 120, 8)
    assert last["emitted"] == 140
    assert "so far" in page


def asked(until: int, counted: float | None, *, is_fresh: bool = True) -> Period:
    return Period(since=0, until=until, step=60, counted=counted, is_fresh=is_fresh)


def test_minute_that_has_just_begun_has_no_rate() -> None:
    one = [Counter(step=60, org="*", destination="crm", at=60, accepted=1)]

    assert [each.at for each in points(one, asked(60, 61.0))] == [0]
    assert [each.accepted for each in points(one, asked(60, 90.0))] == [0, 2]
    assert [each.accepted for each in points(one, asked(60, 200.0))] == [0, 1], "a step has its seconds and no more"


def test_what_nobody_counted_yet_is_a_gap_and_a_quiet_minute_is_zero() -> None:
    found = points([Counter(step=60, org="*", destination="crm", at=60, accepted=3)], asked(240, 180.0))

    assert [each.accepted for each in found] == [0, 3, 0, None]
    assert sums([]).ms is None


def test_step_that_is_counted_in_part_only_is_a_gap() -> None:
    """A keeper that comes back from far behind has counted some of it, and nobody knows how much."""
    some = [Counter(step=60, org="*", destination="crm", at=at, accepted=3) for at in (60, 120)]

    assert [each.accepted for each in points(some, asked(180, 90.0, is_fresh=False))] == [0, None, None]


def test_last_step_that_has_just_ended_is_shown_at_its_rate_so_far_until_it_is_counted() -> None:
    some = [Counter(step=60, org="*", destination="crm", at=60, accepted=56)]

    assert points(some, asked(120, 116.0))[-1] == Point(
        at=60, whole=False, accepted=60, delivered=0, posted=0, retried=0, dead=0, succeeded=0, failed=0
    )


@pytest.mark.parametrize("path", ["/", "/orgs/a", "/destinations/crm"])
def test_before_the_keeper_did_a_step_nothing_is_zero(path: str) -> None:
    log = MemoryEventLog(FakeClock())
    log.count(Counted(counters=counters("a", "crm", MINUTE, accepted=60, posts=4)))
    with open_site(watch=watched(), known=known(), log=log) as site:
        graph, page = _graph(site, f"/api/v1{path}"), site.get(path).text

    assert len(graph) == 60
    assert {each["accepted"] for each in graph} == {None}
    assert {each["failed"] for each in graph} == {None}
    assert "Nothing has been counted yet" in page


def test_orgs_and_destinations_have_no_posts_of_an_hour_that_nobody_counted() -> None:
    with open_site(watch=watched(), known=known(), log=MemoryEventLog(FakeClock())) as site:
        overview = site.get("/api/v1/").json()["sums"]
        orgs = {each["hour"] for each in site.get("/api/v1/orgs").json()["rows"]}
        destinations = {each["hour"] for each in site.get("/api/v1/destinations").json()["rows"]}
        pages = [site.get(path).status for path in ("/", "/orgs", "/destinations", "/destinations/crm")]

    assert (overview, orgs, destinations) == (None, {None}, {None})
    assert pages == [200] * 4


@pytest.mark.parametrize(
    ("ago", "says"),
    [(None, "nothing has been counted yet"), (600.0, "it is counted only up to"), (1.0, "No org has trouble")],
)
def test_no_org_has_trouble_only_where_that_is_known(ago: float | None, says: str) -> None:
    log = MemoryEventLog(FakeClock())
    if ago is not None:
        counted_up_to(log, NOW - ago)
    with open_site(watch=watched(), known=known(), log=log) as site:
        page = site.get("/").text

    assert says in page
    assert ("No org has trouble" in page) == (ago is not None and ago < FRESH)


def test_graphs_say_nothing_beyond_what_the_keeper_has_counted() -> None:
    log = counted_up_to(MemoryEventLog(FakeClock()), NOW - 600)
    with open_site(watch=watched(), known=known(), log=log) as site:
        hour, page = _graph(site, "/api/v1/"), site.get("/").text

    assert [each["accepted"] for each in hour[-11:]] == [0.0, *([None] * 10)]
    assert "Everything is counted up to" in page
