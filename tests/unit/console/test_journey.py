"""One event's way through Kafka, from what its topics hold."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from headrace.broker.memory import MemoryBroker
from headrace.broker.partitioning import partition_of
from headrace.broker.port import Committed
from headrace.console.dead.book import LetterBook
from headrace.console.dead.reading import LetterReading
from headrace.console.views import journey
from headrace.eventlog.memory import MemoryEventLog
from headrace.model.mark import Mark
from headrace.model.record import Origin, TopicPartition
from headrace.model.topic import TopicState
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import event
from headrace.wire import attempts, headers
from headrace.wire.attempts import Attempt, Span
from headrace.wire.times import to_text
from headrace.wire.topics import TopicNames
from unit.console.asking_client import Asking, open_site
from unit.console.talks import ACME

NAMES = TopicNames("")
TIER = "headrace.retry.5s"
HERE = "/sessions/acme/s-1/events/{}/journey"
PARTITION = partition_of(b"acme/s-1", 4)


class Stage:
    """A river that was played by hand: topics of a memory broker, and a log with the events."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.broker = MemoryBroker(self.clock)
        self.log = MemoryEventLog(self.clock)
        self.producer = self.broker.producer(memory=1 << 24)
        for topic in (NAMES.events, TIER, NAMES.dead, NAMES.attempts):
            self.broker.admin().create(TopicState(name=topic, partitions=4, replication=1, config={}))

    def emit(self, id_: str, partition: int = PARTITION, **fields: Any) -> Origin:
        """Write an event to the main topic and to the log, and return its place."""
        value = event(id_, time=to_text(self.clock.wall()), **fields)
        self.log.upsert([value])
        return self.write(NAMES.events, partition, value)

    def move(self, topic: str, origin: Origin, id_: str, attempts_: int, reason: str) -> Origin:
        """Put an event on a tier or into the dead topic."""
        now = self.clock.wall()
        mark = Mark(destination="crm", origin=origin, attempts=attempts_, first_failed_at=now, due_at=now + 5,
                    reason=reason, error="503")  # fmt: skip
        return self.write(topic, origin.partition, event(id_), headers=headers.encode(mark))

    def post(self, *places: Origin, org: str = "acme", first: int = 0, **outcome: int) -> None:
        """Note a post of the batch from offset *first* up to *places*."""
        spans = [Span(each.topic, each.partition, first or each.offset, each.offset, 1) for each in places]
        noted = {
            "org": org,
            "destination": "crm",
            "at": to_text(self.clock.wall()),
            "ms": 12.0,
            "events": 1,
            "bytes": 99,
        }
        attempt = msgspec.convert(noted | outcome | {"kind": "attempt"}, Attempt)
        attempt = msgspec.structs.replace(attempt, spans=spans)
        for place in places:
            key = attempts.key(place.topic, place.partition)
            self.write(NAMES.attempts, partition_of(key, 4), attempts.encode(attempt), key=key)

    def write(self, topic: str, partition: int, value: bytes, **record: Any) -> Origin:
        self.producer.produce(topic, partition=partition, value=value, **{"key": b"acme/s-1"} | record)
        self.producer.flush(1)
        self.clock.advance(1.0)
        end = self.broker.reader().bounds(topic)[partition][1]
        return Origin(topic, partition, end - 1)

    @contextmanager
    def site(self, **more: Any) -> Iterator[Asking]:
        book = LetterBook()
        LetterReading(book, self.broker.reader, NAMES, self.clock).look()
        with open_site(log=self.log, broker=self.broker, clock=self.clock, letters=book, **more) as site:
            yield site

    def journey(self, id_: str = "e1", query: str = "") -> Any:
        with self.site() as site:
            assert site.get(HERE.format(id_) + query).status == 200
            return site.get("/api/v1" + HERE.format(id_) + query).json()


def kinds(journey: Any) -> list[str]:
    return [each["kind"] for each in journey["stations"]]


def test_an_event_is_followed_over_its_posts_and_tiers_to_its_end() -> None:
    stage = Stage()
    stage.emit("e0")
    origin = stage.emit("e1")
    stage.post(origin, retryable=1)
    tier = stage.move(TIER, origin, "e1", 1, "retryable")
    stage.move(TIER, stage.emit("e2"), "e2", 1, "retryable")
    stage.post(tier, rejected=1)
    dead = stage.move(NAMES.dead, origin, "e1", 2, "rejected")
    stage.post(origin, org="globex", delivered=1)

    journey = stage.journey()

    assert kinds(journey) == ["emitted", "recorded", "posted", "hopped", "posted", "died"]
    _, recorded, first, hop, second, end = journey["stations"]
    assert recorded["place"] == str(origin)
    assert (first["place"], first["retryable"], first["seconds"]) == (str(origin), 1, 0.012)
    assert (hop["place"], hop["tier"], hop["attempts"], hop["error"]) == (str(tier), "5s", 1, "503")
    assert (second["place"], second["rejected"], second["is_certain"]) == (str(tier), 1, True)
    assert (end["place"], end["reason"], end["due"]) == (str(dead), "rejected", None)
    assert (journey["note"], journey["is_settled"]) == ("", False)


def test_a_dead_letter_tells_its_way_tier_by_tier() -> None:
    """Only what befell it at its destination, and no other letter of the same event."""
    stage = Stage()
    origin = stage.emit("e1")
    stage.post(origin, retryable=1)
    tier = stage.move(TIER, origin, "e1", 1, "retryable")
    stage.move(TIER, stage.emit("e2"), "e2", 1, "retryable")
    stage.post(origin, org="globex", delivered=1)
    stage.post(tier, rejected=1)
    stage.move(NAMES.dead, origin, "e1", 2, "rejected")
    stage.move(NAMES.dead, origin, "e1", 2, "rejected")

    with stage.site() as site:
        page = site.get(f"/dead/{PARTITION}/0")
        history = site.get(f"/api/v1/dead/{PARTITION}/0").json()["history"]

    told = [(each["kind"], each["tier"], each["attempts"], each["error"]) for each in history["stations"]]
    assert told == [
        ("posted", "", None, ""), ("hopped", "5s", 1, "503"), ("posted", "", None, ""), ("died", "", 2, "503")
    ]  # fmt: skip
    assert history["stations"][-1]["place"] == f"{NAMES.dead}/{PARTITION}/0"
    assert "Its way here" in page.text
    assert "whole journey" in page.text


def test_a_batch_with_holes_is_said_to_be_uncertain() -> None:
    stage = Stage()
    stage.emit("e0")
    stage.emit("e1")
    stage.emit("e2")
    last = stage.emit("e3")
    stage.post(last, first=1, delivered=1)

    (post,) = [each for each in stage.journey("e2")["stations"] if each["kind"] == "posted"]

    assert not post["is_certain"]


@pytest.mark.parametrize("partition", [number for number in range(4) if number != PARTITION])
def test_an_event_of_any_ordering_is_found_on_whatever_partition(partition: int) -> None:
    stage = Stage()
    origin = stage.emit("e1", partition)
    stage.emit("e1", PARTITION, source="/orgs/acme/bots/other")

    assert stage.journey()["stations"][1]["place"] == str(origin)


def test_what_the_worker_committed_beyond_is_settled() -> None:
    stage = Stage()
    stage.emit("e1")

    class Listens:
        def on_assign(self, assigned: object) -> None: ...
        def on_revoke(self, revoked: object) -> None: ...
        def on_lost(self, lost: object) -> None: ...

    consumer = stage.broker.consumer(NAMES.group, Listens())
    consumer.subscribe([NAMES.events])
    consumer.poll(10, 0.5)
    consumer.commit({TopicPartition(NAMES.events, PARTITION): Committed(1)}, wait=True)

    assert stage.journey()["is_settled"] is True


def test_beyond_retention_and_beyond_the_search_are_said_and_not_passed_off_as_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    late = event("late", time=to_text(stage.clock.wall()))
    stage.log.upsert([late])
    for number in range(30):
        stage.emit(f"e{number}")
    stage.write(NAMES.events, PARTITION, late)
    monkeypatch.setattr(journey, "RECORDS", 15)
    cut = stage.journey("late")
    assert "the search ended at its limit" in cut["note"]
    assert cut["looked_at"] <= 15
    with stage.site() as site:
        assert "Look further, from" in site.get(HERE.format("late")).text
    searches = 0
    while cut["further"] is not None:
        cut, searches = stage.journey("late", f"?since={cut['further']}"), searches + 1
        assert searches < 5
    assert (kinds(cut), cut["note"]) == (["emitted", "recorded"], "")
    monkeypatch.undo()
    assert kinds(stage.journey("late")) == ["emitted", "recorded"]

    stage.broker.delete_records(TopicPartition(NAMES.events, PARTITION), 4)

    gone = stage.journey("e1")
    assert kinds(gone) == ["emitted"]
    assert "retention has deleted it" in gone["note"]
    assert kinds(stage.journey("e5")) == ["emitted", "recorded"]


def test_a_record_that_was_never_written_there_is_said_to_be_late() -> None:
    stage = Stage()
    stage.log.upsert([event("e1", time=to_text(stage.clock.wall()))])

    assert "from a journal" in stage.journey()["note"]


def test_an_org_viewer_follows_their_events_only() -> None:
    stage = Stage()
    stage.emit("e1")
    with stage.site(viewer=ACME) as site:
        assert site.get(HERE.format("e1")).status == 200
        assert site.get(HERE.format("e9")).status == 404
        assert site.get(HERE.format("e1").replace("acme", "globex")).status == 404


@pytest.mark.parametrize("value", [b"", b"{}", b'{"kind":"attempt"}', b"\xff", msgspec.json.encode({"kind": "x"})])
def test_what_is_no_document_of_the_attempts_topic_is_passed_over(value: bytes) -> None:
    stage = Stage()
    origin = stage.emit("e1")
    key = attempts.key(origin.topic, origin.partition)
    stage.write(NAMES.attempts, partition_of(key, 4), value, key=key)
    stage.write(TIER, PARTITION, event("e1"), headers=[("hr-origin", str(origin).encode())])

    assert kinds(stage.journey()) == ["emitted", "recorded"]
