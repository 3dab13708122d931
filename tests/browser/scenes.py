"""What links alone do not lead to, or not where it is worth a look: one address, and what is done there."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

from playwright.sync_api import Page

from browser.stage import assembled
from headrace import app, console_app
from headrace.broker.memory import MemoryBroker
from headrace.clock import SystemClock
from headrace.console.access.tokens import Signer, claim_of
from headrace.model.secret import Secret


class Scene(NamedTuple):
    """An address of a console, what is done there, and the status that it ends with."""

    address: Callable[[str], str]
    act: Callable[[Page], object] = lambda _: None
    status: int = 200


SECRET = "a secret of thirty-two characters and more"
PASSWORD = "a long password"

GUARDED = """\
[console]
environment = "staging"
port = 0
secret = "env:SECRET"
[console.people.ada]
password = "env:ADA"
[kafka]
bootstrap_servers = "guarded:9092"
[topics]
partitions = 3
[eventlog]
url = "sqlite:///eventlog.db"
[destinations.log]
type = "eventlog"
[routes]
"*" = ["log"]
"""


@contextmanager
def guarded(directory: Path) -> Iterator[str]:
    """Serve a console that asks who comes, and into which nothing has come yet; yield its address."""
    with assembled(directory, GUARDED, MemoryBroker(), {"SECRET": SECRET, "ADA": PASSWORD}) as config:
        app.apply_topics(config)
        with console_app.console(config) as served:
            yield served.url


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


def _at(path: str) -> Callable[[str], str]:
    return lambda url: url + path


def _broken(query: str) -> Callable[[str], str]:
    """Return where a session is in which something threw; {error} in *query* is what."""

    def address(url: str) -> str:
        broken = _first(f"{url}/api/v1/sessions?text=ValueError&errors=true")
        asked = query.format(error=broken["error_fingerprint"])
        return f"{url}/sessions/{broken['org']}/{broken['session']}?{asked}"

    return address


def _told(url: str) -> str:
    told = max(_rows(f"{url}/api/v1/sessions?text=1_000"), key=lambda each: each["events"])
    return f"{url}/sessions/{told['org']}/{told['session']}"


def _thrown(url: str) -> str:
    return f"{url}/exceptions/{_first(f'{url}/api/v1/sessions?text=ValueError&errors=true')['error_fingerprint']}"


def _journey(org: str, type_: str) -> Callable[[str], str]:
    def address(url: str) -> str:
        session = _first(f"{url}/api/v1/sessions?org={org}&text=help")["session"]
        events = _rows(f"{url}/api/v1/sessions/{org}/{session}/events")
        event = next(each for each in events if each["type"] == type_)
        return f"{url}/sessions/{org}/{session}/events/{event['id']}/journey"

    return address


def _link(url: str) -> str:
    claim = claim_of("grace", "acme", SystemClock().wall() + 3600)
    return f"{url}/sign-in?token={Signer(Secret(SECRET)).sign(claim)}"


def _first(url: str) -> dict[str, Any]:
    return _rows(url)[0]


def _rows(url: str) -> list[dict[str, Any]]:
    with urlopen(Request(url, headers={"Accept": "application/json"}), timeout=10) as answer:
        rows: list[dict[str, Any]] = json.load(answer)["rows"]
    return rows


SCENES = {
    "session_conversation": Scene(_told),
    "session_step": Scene(_broken("error={error}")),
    "session_timeline": Scene(_broken("view=timeline")),
    "session_log": Scene(_broken("view=log&error={error}")),
    "exception_frames": Scene(_thrown),
    "dead_by_org": Scene(_at("/dead?by=org&state=all")),
    "journey_dead": Scene(_journey("initech", "bot.intent.detected")),
    "journey_retry": Scene(_journey("globex", "bot.message.sent")),
    "destination_test": Scene(_at("/destinations/crm?org=acme"), _test),
    "destination_attempts": Scene(_at("/destinations/crm?tab=attempts&failed=true")),
    "destination_settings": Scene(_at("/destinations/crm?tab=settings")),
    "api": Scene(_at("/api")),
    "problem_absent": Scene(_at("/sessions/nobody/nothing"), status=404),
    "problem_refused": Scene(_at("/sessions?within=ever"), status=400),
    "nothing_found": Scene(_at("/sessions?text=nothing+of+the+kind")),
    "sessions_window": Scene(_at("/sessions?since=2020-01-01T14:10&until=2020-01-01T14:20")),
    "keys": Scene(_at("/sessions"), lambda page: page.keyboard.press("?")),
    "palette": Scene(_at("/sessions"), _search),
    "menu": Scene(_at("/sessions"), _menu),
}
"""Of a console that has conversations and trouble in it."""

_EMPTY = ("", "topics", "destinations", "orgs", "sessions", "exceptions", "tail", "dead", "retries", "jobs", "trail")
GUARDED_SCENES = {
    "sign_in": Scene(_at("/sign-in")),
    "sign_in_refused": Scene(_at("/sign-in"), _refuse, status=403),
    "sign_in_link": Scene(_link),
    **{f"empty_{name or 'overview'}": Scene(_at(f"/{name}"), _enter) for name in _EMPTY},
}
"""Of the console that asks who comes."""
