from math import inf

from headrace.testing.faults import Arrival
from headrace.testing.org_ledger import Latency, OrgDocument, OrgLedger, Taken


def event(name: str, *, source: str = "one", seq: int = 0, time: str = "1970-01-01T00:00:10Z") -> Arrival:
    return Arrival(id=name, source=source, type="bot.turn", subject="s", seq=seq, time=time)


def document(ledger: OrgLedger, since: float = -inf, until: float = inf) -> OrgDocument:
    return ledger.document(since, until, ids=True, sessions=True)


def test_an_event_is_known_by_source_and_id() -> None:
    ledger = OrgLedger()

    ledger.take([event("a"), event("b"), event("a", source="two")], 1.0)
    ledger.take([event("a")], 2.0)

    written = document(ledger)
    assert (written.distinct, written.duplicates) == (3, 1)
    assert written.taken == [Taken("one", "a", 1.0, 2), Taken("one", "b", 1.0, 1), Taken("two", "a", 1.0, 1)]


def test_an_event_that_was_taken_after_all_is_not_refused() -> None:
    ledger = OrgLedger()
    ledger.refuse(event("a"))
    ledger.refuse(event("b"))
    ledger.refuse(event("b"))

    ledger.take([event("a")], 1.0)

    assert document(ledger).refused_ids == [("one", "b")]
    assert document(ledger).refused == 1


def test_disorder_counts_first_arrivals_alone() -> None:
    """A repeat of an earlier event breaks no order."""
    ledger = OrgLedger()

    ledger.take([event("a", seq=0), event("c", seq=2), event("a", seq=0), event("b", seq=1), event("d", seq=3)], 1.0)

    assert document(ledger).sessions == {"one s": [0, 2, 1, 3]}
    assert document(ledger).disorder == 1


def test_latency_is_that_of_the_events_of_a_time() -> None:
    ledger = OrgLedger()
    ledger.take([event("a", time="1970-01-01T00:00:10Z"), event("b", time="1970-01-01T00:00:10.5Z")], 11.0)
    ledger.take([event("c", time="1970-01-01T00:00:20Z"), event("a"), event("d", time="nonsense")], 23.0)

    assert document(ledger, 0, 15).latency == Latency(2, 1.0, 1.0, 1.0)
    assert document(ledger, 15, 30).latency == Latency(1, 3.0, 3.0, 3.0)
    assert document(ledger).latency.count == 3
    assert document(ledger, 40, 50).latency == Latency()


def test_counting_reads_numbers_alone() -> None:
    ledger = OrgLedger()

    ledger.count(b'[{"specversion":"1.0","time":"1970-01-01T00:00:10Z"},{"specversion":"1.0"}]', 12.0)

    written = document(ledger)
    assert (written.received, written.distinct) == (2, 2)
    assert written.latency == Latency(1, 2.0, 2.0, 2.0)
