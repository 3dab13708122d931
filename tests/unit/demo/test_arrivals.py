"""What is on its way is known, and when it arrived."""

import threading
from collections.abc import Callable

import pytest

import helpdesk_bot
from headrace.demo.arrivals import Arrivals, look
from headrace.demo.chat import Chat, Conversation
from headrace.demo.lines import read_log
from headrace.demo.overheard import Overheard
from headrace.emitter.session import SessionLog
from headrace.errors import StoreError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.pages import Page
from headrace.eventlog.port import EventQuery, StoredEvent
from headrace.testing.clock import FakeClock
from headrace.testing.emitter import ListeningEmitter


class Refusing(ListeningEmitter):
    """An emitter that takes nothing."""

    def take(self, key: bytes, value: bytes) -> bool:
        return False


class Store:
    """An event log that somebody looks into."""

    def __init__(self, log: MemoryEventLog, looked: Callable[[], None] = lambda: None) -> None:
        self.log = log
        self.is_there = True
        self.is_closed = False
        self._looked = looked

    def find_events(self, query: EventQuery) -> Page[StoredEvent]:
        self._looked()
        if not self.is_there:
            raise StoreError("there is none yet")
        return self.log.find_events(query)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def conversation(clock: FakeClock) -> Conversation:
    return Chat(ListeningEmitter(), helpdesk_bot, clock).say("acme", "", "Hello!")


def values(conversation: Conversation) -> list[bytes]:
    return [event.value for event in conversation.events.on_the_way()]


def overheard(outlet: ListeningEmitter) -> tuple[Overheard, SessionLog]:
    events = Overheard(outlet, "acme", "s-1")
    return events, SessionLog(events, org="acme", bot="b", session="s-1", seq=0, traceparent=None, data={})


def test_what_is_emitted_is_passed_on_and_on_its_way() -> None:
    outlet = ListeningEmitter()
    events, session = overheard(outlet)
    session.emit("bot.message.sent", text="Hi")
    session.exception(ValueError("no"))

    assert outlet.types == ["bot.message.sent", "bot.exception.raised"]
    assert [(each.type, each.seq, each.failed) for each in events.on_the_way()] == [
        ("bot.message.sent", 0, False),
        ("bot.exception.raised", 1, True),
    ]


def test_what_the_emitter_does_not_take_is_not_on_its_way() -> None:
    events, log = overheard(Refusing())

    assert not log.emit("bot.message.sent", text="Hi")
    assert events.on_the_way() == []


def test_an_arrival_is_noted_once(clock: FakeClock) -> None:
    events, log = overheard(ListeningEmitter())
    log.emit("x")
    log.emit("y")
    first, second = events.on_the_way()

    events.arrived({first.id, "unknown"}, first.at + 0.085)
    events.arrived({first.id}, first.at + 5)

    assert events.delays() == {first.id: pytest.approx(0.085)}
    assert events.on_the_way() == [second]


def test_a_look_notes_what_stands_in_the_log(conversation: Conversation, clock: FakeClock) -> None:
    store = Store(MemoryEventLog(clock))
    due = conversation.events.on_the_way()
    store.log.upsert(values(conversation)[:3])

    look(store, conversation, clock)

    assert list(conversation.events.delays()) == [event.id for event in due[:3]]
    assert conversation.events.on_the_way() == due[3:]


def test_nobody_looks_for_nothing(clock: FakeClock) -> None:
    chat = Chat(ListeningEmitter(), helpdesk_bot, clock)
    conversation = chat.say("acme", "", "Hello!")
    conversation.events.arrived([event.id for event in conversation.events.on_the_way()], 0.0)
    store = Store(MemoryEventLog(clock))
    store.is_there = False

    look(store, conversation, clock)

    assert chat.waiting() == []


def test_what_arrives_while_a_page_is_read_is_on_it(conversation: Conversation, clock: FakeClock) -> None:
    """The event log is read, then somebody else sees all of it arrive, then the lines are made."""
    due = conversation.events.on_the_way()

    class Passing(Store):
        def find_events(self, query: EventQuery) -> Page[StoredEvent]:
            found = super().find_events(query)
            conversation.events.arrived([event.id for event in due], clock.wall())
            return found

    lines = read_log(conversation.org, conversation.session, conversation, Passing(MemoryEventLog(clock)), clock.wall())

    assert [line.id for line in lines] == [event.id for event in due]


def test_arrivals_are_seen_while_the_store_comes_and_goes(conversation: Conversation, clock: FakeClock) -> None:
    """It asks a store that fails again, and closes it at the end."""
    looked = threading.Semaphore(0)
    store = Store(MemoryEventLog(clock), looked.release)
    store.is_there = False

    def waiting() -> list[Conversation]:
        return [conversation] if conversation.events.on_the_way() else []

    with Arrivals(lambda: store, waiting, clock):
        assert looked.acquire(timeout=5)
        store.log.upsert(values(conversation))
        store.is_there = True
        for _ in range(3):
            assert looked.acquire(timeout=5) or not waiting()
            if not waiting():
                break

    assert not waiting()
    assert store.is_closed
