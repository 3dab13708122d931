"""Topics, their partitions, and their latest records."""

import pytest

from headrace.broker.port import Reader
from headrace.console import show
from headrace.console.viewer import Viewer
from headrace.console.watching.watch import Watch
from headrace.errors import BrokerError
from headrace.testing.broker_bench import Member
from headrace.testing.clock import FakeClock
from unit.console.asking_client import open_site
from unit.console.watched_river import known, watched, watchman
from unit.ledger.test_audit import NAMES, TIER, B, River, event, flowing


def test_topics_tell_lag_and_what_nobody_commits_has_none() -> None:
    with open_site(watch=watched(), known=known()) as site:
        page, document = site.get("/topics"), site.get("/api/v1/topics").json()

    assert page.status == 200
    told = {each["name"]: (each["kind"], each["records"], each["lag"]) for each in document["topics"]}
    assert told == {
        NAMES.events: ("events", 4, 1),
        TIER: ("retry", 1, 0),
        NAMES.dead: ("dead", 1, None),
        NAMES.attempts: ("attempts", 3, None),
    }
    assert document["topics"][0]["lag_seconds"] is not None


def test_records_of_a_topic_come_latest_first_with_headers_and_a_cut_value() -> None:
    river = River()
    river.emit("a")
    river.move(TIER, B, 0, event("b") + b" " * 5000)
    with open_site(broker=river.broker, watch=watched(river), known=known()) as site:
        page, document = site.get(f"/topics/{TIER}"), site.get(f"/api/v1/topics/{TIER}").json()

    (record,) = document["messages"]
    assert page.status == 200
    assert (record["key"], record["size"], len(record["value"])) == ("b/s", len(event("b")) + 5000, 2048)
    assert ["hr-destination", "crm"] in record["headers"]


def test_older_records_of_a_partition_are_a_page_away() -> None:
    river = River()
    river.emit(*("a" for _ in range(120)))
    with open_site(broker=river.broker, watch=watched(river), known=known()) as site:
        first = site.get(f"/api/v1/topics/{NAMES.events}?partition=0").json()
        second = site.get(f"/api/v1/topics/{NAMES.events}?partition=0&before={first['before']}").json()
        third = site.get(f"/api/v1/topics/{NAMES.events}?partition=0&before={second['before']}").json()

    assert [each["offset"] for each in first["messages"]] == list(range(119, 69, -1))
    offsets = [each["offset"] for page in (first, second, third) for each in page["messages"]]
    assert (first["before"], second["before"], third["before"]) == (70, 20, None)
    assert sorted(offsets) == list(range(120))


def test_hostile_records_stay_text() -> None:
    river = River()
    river.write(NAMES.events, b"<b>k", b"<script>alert(1)</script>\xff")
    with open_site(broker=river.broker, watch=watched(river), known=known()) as site:
        page = site.get(f"/topics/{NAMES.events}")

    assert page.status == 200
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;�" in page.text


def test_no_other_topic_can_be_read() -> None:
    with open_site(watch=watched(), known=known()) as site:
        answers = [site.get(path) for path in ("/topics/__consumer_offsets", f"/topics/{NAMES.events}?partition=9")]

    assert [answer.status for answer in answers] == [404, 404]


def test_topics_are_for_operators() -> None:
    with open_site(watch=watched(), known=known(), viewer=Viewer("vera", "a")) as site:
        answers = [site.get(path).status for path in ("/topics", f"/topics/{NAMES.events}", "/api/v1/topics")]

    assert answers == [404, 404, 404]


def test_before_kafka_was_seen_there_is_a_page_that_says_so() -> None:
    with open_site(known=known()) as site:
        page = site.get("/topics")

    assert page.status == 200
    assert "headrace topics apply" in page.text
    assert flowing().audit().accepted == 6


def test_topics_tell_who_holds_which_partitions_and_how_far_each_is_behind() -> None:
    river = flowing()
    member = Member(river.broker, NAMES.group, NAMES.events, TIER)
    member.poll(0.0)
    with open_site(broker=river.broker, watch=watched(river), known=known()) as site:
        page, document = site.get("/topics"), site.get("/api/v1/topics").json()
        topic = site.get(f"/api/v1/topics/{NAMES.events}").json()
        topic_page = site.get(f"/topics/{NAMES.events}")

    group = document["members"]
    assert group["state"] == "stable"
    (told,) = group["members"]
    assert told["holds"] == {NAMES.events: [0], TIER: [0]}
    assert (told["client"], told["lag"]) == ("headrace", 1)
    assert topic["holders"] == {"0": told["id"]}
    assert f'id="member-{told["id"]}"' in page.text
    assert f'#member-{told["id"]}"' in topic_page.text


def test_topics_say_that_no_worker_runs() -> None:
    with open_site(watch=watched(), known=known()) as site:
        page, document = site.get("/topics"), site.get("/api/v1/topics").json()

    assert (document["members"]["state"], document["members"]["members"]) == ("empty", [])
    assert "no worker runs" in page.text


def test_river_is_seen_though_nobody_tells_who_is_in_the_group(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(reader: Reader, name: str) -> None:
        raise BrokerError(f"{name} is not to be seen")

    river, watch = flowing(), Watch()
    monkeypatch.setattr(type(river.broker.reader()), "group", refuse)
    watchman(river, watch, FakeClock()).step()
    with open_site(broker=river.broker, watch=watch, known=known()) as site:
        page, document = site.get("/topics"), site.get("/api/v1/topics").json()

    assert document["topics"][0]["records"] == 4
    assert document["members"]["trouble"] == f"{NAMES.group} is not to be seen"
    assert "is not to be seen" in page.text


def test_group_is_asked_for_now_and_then() -> None:
    river, watch, clock = flowing(), Watch(), FakeClock()
    watching = watchman(river, watch, clock)
    watching.step()
    first = watch.latest().group_at
    clock.advance(5.0)
    watching.step()
    assert watch.latest().group_at == first, "each question costs a process"
    clock.advance(15.0)
    watching.step()

    assert watch.latest().group_at != first


@pytest.mark.parametrize(
    ("numbers", "written"), [([], ""), ([3], "3"), ([0, 1, 2, 5], "0–2, 5"), ([1, 3, 5, 6], "1, 3, 5–6")]
)
def test_numbers_that_follow_one_another_are_written_as_a_span(numbers: list[int], written: str) -> None:
    assert show.spans(numbers) == written
