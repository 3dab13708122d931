"""`headrace log`, as people and programs read it."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headrace.cli.main import main
from headrace.clock import SystemClock
from headrace.eventlog.sqlite import SqliteEventLog
from headrace.testing.eventlog_contract import ERROR, event

HOSTILE = "\x1b[31mred\x1b]0;title\x07 [bold]loud[/bold] \u202egnp \x9b2J\r\n:smile:"

Run = Callable[..., tuple[int, str, str]]


def conversation(session: str, minute: int, *, fails: bool) -> list[bytes]:
    action = {"action": "LookUpOrder", "kind": "apex", "call": "c1"}
    end: dict[str, Any] = {"error": ERROR | {"stack": '  File "orders.py", line 4, in find\n'}} if fails else {}
    told: list[tuple[str, dict[str, Any]]] = [
        ("bot.session.started", {"channel": "web"}),
        ("bot.turn.started", {"turn": 1}),
        ("bot.message.received", {"text": "Where is my order?"}),
        ("bot.intent.detected", {"intent": "order_status", "confidence": 0.93}),
        ("bot.action.invoked", action | {"inputs": {"order": 7}}),
        ("bot.action.failed" if fails else "bot.action.succeeded", action | {"duration_ms": 12.0} | end),
        ("bot.message.sent", {"text": "On its way."}),
        ("bot.turn.ended", {"turn": 1, "duration_ms": 90.0}),
        ("bot.session.ended", {"reason": "user"}),
    ]
    return [
        event(
            f"{session}-{n}", subject=session, seq=n, type=kind, data=data, time=f"2026-11-23T10:{minute:02d}:{n:02d}Z"
        )
        for n, (kind, data) in enumerate(told)
    ]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "headrace.toml"
    file.write_text('[eventlog]\nurl = "sqlite:///log/events.db"\n')
    return file


@pytest.fixture
def filled(config: Path) -> Path:
    store = SqliteEventLog(config.parent / "log" / "events.db", SystemClock())
    store.upsert(conversation("s-1", 1, fails=True) + conversation("s-2", 2, fails=False))
    store.upsert(conversation("s-3", 3, fails=True))
    store.upsert([event("evil", subject=HOSTILE, type=HOSTILE, data={HOSTILE: HOSTILE, "error": {"type": HOSTILE}})])
    store.close()
    return config


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def log(config: Path, *words: str) -> tuple[int, str, str]:
        code = main(["log", *words, "--config", str(config)])
        out, err = capsys.readouterr()
        return code, out, err

    return log


def test_the_sessions_of_an_org_are_a_table_the_newest_first(run: Run, filled: Path) -> None:
    code, out, _ = run(filled, "--org", "acme")

    assert code == 0
    places = [out.index(f" {session} ") for session in ("s-3", "s-2", "s-1")]
    assert places == sorted(places)
    (row,) = [line.split() for line in out.splitlines() if line.startswith(" s-1 ")]
    assert row[1:9] == ["helpdesk", "2026-11-23", "10:01:00", "8.0", "s", "1", "9", "1"]
    assert "action LookUpOrder (apex): OrderNotFound: no order 7" in " ".join(row)


def test_the_sessions_as_json(run: Run, filled: Path) -> None:
    _, out, _ = run(filled, "--org", "acme", "--limit", "3", "--json")

    document = msgspec.json.decode(out.splitlines()[-1])
    assert (document["org"], document["count"]) == ("acme", 3)
    newest = next(each for each in document["sessions"] if each["session"] == "s-3")
    assert newest["started_at"] == "2026-11-23T10:03:00.000Z"
    assert (newest["duration_s"], newest["turns"], newest["events"], newest["errors"]) == (8.0, 1, 9, 1)
    assert newest["first_error"]["data"]["error"]["type"] == "OrderNotFound"
    assert newest["end"]["data"]["reason"] == "user"


def test_a_session_is_told_step_by_step(run: Run, filled: Path) -> None:
    code, out, _ = run(filled, "--org", "acme", "--session", "s-1")

    assert code == 0
    told = [line.split(maxsplit=1)[-1] for line in out.splitlines() if line]
    assert told[1:] == [
        "session started web",
        "turn 1  90 ms",
        "person Where is my order?",
        "intent order_status 93%",
        "✗ action LookUpOrder (apex) order = 7  12 ms",
        "no order 7  custom_code",
        "orders.py:4 in find",
        "bot On its way.",
        "session ended (user)",
    ]


def test_a_session_as_json_has_its_events_as_they_were_written(run: Run, filled: Path) -> None:
    _, out, _ = run(filled, "--org", "acme", "--session", "s-2", "--json")

    document = msgspec.json.decode(out, type=dict[str, msgspec.Raw])
    events = msgspec.json.decode(document["events"], type=list[msgspec.Raw])
    assert [bytes(each) for each in events] == conversation("s-2", 2, fails=False)


def test_errors_are_grouped_with_where_they_threw(run: Run, filled: Path) -> None:
    code, out, _ = run(filled, "--org", "acme", "--errors")
    _, document, _ = run(filled, "--org", "acme", "--errors", "--json")

    assert code == 0
    assert out.splitlines()[:4] == [
        "2 × OrderNotFound  custom_code  in action LookUpOrder (apex)",
        "   no order 7",
        "   at orders.py:4 in find",
        "   2 sessions, 2026-11-23 10:01:05 to 2026-11-23 10:03:05 UTC, last in s-3",
    ]
    whole = msgspec.json.decode(document)
    assert whole["count"] == 3
    assert whole["groups"][0]["count"] == 2
    assert whole["groups"][0]["first_at"] == "2026-11-23T10:01:05.000Z"


def test_errors_of_one_session_and_none_at_all(run: Run, filled: Path) -> None:
    _, one, _ = run(filled, "--org", "acme", "--session", "s-1", "--errors")
    code, none, _ = run(filled, "--org", "acme", "--session", "s-2", "--errors")

    assert one.startswith("1 × OrderNotFound")
    assert (code, none) == (0, "Nothing failed: the org acme has no such event.\n")


def test_a_type_is_listed_over_all_sessions_and_kept_in_one(run: Run, filled: Path) -> None:
    _, everywhere, _ = run(filled, "--org", "acme", "--type", "bot.action.failed")
    _, in_one, _ = run(filled, "--org", "acme", "--type", "bot.message.sent", "--session", "s-1")
    code, nowhere, _ = run(filled, "--org", "acme", "--type", "no.such")

    assert ["s-3" in everywhere, "s-1" in everywhere, "s-2" in everywhere] == [True, True, False]
    assert len([line for line in in_one.splitlines() if line]) == 2
    assert (code, nowhere) == (0, "The org acme has no event of the type no.such.\n")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--session", HOSTILE],
        ["--errors"],
        ["--type", HOSTILE],
        ["--session", "no \x1b[31m"],
    ],
    ids=["sessions", "session", "errors", "type", "absent"],
)
def test_hostile_text_never_reaches_the_terminal_raw(filled: Path, words: list[str]) -> None:
    """On a terminal the only escape sequences are the colours that Headrace itself chose."""
    shown = on_a_terminal(["log", "--org", "acme", *words, "--config", str(filled)])

    assert "\\x1b[31m" in shown
    left = shown.replace("\r\n", "\n")
    for sequence in ("[0m", "[1m", "[2m", "[31m", "[32m", "[33m", "[36m", "[1;31m", "[1;32m", "[1;36m", "[1;2m"):
        left = left.replace(f"\x1b{sequence}", "")
    assert [character for character in left if not character.isprintable() and character != "\n"] == []


def test_hostile_text_is_no_markup(run: Run, filled: Path) -> None:
    _, out, _ = run(filled, "--org", "acme", "--session", HOSTILE)

    assert "[bold]loud[/bold]" in out
    assert ":smile:" in out


def on_a_terminal(words: list[str]) -> str:
    """Run `headrace` with a terminal as its output, and return what it wrote there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "headrace", *words]
    environ = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environ):
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:
            pass  # how Linux says that the other side is closed
    os.close(ours)
    return shown.decode()


def test_an_absent_store_org_or_session_is_one_sentence(run: Run, config: Path, tmp_path: Path) -> None:
    code, out, err = run(config, "--org", "acme")
    assert (code, out) == (1, "")
    assert err.startswith("headrace: there is no event log at ")
    assert not (tmp_path / "log").exists()

    store = SqliteEventLog(tmp_path / "log" / "events.db", SystemClock())
    store.upsert([event("1")])
    store.close()
    assert run(config, "--org", "globex") == (1, "", "headrace: the event log has no event of the org 'globex'\n")
    code, _, err = run(config, "--org", "acme", "--session", "none")
    assert (code, "has no session 'none'" in err, len(err.splitlines())) == (1, True, 1)


def test_a_limit_below_one_is_a_mistake_of_usage(run: Run, filled: Path) -> None:
    code, _, err = run(filled, "--org", "acme", "--limit", "0")

    assert (code, err) == (2, "headrace: --limit is at least 1\n")
