"""The command line's frame: one sentence for what went wrong, and its exit code."""

import importlib
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from headrace.cli.commands import COMMANDS, Command, Family
from headrace.cli.main import main
from headrace.errors import ConfigError, UsageError

Captured = pytest.CaptureFixture[str]


def every_command() -> Iterator[tuple[str, Command]]:
    for entry in COMMANDS:
        match entry:
            case Command():
                yield entry.name, entry
            case Family():
                yield from ((f"{entry.name} {command.name}", command) for command in entry.commands)


def replace_reference(monkeypatch: pytest.MonkeyPatch, outcome: BaseException | int) -> None:
    """Let `headrace config reference` come to *outcome*."""

    def reference(*, json: bool = False) -> int:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr("headrace.cli.config.reference", reference)


@pytest.mark.parametrize("code", [0, 1])
def test_a_commands_number_is_the_exit_code(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    replace_reference(monkeypatch, code)

    assert main(["config", "reference"]) == code


@pytest.mark.parametrize(
    ("error", "code"), [(ConfigError("mend it"), 1), (UsageError("mend it"), 2), (KeyboardInterrupt(), 130)]
)
def test_what_is_raised_becomes_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, error: BaseException, code: int
) -> None:
    replace_reference(monkeypatch, error)

    assert main(["config", "reference"]) == code

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == ("" if isinstance(error, KeyboardInterrupt) else "headrace: mend it\n")


def test_error_is_a_document_too_when_json_is_asked_for(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    replace_reference(monkeypatch, ConfigError("mend it"))

    assert main(["config", "reference", "--json"]) == 1

    assert json.loads(capsys.readouterr().out) == {"error": "mend it"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["auditt"], "headrace has no command 'auditt'; did you mean 'audit'?"),
        (["kafka", "strat"], "headrace kafka has no command 'strat'; did you mean 'start'?"),
        (["--log-levl", "info", "audit"], "headrace has no option '--log-levl'; did you mean '--log-level'?"),
        (["config", "show", "--jsn"], "headrace: Unknown option: --jsn. Did you mean --json?"),
        (["kafka", "start", "--port", "x"], 'headrace: Invalid value for --port: unable to convert "x" into int.'),
    ],
)
def test_usage_error_is_one_sentence_with_the_nearest_name(capsys: Captured, words: list[str], sentence: str) -> None:
    assert main(words) == 2

    assert capsys.readouterr().err == f"{sentence}\n"


@pytest.mark.parametrize(("path", "command"), [*every_command()], ids=[path for path, _ in every_command()])
def test_every_command_has_help_with_an_example_and_takes_config_and_json(
    capsys: Captured, path: str, command: Command
) -> None:
    module, _, name = command.function.partition(":")
    function = getattr(importlib.import_module(module), name)

    assert main([*path.split(), "--help"]) == 0

    text = capsys.readouterr().out
    assert f"Example: headrace {path}" in text
    assert {"config", "json"} <= inspect.signature(function).parameters.keys()


def test_overview_names_every_command_and_imports_none() -> None:
    """The overview comes at once because it imports no command, no Kafka client and no HTTP client."""
    program = "import sys; from headrace.cli.main import main; main(['--help']); print(*sys.modules)"

    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    text, _, modules = output.rstrip().rpartition("\n")
    assert [entry.name for entry in COMMANDS if f" {entry.name} " not in text] == []
    frame = {"bar", "commands", "main", "output"}
    imported = {name for name in modules.split() if name.startswith("headrace.cli.")}
    assert imported <= {f"headrace.cli.{name}" for name in frame}
    assert not {"confluent_kafka", "aiohttp", "structlog", "sqlite3"} & set(modules.split())


def test_reader_that_goes_away_is_no_error() -> None:
    """As in `headrace config reference | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)

    command = [sys.executable, "-m", "headrace", "config", "reference"]
    ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (141, "")
