"""What the graphs add up to is what the audit says, while destinations misbehave and after it."""

import threading
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headrace import app
from headrace.clock import SystemClock
from headrace.errors import HeadraceError
from headrace.eventlog.counting import NOWHERE
from headrace.eventlog.graphs import CounterQuery, TotalsQuery
from headrace.eventlog.keeper import Keeper
from headrace.eventlog.opening import Store, open_event_log
from headrace.eventlog.settings import EventlogSettings
from headrace.testing.faults import FaultPlan, Match, Results, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from outsider import produce, record
from river import River, until

COLUMNS = ("accepted", "delivered", "retried")


@pytest.fixture
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        yield running


def sums(store: Store) -> dict[str, Tally[str]]:
    """Add up the counters of each org."""
    found: dict[str, Tally[str]] = {}
    for each in store.totals(TotalsQuery(org=None)):
        if each.org != "-" or each.accepted:
            columns = {name: getattr(each, name) for name in (*COLUMNS, "dead")}
            found.setdefault(each.org, Tally()).update(columns)
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_counters_equal_the_books(
    kafka: str, tmp_path: Path, orgs: SimulatedOrg, kind: str, new_postgres: Callable[[], str]
) -> None:
    orgs.keep(10_000)
    orgs.plan("shaky", always(Status(status=503)))
    orgs.plan("picky", always(Results(rejected=Match(one_in=3))))
    url = new_postgres() if kind == "postgres" else f"sqlite:///{tmp_path}/eventlog.db"
    settings = {"eventlog": {"url": url}}
    with River(tmp_path, kafka, orgs, settings) as river:
        names = river.config.names
        records = [record(org, f"s-{n % 7}") for n in range(60) for org in ("calm", "shaky", "picky")]
        produce(kafka, names.events, [*records, (b"odd/1", b"no event")])
        stop = threading.Event()
        failures: list[HeadraceError] = []
        store = open_event_log(EventlogSettings(url=url), SystemClock())
        with closing(app.broker(river.config).reader()) as reader, closing(store):
            keeper = Keeper(store, reader, names, SystemClock(), retention=0)
            live = threading.Thread(target=keeper.run, args=(stop, failures.append))
            live.start()
            river.start_worker()
            until(lambda: river.audit().retried > 0, "something is on a tier", 120, every=0.5)
            orgs.plan("shaky", FaultPlan())
            river.settled(events=361)
            assert river.stop() == [0]
            books = river.audit()
            stop.set()
            live.join(30)
            keeper.count()

            found = sums(store)
            arrived = store.counters(CounterQuery(org=None, destination=NOWHERE, since=0, until=2**40))
        assert failures == []
        assert {org: tuple(tally[name] for name in COLUMNS) for org, tally in found.items()} == {
            org: tuple(getattr(line, name) for name in COLUMNS) for org, line in books.orgs.items()
        }
        assert {org: tally["dead"] for org, tally in found.items() if tally["dead"]} == {
            org: line.rejected for org, line in books.orgs.items() if line.rejected
        }
        assert sum(each.emitted for each in arrived) == len(records) + 1
        assert books.retried > 0
        assert books.rejected > 1
        assert books.balanced
