"""The command line as a shell sees it: exit codes, one sentence for what went wrong, one document at the end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from headrace.localkafka.cluster import LocalKafka
from headrace.localkafka.ports import free_ports
from headrace.testing.simulated_org import SimulatedOrg
from river import River

Done = subprocess.CompletedProcess[str]

COLUMNS = [
    *("accepted", "delivered", "rejected", "retrying", "in_flight", "retried", "lost", "duplicates", "expired"),
    *("balanced", "orgs", "destinations"),
]
GOOD = {"org": "acme", "bot": "b", "session": "s", "type": "bot.turn.started", "data": {"text": "grüezi"}}


def headrace(*arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> Done:
    """Run a command with nothing of this process's own configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "KAFKA_"))}
    command = [sys.executable, "-m", "headrace", *arguments]
    run = subprocess.run(
        command, input=stdin, capture_output=True, env=kept | dict(environment or {}), timeout=90, check=False
    )
    return Done(run.args, run.returncode, run.stdout.decode(), run.stderr.decode())


def fails(done: Done, code: int, *words: str) -> None:
    """See that a command ended with *code*, nothing on standard output, and after logs one sentence with *words*."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    *logged, sentence = done.stderr.splitlines()
    assert all(json.loads(line)["event"] for line in logged), done.stderr
    assert sentence.startswith("headrace"), done.stderr
    for word in words:
        assert word in sentence


@pytest.fixture(scope="module")
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


@pytest.fixture
def river(tmp_path: Path, kafka: str, orgs: SimulatedOrg) -> Iterator[River]:
    with River(tmp_path, kafka, orgs) as running:
        yield running


def test_a_new_cluster_answers_every_command(tmp_path: Path, new_kafka: Callable[..., LocalKafka]) -> None:
    """What is missing is named with its remedy; the first audit of a cluster's life finds nothing, and says so."""
    file = tmp_path / "headrace.toml"
    file.write_text(f'[kafka]\nbootstrap_servers = "{new_kafka().bootstrap_servers}"\n[topics]\npartitions = 3\n')
    config = f"--config={file}"
    for command in (["audit"], ["dead", "list"], ["deliver"], ["emit", "-"]):
        fails(headrace(*command, config), 1, "headrace topics apply")
    several = headrace("deliver", "--workers", "2", config)
    assert several.returncode == 1
    assert "headrace topics apply" in several.stderr
    assert "Traceback" not in several.stderr

    planned = headrace("topics", "plan", "--json", config)
    applied = headrace("topics", "apply", "--json", config)
    again = headrace("topics", "apply", "--json", config)
    assert [each.returncode for each in (planned, applied, again)] == [0, 0, 0]
    changes = [json.loads(each.stdout.splitlines()[-1])["changes"] for each in (planned, applied, again)]
    assert changes[0] == changes[1] != []
    assert changes[2] == []

    audited = headrace("audit", "--json", config)
    assert audited.returncode == 0, audited.stderr
    books = json.loads(audited.stdout.splitlines()[-1])
    assert list(books)[: len(COLUMNS)] == COLUMNS
    assert (books["accepted"], books["balanced"]) == (0, True)
    assert json.loads(headrace("dead", "list", "--json", config).stdout) == {"count": 0, "dead": []}


def test_usage_is_told_from_failure(river: River) -> None:
    config = f"--config={river.config_file}"
    for words, expected in {
        ("nonsense",): ["nonsense"],
        ("dead", "lst"): ["lst", "list"],
        ("deliver", "--only", "sideways", config): ["sideways"],
        ("deliver", "--workers", "0", config): ["--workers", "0"],
        ("deliver", "--worker", "2", config): ["--worker"],
        ("audit", "--jsn", config): ["--jsn"],
        ("dead", "show", "nonsense", config): ["nonsense"],
        ("dead", "list", "--since", "yesterday", config): ["yesterday"],
        ("dead", "redrive", "--rate", "fast", config): ["fast"],
        ("emit", str(river.directory / "none.jsonl"), config): ["none.jsonl"],
    }.items():
        fails(headrace(*words), 2, *expected)
    fails(
        headrace("deliver", "--only", "main", config, environment={"HEADRACE_DELIVERY__ORDERING": "session"}),
        2,
        "--only",
        "session",
    )
    fails(headrace("dead", "show", "0/999", config), 1, "0/999")
    as_json = headrace("dead", "show", "0/999", "--json", config)
    assert as_json.returncode == 1
    assert "0/999" in json.loads(as_json.stdout.splitlines()[-1])["error"]


def test_a_configuration_that_is_wrong_names_the_key(river: River) -> None:
    file = river.directory / "wrong.toml"
    for text, expected in {
        "[delivery]\nbatch_event = 3": ["delivery.batch_event", "batch_events"],
        "[deliver]\nbatch_events = 3": ["deliver", "delivery"],
        '[delivery]\nbatch_events = "many"': ["delivery.batch_events"],
        '[retry]\ntiers = ["30s", "5s"]': ["retry"],
        '[retry]\ngive_up_after = "30d"': ["retention"],
        '[destinations.crm]\ntype = "htpp"': ["destinations.crm", "http"],
        '[destinations.crm]\ntype = "http"\nurk = "http://127.0.0.1/"': ["destinations.crm", "urk", "url"],
        '[routes]\n"*" = ["crn"]\n[destinations.crm]\ntype = "http"\nurl = "http://127.0.0.1/"': ["crn", "crm"],
        "[delivery\n": ["wrong.toml"],
    }.items():
        file.write_text(text)
        fails(headrace("deliver", "--config", str(file)), 1, *expected)
    variable = "HEADRACE_DELIVERY__BATCH_EVENT"
    config = f"--config={river.config_file}"
    fails(headrace("deliver", config, environment={variable: "3"}), 1, variable, "BATCH_EVENTS")
    fails(headrace("deliver", "--config", str(river.directory / "none.toml")), 1, "none.toml")


def test_kafka_that_is_not_there_is_said_soon() -> None:
    began = time.monotonic()
    address = f"127.0.0.1:{free_ports()}"
    fails(
        headrace("audit", environment={"HEADRACE_KAFKA__BOOTSTRAP_SERVERS": address}),
        1,
        address,
        "headrace kafka start",
    )
    assert time.monotonic() - began < 20


def test_emit_names_bad_lines_and_sends_the_others(river: River) -> None:
    config = f"--config={river.config_file}"
    good = json.dumps(GOOD).encode()
    bad = [
        b"garbage",
        b"[]",
        b'{"org":"acme"}',
        json.dumps(GOOD | {"org": "a/b"}).encode(),
        b"\xff\xfe",
        b"[" * 100_000,
    ]
    lines = [line for each in bad for line in (good, each)]
    file = river.directory / "events.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n\n" + good)

    mixed = headrace("emit", str(file), "--json", config)
    clean = headrace("emit", "-", "--json", config, stdin=good + b"\n" + good)

    assert (mixed.returncode, clean.returncode) == (1, 0)
    assert clean.stderr.count("line ") == 0
    document = json.loads(mixed.stdout.splitlines()[-1])
    assert (document["emitted"], document["bad"]) == (len(bad) + 1, len(bad))
    for number in range(2, 2 * len(bad) + 1, 2):
        assert f"line {number}: " in mixed.stderr
    assert json.loads(clean.stdout.splitlines()[-1])["emitted"] == 2
    books = river.audit()
    assert (books.accepted, books.in_flight, books.balanced) == (2 * (len(bad) + 3), 2 * (len(bad) + 3), True)
