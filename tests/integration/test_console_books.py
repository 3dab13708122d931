"""The console's numbers on a river that flows: those of `headrace audit` at the same positions, column by column."""

import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headrace import app, console_app
from headrace.core.positions import Position
from headrace.core.report import Line
from headrace.ledger.audit import audit
from headrace.ledger.report import report
from headrace.testing.faults import Status, always
from headrace.testing.simulated_org import SimulatedOrg
from outsider import produce, record
from river import River, until

COLUMNS = Line.__struct_fields__
PAGES = ("/", "/orgs", "/destinations")

Document = dict[str, Any]
Ask = Callable[[str], Document]


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        running.keep(10_000)
        yield running


@contextmanager
def console(river: River) -> Iterator[Ask]:
    with console_app.console(river.config, port=0) as served:

        def ask(path: str) -> Document:
            with urllib.request.urlopen(f"{served.url}/api/v1{path}", timeout=20) as answer:
                document: Document = json.loads(answer.read())
            return document

        yield ask


@contextmanager
def flowing(river: River) -> Iterator[None]:
    """Emit events of three orgs all the while."""
    stop = threading.Event()

    def flow() -> None:
        sent = 0
        while not stop.is_set():
            names = ("good", "bad", "other")
            produce(
                _servers(river),
                river.config.names.events,
                [record(names[number % 3], number=sent + number) for number in range(30)],
            )
            sent += 30
            time.sleep(0.05)

    thread = threading.Thread(target=flow)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def _servers(river: River) -> str:
    return river.config.kafka.bootstrap_servers


def columns(document: Mapping[str, Any]) -> dict[str, Any]:
    lines = {"": document} | {f"org {name}": line for name, line in document["orgs"].items()}
    lines |= {f"destination {name}": line for name, line in document["destinations"].items()}
    return {name: {column: line[column] for column in COLUMNS} for name, line in lines.items()}


def books_when(ask: Ask, is_enough: Callable[[Document], bool], what: str) -> Document:
    found: list[Document] = []

    def holds() -> bool:
        try:
            found.append(ask("/books"))
        except OSError:  # before the first closing it answers 503
            return False
        return is_enough(found[-1])

    until(holds, what, 60, every=0.3)
    return found[-1]


def test_books_of_the_console_are_those_of_the_audit_at_the_same_positions(
    kafka: str, orgs: SimulatedOrg, tmp_path: Path
) -> None:
    """While one org's destination is broken, and after it healed."""
    orgs.plan("bad", always(Status(status=503)))
    with River(tmp_path, kafka, orgs) as river, console(river) as ask:
        river.start_worker()
        with flowing(river):
            broken = books_when(ask, lambda books: books["retrying"] > 20 and books["delivered"] > 100, "it retries")
            during = {path: ask(path) for path in PAGES}
            orgs.plan("bad", always(Status(status=200)))
            healed = books_when(ask, lambda books: books["delivered"] > broken["delivered"] + 100, "it heals")
            after = {path: ask(path) for path in PAGES}

        for taken in (broken, healed):
            file = tmp_path / "books.json"
            file.write_text(json.dumps(taken))
            audited = river.run("audit", "--json", "--at", str(file))
            assert audited.returncode == 0, audited.stderr
            again = json.loads(audited.stdout.splitlines()[-1])
            assert columns(again) == columns(taken)
            assert again["positions"] == taken["positions"]
        assert set(columns(broken)) == {"", *(f"org {n}" for n in ("good", "bad", "other")), *_of("log", "crm")}

        for pages in (during, after):
            for path, page in pages.items():
                _check_page(river, path, page)
        assert river.stop() == [0]


def _of(*destinations: str) -> list[str]:
    return [f"destination {name}" for name in destinations]


def _check_page(river: River, path: str, page: Document) -> None:
    """Overview, orgs and destinations carry positions of their own, and their numbers are the audit's there."""
    positions = msgspec.convert(page["seen"]["positions"], dict[str, dict[int, Position]], strict=False)
    with closing(app.broker(river.config).reader()) as reader:
        closed = report(audit(reader, river.config.names, app.destinations_of(river.config), at=positions))
    audited = columns(msgspec.to_builtins(closed))
    lines = {"/": [("", page.get("books"))]}.get(path) or [
        (f"org {each['org']}" if path == "/orgs" else f"destination {each['destination']}", each["books"])
        for each in page["rows"]
    ]
    assert lines
    assert dict(lines) == {name: audited[name] for name, _ in lines}


def emitted(ask: Ask) -> float:
    """Return the sum of the graph of what was emitted; what is not known yet is not there."""
    return sum(point["emitted"] or 0 for point in ask("/")["points"])


def test_lag_of_the_console_is_kafkas_and_goes_when_a_worker_comes(
    kafka: str, orgs: SimulatedOrg, tmp_path: Path
) -> None:
    with River(tmp_path, kafka, orgs) as river, console(river) as ask:
        produce(_servers(river), river.config.names.events, [record("good", number=number) for number in range(90)])
        until(lambda: ask("/")["lag"] == 90, "the lag is seen", 30)
        seen = ask("/")
        assert seen["lag_seconds"] > 0
        until(lambda: emitted(ask) > 0, "what is emitted is drawn though nobody settles it", 30)
        until(lambda: (ask("/topics")["topics"] or [{"standing": 0}])[0]["standing"] > 0, "nobody settles it", 30)

        river.start_worker()
        until(lambda: ask("/")["lag"] == 0, "the worker settles it", 60)
        until(lambda: (ask("/")["books"] or {}).get("delivered") == 180, "the books know", 30)
        assert ask("/")["lag_seconds"] == 0
        until(lambda: (ask("/")["sums"]["age_ms"] or 0) > 0, "it is counted how old events were", 30)
        until(
            lambda: ask("/destinations/crm")["line"]["standing"]["state"] == "delivering", "the attempts are seen", 30
        )
        assert river.stop() == [0]
