"""From records to runs: grouping, routing, and dead letters with their reasons."""

import json

import msgspec
import pytest

from headrace.core.runs import Assignment, Chunk
from headrace.delivery.intake import Intake
from headrace.model.destination import Destination
from headrace.model.mark import Mark
from headrace.model.record import Header, Origin, TopicPartition

crm = Destination(name="crm", type="memory", settings=msgspec.Struct())
log = Destination(name="log", type="memory", settings=msgspec.Struct(), shared=True)
ROUTES = {"acme": (crm, log), "solo": (log,)}


class FakeRecord:
    """A record of the main topic."""

    def __init__(self, key: bytes | None, value: bytes | None, offset: int = 0) -> None:
        self._key, self._value, self._offset = key, value, offset

    def topic(self) -> str:
        return "events"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes | None:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[Header] | None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return (1, 0)


def event(org: str = "acme", **changes: object) -> bytes:
    fields = {"specversion": "1.0", "id": "1", "source": f"/orgs/{org}/bots/b", "type": "t", **changes}
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def intake() -> Intake:
    return Intake(lambda org: ROUTES.get(org, ()), {"crm": crm, "log": log})


def chunk(records: int) -> Chunk:
    return Chunk(Assignment(TopicPartition("events", 0)), 0, records, records)


def test_each_org_goes_to_each_of_its_destinations() -> None:
    records = [FakeRecord(b"acme/1", event()), FakeRecord(b"solo/1", event("solo")), FakeRecord(b"acme/2", event())]
    whole = chunk(3)

    taken = intake().take_fresh(whole, records, 0.0)

    assert [(run.org, run.destination.name, len(run)) for run in taken.runs] == [
        ("acme", "crm", 2),
        ("acme", "log", 2),
        ("solo", "log", 1),
    ]
    assert whole.open == 5
    assert taken.dead == []


@pytest.mark.parametrize(
    ("key", "value", "reason", "org"),
    [
        (b"acme/1", None, "not_cloudevent", "acme"),
        (b"acme/1", b"", "not_cloudevent", "acme"),
        (None, b"\xff\xfe", "not_cloudevent", "-"),
        (b"acme/1", b'{"a":"\xff"}', "not_cloudevent", "acme"),
        (b"acme/1", b"[" * 100_000, "not_cloudevent", "acme"),
        (b"acme/1", b'{"x":' + b"[" * 100_000, "not_cloudevent", "acme"),
        (b"acme/1", b"[]", "not_cloudevent", "acme"),
        (b"acme/1", event(specversion="0.3"), "not_cloudevent", "acme"),
        (b"acme/1", event(id=""), "not_cloudevent", "acme"),
        (b"acme/1", event(id=7), "not_cloudevent", "acme"),
        (b"acme/1", event(type=None), "not_cloudevent", "acme"),
        (b"acme/1", event() + b"{}", "not_cloudevent", "acme"),
        (b"acme/1", event("rival"), "org_mismatch", "-"),
        (b"no key", event(source="/somewhere"), "bad_org", "-"),
        (b"b d/1", event(source="/orgs//bots/b"), "bad_org", "-"),
        (b"stranger/1", event("stranger"), "no_route", "stranger"),
    ],
)
def test_what_belongs_to_nobody_is_a_dead_letter(key: bytes | None, value: bytes | None, reason: str, org: str) -> None:
    whole = chunk(1)

    (dead,) = intake().take_fresh(whole, [FakeRecord(key, value)], 0.0).dead

    assert (dead.reason, dead.org, dead.destination) == (reason, org, "-")
    assert whole.open == 1


@pytest.mark.parametrize("key", [None, b"", b"no slash", b"\xff/1", b"sp ace/1"])
def test_without_a_key_the_source_decides(key: bytes | None) -> None:
    (run,) = intake().take_fresh(chunk(1), [FakeRecord(key, event("solo"))], 0.0).runs

    assert run.org == "solo"


def test_a_key_decides_where_the_source_names_no_org() -> None:
    (run,) = intake().take_fresh(chunk(1), [FakeRecord(b"solo/1", event(source="urn:x"))], 0.0).runs

    assert run.org == "solo"


def test_a_key_that_is_known_does_not_excuse_another_source() -> None:
    """The owner of a key is remembered; a later event of another org under the same key is still found out."""
    records = [FakeRecord(b"acme/1", event()), FakeRecord(b"acme/1", event("acme2"))]

    taken = intake().take_fresh(chunk(2), records, 0.0)

    assert [dead.reason for dead in taken.dead] == ["org_mismatch"]


def test_values_pass_through_untouched() -> None:
    value = event() + b" \n"

    run = intake().take_fresh(chunk(1), [FakeRecord(b"acme/1", value)], 0.0).runs[0]

    assert run.values == [value]


def test_due_records_go_to_the_destination_of_their_mark() -> None:
    mark = Mark(
        destination="crm", origin=Origin("events", 0, 0), attempts=2, first_failed_at=0, due_at=0, reason="failed"
    )
    gone = msgspec.structs.replace(mark, destination="gone")
    whole = chunk(3)
    records = [FakeRecord(b"acme/1", event())] * 3

    taken = intake().take_due(whole, list(zip(records, [mark, gone, None], strict=True)), 0.0)

    assert [(run.destination.name, run.attempts) for run in taken.runs] == [("crm", 2)]
    assert [(dead.reason, dead.destination) for dead in taken.dead] == [
        ("no_destination", "gone"),
        ("no_destination", "-"),
    ]
