"""`headrace demo`: a newcomer's first minute."""

import signal
import webbrowser
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from headrace import app
from headrace.cli.output import emit_document, say
from headrace.cli.ticker import Ticker
from headrace.clock import SystemClock
from headrace.core.report import Report
from headrace.demo import play
from headrace.demo.gauge import Reading
from headrace.demo.reception import Reception, reception
from headrace.demo.stage import BROKEN, ORGS, Stage, stage
from headrace.emitter.emitter import Emitter
from headrace.errors import UsageError
from headrace.eventlog.opening import open_event_log


def demo(
    *,
    once: Annotated[bool, Parameter(negative=())] = False,
    conversations: int = 200,
    seed: int = 1,
    config: Path | None = None,
    dir: Path = Path(".headrace/demo"),  # noqa: A002 -- the name of the option
    open: Annotated[bool, Parameter(negative=())] = False,  # noqa: A002 -- the name of the option
    json: bool = False,
) -> int:
    """Run everything on this machine: a real Kafka, topics, a worker, a bot with its customers, and one outage.

    Without --once it goes on until Ctrl-C, and opens the console with a page on which one talks to the bot. With it,
    it ends by itself when every event is settled, and prints the audit; it exits 1 when the books do not balance.

    Example: headrace demo --once --conversations 200

    Parameters
    ----------
    once
        Run the conversations to the end, print the audit, and exit.
    conversations
        How many conversations --once plays.
    seed
        Which customers come; the same seed brings the same ones.
    config
        A file whose topics, emitter, delivery and retry settings are tried out, and on whose console.port the console
        listens; by default the demo's own, and a free port.
    dir
        Where the demo keeps its Kafka, its event log and its configuration. It is emptied at the start.
    open
        Open that page in the browser.
    json
        Print the audit as one JSON document.
    """
    if conversations < 1:
        raise UsageError(f"--conversations {conversations}: there must be at least one")
    # Also where the terminal is closed, or where a shell began it in the background, no Kafka stays behind.
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(end, signal.default_int_handler)
    with stage(dir, say, config) as scene, closing(app.emitter(scene.config)) as emitter:
        if once:
            books = play.run_once(scene, emitter, conversations, seed, say)
            stored = _stored(scene)
            say(f"the event log holds {stored} events")
            emit_document(books, _verdict(scene, books, stored), json=json)
            return 0 if books.balanced and books.lost == 0 else 1
        _go_on(scene, emitter, seed, opens=open)
    return 0


def _go_on(scene: Stage, emitter: Emitter, seed: int, *, opens: bool) -> None:
    with suppress(KeyboardInterrupt), reception(scene, emitter) as received:
        say(_invitation(scene, received))
        if opens:
            webbrowser.open(received.url)
        ticker = Ticker()
        try:
            for _ in play.forever(emitter, received.switches, seed, ticker.say):
                if told := _told(received.gauge.latest()):
                    ticker.show(told)
        finally:
            ticker.end()
            say("\nstopping …")


def _told(river: Reading | None) -> str:
    if river is None or river.books is None:
        return ""
    books = river.books
    return (
        f"delivered {books.delivered:>7,}   in flight {books.in_flight:>4,}   on retry tiers "
        f"{books.retrying:>5,}   lost {books.lost}"
    )


def _stored(scene: Stage) -> int:
    log = open_event_log(scene.config.eventlog, SystemClock(), read_only=True)
    with closing(log):
        return sum(summary.events for org in ORGS for summary in log.sessions(org, limit=1_000_000))


def _verdict(scene: Stage, books: Report, stored: int) -> str:
    balance = (
        "The books balance: nothing was lost." if books.balanced else f"THE BOOKS DO NOT BALANCE: {books.lost} lost."
    )
    return f"""
accepted    {books.accepted:>8,}   each event once for each of its destinations: the event log and the org's server
delivered   {books.delivered:>8,}   of them {stored:,} to the event log
retried     {books.retried:>8,}   moves to retry tiers while the server of {BROKEN} was down
rejected    {books.rejected:>8,}
lost        {books.lost:>8,}

{balance}

Look around (the demo's Kafka is stopped; the event log stays):
  {_command(scene)}log --org {BROKEN}
  {_command(scene)}log --org {BROKEN} --errors
"""


def _invitation(scene: Stage, received: Reception) -> str:
    line = "─" * (len(received.url) + 11)
    return f"""
  ┌{line}┐
  │   Open  {received.url}  │
  └{line}┘
  Talk to a bot, watch its events arrive, break an org's server, and watch the retry tiers fill and drain.
  The whole console: {received.console_url}

Customers of {", ".join(ORGS)} are talking to the bot too. In another terminal:
  {_command(scene)}tail
  {_command(scene)}log --org acme
  {_command(scene)}log --org acme --errors
  {_command(scene)}audit
Ctrl-C ends it.
"""


def _command(scene: Stage) -> str:
    return f"HEADRACE_CONFIG={scene.config_file} .venv/bin/headrace "
