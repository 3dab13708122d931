"""Pages of dead letters and of the audit trail, and what is written into the trail by whoever does something."""

from collections.abc import Iterator, Sequence

import msgspec
import pytest

from headrace.console.dead.book import LetterBook
from headrace.console.dead.letters import letter_of
from headrace.console.sources import Sources
from headrace.console.view import Action
from headrace.console.viewer import Viewer
from headrace.console.views.trail import TRAIL
from headrace.errors import BrokerUnavailable, StoreError, UsageError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.trail import Deed, DeedQuery
from headrace.model.record import TopicPartition
from headrace.testing.clock import EPOCH, FakeClock
from headrace.wire.letters import read_letter
from unit.console.asking_client import Asking, open_site
from unit.console.burying import NAMES, Dead, letter
from unit.console.watched_river import known

OPERATOR = Viewer("olga")
ANN = Viewer("ann", "acme")


class DoAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What the test's own action is asked."""

    name: str
    org: str | None = None
    how: str = ""
    loud: bool = False


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What it answers."""

    count: int


class Trail:
    """A site with one action of the test's own, and the trail that it leaves."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.log = MemoryEventLog(self.clock)
        self.seen: list[Deed] = []
        self.error: Exception | None = None

    def do(self, ask: DoAsk, sources: Sources, by: Viewer) -> Done:
        self.seen = list(self.deeds())
        if self.error is not None:
            raise self.error
        return Done(count=3)

    def deeds(self) -> list[Deed]:
        return list(self.log.deeds(DeedQuery(org=None)).rows)

    def site(self, viewer: Viewer = OPERATOR, hides: Sequence[str] = ()) -> Iterator[Asking]:
        action = Action(
            name="do", path="/things/{name}/do", title="Do", ask=DoAsk, answer=Done, do=self.do, audience="org",
            back=lambda ask, done: "/trail", hides=hides,
        )  # fmt: skip
        with open_site(viewer=viewer, log=self.log, clock=self.clock, actions=[action]) as site:
            yield site


@pytest.fixture
def trail() -> Trail:
    return Trail()


def test_a_deed_is_written_down_before_it_is_done_and_when_it_ended(trail: Trail) -> None:
    for site in trail.site():
        assert site.post("/things/crm/do", {"how": "gently", "org": "acme"}).status == 303

    (before,) = trail.seen
    (after,) = trail.deeds()
    assert (before.result, before.answer) == ("asked", "")
    assert (after.who, after.action, after.target, after.org) == ("olga", "do", "crm", "acme")
    assert (after.result, after.answer) == ("done", '{"count":3}')
    assert (after.at, after.address) == (EPOCH, "127.0.0.1")
    assert msgspec.json.decode(after.detail) == {"how": "gently", "org": "acme"}


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (UsageError("not so"), 400, "not so"),
        (BrokerUnavailable("nobody at 10.0.0.7"), 503, "this cannot be answered now; try again in a moment"),
        (ZeroDivisionError("secret"), 500, "an error of the console itself"),
    ],
)
def test_a_deed_that_failed_says_what_its_doer_was_told(trail: Trail, error: Exception, status: int, told: str) -> None:
    trail.error = error
    for site in trail.site(ANN):
        assert site.post("/api/v1/things/crm/do", json={}).status == status

    (deed,) = trail.deeds()
    assert (deed.result, deed.answer, deed.org) == ("failed", told, "acme")


def test_what_cannot_be_written_down_is_not_done(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(deed: Deed) -> None:
        raise StoreError("the disk is full")

    trail.seen = [Deed(id="untouched", at=0, who="", action="")]
    monkeypatch.setattr(trail.log, "note", refuse)
    for site in trail.site():
        assert site.post("/api/v1/things/crm/do", json={}).status == 503
    assert [deed.id for deed in trail.seen] == ["untouched"]


def test_a_deed_stays_done_when_its_end_cannot_be_written_down(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    note = trail.log.note

    def note_once(deed: Deed) -> None:
        if deed.result != "asked":
            raise StoreError("the disk is full")
        note(deed)

    monkeypatch.setattr(trail.log, "note", note_once)
    for site in trail.site():
        assert site.post("/api/v1/things/crm/do", json={}).json() == {"count": 3}
    assert [deed.result for deed in trail.deeds()] == ["asked"]


def test_what_is_erased_leaves_no_name_in_the_trail(trail: Trail) -> None:
    for site in trail.site(hides=("name", "how")):
        for name in ("eve", "eve", "ben"):
            assert site.post(f"/api/v1/things/{name}/do", json={"how": name}).status == 200

    targets = [deed.target for deed in trail.deeds()]
    assert len(set(targets)) == 2
    assert not any(name in f"{deed.target}{deed.detail}" for deed in trail.deeds() for name in ("eve", "ben"))


def test_an_ask_that_is_refused_is_no_deed(trail: Trail) -> None:
    for site in trail.site(ANN):
        assert site.post("/api/v1/things/crm/do", json={"loud": "maybe"}).status == 400
        assert site.post("/api/v1/things/crm/do", json={"org": "globex"}).status == 404
    assert trail.deeds() == []


def test_an_org_reads_its_own_trail(trail: Trail) -> None:
    for org in ("acme", "globex", ""):
        trail.log.note(Deed(id=org, at=EPOCH, who=f"who-{org}", action="redrive", org=org, detail="<b>", address="::1"))
    for site in trail.site(ANN):
        page, answer = site.get("/trail"), site.get("/api/v1/trail")
        assert site.get("/trail?org=globex").status == 404
    for site in trail.site(OPERATOR):
        every = site.get("/api/v1/trail?action=redrive")
        whole = site.get("/trail")

    assert [each["who"] for each in answer.json()["rows"]] == ["who-acme"]
    assert len(every.json()["rows"]) == 3
    assert "&lt;b&gt;" in page.text
    assert "who-globex" in whole.text
    assert "who-globex" not in page.text


@pytest.mark.parametrize(
    ("action", "target", "href"),
    [
        ("pause", "crm", "/destinations/crm?org=acme"),
        ("resume", "crm", "/destinations/crm?org=acme"),
        ("test", "crm", "/destinations/crm?org=acme"),
        ("decide", "v2:ab", "/exceptions/v2%3Aab?org=acme"),
        ("cancel-job", "j1", "/jobs/j1"),
        ("redrive-letter", "0/17", "/dead/0/17"),
        ("pause", "one that is gone", None),
        ("do_erase_session", "acme/#0123456789abcdef", None),
    ],
)
def test_a_target_leads_to_what_was_done_to_it(trail: Trail, action: str, target: str, href: str | None) -> None:
    trail.log.note(Deed(id="1", at=EPOCH, who="olga", action=action, org="acme", target=target))
    pages = []
    for viewer in (OPERATOR, ANN):
        with open_site(viewer=viewer, log=trail.log, known=known()) as site:
            pages.append(site.get("/trail").text)

    if href is None:
        assert all(f"<bdi>{target}</bdi>" in page for page in pages)
    else:
        assert f'<a href="{href}">' in pages[0]
        assert f'<a href="{href.partition("?")[0]}">' in pages[1]


def test_where_a_deed_came_from_is_told_to_operators_only_however_they_ask(trail: Trail) -> None:
    trail.log.note(Deed(id="1", at=EPOCH, who="olga", action="redrive", org="acme", address="203.0.113.7"))
    answers = [
        site.get(path).text
        for viewer in (ANN, OPERATOR)
        for site in trail.site(viewer)
        for path in ("/trail?org=acme", "/api/v1/trail?org=acme")
    ]

    assert all("olga" in each for each in answers)
    assert ["203.0.113.7" in each for each in answers] == [False, False, True, True]


def test_what_an_org_is_not_told_is_not_in_its_lines_either(trail: Trail) -> None:
    view = msgspec.structs.replace(TRAIL, rows=lambda answer: answer)
    trail.log.note(Deed(id="1", at=EPOCH, who="olga", action="redrive", org="acme", address="203.0.113.7"))
    told = []
    for viewer in (ANN, OPERATOR):
        with open_site(viewer=viewer, log=trail.log, views=[view]) as site:
            told.append("203.0.113.7" in site.get("/api/v1/trail.ndjson").text)

    assert told == [False, True]


def filled(count: int = 60) -> LetterBook:
    book = LetterBook()
    letters = [
        letter(number, EPOCH - 60 * number, org="acme" if number % 3 else "globex", kind=f"<kind {number % 2}>")
        for number in range(count)
    ]
    book.add(letters, {0: 0})
    book.note([(0, 1)], EPOCH)
    book.tell(as_of=EPOCH)
    return book


def test_the_count_of_dead_letters_leads_to_the_letters() -> None:
    with open_site(viewer=OPERATOR, letters=filled()) as site:
        page = site.get("/dead")
        counted = site.get("/api/v1/dead").json()["pivot"]
        found = site.get("/api/v1/dead?kind=%3Ckind+1%3E&limit=500").json()["letters"]["rows"]
        by_org = site.get("/api/v1/dead?by=org&state=all").json()["pivot"]

    assert [(row["kind"], row["total"], row["orgs"]) for row in counted["rows"]] == [
        ("<kind 0>", 30, 2),
        ("<kind 1>", 29, 2),
    ]
    assert len(found) == 29
    assert [(row["org"], row["total"]) for row in by_org["rows"]] == [("acme", 40), ("globex", 20)]
    assert "&lt;kind 1&gt;" in page.text
    assert "kind=%3Ckind+1%3E" in page.text
    assert "Plan to redrive all 59" in page.text


def test_every_letter_is_on_some_page() -> None:
    target, seen = "/api/v1/dead?state=all&limit=25", []
    with open_site(viewer=OPERATOR, letters=filled()) as site:
        for _ in range(3):
            letters = site.get(target).json()["letters"]
            seen += [each["offset"] for each in letters["rows"]]
            target = f"/api/v1/dead?state=all&limit=25&after={letters['next']}"
        assert letters["next"] is None
        assert site.get("/dead?after=nowhere").status == 400
    assert seen == list(range(60))


def test_an_org_counts_and_plans_with_its_own_letters_only() -> None:
    with open_site(viewer=ANN, letters=filled()) as site:
        pages = [site.get(path) for path in ("/dead", "/dead?by=org", "/dead/plan")]
        plan = site.get("/api/v1/dead/plan").json()
        assert site.get("/dead?org=globex").status == 404
        assert site.get("/dead?org=-").status == 404

    assert [page.status for page in pages] == [200, 200, 200]
    assert not any("globex" in page.text for page in pages)
    assert (plan["total"], plan["orgs"]) == (39, [{"name": "acme", "count": 39}])


def test_what_the_console_does_not_know_yet_is_said() -> None:
    book = filled(3)
    book.tell(as_of=None, read=50, to_read=200, left_out=7)
    with open_site(viewer=OPERATOR, letters=book) as site:
        page = site.get("/dead").text
    assert "25.0% so far" in page
    assert "7 older ones are in Kafka only" in page


def test_nothing_dead_says_what_would_be_here() -> None:
    with open_site(viewer=OPERATOR) as site:
        assert "There is no open dead letter" in site.get("/dead").text
        assert "No dead letter matches" in site.get("/dead?reason=rejected").text
        assert "No open dead letter is meant" in site.get("/dead/plan").text
        assert "Nobody has redriven anything" in site.get("/jobs").text
        assert "Nobody did anything yet" in site.get("/trail").text
        assert "Nothing yet" in site.get("/tail").text


def test_a_letter_is_shown_whole_and_escaped() -> None:
    clock = FakeClock()
    dead = Dead(clock)
    dead.bury("<script>1</script>", error="<b>no</b>")
    dead.bury("<script>1</script>")
    dead.bury("alone", partition=1, org="globex")
    book = LetterBook()
    reader = dead.broker.reader()
    records = [*reader.read(_place(0), 0, 2), *reader.read(_place(1), 0, 1)]
    book.add([letter_of(read_letter(each)) for each in records], {})
    with open_site(viewer=ANN, broker=dead.broker, clock=clock, letters=book) as site:
        page = site.get("/dead/0/0")
        answer = site.get("/api/v1/dead/0/0").json()
        gone = [site.get(path) for path in ("/dead/1/0", "/dead/0/7", "/dead/9/0", "/dead/0/x")]
        alone = site.get("/api/v1/dead/0/1").json()

    assert "<script>1" not in page.text
    assert "&lt;b&gt;no&lt;/b&gt;" in page.text
    assert answer["key"] == "acme/s-1"
    assert msgspec.json.decode(answer["value"])["id"] == "<script>1</script>"
    assert {header["name"] for header in answer["headers"]} >= {"hr-origin", "hr-reason", "hr-error"}
    assert [other["offset"] for other in answer["others"]] == [1]
    assert [other["offset"] for other in alone["others"]] == [0]
    assert {(each.status, each.text) for each in gone} == {(404, gone[0].text)}


@pytest.mark.parametrize(
    ("value", "text", "encoded"),
    [
        (b'{"n":12345678901234567890.10}', '{\n  "n": 12345678901234567890.10\n}', None),
        (b"\xff", None, "/w=="),
        (None, None, None),
    ],
)
def test_a_value_is_shown_as_it_is(value: bytes | None, text: str | None, encoded: str | None) -> None:
    clock = FakeClock()
    dead = Dead(clock)
    dead.broker.producer(memory=1 << 20).produce(NAMES.dead, key=None, value=value, partition=0)
    with open_site(viewer=OPERATOR, broker=dead.broker, clock=clock) as site:
        answer = site.get("/api/v1/dead/0/0").json()
        assert site.get("/dead/0/0").status == 200
    assert (answer["value"], answer["value_base64"], answer["letter"]["state"]) == (text, encoded, "unknown")


def _place(partition: int) -> TopicPartition:
    return TopicPartition(NAMES.dead, partition)
