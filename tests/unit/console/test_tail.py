"""The live tail: what is read, who gets what of it, and that neither work nor memory grows with the river."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

import msgspec
import pytest

from headrace.broker.memory import MemoryBroker
from headrace.broker.memory_cluster import Kept, MemoryRecord
from headrace.broker.port import Producer, TopicState
from headrace.console.tailing.reading import BEFORE, MOST, TailReading
from headrace.console.tailing.rows import LINE, Seen
from headrace.console.tailing.tail import RECENT, SHOWN, UPDATES, VIEWERS, Sought, Tail, Update, Viewer
from headrace.console.viewer import Busy, Greedy
from headrace.console.viewer import Viewer as Person
from headrace.console.web import tail_stream
from headrace.console.web.tail_stream import TailStream
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import ERROR, event
from headrace.wire.topics import TopicNames
from unit.console.asking_client import As, Asking, open_site

TOPIC = TopicNames("").events


def seen(number: int = 0, /, key: bytes | None = None, value: bytes | None = None, **fields: object) -> Seen:
    """Return what is seen of one event of the org `acme`."""
    held = event(f"{number}", **fields) if value is None else value
    return Seen(MemoryRecord(Kept(TOPIC, 0, number, key, held, (), 0)))


def nothing() -> None:
    """Wake nobody."""


def taken(viewer: Viewer) -> list[tuple[int, float, int]]:
    """Take all updates: rows, how many each stands for, and how many updates were lost before."""
    found = []
    while (update := viewer.take())[0] is not None:
        assert update[0] is not None
        found.append((len(update[0].rows), update[0].one_in, update[1]))
    return found


@pytest.fixture
def tail() -> Tail:
    return Tail()


class River:
    """The events topic of a memory broker, and its reader."""

    def __init__(self, tail: Tail, partitions: int = 2) -> None:
        self.broker = MemoryBroker(FakeClock())
        self.broker.admin().create(TopicState(name=TOPIC, partitions=partitions, replication=1, config={}))
        self._producer: Producer = self.broker.producer(memory=256 << 20)
        self.reading = TailReading(tail, self.broker.reader, TOPIC)

    def emit(self, first: int, stop: int, **fields: object) -> None:
        for number in range(first, stop):
            self._producer.produce(TOPIC, key=b"acme/s-1", value=event(f"{number}", **fields), partition=number % 2)


def ids(viewer: Viewer) -> list[str]:
    found: list[str] = []
    while (update := viewer.take()[0]) is not None:
        found += [row.id for row in update.rows]
    return sorted(found, key=int)


def test_who_comes_sees_the_last_events_and_then_what_is_new(tail: Tail) -> None:
    river = River(tail)
    river.emit(0, 500)
    viewer = tail.join(Sought(), nothing, None)

    river.reading.step()
    assert ids(viewer) == [f"{number}" for number in range(500 - BEFORE, 500)]
    river.emit(500, 503)
    river.reading.step()
    assert ids(viewer) == ["500", "501", "502"]
    river.reading.step()
    assert viewer.take() == (None, 0)


def test_nothing_is_read_while_nobody_looks_on(tail: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.console.tailing.reading.GLANCE", 0.0)
    river = River(tail)
    river.emit(0, 9)
    viewer = tail.join(Sought(), nothing, None)
    river.reading.step()
    tail.leave(viewer)
    assert len(tail.recent(Sought(), 50)) == 9, "a page that is loaded again finds them"

    river.broker.stop()
    river.reading.step()

    assert tail.recent(Sought(), 50) == []


def test_filters_choose_and_orgs_are_kept_apart(tail: Tail) -> None:
    found = [
        seen(1),
        seen(2, subject="s-2", type="bot.turn.started"),
        seen(3, source="/orgs/globex/bots/b", data={"error": ERROR}),
        seen(4, data={"error": ERROR}),
        seen(5, key=b"acme/x", value=b"{"),
        seen(6, key=b"globex/x"),
    ]

    def chosen(**fields: object) -> list[int]:
        sought = msgspec.convert(fields, Sought)
        return [place for place, each in enumerate(found, 1) if sought.takes(each)]

    assert chosen() == [1, 2, 3, 4, 5, 6]
    assert chosen(org="acme") == [1, 2, 4, 5]
    assert chosen(org="globex") == [3]
    assert chosen(session="s-2") == [2]
    assert chosen(type="bot.turn.started") == [2]
    assert chosen(errors=True) == [3, 4, 5]
    assert chosen(org="globex", errors=True) == [3]
    assert found[5].org == "-", "key and source disagree: it is nobody's"


def test_a_row_tells_an_event_in_words() -> None:
    row = seen(7, type="bot.action.failed", data={"action": "LookUp", "kind": "apex", "error": ERROR}).row
    bare = seen(6, type="bot.action.failed", data={"action": "LookUp"}).row
    poison = seen(8, value=b"{").row
    odd = seen(9, subject=7, time="0001-01-01T00:00:00+10:00", data={"x": "y" * 5000}, type="mine").row

    assert (row.what, row.failed) == ("action LookUp (apex) → OrderNotFound: no order 7", True)
    assert (bare.what, bare.failed) == ("action LookUp → Error", True)
    assert (row.position, row.org, row.session, row.at) == ("0/7", "acme", "s-1", 1_795_428_000.0)
    assert poison.what.startswith("no event (not_cloudevent):")
    assert (odd.session, odd.at) == ("", None)
    assert len(odd.what) <= LINE


def test_more_than_an_update_holds_is_sampled_evenly_and_said(tail: Tail) -> None:
    viewer = tail.join(Sought(), nothing, None)
    many = [seen(number) for number in range(4 * SHOWN)]

    tail.publish(many, 4 * SHOWN)
    update = viewer.take()[0]

    assert update is not None
    assert (len(update.rows), update.one_in) == (SHOWN, 4)
    quarters = [0] * 4
    for row in update.rows:
        quarters[int(row.id) // SHOWN] += 1
    assert all(SHOWN // 8 < count < SHOWN // 2 for count in quarters)


def test_what_was_not_even_read_is_counted_too(tail: Tail) -> None:
    viewer = tail.join(Sought(), nothing, None)

    tail.publish([seen(number) for number in range(100)], 1000)

    assert taken(viewer) == [(100, 10, 0)]


def test_a_slow_viewer_loses_the_oldest_updates_and_is_told(tail: Tail) -> None:
    slow, idle = tail.join(Sought(), nothing, None), tail.join(Sought(org="globex"), nothing, None)
    for number in range(UPDATES + 3):
        tail.publish([seen(number)], 1)

    update, lost = slow.take()
    assert update is not None
    assert (update.rows[0].id, lost) == ("3", 3)
    assert len(taken(slow)) == UPDATES - 1
    assert idle.take() == (None, 0)


def test_too_many_viewers_are_refused(tail: Tail) -> None:
    viewers = [tail.join(Sought(), nothing, None) for _ in range(VIEWERS.most)]

    with pytest.raises(Exception, match="as many live tails"):
        tail.join(Sought(), nothing, None)
    tail.leave(viewers[0])
    tail.join(Sought(), nothing, None)


def test_an_org_has_a_share_of_the_tails_and_operators_a_reserve(tail: Tail) -> None:
    for _ in range(VIEWERS.each):
        tail.join(Sought(), nothing, "acme")
    with pytest.raises(Greedy, match="5 live tails of your org"):
        tail.check("acme")

    for number in range(VIEWERS.most - VIEWERS.each - VIEWERS.reserve):
        tail.join(Sought(), nothing, f"org-{number}")
    with pytest.raises(Busy, match="as many live tails"):
        tail.check("globex")
    for _ in range(VIEWERS.reserve):
        tail.join(Sought(), nothing, None)
    with pytest.raises(Busy, match="as many live tails"):
        tail.check(None)


class _Counting(Tail):
    """Counts what is handed out."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[tuple[int, int]] = []

    def publish(self, seen: Sequence[Seen], arrived: int) -> None:
        self.published.append((len(seen), arrived))
        super().publish(seen, arrived)


def test_a_look_reads_so_much_and_no_more_in_proportion() -> None:
    tail = _Counting()
    river = River(tail)
    viewer = tail.join(Sought(), nothing, None)
    river.reading.step()
    river.emit(0, 2 * MOST)

    river.reading.step()

    assert taken(viewer) == [(SHOWN, 2 * MOST // SHOWN, 0)]
    assert len(tail.recent(Sought(), 10_000)) == RECENT
    assert tail.published == [(0, 0), (MOST, 2 * MOST)]


def test_a_second_of_a_thousand_events_costs_little(tail: Tail) -> None:
    """Ten seconds at 1,000 events/s, with as many viewers as there may be, in well under a second of work."""
    for number in range(VIEWERS.most):
        tail.join(Sought(session=f"s-{number}") if number % 2 else Sought(errors=number % 4 == 0), nothing, None)
    values = [
        event(f"{number}", data={"error": ERROR} if number % 50 == 0 else {"text": "hello"}) for number in range(1000)
    ]
    records = [MemoryRecord(Kept(TOPIC, 0, number, b"acme/s-1", value, (), 0)) for number, value in enumerate(values)]

    began = time.process_time()
    for _ in range(10):
        tail.publish([Seen(record) for record in records], len(records))

    assert time.process_time() - began < 1.0


# --- the stream


def events(body: bytes) -> Iterator[tuple[str, object]]:
    for block in body.decode().split("\n\n"):
        lines: Mapping[str, str] = dict(line.partition(": ")[::2] for line in block.splitlines())
        if lines.get("event"):
            yield lines["event"], msgspec.json.decode(lines["data"])


def open_stream(tail: Tail, person: Person | None) -> Iterator[Asking]:
    with open_site(
        viewer=person, tail=tail, more=lambda desk, access, pages: TailStream(tail, As(person)).routes
    ) as site:
        yield site


def test_a_stream_brings_an_orgs_own_events() -> None:
    tail = _Flowing(seen(1), seen(2, source="/orgs/globex/bots/b"))
    for site in open_stream(tail, Person("ann", "acme")):
        answer = site.get("/tail/stream", until=b"}\n\n")
        foreign = site.get("/tail/stream?org=globex")
        wrong = site.get("/tail/stream?colour=red")

    ((name, update),) = events(answer.body)
    assert name == "rows"
    assert [row.id for row in msgspec.convert(update, Update).rows] == ["1"]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert (foreign.status, wrong.status) == (404, 400)
    assert tail._viewers == [], "who hung up is forgotten"


def test_a_stream_is_for_those_who_are_signed_in(tail: Tail) -> None:
    for site in open_stream(tail, None):
        assert [site.get(path).status for path in ("/tail/stream", "/api/v1/tail/stream")] == [401, 401]


def test_a_full_tail_says_so(tail: Tail) -> None:
    for _ in range(VIEWERS.most):
        tail.join(Sought(), nothing, None)
    for site in open_stream(tail, Person("olga")):
        assert site.get("/tail/stream").status == 503


def test_streams_end_at_once_when_the_console_does(tail: Tail) -> None:
    async def look_on() -> bytes:
        stream = TailStream(tail, As(Person("olga")))._updates(Sought(), None)
        body = await anext(stream)
        reader = asyncio.ensure_future(_rest(stream))
        await asyncio.sleep(0)
        tail.close()
        async with asyncio.timeout(1):
            return body + await reader

    assert asyncio.run(look_on()) == tail_stream.RETRY
    with pytest.raises(Exception, match="live tails"):
        tail.join(Sought(), nothing, None)


async def _rest(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([part async for part in stream])


class _Flowing(Tail):
    """Publishes *found* to whoever looks on."""

    def __init__(self, *found: Seen) -> None:
        super().__init__()
        self._found = found

    def join(self, sought: Sought, wake: Callable[[], None], org: str | None) -> Viewer:
        viewer = super().join(sought, wake, org)
        self.publish(self._found, len(self._found))
        return viewer
