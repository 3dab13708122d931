"""`headrace emit` from the command line to a real Kafka."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from headrace.broker.kafka import KafkaBroker
from headrace.broker.settings import KafkaSettings
from headrace.model.record import TopicPartition
from headrace.model.topic import TopicState

Emit = Callable[..., tuple[int, dict[str, Any], str]]


class Place:
    """A configuration of its own, and the topic that it names."""

    def __init__(self, bootstrap: str, directory: Path) -> None:
        self.directory = directory
        self.config = directory / "headrace.toml"
        self.prefix = f"emit-{uuid4().hex[:8]}-"
        self.topic = f"{self.prefix}headrace.events"
        self.broker = KafkaBroker(KafkaSettings(bootstrap_servers=bootstrap))
        self.config.write_text(f'[kafka]\nbootstrap_servers = "{bootstrap}"\n[topics]\nprefix = "{self.prefix}"\n')

    def create(self) -> None:
        self.broker.admin().create(TopicState(name=self.topic, partitions=3, replication=1))

    def events(self) -> list[dict[str, Any]]:
        reader = self.broker.reader()
        try:
            return [
                msgspec.json.decode(record.value() or b"")
                for partition, (first, last) in reader.bounds(self.topic).items()
                for record in reader.read(TopicPartition(self.topic, partition), first, last)
            ]
        finally:
            reader.close()

    def emit(self, file: str, *, words: tuple[str, ...] = (), stdin: bytes = b"") -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "headrace", "emit", file, "--config", str(self.config), *words],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def place(kafka: str, tmp_path: Path) -> Place:
    return Place(kafka, tmp_path)


def _line(session: str, number: int) -> bytes:
    line = {"org": "o", "bot": "b", "session": session, "type": "said", "data": {"number": number}}
    return msgspec.json.encode(line) + b"\n"


def test_every_line_becomes_an_event(place: Place) -> None:
    place.create()
    file = place.directory / "events.jsonl"
    file.write_bytes(b"".join(_line(f"s{number % 3}", number) for number in range(1500)))

    code, out, _ = place.emit(str(file), words=("--json",))

    document = msgspec.json.decode(out.splitlines()[-1])
    assert code == 0
    assert document == {"lines": 1500, "emitted": 1500, "bad": 0, "unacknowledged": 0, "bad_lines": []}
    events = place.events()
    assert sorted(event["data"]["number"] for event in events) == list(range(1500))
    assert sorted(event["seq"] for event in events if event["subject"] == "s0") == list(range(500))


def test_bad_lines_are_named_and_the_good_ones_arrive(place: Place) -> None:
    place.create()
    bad = [
        b"no json\n",
        b'{"org":"o","bot":"b","session":"s"}\n',
        b'{"org":"not an org","bot":"b","session":"s","type":"t"}\n',
        b'{"org":"o","bot":"b","session":"s","type":"t","data":"\xff"}\n',
        b"[" * 100_000 + b"\n",
        msgspec.json.encode({"org": "o", "bot": "b", "session": "s", "type": "t", "data": {"x": "x" * (5 << 20)}})
        + b"\n",
    ]
    lines = [_line("s", 0), *bad, b"\n", _line("s", 1)]

    code, out, err = place.emit("-", words=("--json",), stdin=b"".join(lines))

    document = msgspec.json.decode(out.splitlines()[-1])
    assert code == 1
    assert (document["lines"], document["emitted"], document["bad"]) == (9, 2, 6)
    assert [each["line"] for each in document["bad_lines"]] == [2, 3, 4, 5, 6, 7]
    assert "line 3: Object missing required field `type`" in err
    assert "line 7: not taken: too_large" in err
    assert sorted(event["data"]["number"] for event in place.events()) == [0, 1]


def test_a_missing_topic_is_told_before_anything_is_read(place: Place) -> None:
    code, out, err = place.emit("-", stdin=_line("s", 0))

    assert code == 1
    assert out == ""
    assert "`headrace topics apply` makes it" in err
    assert "Traceback" not in err


def test_a_file_that_is_not_there_is_a_matter_of_usage(place: Place) -> None:
    place.create()

    code, _, err = place.emit("nowhere.jsonl")

    assert code == 2
    assert "nowhere.jsonl cannot be read" in err
