"""The reception of the demo: the console on this machine, with the page on which one talks to the bot."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from headrace import console_app
from headrace.clock import SystemClock
from headrace.console.watching.watch import Watch
from headrace.console.watching.watchman import Rhythm
from headrace.demo import helpdesk
from headrace.demo.arrivals import Arrivals
from headrace.demo.chat import Chat
from headrace.demo.chat_pages import PATH, ChatPages
from headrace.demo.gauge import Gauge
from headrace.demo.stage import ORGS, Stage
from headrace.demo.switches import Switches
from headrace.emitter.emitter import Emitter
from headrace.eventlog.opening import open_event_log

LOOPBACK = "127.0.0.1"
"""Nobody signs in, so nobody else gets in."""

LIVELY = Rhythm(look=1.0, close=1.0)
"""Somebody watches the tiers fill and drain."""


class Reception(msgspec.Struct, frozen=True):
    """Where one is received, and what can be seen and done there."""

    url: str
    console_url: str
    switches: Switches
    gauge: Gauge


@contextmanager
def reception(stage: Stage, emitter: Emitter) -> Iterator[Reception]:
    """Receive people while the context lasts; what they say goes through *emitter*."""
    clock = SystemClock()
    config = stage.config
    chat = Chat(emitter, helpdesk.load(), clock)
    switches = Switches(stage.orgs)
    watch = Watch()
    gauge = Gauge(watch)
    with ExitStack() as stack:
        stack.callback(chat.close)
        stack.enter_context(
            Arrivals(lambda: open_event_log(config.eventlog, clock, read_only=True), chat.waiting, clock)
        )
        annex = ChatPages(ORGS, chat, switches, gauge).annex()
        console = console_app.console(config, host=LOOPBACK, annexes=[annex], watch=watch, rhythm=LIVELY)
        served = stack.enter_context(console)
        yield Reception(served.url + PATH, served.url, switches, gauge)
