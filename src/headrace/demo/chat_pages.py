"""The demo's page in the console: talk to the bot, watch its events arrive, break a server, and watch the tiers."""

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from headrace.console.annex import Annex
from headrace.console.fields import Org
from headrace.console.links import link
from headrace.console.sources import Sources
from headrace.console.view import Action, View
from headrace.console.viewer import Absent, Viewer
from headrace.demo.chat import LONGEST, Chat, Said
from headrace.demo.gauge import Reading
from headrace.demo.lines import LogLine, read_log
from headrace.demo.script import Suggestion
from headrace.demo.switches import Switches
from headrace.errors import UsageError

PATH = "/demo"
Session = Annotated[str, Meta(max_length=64, description="A conversation, as the event log names it.")]


class DemoAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Which conversation."""

    org: Annotated[Org | None, Meta(description="Whose customer one is; the first org when it is left out.")] = None
    session: Session = ""


class SayAsk(msgspec.Struct, frozen=True, kw_only=True):
    """What to say to the bot, in a *session* or, without one, in a new one."""

    org: Org
    text: Annotated[str, Meta(min_length=1, max_length=LONGEST)]
    session: Session = ""


class SwitchAsk(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server of an org is to work; *customer_of* and *session* are where the page goes back to."""

    org: Org
    server: Literal["up", "down"]
    customer_of: Org | None = None
    session: Session = ""


class OrgLine(msgspec.Struct, frozen=True, kw_only=True):
    """One org: whether its server is down, and its line of the books as far as they are closed."""

    org: str
    is_down: bool
    delivered: int | None
    retrying: int | None


class DemoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The demo at one moment. *session* is empty before the first word; *in_hand*: a person works the switches."""

    org: str
    session: str
    is_over: bool
    said: Sequence[Said]
    suggestions: Sequence[Suggestion]
    log: Sequence[LogLine]
    orgs: Sequence[OrgLine]
    in_hand: bool
    river: Reading | None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """In which conversation something was said, and what the bot answered."""

    org: str
    session: str
    answer: str
    is_over: bool


class Switched(msgspec.Struct, frozen=True, kw_only=True):
    """The orgs whose servers are down now."""

    down: Sequence[str]


class Shows(Protocol):
    """A gauge."""

    def latest(self) -> Reading | None: ...


class ChatPages:
    """Reads the demo's page, and does what is asked on it."""

    def __init__(self, orgs: Sequence[str], chat: Chat, switches: Switches, gauge: Shows) -> None:
        self._orgs = orgs
        self._chat = chat
        self._switches = switches
        self._gauge = gauge

    def annex(self) -> Annex:
        """Return what the console's site gets."""
        return Annex(
            package="headrace.demo", views=[self._view()], actions=[self._say(), self._switch()], routes=[STATIC]
        )

    def read(self, ask: DemoAsk, sources: Sources) -> DemoAnswer:
        """Return the demo as it is now."""
        org = self._known(ask.org or self._orgs[0])
        conversation = self._chat.find(org, ask.session) if ask.session else None
        river = self._gauge.latest()
        return DemoAnswer(
            org=org,
            session=ask.session,
            is_over=ask.session != "" and (conversation is None or conversation.is_over),
            said=conversation.said() if conversation else (),
            suggestions=conversation.suggestions() if conversation else () if ask.session else self._chat.beginnings(),
            log=read_log(org, ask.session, conversation, sources.log, sources.clock.wall()) if ask.session else (),
            orgs=[self._org_line(each, river) for each in self._orgs],
            in_hand=self._switches.in_hand,
            river=river,
        )

    def say(self, ask: SayAsk, sources: Sources, who: Viewer) -> Answered:  # noqa: ARG002  an action's signature
        """Say something to the bot."""
        text = ask.text.strip()
        if not text:
            raise UsageError("say something to the bot first")
        conversation = self._chat.say(self._known(ask.org), ask.session, text)
        return Answered(
            org=conversation.org,
            session=conversation.session,
            answer=conversation.said()[-1].text,
            is_over=conversation.is_over,
        )

    def switch(self, ask: SwitchAsk, sources: Sources, who: Viewer) -> Switched:  # noqa: ARG002  an action's signature
        """Break or mend a server; nobody else does from now on."""
        self._switches.take()
        self._switches.turn(self._known(ask.org), up=ask.server == "up")
        return Switched(down=sorted(self._switches.down))

    def _known(self, org: str) -> str:
        if org not in self._orgs:
            raise Absent("there is nothing here")
        return org

    def _org_line(self, org: str, river: Reading | None) -> OrgLine:
        books = river.books.orgs.get(org) if river and river.books else None
        return OrgLine(
            org=org,
            is_down=org in self._switches.down,
            delivered=books.delivered if books else None,
            retrying=books.retrying if books else None,
        )

    def _view(self) -> View:
        return View(
            name="demo",
            path=PATH,
            title="Talk to a bot",
            ask=DemoAsk,
            answer=DemoAnswer,
            read=self.read,
            audience="operator",
            group="Demo",
            help="Talk to the demo's bot, watch its events arrive, and break a server.",
        )

    def _say(self) -> Action:
        return Action(
            name="demo-say",
            path=f"{PATH}/say",
            title="Say something to the demo's bot",
            ask=SayAsk,
            answer=Answered,
            do=self.say,
            back=lambda _, done: link(PATH, {"org": done.org, "session": done.session}),
            noted=False,
        )

    def _switch(self) -> Action:
        return Action(
            name="demo-server",
            path=f"{PATH}/server",
            title="Break or mend the server of one of the demo's orgs",
            ask=SwitchAsk,
            answer=Switched,
            do=self.switch,
            back=lambda ask, _: link(PATH, {"org": ask.customer_of or ask.org, "session": ask.session or None}),
        )


STATIC = Mount(f"{PATH}/static", StaticFiles(packages=[("headrace.demo", "static")]))
