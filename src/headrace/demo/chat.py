"""The chat: people talk to the help desk's bot as customers of an org, and see what their conversation emits."""

import random
import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Literal

import msgspec

from headrace.clock import Clock
from headrace.demo.overheard import Overheard
from headrace.demo.script import Script, Suggestion
from headrace.emitter.session import Outlet, SessionLog

OPEN = 200
"""Conversations that are kept; the one that has been silent longest is closed for a new one."""

TURNS = 60
"""After so many turns a conversation is over."""

LONGEST = 500
"""Characters that one may say at once."""


class Said(msgspec.Struct, frozen=True):
    """One thing that was said, and by whom."""

    by: Literal["person", "bot"]
    text: str


class _Carrier:
    """The carrier, which answers for every parcel but one: so each path of the bot is shown when it is asked for."""

    def __init__(self, lost_parcel: str) -> None:
        self._lost_parcel = lost_parcel

    def where_is(self, tracking: str) -> str:
        if tracking == self._lost_parcel:
            raise TimeoutError(f"the carrier did not answer within 2 s for parcel {tracking}")
        return "a van in your town"


class Conversation:
    """One person's conversation. Its bot answers one thing at a time."""

    def __init__(self, outlet: Outlet, bot: ModuleType, org: str, session: str, user: str, now: float) -> None:
        self.org = org
        self.session = session
        self.events = Overheard(outlet, org, session)
        self.is_over = False
        self._said: list[Said] = []
        self._lock = threading.Lock()
        self._log = SessionLog(self.events, org=org, bot=bot.BOT, session=session, seq=0, traceparent=None, data={})
        shop: Any = bot.Shop(random.Random(0), datetime.fromtimestamp(now, UTC).date())  # noqa: S311  no secret
        self._script = Script(shop)
        with self._log:
            self._log.started(channel="web", language="en", reason="user", version=bot.VERSION, user=user)
        self._bot: Any = bot.HelpdeskBot(self._log, shop=shop, carrier=_Carrier(self._script.lost_parcel))

    def say(self, text: str) -> None:
        """Say *text* to the bot, and hear its answer; to a conversation that is over nobody answers."""
        with self._lock, self._log:
            if self.is_over:
                return
            self._said.append(Said("person", text))
            self._said.append(Said("bot", self._bot.reply(text)))
            if self._bot.ended:
                self._end("transfer" if self._bot.transferred else "user")
            elif self._bot.turns >= TURNS:
                self._end("bot")

    def close(self) -> None:
        """End it from the bot's side, because nobody has said anything for so long."""
        with self._lock, self._log:
            if not self.is_over:
                self._end("timeout")

    def said(self) -> Sequence[Said]:
        """Return what was said, in order."""
        with self._lock:
            return tuple(self._said)

    def suggestions(self) -> Sequence[Suggestion]:
        """Return what may be said next; nothing when it is over."""
        if self.is_over:
            return ()
        said = self.said()
        return self._script.suggest(said[-1].text if said else "")

    def _end(self, reason: str) -> None:
        self.is_over = True
        self._log.ended(reason, turns=self._bot.turns)


class Chat:
    """Everybody's conversations. Called from any thread."""

    def __init__(self, outlet: Outlet, bot: ModuleType, clock: Clock, *, most: int = OPEN) -> None:
        self._outlet = outlet
        self._bot = bot
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._conversations: OrderedDict[tuple[str, str], Conversation] = OrderedDict()
        self._visitors = 0
        today = datetime.fromtimestamp(clock.wall(), UTC).date()
        self._script = Script(bot.Shop(random.Random(0), today))  # noqa: S311  no secret

    def say(self, org: str, session: str, text: str) -> Conversation:
        """Say *text* in that conversation; in a new one when there is none of that name, or it is over."""
        conversation = self.find(org, session)
        if conversation is None or conversation.is_over:
            conversation = self._begin(org)
        conversation.say(text)
        return conversation

    def find(self, org: str, session: str) -> Conversation | None:
        """Return the conversation of that *session*, if it is still kept."""
        with self._lock:
            found = self._conversations.get((org, session))
            if found is not None:
                self._conversations.move_to_end((org, session))
            return found

    def waiting(self) -> Sequence[Conversation]:
        """Return the conversations of which something is still on its way to the event log."""
        with self._lock:
            kept = list(self._conversations.values())
        return [each for each in kept if each.events.on_the_way()]

    def beginnings(self) -> Sequence[Suggestion]:
        """Return what a conversation may begin with."""
        return self._script.suggest("")

    def close(self) -> None:
        """End all that are not over."""
        with self._lock:
            kept = list(self._conversations.values())
        for each in kept:
            each.close()

    def _begin(self, org: str) -> Conversation:
        with self._lock:
            self._visitors += 1
            user = f"visitor-{self._visitors}"
        now = self._clock.wall()
        conversation = Conversation(self._outlet, self._bot, org, f"chat-{uuid.uuid4().hex[:12]}", user, now)
        with self._lock:
            self._conversations[org, conversation.session] = conversation
            silent = [self._conversations.popitem(last=False)[1] for _ in range(len(self._conversations) - self._most)]
        for each in silent:
            each.close()
        return conversation
