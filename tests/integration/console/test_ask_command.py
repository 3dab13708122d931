"""`headrace ask`: a command asks a real console over a socket what its pages show."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from headrace.cli.main import main
from headrace.console.access.tokens import Signer, claim_of
from headrace.console.web.served import Served
from headrace.testing.eventlog_contract import event
from unit.console.two_orgs import ORGS, SETTINGS, TwoOrgs, canary

OURS, THEIRS = ORGS


@pytest.fixture
def stores() -> TwoOrgs:
    return TwoOrgs()


@pytest.fixture
def url(stores: TwoOrgs) -> Iterator[str]:
    with Served(stores.app(SETTINGS), "127.0.0.1", 0) as served:
        yield served.url


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("HEADRACE_TOKEN", raising=False)
    monkeypatch.setenv("SIGNED_BY", SETTINGS.secret.reveal())
    path = tmp_path / "headrace.toml"
    path.write_text('[console]\nsecret = "env:SIGNED_BY"\n')
    return str(path)


def viewer(stores: TwoOrgs) -> str:
    return Signer(SETTINGS.secret).sign(claim_of("robot", OURS, stores.clock.wall() + 3600))


def test_whoever_has_the_secret_sees_every_org(url: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "sessions", "--url", url, "--config", file, "--json"]) == 0

    printed = capsys.readouterr().out
    assert printed.count("\n") == 1, "one document on one line"
    assert {row["org"] for row in json.loads(printed)["rows"]} == set(ORGS)


def test_a_token_of_an_org_sees_that_org_alone(
    stores: TwoOrgs, url: str, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEADRACE_TOKEN", viewer(stores))
    of = ["--url", url, "--config", file]

    assert main(["ask", "session", f"org={OURS}", f"session=session-of-{OURS}", *of]) == 0
    assert canary(OURS) in capsys.readouterr().out

    assert main(["ask", "session", f"org={THEIRS}", f"session=session-of-{THEIRS}", *of]) == 1
    answered = capsys.readouterr()
    assert "404" in answered.err
    assert canary(THEIRS) not in answered.err + answered.out


def test_lines_go_on_to_the_last_row(
    stores: TwoOrgs, url: str, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("headrace.console.web.lines.USUAL", 7)
    begun = [event(f"e{n}", subject=f"s{n}", source=f"/orgs/{OURS}/bots/b", seq=0) for n in range(20)]
    stores.log.upsert(begun)

    assert main(["ask", "sessions", f"org={OURS}", "--lines", "--url", url, "--config", file]) == 0

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(row["session"] for row in rows) == sorted([f"session-of-{OURS}", *(f"s{n}" for n in range(20))])

    assert main(["ask", "sessions", "limit=3", "--lines", "--url", url, "--config", file]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3

    assert main(["ask", "sessions", f"org={OURS}", "limit=", "--lines", "--url", url, "--config", file]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 21


def test_what_a_terminal_would_act_on_is_escaped(
    stores: TwoOrgs, url: str, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "a\x9b31mb\u202ec\U000e0041d"
    stores.log.upsert([event("e", subject="s", source=f"/orgs/{OURS}/bots/{hostile}", seq=0)])

    assert main(["ask", "sessions", f"bot={hostile}", "--url", url, "--config", file]) == 0

    printed = capsys.readouterr().out
    assert not {"\x9b", "\u202e", "\U000e0041"} & set(printed)
    assert json.loads(printed)["rows"][0]["bot"] == hostile


def test_what_can_be_asked_is_listed(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "--config", file, "--json"]) == 0

    views: dict[str, Any] = {view["name"]: view for view in json.loads(capsys.readouterr().out)["views"]}
    assert views["session"]["needs"] == ["org", "session"]
    assert "errors" in views["sessions"]["takes"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sesions"], "there is no view 'sesions'; did you mean 'sessions'?"),
        (["sessions", "errors"], "'errors' is no NAME=VALUE"),
        (["sessions", "erors=true"], "sessions takes no 'erors'; did you mean 'errors'?"),
        (["session", "org=acme"], "session needs session=SESSION"),
        (["overview", "--lines"], "overview is no list of rows; --lines goes with: "),
        (["sessions", "org=\udcff"], "is no text in UTF-8"),
        (["overview", "--url", "127.0.0.1:8400"], "write it like http://"),
        (["overview", "--url", "file:///etc/passwd"], "write it like http://"),
        (["overview", "--url", "http://[::1"], "write it like http://"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anybody_is(
    file: str, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["ask", *words, "--config", file]) == 2
    assert sentence in capsys.readouterr().err


def test_what_the_console_refuses_is_one_sentence(
    url: str, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "sessions", "limit=0", "--url", url, "--config", file]) == 1
    assert "the console says 400: " in capsys.readouterr().err

    monkeypatch.setenv("HEADRACE_TOKEN", "hr_wrong")
    assert main(["ask", "sessions", "--url", url, "--config", file]) == 1
    assert "`headrace token`" in capsys.readouterr().err


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Say *answer* to whoever comes, and hang up."""

    def serve() -> None:
        came, _ = listening.accept()
        with came:
            came.recv(4096)
            came.sendall(answer)

    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html", "is no console"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}", "was broken off"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "the console says 302"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "the console says 500"),
        (b"SSH-2.0\r\n", "no console answers at"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 50\r\n\r\n{}", "the console says 500"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 200_000, "is no console"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 4000, "is too long"),
    ],
)
def test_whatever_answers_instead_is_told(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: bytes, sentence: str
) -> None:
    monkeypatch.setattr("headrace.cli.api.LONGEST", 3000 if "too long" in sentence else 1 << 20)
    with answering(answer) as url:
        assert main(["ask", "overview", "--url", url, "--config", file]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("line", [b'{"next":"x"}', b'{"a":1}' * 1000])
def test_lines_that_never_end_do(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    monkeypatch.setattr("headrace.cli.api.LONGEST", 1000)
    with answering(b"HTTP/1.1 200 OK\r\n\r\n" + line + b"\n") as url:
        assert main(["ask", "sessions", "after=x", "--lines", "--url", url, "--config", file]) == 1
    assert "was broken off" in capsys.readouterr().err


@pytest.mark.parametrize("token", ["hr_secret\nX: y", "hr_secret\u20ac"])
def test_a_token_that_can_be_none_is_never_printed(
    file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token: str
) -> None:
    monkeypatch.setenv("HEADRACE_TOKEN", token)
    assert main(["ask", "overview", "--config", file]) == 2
    said = capsys.readouterr()
    assert "`headrace token`" in said.err
    assert "secret" not in said.err + said.out


def test_a_line_end_behind_a_token_does_no_harm(
    stores: TwoOrgs, url: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_TOKEN", f"{viewer(stores)}\r\n")
    assert main(["ask", "sessions", "--url", url, "--config", file]) == 0


def test_a_password_in_an_address_is_never_printed(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ask", "overview", "--url", "http://olga:secret@127.0.0.1:9", "--config", file]) == 1
    assert "secret" not in capsys.readouterr().err


def test_lines_that_were_broken_off_are_no_success(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"session":"s1"}\n{"session":"s2"}\n'
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as url:
        assert main(["ask", "sessions", "--lines", "--url", url, "--config", file]) == 1
    assert "was broken off" in capsys.readouterr().err


def test_where_no_console_is_the_way_out_is_named(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    assert main(["ask", "overview", "--url", f"http://127.0.0.1:{port}", "--config", file]) == 1
    assert "start one with `headrace console`" in capsys.readouterr().err
