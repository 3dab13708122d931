"""The play: customers talk to the help desk's bot, one org's server breaks and is mended, and the books are closed."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import msgspec

from headrace import app
from headrace.core.report import Report
from headrace.demo import helpdesk
from headrace.demo.stage import BROKEN, ORGS, Stage
from headrace.demo.switches import Switches
from headrace.emitter.emitter import Emitter
from headrace.errors import HeadraceError
from headrace.ledger.audit import audit
from headrace.ledger.report import report

SETTLED_WITHIN = 180.0
"""Seconds that the last retry may take, at the very most, before the demo says that something is wrong."""

Say = Callable[[str], None]


class Tally(msgspec.Struct):
    """What was played so far."""

    conversations: int = 0
    outages: int = 0


class Play:
    """Traffic, and what befalls one org's server."""

    def __init__(self, emitter: Emitter, switches: Switches, say: Say, seed: int) -> None:
        self._switches = switches
        self._emitter = emitter
        self._say = say
        self._bot = helpdesk.load()
        self._seeds = iter(range(seed, 1 << 62))
        self.tally = Tally()

    def converse(self, conversations: int, *, pause: float) -> None:
        """Let so many customers talk to the bot, each org's in turn, *pause* seconds apart."""
        for _ in range(conversations):
            number = self.tally.conversations
            org = ORGS[number % len(ORGS)]
            self._bot.converse(self._emitter, org, f"s-{number:05d}", next(self._seeds))
            self.tally.conversations += 1
            time.sleep(pause)

    def break_one(self) -> None:
        """Let one org's server answer 503 from now on."""
        self._say(f"breaking the server of {BROKEN}: it answers 503, and its events move to the retry tiers")
        self._switches.turn(BROKEN, up=False)
        self.tally.outages += 1

    def mend(self) -> None:
        self._say(f"mending the server of {BROKEN}: the tiers drain, each event when it is due")
        self._switches.turn(BROKEN, up=True)


def run_once(stage: Stage, emitter: Emitter, conversations: int, seed: int, say: Say) -> Report:
    """Play *conversations*, a third of them while one org is down, wait until all is settled, and close the books."""
    play = Play(emitter, Switches(stage.orgs), say, seed)
    first = max(1, conversations // 3)
    pause = min(0.02, 6.0 / conversations)
    say(f"{conversations} conversations with the help desk's bot, of {len(ORGS)} orgs …")
    play.converse(first, pause=pause)
    _until(lambda: _delivered(stage, BROKEN) > 0, "the first events arrive")
    play.break_one()
    middle = max(len(ORGS), conversations // 3)
    play.converse(middle, pause=pause)
    emitter.flush(30)
    _until(lambda: _refused(stage, BROKEN) > 2, "the broken server is noticed")
    play.mend()
    play.converse(max(0, conversations - first - middle), pause=pause)
    if emitter.flush(30):
        raise HeadraceError("Kafka did not take all events within 30 s; the worker's log and Kafka's say why")
    say("waiting until everything is settled …")
    return settled(stage)


def settled(stage: Stage) -> Report:
    """Return the books once nothing is in flight or on a tier any more."""
    books: list[Report] = []

    def is_settled() -> bool:
        books.append(close_books(stage))
        return books[-1].in_flight == 0 and books[-1].retrying == 0

    _until(is_settled, "everything is settled", every=0.5)
    return books[-1]


def close_books(stage: Stage) -> Report:
    """Audit the stage's river."""
    with closing(app.broker(stage.config).reader()) as reader:
        return report(audit(reader, stage.config.names, app.destinations_of(stage.config)))


def forever(emitter: Emitter, switches: Switches, seed: int, say: Say) -> Iterator[None]:
    """Play without end, and yield every few seconds.

    There is an outage every minute, until a person takes the switches in hand.
    """
    play = Play(emitter, switches, say, seed)
    began = time.monotonic()
    is_broken = False
    while True:
        play.converse(10, pause=0.2)
        should_break = 20 < (time.monotonic() - began) % 60 < 40
        if should_break != is_broken and not switches.in_hand:
            is_broken = should_break
            (play.break_one if is_broken else play.mend)()
        yield


def _delivered(stage: Stage, org: str) -> int:
    return stage.orgs.ledger(org).distinct


def _refused(stage: Stage, org: str) -> int:
    return stage.orgs.ledger(org).answers.get("503", 0)


def _until(holds: Callable[[], bool], what: str, *, every: float = 0.1) -> None:
    deadline = time.monotonic() + SETTLED_WITHIN
    while not holds():
        if time.monotonic() > deadline:
            raise HeadraceError(
                f"waited {SETTLED_WITHIN:.0f} s in vain until {what}; worker.log in the demo's directory says more"
            )
        time.sleep(every)
