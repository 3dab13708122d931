"""Event logs with counters, as a keeper leaves them: with how far they are counted."""

from headrace.eventlog.counting import EVERY_ORG, NOWHERE, Counter
from headrace.eventlog.graphs import COUNTED, Counted
from headrace.eventlog.memory import MemoryEventLog
from headrace.testing.clock import FakeClock
from unit.console.asking_client import NOW

MINUTE = int(NOW // 60) * 60 - 120


def counters(org: str, destination: str, at: int, **numbers: int) -> list[Counter]:
    """Return what a keeper adds for *org* in the minute *at*."""
    return [
        Counter(step=step, org=whose, destination=destination, at=at - at % step if step else 0, **numbers)
        for whose in {org, EVERY_ORG}
        for step in (60, 3600, 0)
    ]


def emitted(at: int, events: int) -> list[Counter]:
    """Return what a keeper adds for *events* that came in in the minute *at*."""
    return counters(EVERY_ORG, NOWHERE, at, emitted=events)


def counted_up_to(log: MemoryEventLog, at: float) -> MemoryEventLog:
    """Note that *log* is counted up to *at*."""
    was = log.read_to(COUNTED.topic).get(COUNTED.partition, 0)
    assert log.count(Counted(moved=[(COUNTED, was, int(at))]))
    return log


def counted() -> MemoryEventLog:
    """Return a log in which two orgs have posts in the minute `MINUTE`, and the org `a` retries."""
    log = MemoryEventLog(FakeClock())
    log.count(Counted(counters=counters("a", "crm", MINUTE, accepted=60, delivered=50, posts=4, failed=1, retried=10)))
    log.count(Counted(counters=counters("b", "crm", MINUTE, accepted=6, delivered=6, posts=1, ms=8)))
    log.count(Counted(counters=emitted(MINUTE, 33)))
    return counted_up_to(log, NOW)
