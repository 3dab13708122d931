"""The demo's page and its API, asked as a browser and as a program does."""

from collections.abc import Iterator

import pytest

import helpdesk_bot
from headrace.broker.memory import MemoryBroker
from headrace.console.sources import Sources
from headrace.console.views.every import ACTIONS, VIEWS
from headrace.console.web.desk import Desk
from headrace.console.web.pages import Pages
from headrace.console.web.site import Site
from headrace.control.pauses import Pauses, Pausing
from headrace.core.report import Line, Report
from headrace.demo.chat import Chat
from headrace.demo.chat_pages import ChatPages
from headrace.demo.gauge import Reading, Tier
from headrace.demo.switches import Switches
from headrace.emitter.encoding import Encoding
from headrace.emitter.stamp import Stamper
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import FakeClock
from headrace.testing.faults import FaultPlan
from unit.console.asking_client import OPERATOR, As, Asking, asking, facts

ORGS = ("acme", "globex")


class Servers:
    def plan(self, org: str, plan: FaultPlan) -> None:
        """Do as told."""


class Shown:
    """A gauge that shows what a test says."""

    def __init__(self) -> None:
        self.reading: Reading | None = None

    def latest(self) -> Reading | None:
        return self.reading


class Outlet:
    """An outlet that keeps what it takes, until a test lets it through."""

    def __init__(self) -> None:
        self.stamp = Stamper()
        self.encode = Encoding(lambda: None)
        self.values: list[bytes] = []

    def take(self, key: bytes, value: bytes) -> bool:
        self.values.append(value)
        return True


class Demo:
    """The demo's page over memory stores."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.outlet = Outlet()
        self.gauge = Shown()
        self.log = MemoryEventLog(self.clock)
        self.broker = MemoryBroker(self.clock)
        self.switches = Switches(Servers())
        chat = Chat(self.outlet, helpdesk_bot, self.clock)
        self.annex = ChatPages(ORGS, chat, self.switches, self.gauge).annex()

    def sources(self) -> Sources:
        known = facts()
        return Sources(
            log=self.log,
            reader=self.broker.reader(),
            pauses=Pauses(self.broker.reader, known.names, self.clock),
            pausing=Pausing(self.broker, known.names, replication=1, in_sync=1),
            facts=known,
            clock=self.clock,
        )

    def flow(self) -> None:
        self.log.upsert(self.outlet.values)
        self.outlet.values.clear()


@pytest.fixture
def demo() -> Demo:
    return Demo()


@pytest.fixture
def client(demo: Demo) -> Iterator[Asking]:
    views, actions = [*VIEWS, *demo.annex.views], [*ACTIONS, *demo.annex.actions]
    pages = Pages(views, actions, facts(), demo.clock, packages=[demo.annex.package])
    site = Site(views, actions, Desk(demo.sources), pages, As(OPERATOR), demo.annex.routes)
    with asking(site.app) as opened:
        yield opened


def say(client: Asking, text: str, **more: str) -> str:
    """Say something by form, and return where the page goes."""
    answered = client.post("/demo/say", {"org": "acme", "text": text} | more)
    assert answered.status == 303
    return answered.headers["location"]


def test_the_first_page_invites(client: Asking) -> None:
    """It is there before the first reading of the river."""
    page = client.get("/demo")

    assert page.status == 200
    assert "The help desk of acme is here" in page.text
    assert "custom code throws" in page.text
    assert "The first reading comes in a moment" in page.text
    assert 'href="/demo"' in client.get("/sessions").text


def test_the_files_of_the_page_are_served(client: Asking) -> None:
    for name, kind in (("demo.css", "text/css"), ("demo.js", "text/javascript")):
        file = client.get(f"/demo/static/{name}")
        assert (file.status, file.headers["content-type"].partition(";")[0]) == (200, kind)


def test_what_is_said_by_form_is_answered_on_the_page(client: Asking) -> None:
    where = say(client, "Hello!")
    page = client.get(where)

    assert where.startswith("/demo?org=acme&session=chat-")
    assert "I can find an order" in page.text
    assert "on its way" in page.text


def test_events_arrive_with_their_delay(client: Asking, demo: Demo) -> None:
    done = client.post("/api/v1/demo/say", json={"org": "acme", "text": "Hello!"}).json()
    where = f"/api/v1/demo?org=acme&session={done['session']}"
    before = client.get(where).json()["log"]
    demo.flow()
    after = client.get(where).json()["log"]

    assert {line["state"] for line in before} == {"way"}
    assert [line["id"] for line in before] == [line["id"] for line in after]
    assert {line["state"] for line in after} == {"log"}
    assert all(line["after"] >= 0 for line in after)


def test_what_threw_leads_to_its_exception(client: Asking, demo: Demo) -> None:
    suggestion = client.get("/api/v1/demo").json()["suggestions"][0]
    where = say(client, suggestion["text"])
    demo.flow()
    failed = [line for line in client.get(f"/api/v1{where}").json()["log"] if line["fingerprint"]]
    page = client.get(where).text

    assert [(line["verb"], line["error"]) for line in failed] == [
        ("failed", "ValueError: Invalid isoformat string: ''")
    ]
    assert f"/exceptions/{failed[0]['fingerprint'].replace(':', '%3A')}" in page


def test_what_is_said_is_never_markup(client: Asking) -> None:
    page = client.get(say(client, "<script>alert(1)</script>")).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"org": "acme", "text": "x" * 501}, 400),
        ({"org": "acme", "text": ""}, 400),
        ({"org": "acme", "text": "   "}, 400),
        ({"org": "nobody", "text": "Hello!"}, 404),
        ({"org": "acme", "text": "Hello!", "session": "s" * 65}, 400),
    ],
)
def test_what_cannot_be_said_is_refused(client: Asking, demo: Demo, said: dict[str, str], status: int) -> None:
    assert client.post("/demo/say", said).status == status
    assert client.post("/api/v1/demo/say", json=said).status == status
    assert demo.outlet.values == []


def test_other_sites_say_nothing_here(client: Asking, demo: Demo) -> None:
    said = {"org": "acme", "text": "Hello!"}

    assert client.post("/demo/say", said, headers={"sec-fetch-site": "cross-site"}).status == 403
    assert (
        client.post("/demo/server", {"org": "acme", "server": "down"}, headers={"sec-fetch-site": "same-site"}).status
        == 403
    )
    assert demo.outlet.values == []
    assert not demo.switches.down


def test_a_conversation_that_is_not_kept_says_so(client: Asking) -> None:
    page = client.get("/demo?org=acme&session=chat-of-yesterday").text

    assert "not kept here any more" in page
    assert "Begin another one" in page


def test_the_trail_tells_of_switches_and_not_of_words(client: Asking, demo: Demo) -> None:
    say(client, "Hello!")
    answered = client.post("/demo/server", {"org": "globex", "server": "down", "customer_of": "acme"})

    assert answered.headers["location"] == "/demo?org=acme"
    assert demo.switches.in_hand
    assert demo.switches.down == {"globex"}
    assert "down: answers 503" in client.get("/demo").text
    assert [deed["action"] for deed in client.get("/api/v1/trail").json()["rows"]] == ["demo-server"]


def test_the_river_is_shown(client: Asking, demo: Demo) -> None:
    books = Report(accepted=1_200, delivered=1_100, retrying=90, in_flight=10)
    books.orgs = {"acme": Line(delivered=1_234, retrying=5)}
    tiers = [Tier(name="1s", delay=1.0, waiting=25, change=4), Tier(name="3s", delay=3.0, waiting=0)]
    demo.gauge.reading = Reading(at=demo.clock.wall(), lag=7, tiers=tiers, full=50, books=books)

    page = client.get("/demo").text
    orgs = client.get("/api/v1/demo").json()["orgs"]

    assert "Tier 1s: 25 waiting" in page
    assert 'transform="translate(0 72.0)"' in page
    assert "▲ fills" in page
    assert "balanced, nothing lost" in page
    assert orgs[0] == {"org": "acme", "is_down": False, "delivered": 1_234, "retrying": 5}
    assert orgs[1] == {"org": "globex", "is_down": False, "delivered": None, "retrying": None}
