"""Signing in and out, by password and by token, over the whole site."""

import asyncio
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.console.access.accounts import Cost
from headrace.console.access.gate import SESSION
from headrace.console.access.register import REFUSED, SIGN_IN, SOMEBODY, WITHIN
from headrace.console.access.sign_in import NO_TOKEN, WRONG, local
from headrace.console.access.signed import SignedAccess, is_open_to_all
from headrace.console.access.tokens import Claim, Signer
from headrace.console.settings import ConsoleSettings, Person
from headrace.console.web.pages import Pages
from headrace.errors import ConfigError, StoreError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.trail import Deed, DeedQuery
from headrace.model.secret import Secret
from headrace.testing.clock import FakeClock
from unit.console.asking_client import NOW, Answered, Asking, asking, facts, open_site
from unit.console.two_orgs import TwoOrgs

SECRET = Secret("0123456789abcdef0123456789abcdef")
SETTINGS = ConsoleSettings(
    secret=SECRET,
    people={
        "olga": Person(password=Secret("correct horse")),
        "ada": Person(password=Secret("battery staple"), org="acme"),
    },
    revoked=["gone"],
)
CHEAP = Cost(log_n=4, passes=1)


def token(id: str = "a1", org: str | None = "acme", expires: float = NOW + 60) -> str:  # noqa: A002
    return Signer(SECRET).sign(Claim(id=id, name="robot", org=org, expires=expires))


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log(clock: FakeClock) -> MemoryEventLog:
    return MemoryEventLog(clock)


@pytest.fixture
def site(clock: FakeClock, log: MemoryEventLog) -> Iterator[Asking]:
    async def note(deed: Deed) -> None:
        log.note(deed)

    access = SignedAccess(SETTINGS, Pages([], [], facts(), clock), clock, note, CHEAP)
    with open_site(access=access, clock=clock, log=log) as client:
        yield client


def sign_in(site: Asking, name: str = "ada", password: str = "battery staple", wanted: str = "/sessions") -> Answered:
    return site.post("/sign-in", {"name": name, "password": password, "next": wanted})


def test_nobody_is_led_to_the_sign_in_and_back_to_what_was_wanted(site: Asking) -> None:
    sent = site.get("/sessions?errors=true&text=a%26b")
    assert sent.status == 303
    assert sent.headers["location"] == "/sign-in?next=" + quote("/sessions?errors=true&text=a%26b", safe="")

    page = site.get(sent.headers["location"])
    assert page.status == 200
    assert 'name="next" value="/sessions?errors=true&amp;text=a%26b"' in page.text
    assert "<nav" not in page.text

    done = sign_in(site, wanted="/sessions?errors=true&text=a%26b")
    assert (done.status, done.headers["location"]) == (303, "/sessions?errors=true&text=a%26b")
    assert site.get("/sessions").status == 200


def noted(log: MemoryEventLog, org: str | None = None) -> list[Deed]:
    return list(reversed(log.deeds(DeedQuery(org=org, action=SIGN_IN, limit=500)).rows))


def test_who_signs_in_and_who_is_refused_is_in_the_trail(site: Asking, log: MemoryEventLog) -> None:
    sign_in(site)
    site.post("/sign-in", {"token": token()})
    sign_in(site, "ada", "wrong")
    sign_in(site, "my password, in the wrong field", "x")
    site.post("/sign-in", {"token": "hr_x"})
    site.get("/sign-in?token=hr_x")

    told = {(each.who, each.org, each.result, each.answer, each.detail) for each in noted(log)}
    assert told == {
        ("ada", "acme", "done", "", '{"by":"password"}'),
        ("robot", "acme", "done", "", '{"by":"token","token":"a1"}'),
        ("ada", "acme", "failed", WRONG, ""),
        (SOMEBODY, "", "failed", WRONG, ""),
        (SOMEBODY, "", "failed", NO_TOKEN, ""),
    }
    assert {each.address for each in noted(log)} == {"127.0.0.1"}
    assert {each.who for each in noted(log, "acme")} == {"ada", "robot"}


def test_refused_sign_ins_do_not_fill_the_trail(site: Asking, log: MemoryEventLog, clock: FakeClock) -> None:
    for number in range(3 * REFUSED):
        site.post("/sign-in", {"token": f"hr_{number}"})
    assert len(noted(log)) == REFUSED

    clock.advance(WITHIN / REFUSED)
    sign_in(site, "ada", "wrong")

    assert len(noted(log)) == REFUSED + 1
    assert f"{2 * REFUSED} more were refused before" in " ".join(each.answer for each in noted(log))


def test_one_can_sign_in_while_nothing_can_be_written_down(clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(deed: Deed) -> None:
        raise StoreError("the disk is full")

    async def hang(deed: Deed) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("headrace.console.access.register.WAITS", 0.0)
    for note in (fail, hang):
        access = SignedAccess(SETTINGS, Pages([], [], facts(), clock), clock, note, CHEAP)
        with open_site(access=access, clock=clock) as site:
            assert sign_in(site).status == 303
            assert site.get("/status").status == 404, "ada is in, and no operator"


def test_a_session_s_cookie_is_for_the_browser_alone(site: Asking) -> None:
    cookie = sign_in(site).headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={SESSION:.0f}"} < set(cookie)
    assert "Secure" not in cookie, "loopback has no https"


def test_with_https_the_cookie_is_secure(site: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.console.access.sign_in._is_secure", lambda request: True)
    assert "Secure" in sign_in(site).headers["set-cookie"]


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("eve", "battery staple"), ("ada", ""), (" ", "")])
def test_a_wrong_name_and_a_wrong_password_are_told_alike(site: Asking, name: str, password: str) -> None:
    refused = sign_in(site, name, password)
    assert refused.status == 403
    assert WRONG in refused.text
    assert "set-cookie" not in refused.headers
    assert refused.text.replace(f'value="{name}"', 'value=""') == sign_in(site, "nobody", "x").text.replace(
        'value="nobody"', 'value=""'
    )


def test_guessing_is_slowed_down_and_one_who_knows_is_let_in_later(site: Asking, clock: FakeClock) -> None:
    assert [sign_in(site, "ada", f"guess {each}").status for each in range(11)] == [403] * 10 + [429]
    refused = sign_in(site)
    assert refused.status == 429
    assert refused.headers["retry-after"] == "31"
    assert "set-cookie" not in refused.headers
    clock.advance(31)
    assert sign_in(site).status == 303


def test_one_who_signs_in_often_is_not_slowed_down(site: Asking) -> None:
    assert [sign_in(site).status for _ in range(12)] == [303] * 12


def test_signing_out_ends_the_session_everywhere(site: Asking) -> None:
    sign_in(site)
    stolen = site.cookies["headrace"]
    done = site.post("/sign-out")
    assert (done.status, done.headers["location"]) == (303, "/sign-in")
    assert site.cookies == {}
    site.cookies["headrace"] = stolen
    assert site.get("/sessions").status == 303


def test_signing_out_is_not_done_by_a_link(site: Asking) -> None:
    sign_in(site)
    assert site.get("/sign-out").status == 405
    assert site.get("/sessions").status == 200


def test_a_session_ends_by_itself(site: Asking, clock: FakeClock) -> None:
    sign_in(site)
    clock.advance(SESSION)
    assert site.get("/sessions").status == 303


def test_a_token_is_for_the_api(site: Asking) -> None:
    assert site.get("/api/v1/sessions", bearer(token())).status == 200
    refused = site.get("/api/v1/sessions")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YTpi", token(), f"Token {token()}", f"Bearer {token('gone')}", "Bearer hr_é"],
    ids=range(8),
)
def test_what_is_no_token_is_nobody_even_with_a_cookie(site: Asking, header: str) -> None:
    sign_in(site)
    assert site.get("/api/v1/sessions", {"authorization": header}).status == 401


def test_a_link_shows_who_it_lets_in_and_only_the_button_does(site: Asking) -> None:
    """Mail programs look at links before people do, and nobody is to be put into another's place unasked."""
    page = site.get(f"/sign-in?token={token()}")
    assert page.status == 200
    assert "Go on as robot" in page.text
    assert "set-cookie" not in page.headers
    done = site.post("/sign-in", {"token": token(), "next": "/sessions"})
    assert (done.status, done.headers["location"]) == (303, "/sessions")
    assert "Max-Age=60" in done.headers["set-cookie"]
    assert site.get("/sessions").status == 200
    assert site.get("/sessions?org=other").status == 404


@pytest.mark.parametrize("bad", [token("gone"), token(expires=NOW), "hr_x", "<script>"])
def test_a_link_that_is_not_valid_says_so(site: Asking, bad: str) -> None:
    for answered in (site.get(f"/sign-in?token={quote(bad)}"), site.post("/sign-in", {"token": bad})):
        assert answered.status == 403
        assert NO_TOKEN in answered.text
        assert "set-cookie" not in answered.headers
        assert "<script>" not in answered.text.partition("<body>")[2]


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "evil",
     "/\n/evil.example", "/a\\b", "/" + "a" * 2000, "", " /a", "\\\\evil.example"],
)  # fmt: skip
def test_a_sign_in_leads_to_nowhere_else(site: Asking, path: str) -> None:
    assert local(path) == "/"
    assert sign_in(site, wanted=path).headers["location"] == "/"


@given(st.text(alphabet="/\\.:@ \t\na%?#", max_size=12))
def test_a_local_path_begins_with_one_slash(path: str) -> None:
    assert local(path).startswith("/")
    assert local(path)[1:2] not in {"/", "\\"}
    assert not set(local(path)) & set("\\\t\n\r ")


def test_without_a_secret_the_console_is_open_on_loopback_only() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert is_open_to_all(ConsoleSettings(host=host))
    for host in ("0.0.0.0", "::", "10.0.0.7", "console.example"):
        with pytest.raises(ConfigError, match=r"does not listen on .* without a sign-in: set console\.secret"):
            is_open_to_all(ConsoleSettings(host=host))
        assert not is_open_to_all(ConsoleSettings(host=host, secret=SECRET))


def test_people_need_a_secret() -> None:
    with pytest.raises(ValueError, match=r"people cannot sign in without a console\.secret"):
        ConsoleSettings(people=SETTINGS.people)


def test_the_whole_console_notes_sign_ins() -> None:
    orgs = TwoOrgs()
    with asking(orgs.app(ConsoleSettings(secret=SECRET))) as client:
        assert client.post("/sign-in", {"token": token()}).status == 303

    assert [each.who for each in noted(orgs.log, "acme")] == ["robot"]
