"""What links alone do not lead to, or not where it is worth a look: one address, and what is done there."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from playwright.sync_api import Page

from browser.stage import assembled
from headrace import app, console_app
from headrace.broker.memory import MemoryBroker
from headrace.clock import SystemClock
from headrace.console.access.tokens import Signer, claim_of
from headrace.model.secret import Secret

Scene = tuple[str, Callable[[Page], object]]
"""An address, and what is done there."""

SECRET = "a secret of thirty-two characters and more"
PASSWORD = "a long password"

GUARDED = """\
[console]
environment = "staging"
port = 0
secret = "env:SECRET"
[console.people.ada]
password = "env:ADA"
[topics]
partitions = 3
[eventlog]
url = "sqlite:///eventlog.db"
[destinations.log]
type = "eventlog"
[routes]
"*" = ["log"]
"""


def scenes(url: str) -> Mapping[str, Scene]:
    """Return the scenes of a console that has conversations and trouble in it."""
    broken = _first(f"{url}/api/v1/sessions?text=ValueError&errors=true")
    session = f"{url}/sessions/{broken['org']}/{broken['session']}"
    error = broken["error_fingerprint"]
    told = max(_rows(f"{url}/api/v1/sessions?text=1_000"), key=lambda each: each["events"])
    return {
        "session_conversation": (f"{url}/sessions/{told['org']}/{told['session']}", _nothing),
        "session_step": (f"{session}?error={error}", _nothing),
        "session_timeline": (f"{session}?view=timeline", _nothing),
        "session_log": (f"{session}?view=log&error={error}", _nothing),
        "exception_frames": (f"{url}/exceptions/{error}", _nothing),
        "dead_by_org": (f"{url}/dead?by=org&state=all", _nothing),
        "journey_dead": (_journey(url, "initech", "bot.intent.detected"), _nothing),
        "journey_retry": (_journey(url, "globex", "bot.message.sent"), _nothing),
        "destination_test": (f"{url}/destinations/crm?org=acme", _test),
        "destination_attempts": (f"{url}/destinations/crm?tab=attempts&failed=true", _nothing),
        "destination_settings": (f"{url}/destinations/crm?tab=settings", _nothing),
        "api": (f"{url}/api", _nothing),
        "problem_absent": (f"{url}/sessions/nobody/nothing", _nothing),
        "problem_refused": (f"{url}/sessions?within=ever", _nothing),
        "nothing_found": (f"{url}/sessions?text=nothing+of+the+kind", _nothing),
        "sessions_window": (f"{url}/sessions?since=2020-01-01T14:10&until=2020-01-01T14:20", _nothing),
        "keys": (f"{url}/sessions", lambda page: page.keyboard.press("?")),
        "palette": (f"{url}/sessions", _search),
        "menu": (f"{url}/sessions", _menu),
    }


@contextmanager
def guarded(directory: Path) -> Iterator[Mapping[str, Scene]]:
    """Serve a console that asks who comes, and into which nothing has come yet."""
    token = Signer(Secret(SECRET)).sign(claim_of("grace", "acme", SystemClock().wall() + 3600))
    with assembled(directory, GUARDED, MemoryBroker(), {"SECRET": SECRET, "ADA": PASSWORD}) as config:
        app.apply_topics(config)
        with console_app.console(config) as served:
            yield _inside(served.url, token)


def _inside(url: str, token: str) -> Mapping[str, Scene]:
    empty = ("", "topics", "destinations", "orgs", "sessions", "exceptions", "tail", "dead", "retries", "jobs", "trail")
    return {
        "sign_in": (f"{url}/sign-in", _nothing),
        "sign_in_refused": (f"{url}/sign-in", _refuse),
        "sign_in_link": (f"{url}/sign-in?token={token}", _nothing),
        **{f"empty_{name or 'overview'}": (f"{url}/{name}", _enter) for name in empty},
    }


def _nothing(page: Page) -> None:
    pass


def _enter(page: Page) -> None:
    if page.get_by_label("Name").count():
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(re.compile(r"^(?!.*sign-in)"))


def _refuse(page: Page) -> None:
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill("not hers")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("alert").wait_for()


def _test(page: Page) -> None:
    page.get_by_role("button", name="Send").click()
    page.locator("#test").wait_for()


def _search(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("in")


def _menu(page: Page) -> None:
    menu = page.get_by_role("button", name="Menu")
    if menu.is_visible():
        menu.click()


def _journey(url: str, org: str, type_: str) -> str:
    session = _first(f"{url}/api/v1/sessions?org={org}&text=help")["session"]
    events = _rows(f"{url}/api/v1/sessions/{org}/{session}/events")
    event = next(each for each in events if each["type"] == type_)
    return f"{url}/sessions/{org}/{session}/events/{event['id']}/journey"


def _first(url: str) -> dict[str, Any]:
    return _rows(url)[0]


def _rows(url: str) -> list[dict[str, Any]]:
    with urlopen(Request(url, headers={"Accept": "application/json"}), timeout=10) as answer:
        rows: list[dict[str, Any]] = json.load(answer)["rows"]
    return rows
