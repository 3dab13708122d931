"""How long does each page of the console take, as a browser and as a program ask for it, with ten million events?

    python benchmarks/console_pages.py --events 10000000 --store sqlite --directory /somewhere/large
    python benchmarks/console_pages.py --events 10000000 --store postgres --url postgresql://… --json

Every page should take less than 200 ms. The store is that of `eventlog_pages.py`, which says what is in it; one that is
full already is only asked, and gets one session of 10,000 events, which lie apart. The console is the real one, with
signed access, on loopback. Kafka's side of it is empty, but for one dead letter of each org; it remembers 100,000 of
them, to which none comes meanwhile, and books of 5,000 orgs. Every view that reads the event log or these is asked for
its page and for its JSON, with its filters: by a viewer of the largest org, by one of a small org, by an operator. The
others are named in the result as `unasked`; of these `topic` and `topics` read Kafka, which memory cannot stand for.
First by one client, seven times in a row; then by four at once, each in an order of its own, so that four different
pages are made at the same time. Clients are processes of their own. Let nothing else run meanwhile.
"""

import http.client
import math
import multiprocessing
import random
import secrets
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urlsplit

import msgspec

from console_paths import Question, questions, unasked, who_asks
from dead_letters import dead_topic, letter_book, watch
from eventlog_pages import DAY, ORGS, TIMES, arguments_of, fill, place
from headrace.broker.memory import MemoryBroker
from headrace.clock import Clock, SystemClock
from headrace.console.access.tokens import Signer, claim_of
from headrace.console.building import build
from headrace.console.settings import ConsoleSettings
from headrace.console.sources import Facts, Sources
from headrace.console.tailing.tail import Tail
from headrace.console.web.served import Served
from headrace.control.pauses import Pauses, Pausing
from headrace.eventlog.opening import Store, open_event_log
from headrace.eventlog.pages import SessionQuery
from headrace.eventlog.settings import EventlogSettings
from headrace.model.destination import Destination
from headrace.model.secret import Secret
from headrace.telemetry import logs
from headrace.wire.topics import TopicNames
from machine import Machine, machine, sentence

CLIENTS = 4
GOAL_MS = 200.0


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """How long one page took, alone and with others at the same time, in milliseconds; *bytes* of its answer."""

    bytes: int
    median_ms: float
    slowest_ms: float
    crowded_median_ms: float
    crowded_slowest_ms: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """*slow* names the pages that ever took longer than the goal, *unasked* the views that read no event log."""

    machine: Machine
    store: str
    events: int
    slowest: str
    slowest_ms: float
    crowded_slowest: str
    crowded_slowest_ms: float
    slow: Sequence[str]
    unasked: Sequence[str]
    pages: Mapping[str, Taken]


class StoreClock:
    """Shows the time of the newest event when it is made, and goes on from there."""

    def __init__(self, newest: float) -> None:
        self._behind = time.time() - newest

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time() - self._behind


class Answered(msgspec.Struct, frozen=True):
    """One answer, as a client saw it."""

    question: int
    ms: float
    bytes: int


@contextmanager
def console(
    at: EventlogSettings, clock: Clock, orgs: Mapping[str, str | None]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Serve the console over the store; yield its address, and what each who asks shows as `Authorization`."""
    broker, names = MemoryBroker(clock), TopicNames("")
    settings = ConsoleSettings(secret=Secret(secrets.token_hex(32)))
    facts = Facts(
        environment="benchmark",
        names=names,
        destinations={"log": Destination(name="log", type="eventlog", settings=EventlogSettings())},
        destinations_of=lambda _: ["log"],
        tiers=(5.0, 60.0),
        give_up_after=DAY,
        retention=30.0 * DAY,
    )

    def open_sources() -> Sources:
        return Sources(
            log=open_event_log(at, clock),
            reader=broker.reader(),
            pauses=Pauses(broker.reader, names, clock),
            pausing=Pausing(broker, names, replication=1, in_sync=1),
            facts=facts,
            clock=clock,
            letters=letters,
            watch=seen,
        )

    letters, seen = letter_book(ORGS, clock.wall()), watch(ORGS, clock.wall())
    dead_topic(broker, names, ORGS, clock.wall())
    signer = Signer(settings.secret)
    tokens = {who: signer.sign(claim_of(who, org, clock.wall() + DAY)) for who, org in orgs.items()}
    with Served(build(open_sources, facts, clock, settings, tail=Tail()), settings.host, 0) as served:
        yield served.url, {who: f"Bearer {token}" for who, token in tokens.items()}


def ask(url: str, tokens: Mapping[str, str], asked: Sequence[Question], times: int, seed: int | None) -> list[Answered]:
    """Be a client: ask each question so many times in a row, or with a *seed* all of them in an order of its own."""
    turns = [number for number in range(len(asked)) for _ in range(times)]
    if seed is not None:
        random.Random(seed).shuffle(turns)
    answers = []
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)) as connection:
        for number in turns:
            question = asked[number]
            begun = time.perf_counter()
            connection.request("GET", question.path, headers={"Authorization": tokens[question.who]})
            answer = connection.getresponse()
            body = answer.read()
            ms = 1000 * (time.perf_counter() - begun)
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(f"{question.name} at {question.path}: {answer.status} {body[:300]!r}")
            answers.append(Answered(number, ms, len(body)))
    return answers


def run(
    at: EventlogSettings, clock: Clock, orgs: Mapping[str, str | None], asked: Sequence[Question]
) -> dict[str, Taken]:
    """Ask every question, alone and in a crowd."""
    with (
        console(at, clock, orgs) as (url, tokens),
        ProcessPoolExecutor(CLIENTS, multiprocessing.get_context("spawn")) as clients,
    ):
        clients.submit(ask, url, tokens, asked, 1, 0).result()  # what opens and compiles, once for all
        alone = clients.submit(ask, url, tokens, asked, TIMES, None).result()
        crowd = [clients.submit(ask, url, tokens, asked, math.ceil(TIMES / CLIENTS), seed) for seed in range(CLIENTS)]
        crowded = [answer for client in crowd for answer in client.result()]
    return {question.name: _taken(number, alone, crowded) for number, question in enumerate(asked)}


def _taken(number: int, alone: Sequence[Answered], crowded: Sequence[Answered]) -> Taken:
    own = [answer for answer in alone if answer.question == number]
    among = [answer.ms for answer in crowded if answer.question == number]
    return Taken(
        bytes=own[0].bytes,
        median_ms=round(statistics.median(answer.ms for answer in own), 1),
        slowest_ms=round(max(answer.ms for answer in own), 1),
        crowded_median_ms=round(statistics.median(among), 1),
        crowded_slowest_ms=round(max(among), 1),
    )


def newest(store: Store) -> float | None:
    """Return the time of the newest event, None when there is none."""
    rows = store.find_sessions(SessionQuery(org=None, limit=1)).rows
    return rows[0].last_at if rows else None


def main() -> None:
    """Fill the store unless it is full, ask for every page, and print how long that took."""
    arguments = arguments_of(__doc__)
    logs.configure(stream=sys.stderr)
    where = machine()
    with ExitStack() as stack:
        at = place(arguments, stack)
        store = open_event_log(at, SystemClock())
        stack.callback(store.close)
        now = newest(store)
        if now is None:
            now = time.time()
            fill(store, arguments.events, now)
        asked = questions(store, now)
        pages = run(at, StoreClock(now), who_asks(store), asked)
    for name, page in pages.items():
        alone = f"{page.slowest_ms:8.1f} ms, median {page.median_ms:7.1f}"
        print(
            f"{alone}; crowded {page.crowded_slowest_ms:8.1f}, {page.crowded_median_ms:7.1f}  {name}", file=sys.stderr
        )
    slowest = max(pages, key=lambda name: pages[name].slowest_ms)
    crowded = max(pages, key=lambda name: pages[name].crowded_slowest_ms)
    result = Result(
        machine=where,
        store=arguments.store,
        events=arguments.events,
        slowest=slowest,
        slowest_ms=pages[slowest].slowest_ms,
        crowded_slowest=crowded,
        crowded_slowest_ms=pages[crowded].crowded_slowest_ms,
        slow=[name for name, page in pages.items() if max(page.slowest_ms, page.crowded_slowest_ms) > GOAL_MS],
        unasked=unasked(asked),
        pages=pages,
    )
    if arguments.json:
        print(msgspec.json.encode(result).decode())
    else:
        print(sentence(where))
        print(f"slowest: {slowest}, {result.slowest_ms} ms; of four at once {crowded}, {result.crowded_slowest_ms} ms")


if __name__ == "__main__":
    main()
