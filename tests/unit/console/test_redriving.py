"""Jobs that redrive: by the site's own POST, with the real redrive on a memory broker."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import Queue

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.broker.memory import MemoryBroker
from headrace.broker.memory_reader import MemoryReader
from headrace.broker.port import Producer, Reader, TopicState
from headrace.console.dead import redriving
from headrace.console.dead.book import LetterBook
from headrace.console.dead.jobs import OPEN, REASONS, Job, Jobs, Skipped, Task, with_skipped
from headrace.console.dead.letters import Position, Wanted
from headrace.console.dead.redriving import Redone, Redriver, groups, runs
from headrace.console.standing import Standing, stand
from headrace.console.viewer import Busy, Greedy, Quota, Viewer
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.trail import DeedQuery
from headrace.model.destination import Destination
from headrace.model.record import Record, TopicPartition
from headrace.model.units import Duration
from headrace.retry import redrive as retry
from headrace.retry.aims import Ways
from headrace.testing.clock import EPOCH, FakeClock
from headrace.wire.letters import DeadLetter
from unit.console.asking_client import Asking, facts, open_site
from unit.console.burying import NAMES, Dead, letter
from unit.console.test_numbers import Numbers

TIER = Duration.parse("5s")
KNOWN = facts({"crm": Destination(name="crm", type="http", settings=msgspec.Struct())})


class House:
    """A console over a memory broker: its letters, its jobs, and what a redrive wrote."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.dead = Dead(self.clock)
        self.broker = self.dead.broker
        self.broker.admin().create(TopicState(name=NAMES.retry(TIER), partitions=2, replication=1, config={}))
        self.log = MemoryEventLog(self.clock)
        self.may_go = threading.Event()
        self.may_go.set()
        self.may_look = threading.Event()
        self.may_look.set()
        self.standing: Standing = stand(
            NAMES,
            self.clock,
            open_reader=lambda: _Slow(self.broker, self.may_look),
            open_redriver=self._redriver,
            open_trail=lambda: self.log,
        )
        self.letters, self.jobs = self.standing.letters, self.standing.jobs

    @contextmanager
    def site(self, viewer: Viewer) -> Iterator[Asking]:
        self.clock.advance(1)
        self.look()
        with open_site(
            viewer=viewer, log=self.log, broker=self.broker, clock=self.clock, known=KNOWN,
            letters=self.letters, jobs=self.jobs,
        ) as site:  # fmt: skip
            yield site

    def look(self) -> None:
        (letters,) = [chore for chore in self.standing.chores if chore.pulse.name == "letters"]
        letters.do()

    def on_tier(self) -> list[str]:
        """Return the ids of the events that were put on the first tier."""
        reader, topic = self.broker.reader(), NAMES.retry(TIER)
        return [
            msgspec.json.decode(record.value() or b"")["id"]
            for partition, (start, stop) in reader.bounds(topic).items()
            for record in reader.read(TopicPartition(topic, partition), start, stop)
        ]

    def ended(self, id_: str) -> Job:
        return until(lambda: (job := self.jobs.get(id_)) is not None and not job.is_open and job.ended_at and job)

    @contextmanager
    def _redriver(self) -> Iterator[Redriver]:
        ways = Ways(lambda org: ["crm"], ["crm"], TIER)
        reader: Reader = self.broker.reader()
        producer: Producer = self.broker.producer(memory=1 << 20)
        real = retry.Redriver(reader, producer, NAMES, ways, self.clock)
        yield _Gated(real, self.may_go)


class _Slow(MemoryReader):
    """Reads the attempts topic, for the memory of the console, when it may."""

    def __init__(self, broker: MemoryBroker, may_look: threading.Event) -> None:
        super().__init__(broker._cluster)
        self._may_look = may_look

    def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
        if partition.topic == NAMES.attempts and threading.current_thread().name == "memory":
            assert self._may_look.wait(5)
        return super().read(partition, start, stop)


class _Gated:
    """Redrives when it may."""

    def __init__(self, real: retry.Redriver, may_go: threading.Event) -> None:
        self._real = real
        self._may_go = may_go

    def run(self, letters: Iterable[DeadLetter]) -> Redone:
        assert self._may_go.wait(5)
        return self._real.run(letters)


def until(ask: Callable[[], Job | bool | float | None]) -> Job:
    """Wait for a thread."""
    deadline = time.monotonic() + 5
    while True:
        answer = ask()
        if isinstance(answer, Job):
            return answer
        assert time.monotonic() < deadline, "waited in vain for a job"
        time.sleep(0.002)


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.may_go.set()
    made.jobs.close()


OPERATOR = Viewer("olga")
ACME = Viewer("ann", "acme")


def test_a_plan_is_confirmed_and_its_letters_are_put_back(house: House) -> None:
    for number in range(3):
        house.dead.bury(f"{number}", partition=number % 2)
    house.dead.bury("other", org="globex")
    with house.site(OPERATOR) as site:
        plan = site.get("/api/v1/dead/plan?org=acme&rate=1000").json()
        assert (plan["total"], plan["must_type"], plan["orgs"]) == (3, False, [{"name": "acme", "count": 3}])

        asked = site.post("/jobs", {"org": "acme", "rate": "1000", "until": f"{plan['until']}"})
        assert asked.status == 303
        job = house.ended(asked.headers["location"].rpartition("/")[2])
        page = site.get(asked.headers["location"])
        listed = site.get("/jobs")

    assert (job.state, job.redriven, job.records, job.skipped, job.who) == ("done", 3, 3, 0, "olga")
    assert sorted(house.on_tier()) == ["0", "1", "2"]
    assert [each.id for each in house.letters.find(Wanted(state="open"))] == ["other"]
    assert (page.status, listed.status) == (200, 200)
    numbers = [each for each in Numbers(listed.text).cells if each.region == "Jobs"]
    assert [(each.column, each.text, each.href) for each in numbers] == [
        ("letters", "3", f"/jobs/{job.id}"),
        ("redriven", "3", f"/jobs/{job.id}"),
        ("skipped", "0", f"/jobs/{job.id}"),
    ]
    done, ended = house.log.deeds(DeedQuery(org="acme")).rows, job.id
    assert sorted((deed.action, deed.result, deed.who) for deed in done) == [
        ("redrive", "done", "olga"),
        ("redrive-job", "done", "olga"),
    ]
    (told,) = house.log.deeds(DeedQuery(org="acme", target=ended)).rows
    assert msgspec.json.decode(told.answer)["redriven"] == 3


def test_one_letter_is_redriven_from_its_page_once(house: House) -> None:
    house.dead.bury("1")
    with house.site(ACME) as site:
        asked = site.post("/dead/0/0/redrive")
        house.ended(asked.headers["location"].rpartition("/")[2])
        again = site.post("/api/v1/dead/0/0/redrive", json={})
        page = site.get("/dead/0/0")

    assert house.on_tier() == ["1"]
    assert (again.status, again.json()["detail"][:33]) == (400, "this letter was redriven already;")
    assert "redriven" in page.text
    assert "Redrive this letter" not in page.text


def test_many_letters_want_their_number_typed(house: House) -> None:
    for number in range(101):
        house.dead.bury(f"{number}")
    with house.site(OPERATOR) as site:
        assert site.get("/api/v1/dead/plan").json()["must_type"] is True
        refused = [site.post("/api/v1/jobs", json=given) for given in ({}, {"count": 100})]
        assert [(each.status, "101" in each.text) for each in refused] == [(400, True), (400, True)]
        assert house.on_tier() == []
        job = house.ended(site.post("/api/v1/jobs", json={"count": 101, "rate": 10_000}).json()["id"])

    assert (job.redriven, len(house.on_tier())) == (101, 101)


def test_a_cancelled_job_ends_before_its_next_letters(house: House) -> None:
    for number in range(10):
        house.dead.bury(f"{number}")
    with house.site(OPERATOR) as site:
        id_ = site.post("/api/v1/jobs", json={"rate": 2}).json()["id"]
        until(lambda: (job := house.jobs.get(id_)) and job.handled == 2 and job)
        assert site.post(f"/jobs/{id_}/cancel").status == 303
        job = house.ended(id_)

    assert (job.state, job.error, job.redriven, len(house.on_tier())) == ("cancelled", "cancelled by olga", 2, 2)
    (told,) = house.log.deeds(DeedQuery(org=None, target=id_, action="redrive-job")).rows
    assert msgspec.json.decode(told.answer)["state"] == "cancelled"


def test_two_jobs_at_once_redrive_no_letter_twice(house: House) -> None:
    for number in range(20):
        house.dead.bury(f"{number}")
    house.may_go.clear()
    with house.site(OPERATOR) as site:
        both = [site.post("/api/v1/jobs", json={"rate": 10_000}).json()["id"] for _ in range(2)]
        house.may_go.set()
        jobs = [house.ended(id_) for id_ in both]

    assert sorted(house.on_tier(), key=int) == [f"{number}" for number in range(20)]
    assert sum(job.redriven for job in jobs) == 20
    assert sum(job.skipped for job in jobs) == 20
    whys = {each.why for job in jobs for each in job.reasons}
    assert whys <= {"another job is redriving it", "it was redriven already"}


def test_what_somebody_else_redrove_meanwhile_is_skipped(house: House) -> None:
    """The notes in Kafka say so: of another console, or of the command line."""
    house.dead.bury("1")
    house.dead.bury("2")
    with house.site(OPERATOR) as site:
        house.dead.note(0, 0)
        job = house.ended(site.post("/api/v1/jobs", json={}).json()["id"])

    assert house.on_tier() == ["2"]
    assert job.reasons == (Skipped(why="it was redriven already", count=1, example="0/0"),)


def test_a_job_does_not_wait_until_all_notes_were_read_and_redrives_nothing_twice(house: House) -> None:
    for number in range(3):
        house.dead.bury(f"{number}")
    house.dead.note(0, 1)
    house.may_look.clear()
    memory = threading.Thread(target=house.look, name="memory")
    memory.start()
    while not house.letters.memory.is_whole:
        time.sleep(0.002)
    with open_site(
        viewer=OPERATOR, log=house.log, broker=house.broker, clock=house.clock, known=KNOWN,
        letters=house.letters, jobs=house.jobs,
    ) as site:  # fmt: skip
        shown, one = site.get("/dead").text, site.get("/dead/0/0").text
        answer = site.get("/api/v1/dead").json()
        house.clock.advance(1)
        asked = ("/api/v1/dead/0/1/redrive", "/api/v1/jobs")
        ended = [house.ended(site.post(path, json={}).json()["id"]) for path in asked]
    assert not house.letters.memory.as_of
    house.may_look.set()
    memory.join()

    assert sorted(house.on_tier()) == ["0", "2"]
    assert [(job.redriven, job.skipped) for job in ended] == [(0, 1), (2, 0)]
    assert {row["state"] for row in answer["letters"]["rows"]} == {"unknown"}
    assert "Which letters were redriven is still being read" in shown
    assert "perhaps open" in shown
    assert "whether this one was is not known yet" in one
    assert "Redrive this letter" in one


def test_a_letter_that_can_go_nowhere_is_skipped_with_its_reason(house: House) -> None:
    house.dead.bury("1", destination="gone")
    with house.site(OPERATOR) as site:
        goals = site.get("/api/v1/dead/plan").json()["destinations"]
        job = house.ended(site.post("/api/v1/jobs", json={}).json()["id"])
        page = site.get(f"/jobs/{job.id}")
        assert f'<a href="/jobs/{job.id}#skipped">1</a>' in site.get("/jobs").text

    assert 'id="skipped"' in page.text
    assert goals == [{"name": "gone", "count": 1, "is_configured": False}]
    assert (job.redriven, job.skipped) == (0, 1)
    assert "the destination gone is not configured" in page.text
    assert house.letters.state((0, 0)) == "open"


def test_a_broker_that_is_away_fails_the_job_and_leaves_the_letters_open(house: House) -> None:
    house.dead.bury("1")
    with house.site(OPERATOR) as site:
        house.may_go.clear()
        id_ = site.post("/api/v1/jobs", json={}).json()["id"]
        house.broker.refuse(NAMES.retry(TIER))
        house.broker.stop()
        house.may_go.set()
        job = house.ended(id_)
        house.broker.start()

    assert (job.state, job.error) == ("failed", redriving.FAILED)
    assert house.letters.state((0, 0)) == "open"


def test_an_org_sees_and_redrives_its_own_letters_only(house: House) -> None:
    house.dead.bury("mine")
    house.dead.bury("theirs", partition=1, org="globex")
    with house.site(Viewer("gus", "globex")) as site:
        theirs = site.post("/api/v1/jobs", json={}).json()["id"]
        house.ended(theirs)
    with house.site(ACME) as site:
        job = house.ended(site.post("/api/v1/jobs", json={}).json()["id"])
        foreign = [
            site.get("/dead/1/0"),
            site.post("/dead/1/0/redrive"),
            site.get(f"/jobs/{theirs}"),
            site.post(f"/jobs/{theirs}/cancel"),
        ]
        absent = [site.get("/dead/1/9"), site.get("/jobs/none")]
        jobs = site.get("/api/v1/jobs").json()["rows"]

    assert job.total == 1
    assert [each["id"] for each in jobs] == [job.id]
    assert {(each.status, "nothing here" in each.text) for each in foreign + absent} == {(404, True)}


def test_a_job_of_a_console_that_ended_is_told_from_the_trail(house: House) -> None:
    house.dead.bury("1")
    house.dead.bury("2")
    house.may_go.clear()
    with house.site(OPERATOR) as site:
        id_ = site.post("/api/v1/jobs", json={}).json()["id"]
        until(lambda: (job := house.jobs.get(id_)) and job.state == "running" and job)
        until_noted = time.monotonic() + 5
        while not house.log.deeds(DeedQuery(org=None, target=id_)).rows:
            assert time.monotonic() < until_noted
        with open_site(viewer=OPERATOR, log=house.log, broker=house.broker, clock=house.clock, known=KNOWN) as after:
            told = after.get(f"/api/v1/jobs/{id_}").json()["job"]
            page = after.get(f"/jobs/{id_}")

    assert (told["state"], told["total"], told["who"]) == ("lost", 2, "olga")
    assert "Kafka knows what was put back" in page.text


def test_a_job_that_was_broken_off_is_listed_with_how_far_it_came_and_its_rest_is_a_click_away(house: House) -> None:
    for number in range(10):
        house.dead.bury(f"{number}")
    with house.site(OPERATOR) as site:
        id_ = site.post("/api/v1/jobs", json={"rate": 2, "reason": "rejected"}).json()["id"]
        until(lambda: bool(house.log.deeds(DeedQuery(org=None, target=id_)).rows[0].answer) and house.jobs.get(id_))
        with open_site(viewer=OPERATOR, log=house.log, broker=house.broker, clock=house.clock, known=KNOWN) as after:
            (told,) = after.get("/api/v1/jobs").json()["rows"]
            page, one = after.get("/jobs").text, after.get(f"/jobs/{id_}").text
        with open_site(viewer=Viewer("gus", "globex"), log=house.log, clock=house.clock, known=KNOWN) as foreign:
            assert foreign.get("/api/v1/jobs").json()["rows"] == []

    assert (told["id"], told["state"], told["handled"], told["total"]) == (id_, "lost", 2, 10)
    for shown in (page, one):
        assert "broken off" in shown
        assert "/dead/plan?reason=rejected&amp;until=" in shown


def test_a_redrive_of_an_org_holds_its_place_for_an_hour_at_most() -> None:
    book = LetterBook()
    book.add([letter(number, died=EPOCH - 1) for number in range(400)], {0: 0})
    answers = []
    for viewer in (ACME, OPERATOR):
        with open_site(letters=book, jobs=Jobs(lambda task, _: None), viewer=viewer) as site:
            answers += [site.post("/api/v1/jobs", json={"rate": rate, "count": 400}) for rate in (0.1, 0.2)]

    assert [each.status for each in answers] == [400, 200, 200, 200]
    assert "put back 0.2 letters a second or more" in answers[0].json()["detail"]


def job(id_: str) -> Job:
    return Job(id=id_, who="olga", org=None, rate=1.0, total=1, asked_at=0.0)


def test_too_many_jobs_are_refused() -> None:
    def wait(task: Task, positions: Sequence[Position]) -> None:
        task.cancelled.wait(5)
        task.tell(state="cancelled")

    jobs = Jobs(wait)
    for number in range(OPEN.most):
        jobs.start(job(f"{number}"), [], None)

    with pytest.raises(Busy, match="cancel one"):
        jobs.start(job("more"), [], None)

    jobs.close()
    assert {job.error for job in jobs.all()} == {"the console ended"}
    with pytest.raises(Exception, match="it is ending"):
        Jobs().start(job("none"), [], None)


def test_an_org_has_a_share_of_the_jobs_and_operators_a_reserve() -> None:
    begun: Queue[str] = Queue()

    def wait(task: Task, positions: Sequence[Position]) -> None:
        begun.put(task.job.id)
        task.cancelled.wait(5)
        task.tell(state="cancelled")

    jobs = Jobs(wait)
    for number in range(OPEN.each):
        jobs.start(job(f"acme-{number}"), [], "acme")
    assert begun.get(timeout=5).startswith("acme")
    with pytest.raises(Greedy, match="4 redrives of your org"):
        jobs.start(job("more"), [], "acme")

    for number in range(OPEN.most - OPEN.each - OPEN.reserve):
        jobs.start(job(f"other-{number}"), [], f"org-{number}")
    assert [begun.get(timeout=5)[:5] for _ in range(2)] == ["other"] * 2, "acme's others wait, and keep nobody"
    with pytest.raises(Busy, match="as many redrives"):
        jobs.start(job("globex"), [], "globex")
    jobs.start(job("operator"), [], None)
    assert begun.get(timeout=5) == "operator"

    jobs.close()
    assert {each.state for each in jobs.all()} == {"cancelled"}


@given(
    taken=st.lists(st.sampled_from(["acme", "globex", None]), max_size=12), org=st.sampled_from(["acme", "new", None])
)
def test_a_quota_keeps_what_is_reserved(taken: list[str | None], org: str | None) -> None:
    quota, had = Quota(most=6, each=2, reserve=2), list[str | None]()
    for each in [*taken, org]:
        if quota.refusal(had, each) is None:
            had.append(each)
    of_orgs = [each for each in had if each is not None]
    assert len(had) <= quota.most
    assert len(of_orgs) <= quota.most - quota.reserve
    assert max(map(of_orgs.count, of_orgs), default=0) <= quota.each
    assert quota.refusal([*of_orgs, None], None) is None


def test_groups_are_a_second_long_and_go_by_the_order_of_the_topic() -> None:
    positions = [(1, 5), (0, 9), (0, 2)]

    assert list(groups(positions, 2.5)) == [[(0, 2), (0, 9)], [(1, 5)]]
    assert list(groups(positions, 0.1)) == [[(0, 2)], [(0, 9)], [(1, 5)]]
    assert [len(each) for each in groups([(0, n) for n in range(1200)], 10_000)] == [500, 500, 200]


def test_reads_leap_over_what_is_not_wanted() -> None:
    assert list(runs([(1, 3), (0, 4), (0, 9), (0, 1000)])) == [(0, 4, 10), (0, 1000, 1001), (1, 3, 4)]


def test_reasons_are_counted_and_do_not_grow_without_end() -> None:
    reasons: Sequence[Skipped] = ()
    for number in range(100):
        reasons = with_skipped(reasons, f"reason {number}", f"0/{number}")
    reasons = with_skipped(reasons, "reason 3", "0/3")

    assert (len(reasons), reasons[3].count, reasons[-1].why) == (REASONS, 2, "other reasons")
    assert sum(each.count for each in reasons) == 101
