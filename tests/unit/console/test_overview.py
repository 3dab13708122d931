"""The overview and the books: the numbers of the audit, at its positions, and an org's own to its viewer."""

from headrace.console.chores import Pulse
from headrace.console.flow import Period, points, sums
from headrace.console.viewer import Viewer
from headrace.console.watching.watch import Watch
from headrace.core.positions import Position
from headrace.core.report import Line
from headrace.eventlog.counting import EVERY_ORG, Counter
from headrace.eventlog.graphs import Counted
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import FakeClock
from unit.console.asking_client import NOW, Asking, open_site
from unit.console.watched_river import known, watched
from unit.ledger.test_audit import flowing

MINUTE = int(NOW // 60) * 60 - 120
COLUMNS = Line.__struct_fields__


def counters(org: str, destination: str, at: int, **numbers: int) -> list[Counter]:
    return [
        Counter(step=step, org=whose, destination=destination, at=at - at % step if step else 0, **numbers)
        for whose in (org, EVERY_ORG)
        for step in (60, 3600, 0)
    ]


def counted() -> MemoryEventLog:
    log = MemoryEventLog(FakeClock())
    log.count(Counted(counters=counters("a", "crm", MINUTE, accepted=60, delivered=50, posts=4, failed=1, retried=10)))
    log.count(Counted(counters=counters("b", "crm", MINUTE, accepted=6, delivered=6, posts=1, ms=8)))
    return log


def test_overview_shows_the_columns_of_the_audit_with_links_to_what_they_count() -> None:
    books = flowing().audit()
    with open_site(watch=watched(), known=known(), log=counted()) as site:
        page, document = site.get("/"), site.get("/api/v1/").json()

    assert page.status == 200
    assert {name: document["books"][name] for name in COLUMNS} == {name: getattr(books, name) for name in COLUMNS}
    assert document["seen"]["positions"]["headrace.events"] == {"0": [3, 4, 0, "w-1"]}
    assert f'<a href="/dead">{books.rejected}</a>' in page.text
    assert "balanced" in page.text
    assert (document["lag"], document["tiers"]) == (1, [{"tier": "5s", "records": 0}])


def test_worst_org_is_the_one_whose_events_were_retried() -> None:
    with open_site(watch=watched(), known=known(), log=counted()) as site:
        worst = site.get("/api/v1/").json()["worst"]

    assert [each["org"] for each in worst] == ["a"]


def test_an_org_viewer_sees_their_numbers_only() -> None:
    books = flowing().audit("b")
    with open_site(watch=watched(), known=known(), log=counted(), viewer=Viewer("vera", "b")) as site:
        page, document = site.get("/"), site.get("/api/v1/").json()
        whole, foreign = site.get("/api/v1/books").json(), site.get("/api/v1/?org=a")

    assert page.status == 200
    assert document["books"]["accepted"] == books.accepted == 2
    assert document["sums"]["accepted"] == 6
    assert (document["lag"], document["worst"], document["depth"], document["seen"]["positions"]) == (None, [], [], {})
    assert (list(whole["orgs"]), whole["positions"]) == (["b"], {})
    assert foreign.status == 404


def test_before_anything_was_seen_numbers_are_unknown_and_not_zero() -> None:
    with open_site(watch=Watch(), known=known()) as site:
        page, document, books = site.get("/"), site.get("/api/v1/").json(), site.get("/api/v1/books")

    assert document["books"] is None
    assert '<dd><a href="/dead">–</a></dd>' in page.text
    assert books.status == 503
    assert "have not been closed yet" in books.json()["detail"]


def test_old_news_is_shown_with_a_sentence_and_kafkas_words_are_for_operators() -> None:
    watch = watched()
    watch.tell(trouble="nobody answers at kafka-7:9092")
    with open_site(watch=watch, known=known()) as site:
        told, document = site.get("/").text, site.get("/api/v1/").json()
    with open_site(watch=watch, known=known(), viewer=Viewer("vera", "b")) as site:
        theirs = site.get("/").text

    assert "What is shown is what was seen last: nobody answers at kafka-7:9092." in told
    assert document["books"]["accepted"] == 6
    assert "Kafka does not answer" in theirs
    assert "kafka-7" not in theirs


def test_books_are_the_document_of_the_audit() -> None:
    with open_site(watch=watched(), known=known()) as site:
        document = site.get("/api/v1/books").json()
        page = site.get("/books")

    report = flowing().audit()
    assert {name: document[name] for name in COLUMNS} == {name: getattr(report, name) for name in COLUMNS}
    assert {name: line["accepted"] for name, line in document["destinations"].items()} == {"crm": 4, "log": 2}
    assert Position(*document["positions"]["headrace.events"]["0"]) == report.positions["headrace.events"][0]
    assert page.status == 200
    assert "&#34;headrace.events&#34;:" in page.text, "what audit --at takes stands on the page"


def _graph(site: Asking, path: str) -> list[dict[str, float | None]]:
    found: list[dict[str, float | None]] = site.get(path).json()["points"]
    return found


def test_graphs_are_per_minute_and_end_with_the_last_whole_step() -> None:
    with open_site(watch=watched(), known=known(), log=counted()) as site:
        hour, day = _graph(site, "/api/v1/?range=1h"), _graph(site, "/api/v1/?range=24h")

    assert (len(hour), len(day)) == (60, 96)
    (point,) = [each for each in hour if each["accepted"]]
    assert (point["at"], point["accepted"], point["succeeded"], point["failed"]) == (MINUTE, 66, 4, 1)
    assert [each["accepted"] for each in day if each["accepted"]] in ([4.4], []), "fifteen minutes a point"


def test_minute_under_way_is_shown_at_its_rate_so_far() -> None:
    """In the first minute of a river there is no other."""
    clock = FakeClock()
    clock.advance(30 - NOW % 60)
    log = MemoryEventLog(clock)
    minute = int(clock.wall() - 30)
    log.count(Counted(counters=counters("a", "crm", minute, accepted=60, delivered=50, posts=4)))
    with open_site(watch=watched(), known=known(), log=log, clock=clock) as site:
        *hour, last = _graph(site, "/api/v1/")
        page = site.get("/").text

    assert [each["accepted"] for each in hour] == [0.0] * 60
    assert (last["at"], last["whole"], last["accepted"], last["succeeded"]) == (minute, False, 120, 8)
    assert "so far" in page


def test_minute_that_has_just_begun_or_was_not_counted_has_no_rate() -> None:
    asked = Period(since=0, until=60, step=60)
    one = [Counter(step=60, org="*", destination="crm", at=60, accepted=1)]

    assert [each.at for each in points(one, asked, 61.0)] == [0]
    assert [each.at for each in points(one, asked, 30.0)] == [0]
    assert [each.accepted for each in points(one, asked, 200.0)] == [0, 1], "a step has its seconds and no more"


def test_what_nobody_counted_yet_is_a_gap_and_a_quiet_minute_is_zero() -> None:
    asked = Period(since=0, until=240, step=60)
    found = points([Counter(step=60, org="*", destination="crm", at=60, accepted=3)], asked, 180.0)

    assert [each.accepted for each in found] == [0, 3, 0, None]
    assert sums([]).ms is None


def test_graphs_say_nothing_beyond_what_the_keeper_has_counted() -> None:
    pulse = Pulse(name="keeper", does="counts", done_at=NOW - 600)
    with open_site(watch=watched(), known=known(), pulses=lambda: [pulse]) as site:
        hour = _graph(site, "/api/v1/")

    assert [each["accepted"] for each in hour[-11:]] == [0.0, *([None] * 10)]
