"""Audit, dead letters and tail against a real Kafka, with a real worker's books."""

import asyncio
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confluent_kafka as ck
import msgspec
import pytest
from confluent_kafka.admin import AdminClient

from headrace import app
from headrace import config as configuration
from headrace.ledger.audit import audit
from headrace.ledger.report import Report, report
from headrace.model.record import TopicPartition

Document = dict[str, Any]

ROUTES = '"a" = ["log"]\n"b" = ["log", "crm"]\n'


class River(msgspec.Struct, frozen=True):
    """A configuration whose topics nobody else uses: an event log, and a destination that refuses connections."""

    bootstrap: str
    prefix: str
    directory: Path

    @property
    def file(self) -> Path:
        return self.directory / "headrace.toml"

    def configure(self, routes: str = ROUTES) -> None:
        self.file.write_text(
            f'[kafka]\nbootstrap_servers = "{self.bootstrap}"\n'
            f'[topics]\nprefix = "{self.prefix}"\npartitions = 2\nreplication = 1\n'
            '[retry]\ntiers = ["1s", "2s"]\ngive_up_after = "3s"\n'
            '[destinations.log]\ntype = "eventlog"\n'
            '[destinations.crm]\ntype = "http"\nurl = "http://127.0.0.1:9/events"\n'
            f"[routes]\n{routes}"
            f'[eventlog]\nurl = "sqlite:///{self.directory}/eventlog.db"\n'
        )

    def run(self, *words: str, code: int = 0) -> Document:
        """Run a command with --json and return its document."""
        process = self.start(*words, "--json")
        out, err = process.communicate(timeout=60)
        assert process.returncode == code, err
        document: Document = json.loads(out.splitlines()[-1])
        return document

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "headrace", *words, "--config", str(self.file)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def emit(self, *orgs: str) -> None:
        producer = ck.Producer({"bootstrap.servers": self.bootstrap})
        for number, org in enumerate(orgs):
            producer.produce(f"{self.prefix}headrace.events", key=f"{org}/s-{number}", value=event(org))
        assert producer.flush(10) == 0

    @contextmanager
    def worker(self) -> Iterator[None]:
        worker = app.worker(configuration.load(self.file))
        thread = threading.Thread(target=lambda: asyncio.run(worker.run()))
        thread.start()
        try:
            yield
        finally:
            worker.stop()
            thread.join(30)

    def audit(self, *, deep: bool = False) -> Report:
        config = configuration.load(self.file)
        reader = app.broker(config).reader()
        try:
            return report(audit(reader, config.names, lambda org: config.routes.get(org, ()), deep=deep))
        finally:
            reader.close()

    def audit_until(self, is_enough: Callable[[Report], bool]) -> Report:
        """Audit the live river again and again; it balances every time."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            document = self.audit()
            assert document.balanced, document
            if is_enough(document):
                return document
        raise AssertionError(document)


def event(org: str) -> bytes:
    body = {"specversion": "1.0", "id": uuid.uuid4().hex, "source": f"/orgs/{org}/bots/b", "type": "t", "subject": "s"}
    return msgspec.json.encode(body)


@pytest.fixture
def river(kafka: str, tmp_path: Path) -> River:
    made = River(kafka, f"t{uuid.uuid4().hex[:8]}.", tmp_path)
    made.configure()
    made.run("topics", "apply")
    return made


def test_books_balance_on_a_live_river_and_until_one_tile_is_deleted(river: River) -> None:
    river.emit(*("a" for _ in range(200)), *("b" for _ in range(20)), "c")

    with river.worker():
        river.audit_until(lambda books: books.retrying > 0 or books.retried > 0)
        river.audit_until(lambda books: books.rejected == 21 and not books.in_flight and not books.retrying)
    after = river.run("audit")

    assert (after["accepted"], after["delivered"], after["rejected"], after["lost"]) == (241, 220, 21, 0)
    assert after["orgs"]["b"]["rejected"] == 20
    assert after["destinations"]["log"]["delivered"] == 220
    assert after["balanced"] is True
    deep = river.audit(deep=True)
    assert (deep.accepted, deep.delivered, deep.lost, deep.problems) == (241, 220, 0, [])

    delete_a_tile(river)
    damaged = river.run("audit", code=1)
    assert damaged["lost"] > 0
    assert damaged["balanced"] is False
    assert damaged["problems"]


def test_retention_that_deleted_events_says_which_were_settled(river: River) -> None:
    topic = f"{river.prefix}headrace.events"
    river.emit(*("a" for _ in range(100)))
    with river.worker():
        river.audit_until(lambda books: books.delivered == 100)
    river.emit(*("a" for _ in range(50)))
    reader = app.broker(configuration.load(river.file)).reader()
    ends = {number: end for number, (_, end) in reader.bounds(topic).items() if end}
    reader.close()

    delete(river, topic, {number: end - 1 for number, end in ends.items()})
    books = river.audit()

    assert books.expired == 100
    assert books.lost == 50 - len(ends)
    assert books.in_flight == len(ends)
    assert all("were deleted before they were settled" in problem for problem in books.problems)


def test_dead_letters_are_listed_shown_redriven_once_and_delivered(river: River) -> None:
    river.emit("c", "c", "a")
    with river.worker():
        river.audit_until(lambda books: books.rejected == 2 and books.delivered == 1)
    listed = river.run("dead", "list")
    first = listed["dead"][0]

    assert listed["count"] == 2
    assert (first["org"], first["destination"], first["reason"], first["state"]) == ("c", "-", "no_route", "open")
    assert river.run("dead", "show", first["position"])["letter"] == first
    assert len(river.run("dead", "redrive", code=1)["skipped"]) == 2

    river.configure(ROUTES + '"c" = ["log"]\n')
    assert river.run("dead", "redrive", "--dry-run")["redriven"] == 2
    assert river.run("dead", "redrive", first["position"])["redriven"] == 1
    assert river.run("dead", "redrive")["redriven"] == 1
    assert river.run("dead", "redrive")["redriven"] == 0
    assert river.run("dead", "list")["count"] == 0
    assert river.run("dead", "list", "--state", "redriven")["count"] == 2
    with river.worker():
        books = river.audit_until(lambda books: books.delivered == 3)
    assert (books.accepted, books.rejected, books.destinations["log"].delivered) == (3, 0, 3)


def test_tail_shows_what_arrives(river: River) -> None:
    tail = river.start("tail", "--org", "a", "--limit", "2", "--json", "--from-beginning")
    river.emit("b", "a", "b", "a")
    out, err = tail.communicate(timeout=30)

    assert tail.returncode == 0, err
    shown = [json.loads(line) for line in out.splitlines()]
    assert [line["org"] for line in shown] == ["a", "a"]
    assert {line["event"]["source"] for line in shown} == {"/orgs/a/bots/b"}


def delete_a_tile(river: River) -> None:
    """Delete the head of the attempts topic up to and with the first tile of the main topic."""
    topic = f"{river.prefix}headrace.attempts"
    reader = app.broker(configuration.load(river.file)).reader()
    for number, (start, end) in reader.bounds(topic).items():
        for record in reader.read(TopicPartition(topic, number), start, end):
            if b'"kind":"tile"' in (record.value() or b""):
                delete(river, topic, {number: record.offset() + 1})
                reader.close()
                return


def delete(river: River, topic: str, before: dict[int, int]) -> None:
    admin = AdminClient({"bootstrap.servers": river.bootstrap})
    places = [ck.TopicPartition(topic, number, offset) for number, offset in before.items()]
    for future in admin.delete_records(places).values():
        future.result(10)
