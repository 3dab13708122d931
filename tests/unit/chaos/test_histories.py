"""Random histories: whatever a river may do that keeps its promises passes, and one thing changed in it is caught."""

from collections.abc import Callable, Sequence

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from chaos.checker import check
from chaos.history import DOWN, ROUTES, History
from chaos.ledger import LOG, Ledger
from chaos.records import Applied, Held, Requested, Stored

FATES = ("delivered", "retried", "cut", "rejected")


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Sessions of several orgs, whose events come in order after any number of retries, repeats and refusals."""
    history = History()
    sessions = [(org, f"s-{number}") for org in ROUTES for number in range(2)]
    numbers: dict[tuple[str, str], list[int]] = {session: [] for session in sessions}
    for org, session in draw(st.lists(st.sampled_from(sessions), min_size=4, max_size=24)):
        numbers[org, session].append(history.emit(org, session))
    for (org, _), events in numbers.items():
        history.store(events)
        destination = next(name for name in ROUTES[org] if name != LOG)
        for n in events:
            if org == DOWN:
                history.retry(destination, n, 10.0, 1, settled=False)
            else:
                _deliver(draw, history, destination, n)
        if events and org != DOWN and draw(st.booleans()):
            _repeat(history, destination, events)
    return history


def _deliver(draw: st.DrawFn, history: History, destination: str, n: int) -> None:
    attempts = 0
    while (fate := draw(st.sampled_from(FATES))) in {"retried", "cut"} and attempts < 3:
        attempts += 1
        history.post(destination, [n], applied=[n] if fate == "cut" else [])
        due = history.retry(destination, n, draw(st.sampled_from((1.0, 3.0, 10.0))), attempts)
        history.wait(due - history.now + draw(st.floats(0, 2)))
    if fate == "rejected" and not attempts:
        history.post(destination, [n], refused=[n])
        history.bury(destination, n)
    else:
        history.post(destination, [n])


def _repeat(history: History, destination: str, events: Sequence[int]) -> None:
    """Let another worker, after a crash, post again what had been posted."""
    dead = {held.event.n for held in history.records if isinstance(held, Held) and held.kind == "dead"}
    history.fault("kill_worker", "worker-1", 0.1)
    history.post(destination, events, refused=[n for n in events if n in dead], worker="worker-2")


@given(histories())
def test_a_correct_history_passes(history: History) -> None:
    findings = check(history.ledger())

    assert findings.wrongs == {}, findings.evidence


def drop(data: DataObject, history: History) -> str:
    """Let one event never have been applied anywhere."""
    applied = [n for record in history.records if isinstance(record, Applied) for n in record.numbers]
    dead = {held.event.n for held in history.records if isinstance(held, Held) and held.kind == "dead"}
    assume(set(applied) - dead)
    n = data.draw(st.sampled_from(sorted(set(applied) - dead)))
    history.records = [
        Applied(record.request, record.at, [each for each in record.numbers if each != n])
        if isinstance(record, Applied)
        else record
        for record in history.records
    ]
    return "lost"


def drop_row(data: DataObject, history: History) -> str:
    """Take one row out of the event log."""
    rows = [record for record in history.records if isinstance(record, Stored)]
    history.records.remove(data.draw(st.sampled_from(rows)))
    return "lost"


def reorder(data: DataObject, history: History) -> str:
    """Post the last event of a session before all others were emitted to that destination."""
    firsts: dict[tuple[str, str], list[int]] = {}
    for event in history.events.values():
        firsts.setdefault((event.org, event.session), []).append(event.n)
    dead = {held.event.n for held in history.records if isinstance(held, Held) and held.kind == "dead"}
    alive = [[n for n in numbers if n not in dead] for (org, _), numbers in firsts.items() if org != DOWN]
    alive = [numbers for numbers in alive if len(numbers) > 1]
    assume(alive)
    n = data.draw(st.sampled_from(alive))[-1]
    event = history.events[n]
    at = min(record.at for record in history.records if isinstance(record, Requested)) - 0.005
    destination = next(name for name in ROUTES[event.org] if name != LOG)
    history.records.append(Requested(10_000, at, int(at), destination, event.org, "worker-1", "", True, [event]))
    return "order"


def duplicate(data: DataObject, history: History) -> str:
    """Store one event twice."""
    rows = [record for record in history.records if isinstance(record, Stored)]
    history.store([data.draw(st.sampled_from(rows)).event.n])
    return "twice"


def misroute(data: DataObject, history: History) -> str:
    """Send one request to another org's address."""
    requests = [record for record in history.records if isinstance(record, Requested)]
    assume(requests)
    chosen = data.draw(st.sampled_from(requests))
    other = data.draw(st.sampled_from([org for org in ROUTES if org != chosen.org]))
    history.records[history.records.index(chosen)] = Requested(
        chosen.request, chosen.at, chosen.sent_at, chosen.destination, other, chosen.worker, chosen.fault,
        chosen.is_signed, chosen.events,
    )  # fmt: skip
    return "foreign"


def hasten(data: DataObject, history: History) -> str:
    """Post one event again, long before it is due."""
    n = data.draw(st.sampled_from([n for n, event in history.events.items() if event.org != DOWN] or [-1]))
    assume(n >= 0)
    destination = next(name for name in ROUTES[history.events[n].org] if name != LOG)
    history.wait(100.0)
    history.retry(destination, n, 10.0, 4)
    history.wait(1.0)
    history.post(destination, [n], applied=[])
    return "early"


def miscount(data: DataObject, history: History) -> Ledger:
    """Let the tool's books be one off."""
    ledger = history.ledger()
    audit = msgspec.json.decode(msgspec.json.encode(ledger.audit))
    line = audit["orgs"][data.draw(st.sampled_from(sorted(audit["orgs"])))]
    line[data.draw(st.sampled_from(["accepted", "delivered", "rejected", "retrying", "in_flight"]))] += 1
    ledger.audit = audit
    return ledger


MUTATIONS: Sequence[Callable[[DataObject, History], str]] = (
    drop,
    drop_row,
    reorder,
    duplicate,
    misroute,
    hasten,
)


@given(histories(), st.data())
def test_one_change_is_caught(history: History, data: DataObject) -> None:
    expected = data.draw(st.sampled_from(MUTATIONS))(data, history)

    assert expected in check(history.ledger()).wrongs


@given(histories(), st.data())
def test_books_that_are_one_off_are_caught(history: History, data: DataObject) -> None:
    assert "audit" in check(miscount(data, history)).wrongs
