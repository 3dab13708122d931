"""`headrace token` and `headrace password`, and the settings that say who may sign in."""

import io
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from headrace import config, console_app
from headrace.cli.main import main
from headrace.console.access.accounts import Accounts, Scrypt
from headrace.console.access.tokens import Signer
from headrace.console.settings import Person
from headrace.errors import ConfigError
from headrace.model.secret import Secret

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = tmp_path / "headrace.toml"
    path.write_text(
        '[console]\nsecret = "env:KEY"\nrevoked = ["a1"]\n'
        '[console.people.ada]\npassword = "env:ADA"\norg = "acme"\n[console.people.olga]\npassword = "env:OLGA"\n'
    )
    monkeypatch.setenv("KEY", SECRET)
    monkeypatch.setenv("ADA", "battery staple")
    return str(path)


def test_a_token_is_for_one_org_until_it_expires(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--org", "acme", "--expires", "30m", "--name", "robot", "--config", file, "--json"]) == 0

    made = json.loads(capsys.readouterr().out)
    claim = Signer(Secret(SECRET)).read(made["token"], 0.0)
    assert claim is not None
    assert (claim.id, claim.name, claim.org) == (made["id"], "robot", "acme")
    link = urlsplit(made["url"])
    assert (link.netloc, link.path) == ("127.0.0.1:8400", "/sign-in")
    assert parse_qs(link.query) == {"token": [made["token"]]}


def test_a_token_for_people_says_how_to_end_it(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--operator", "--config", file, "--url", "https://console.example/"]) == 0

    first, _, *rest = capsys.readouterr().out.splitlines()
    claim = Signer(Secret(SECRET)).read(first, 0.0)
    assert claim is not None
    assert claim.org is None
    assert f"add {claim.id} to console.revoked" in rest[0]
    assert rest[1].endswith(f"https://console.example/sign-in?token={first}")


def test_a_token_may_erase_where_that_is_said(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = []
    for more in ([], ["--may-erase"]):
        assert main(["token", "--org", "acme", "--config", file, "--json", *more]) == 0
        made.append(json.loads(capsys.readouterr().out))
    assert main(["token", "--org", "acme", "--may-erase", "--config", file]) == 0

    claims = [Signer(Secret(SECRET)).read(each["token"], 0.0) for each in made]
    assert [each["may_erase"] for each in made] == [False, True]
    assert [claim is not None and claim.viewer.may_erase for claim in claims] == [False, True]
    assert "the org acme, and may erase there, until" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "name what the token is for: --org ORG, or --operator"),
        (["--org", "acme", "--operator"], "name what the token is for"),
        (["--org", "a b"], "'a b' is no org"),
        (["--org", "a/b"], "'a/b' is no org"),
        (["--org", "acme", "--expires", "soon"], "--expires 'soon' is not a duration"),
    ],
)
def test_what_makes_no_token_is_told(
    file: str, options: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["token", *options, "--config", file]) == 2
    assert sentence in capsys.readouterr().err


def test_without_a_secret_there_are_no_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.toml").touch()
    assert main(["token", "--operator", "--config", str(tmp_path / "empty.toml")]) == 1
    assert "console.secret is not set" in capsys.readouterr().err


def test_what_stands_in_a_password_s_place_lets_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\n"))
    assert main(["password"]) == 0
    kept = capsys.readouterr().out.strip()
    assert Scrypt.parse(kept) is not None
    accounts = Accounts({"ada": Person(password=Secret(kept))})
    assert accounts.check("ada", "correct horse") is not None


def test_a_short_password_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("horse\n"))
    assert main(["password"]) == 2
    assert "12 characters or more" in capsys.readouterr().err


def test_people_are_read_from_the_file_and_shown_without_their_passwords(
    file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = config.load(Path(file)).console
    assert settings.people["ada"] == Person(password=Secret("battery staple"), org="acme")
    assert settings.people["olga"].password.is_missing, "which is no error until somebody wants to sign in"

    assert main(["config", "show", "--config", file, "--json"]) == 0
    shown = capsys.readouterr().out
    assert "battery" not in shown
    assert json.loads(shown)["settings"]["console.people"]["value"] == {
        "ada": {"password": "***", "org": "acme", "may_erase": False},
        "olga": {"password": "(missing)", "org": "", "may_erase": False},
    }


def test_people_are_read_from_a_variable(file: str) -> None:
    people = '{"bob": {"password": "correct horse", "org": "globex"}}'
    loaded = config.load(Path(file), {"KEY": SECRET, "HEADRACE_CONSOLE__PEOPLE": people})
    assert loaded.console.people == {"bob": Person(password=Secret("correct horse"), org="globex")}


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ('password = "plain"', "a secret is not written here"),
        ('org = "acme"', "missing required field password"),
        ('password = "env:ADA"\norgs = "acme"', "unknown field orgs"),
        ('password = "env:ADA"\norg = "a/b"', "console.people"),
    ],
)
def test_a_person_that_cannot_be_stops_the_start(tmp_path: Path, person: str, sentence: str) -> None:
    path = tmp_path / "headrace.toml"
    path.write_text(f'[console]\nsecret = "env:KEY"\n[console.people.ada]\n{person}\n')
    with pytest.raises(ConfigError, match=r"console\.people") as refused:
        config.load(path, {"KEY": SECRET, "ADA": "x"})
    assert sentence in str(refused.value)


def test_people_without_a_secret_stop_the_start(tmp_path: Path) -> None:
    path = tmp_path / "headrace.toml"
    path.write_text('[console.people.ada]\npassword = "env:ADA"\n')
    with pytest.raises(ConfigError, match=r"people cannot sign in without a console\.secret"):
        config.load(path, {"ADA": "x"})


def test_a_console_that_is_open_does_not_leave_this_machine(tmp_path: Path) -> None:
    """Whether the file says so or the command line."""
    (tmp_path / "headrace.toml").touch()
    loaded = config.load(tmp_path / "headrace.toml", {})
    with pytest.raises(ConfigError, match=r"does not listen on 0\.0\.0\.0 without a sign-in"):
        console_app.console(loaded, host="0.0.0.0", port=0)
