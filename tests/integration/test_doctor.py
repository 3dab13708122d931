"""`headrace doctor` against a real Kafka, a real socket and real files."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.cli.main import main
from headrace.localkafka.ports import free_ports

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which something answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def write(directory: Path, servers: str, port: int, more: str = "") -> Path:
    file = directory / "headrace.toml"
    file.write_text(
        f'[kafka]\nbootstrap_servers = "{servers}"\n[topics]\nprefix = "doctor-"\npartitions = 2\n'
        f'[destinations.crm]\ntype = "http"\nurl = "http://127.0.0.1:{port}/{{org}}"\n{more}'
        '[destinations.log]\ntype = "eventlog"\n[routes]\n"*" = ["log", "crm"]\n'
    )
    return file


def examine(file: Path, capsys: Captured) -> tuple[int, dict[str, dict[str, str]]]:
    """Return the exit code, and what is wrong by check."""
    code = main(["doctor", "--config", str(file), "--json"])
    document = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert document["well"] == (code == 0)
    return code, {each["check"]: each for each in document["findings"] if each["state"] == "wrong"}


def test_doctor_names_the_command_that_mends_and_is_content_after_it(
    kafka: str, tmp_path: Path, port: int, capsys: Captured
) -> None:
    file = write(tmp_path, kafka, port)

    code, wrong = examine(file, capsys)

    assert code == 1
    assert {each["mend"] for each in wrong.values()} == {"headrace topics apply"}
    assert "topic doctor-headrace.events" in wrong
    assert "topic doctor-headrace.retry.5s" in wrong

    assert main(["topics", "apply", "--config", str(file)]) == 0

    assert examine(file, capsys) == (0, {})
    assert {each.name for each in tmp_path.iterdir()} == {"headrace.toml"}, "a doctor leaves nothing behind"


def test_doctor_finds_all_that_is_wrong_at_once(tmp_path: Path, capsys: Captured) -> None:
    nobody = free_ports()
    file = write(tmp_path, f"127.0.0.1:{nobody}", nobody, 'secret = "env:HEADRACE_NO_SUCH_SECRET"\n')
    (tmp_path / ".headrace").write_text("a file where a directory should be")

    code, wrong = examine(file, capsys)

    assert code == 1
    assert wrong.keys() == {"kafka", "destination crm", "event log", "journal"}
    assert "headrace kafka start" in wrong["kafka"]["mend"]
    assert "HEADRACE_NO_SUCH_SECRET is not set" in wrong["destination crm"]["says"]


def test_doctor_says_that_a_destination_does_not_answer(kafka: str, tmp_path: Path, capsys: Captured) -> None:
    nobody = free_ports()

    _, wrong = examine(write(tmp_path, kafka, nobody), capsys)

    assert f"127.0.0.1:{nobody} cannot be reached" in wrong["destination crm"]["says"]


def test_doctor_says_what_the_journal_still_holds(kafka: str, tmp_path: Path, port: int, capsys: Captured) -> None:
    journal = tmp_path / ".headrace/journal"
    journal.mkdir(parents=True)
    (journal / f"{os.getpid()}-00000001.seg").write_bytes(b"x" * 1024)

    main(["doctor", "--config", str(write(tmp_path, kafka, port))])

    assert "holds 1KiB of events that Kafka has not got" in capsys.readouterr().out


def test_doctor_stops_at_a_configuration_that_cannot_be_read(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "headrace.toml"
    file.write_text("[kafka]\nbootstrap_server = 1\n")

    code, wrong = examine(file, capsys)

    assert code == 1
    assert wrong.keys() == {"configuration"}
    assert "did you mean 'bootstrap_servers'" in wrong["configuration"]["says"]
