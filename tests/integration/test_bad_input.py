"""What another library writes, good and bad: the good arrives, the bad is a dead letter with its reason (promise 7)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.testing.simulated_org import SimulatedOrg
from outsider import Record, event, id_of, produce, record
from river import River

LETTER = ["position", "id", "source", "org", "destination", "reason", "error", "attempts", "origin", "dead_at", "state"]
LARGE = "x" * (2 << 20)
DEEP = b"[" * 100_000 + b"]" * 100_000


def value(**changes: object) -> bytes:
    """Return an event of `acme` with *changes*; None takes a field away."""
    changed = event("acme") | changes
    return json.dumps({name: part for name, part in changed.items() if part is not None}).encode()


GOOD: dict[str, tuple[str, Record]] = {
    "plain": ("acme", record("acme")),
    "in another session": ("globex", record("globex", "s/2 ü")),
    "of 2 MB": ("acme", record("acme", text=LARGE)),
    "without a key": ("acme", (None, value())),
    "with an empty key": ("acme", (b"", value())),
    "with a key that is no key": ("acme", (b"\xff\x00no key", value())),
    "with a key of no org": ("acme", (b"not an org!/s-1", value())),
    "of a source that is no bot's": ("acme", (b"acme/s-1", value(source="urn:somewhere-else"))),
    "of a type that nobody knows": ("acme", (b"acme/s-1", value(type="com.example.own"))),
    "with extensions": ("globex", (b"globex/s-1", value(source="/orgs/globex/bots/b", traceparent="00-1", n=None))),
}
BAD: dict[str, tuple[str, str, Record]] = {
    "null": ("not_cloudevent", "acme", (b"acme/s-1", None)),
    "empty": ("not_cloudevent", "-", (None, b"")),
    "garbage": ("not_cloudevent", "-", (None, b"\x00\xff\xfe garbage")),
    "not UTF-8": ("not_cloudevent", "-", (None, value().replace(b"outsider", b"\xff\xfe"))),
    "half": ("not_cloudevent", "-", (None, value()[:-1])),
    "two objects": ("not_cloudevent", "-", (None, value() + value())),
    "a list": ("not_cloudevent", "-", (None, b"[" + value() + b"]")),
    "deep": ("not_cloudevent", "-", (None, DEEP)),
    "another version": ("not_cloudevent", "-", (None, value(specversion="0.3"))),
    "a number for an id": ("not_cloudevent", "-", (None, value(id=7))),
    "no type": ("not_cloudevent", "-", (None, value(type=None))),
    "of two orgs": ("org_mismatch", "-", (b"globex/s-1", value())),
    "of nobody": ("bad_org", "-", (None, value(source="urn:nobody"))),
    "of an org with a bad name": ("bad_org", "-", (b"../s-1", value(source="/orgs/../bots/b"))),
    "garbage under an org's key": ("not_cloudevent", "acme", (b"acme/s-1", b"garbage")),
    "of an org without a route": ("no_route", "nowhere", record("nowhere")),
}
"""Reason and org of each; the destination of all is `-`."""


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        running.keep(1000)
        yield running


def mixed() -> list[Record]:
    """Return good records of two orgs with a bad one after each third."""
    bad = [written for *_, written in BAD.values()]
    return [
        bad[number % len(bad)] if number % 3 == 2 else record(("acme", "globex")[number % 3], f"s-{number % 7}")
        for number in range(300)
    ]


def written_down(river: River) -> dict[str, set[str]]:
    """Return the ids of the events that each org's destination took, and see that the event log has as many."""
    ledgers = river.orgs.ledgers(ids=1)
    assert river.stored() == {org: len(ledger.taken) for org, ledger in ledgers.items()}
    assert all(ledger.duplicates == 0 for ledger in ledgers.values())
    return {org: {each.id for each in ledger.taken} for org, ledger in ledgers.items()}


def test_bad_records_are_dead_letters_and_stop_nothing(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> None:
    routes = {"*": [], "acme": ["log", "crm"], "globex": ["log", "crm"]}
    mixture = mixed()
    with River(tmp_path, kafka, orgs, {"routes": routes}) as river:
        topic = river.config.names.events
        river.start_worker()
        places = produce(kafka, topic, [written for *_, written in BAD.values()])
        produce(kafka, topic, [written for _, written in GOOD.values()])
        produce(kafka, topic, mixture, compression="gzip")
        events = 2 * (len(GOOD) + 200) + len(BAD) + 100
        books = river.settled(events=events, within=60)
        audited = river.run("audit", "--json", "--deep")
        listed = river.run("dead", "list", "--json")

        assert (books.accepted, books.lost, books.retried, books.rejected) == (events, 0, 0, len(BAD) + 100)
        assert audited.returncode == 0, audited.stdout
        assert json.loads(audited.stdout.splitlines()[-1])["balanced"]
        fresh = {org: {id_of(each) for each in mixture[number::3]} for number, org in enumerate(("acme", "globex"))}
        for org, ids in written_down(river).items():
            assert ids == fresh[org] | {id_of(written) for whose, written in GOOD.values() if whose == org}
        sizes = [(len(request.body), request.body.count(b'"specversion"')) for request in orgs.requests("acme")]
        assert [posted for size, posted in sizes if size > len(LARGE)] == [1], "above batch_bytes, an event goes alone"

        letters = json.loads(listed.stdout.splitlines()[-1])
        by_place = {letter["origin"]: letter for letter in letters["dead"]}
        assert letters["count"] == len(letters["dead"]) == len(by_place) == len(BAD) + 100
        for place, (name, (reason, org, (_, raw))) in zip(places, BAD.items(), strict=True):
            letter = by_place[place]
            assert list(letter) == LETTER, name
            assert (letter["reason"], letter["org"], letter["destination"]) == (reason, org, "-"), name
            assert (letter["state"], letter["attempts"]) == ("open", 0), name
            assert letter["error"], name
            assert bool(letter["id"]) == (reason != "not_cloudevent") == bool(letter["source"]), name
            shown = json.loads(river.run("dead", "show", letter["position"], "--json").stdout) if name == "deep" else {}
            assert name != "deep" or shown["value"].encode() == raw
        assert river.stop() == [0]
