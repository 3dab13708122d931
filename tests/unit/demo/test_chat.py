"""The chat: every suggestion shows what it says it shows, conversations are few, and what they emit is overheard."""

import random
from datetime import UTC, date, datetime

import pytest

import helpdesk_bot
from headrace.demo import chat as chat_room
from headrace.demo.chat import Chat, Conversation
from headrace.demo.script import Script
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.pages import SessionQuery
from headrace.testing.clock import FakeClock
from headrace.testing.emitter import ListeningEmitter


class River(ListeningEmitter):
    """An emitter whose events stand in an event log when they are let through."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self.log = MemoryEventLog(clock)
        self.values: list[bytes] = []

    def take(self, key: bytes, value: bytes) -> bool:
        self.values.append(value)
        return super().take(key, value)

    def flow(self) -> None:
        """Let everything through."""
        self.log.upsert(self.values)
        self.values.clear()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def river(clock: FakeClock) -> River:
    return River(clock)


@pytest.fixture
def chat(river: River, clock: FakeClock) -> Chat:
    return Chat(river, helpdesk_bot, clock, most=3)


def begin(chat: Chat, text: str = "Hello!", org: str = "acme") -> Conversation:
    return chat.say(org, "", text)


def suggested(chat: Chat, shows: str, conversation: Conversation | None = None) -> str:
    suggestions = conversation.suggestions() if conversation else chat.beginnings()
    return next(each.text for each in suggestions if each.shows == shows)


def test_a_conversation_tells_who_came_and_how(chat: Chat, river: River) -> None:
    begin(chat)

    assert river.of("bot.session.started") == [
        {"channel": "web", "language": "en", "reason": "user", "version": helpdesk_bot.VERSION, "user": "visitor-1"}
    ]
    assert river.types[1] == "bot.turn.started"


def test_the_same_conversation_goes_on(chat: Chat) -> None:
    first = begin(chat)
    again = chat.say("acme", first.session, "I forgot my password.")

    assert again is first
    assert [each.by for each in first.said()] == ["person", "bot"] * 2
    assert "e-mail" in first.said()[-1].text


def test_nobody_speaks_in_the_conversation_of_another_org(chat: Chat) -> None:
    first = begin(chat, org="acme")
    other = chat.say("globex", first.session, "Hello!")

    assert other is not first
    assert chat.find("globex", first.session) is None


def test_the_first_suggestion_makes_custom_code_throw(chat: Chat, river: River) -> None:
    suggestion = chat.beginnings()[0]
    begin(chat, suggestion.text)

    assert suggestion.kind == "throws"
    failed = river.of("bot.action.failed")[0]
    assert (failed["action"], failed["error"]["origin"], failed["error"]["type"]) == (
        "LookUpOrder",
        "custom_code",
        "ValueError",
    )


@pytest.mark.parametrize(
    ("shows", "happens"),
    [
        ("all goes well", "bot.action.succeeded"),
        ("the carrier times out", "bot.action.failed"),
        ("a dialog, with a trap", "bot.dialog.entered"),
        ("handed over, and ended", "bot.transfer.requested"),
    ],
)
def test_a_suggestion_shows_what_it_says(chat: Chat, river: River, shows: str, happens: str) -> None:
    begin(chat, suggested(chat, shows))

    assert happens in river.types
    assert ("bot.action.failed" in river.types) == (happens == "bot.action.failed")


def test_suggestions_answer_what_the_bot_asks(chat: Chat, river: River) -> None:
    """A return, by clicks alone, to the dialog that nobody drew."""
    conversation = begin(chat, suggested(chat, "a dialog, with a trap"))
    chat.say("acme", conversation.session, conversation.suggestions()[0].text)
    chat.say("acme", conversation.session, suggested(chat, "the bot's logic throws", conversation))

    assert river.of("bot.exception.raised")[0]["error"]["origin"] == "bot_logic"


@pytest.mark.parametrize("asked", ["order number", "e-mail", "reason for", "refund or an exchange", ""])
def test_there_is_always_something_to_say(asked: str) -> None:
    shop = helpdesk_bot.Shop(random.Random(0), date(2026, 11, 23))

    assert Script(shop).suggest(f"What is the {asked}?")


@pytest.mark.parametrize("day", ["2026-01-01", "2026-11-23", "2028-02-29"])
def test_every_path_is_there_on_every_day(day: str) -> None:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
    clock = FakeClock(at - FakeClock().wall())

    assert len(Chat(ListeningEmitter(), helpdesk_bot, clock).beginnings()) == 5


def test_what_is_over_is_not_gone_on_with(chat: Chat, river: River) -> None:
    first = begin(chat, "Can I talk to a person?")
    assert first.is_over
    assert first.suggestions() == ()

    assert chat.say("acme", first.session, "Hello!") is not first
    assert river.of("bot.session.ended") == [{"reason": "transfer", "turns": 1}]


def test_the_one_that_was_silent_longest_is_closed(chat: Chat, river: River) -> None:
    first, second = begin(chat), begin(chat)
    begin(chat)
    chat.say("acme", first.session, "Hello again!")

    begin(chat)

    assert second.is_over
    assert not first.is_over
    assert chat.find("acme", second.session) is None
    assert river.of("bot.session.ended") == [{"reason": "timeout", "turns": 1}]


def test_a_conversation_has_an_end(chat: Chat, river: River, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_room, "TURNS", 3)
    conversation = begin(chat)
    for _ in range(4):
        conversation.say("Hello!")

    assert conversation.is_over
    assert len(conversation.said()) == 6
    assert river.of("bot.session.ended") == [{"reason": "bot", "turns": 3}]


def test_closing_ends_what_is_open(chat: Chat, river: River) -> None:
    begin(chat)
    begin(chat, "Can I talk to a person?")
    chat.close()
    chat.close()

    assert [each["reason"] for each in river.of("bot.session.ended")] == ["transfer", "timeout"]


def test_what_is_said_arrives_in_the_event_log(chat: Chat, river: River) -> None:
    conversation = begin(chat, chat.beginnings()[0].text)
    river.flow()

    found = river.log.find_sessions(SessionQuery(org="acme", session=conversation.session)).rows[0]
    assert (found.bot, found.version, found.channel, found.language, found.user) == (
        "helpdesk",
        helpdesk_bot.VERSION,
        "web",
        "en",
        "visitor-1",
    )
    assert (found.error_type, found.turns) == ("ValueError", 1)
