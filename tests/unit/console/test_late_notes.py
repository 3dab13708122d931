"""What is urgent is done while the event log does not take its note, which is written when it does."""

import threading
from typing import Any

import msgspec
import pytest

from headrace.broker.memory import MemoryBroker
from headrace.console.late_notes import MOST, LateNotes
from headrace.console.sources import Sources
from headrace.console.viewer import Busy
from headrace.console.views.every import ACTIONS
from headrace.console.views.pausing import PauseAsk
from headrace.console.web.doing import perform
from headrace.control.pauses import Pauses
from headrace.errors import StoreError
from headrace.eventlog.memory import MemoryEventLog
from headrace.eventlog.trail import Deed, DeedQuery
from headrace.testing.clock import FakeClock
from unit.console.asking_client import OPERATOR, open_site
from unit.console.test_pausing import KNOWN

BY_NAME = {action.name: action for action in ACTIONS}


class Failing(MemoryEventLog):
    """An event log that takes no note while it *fails*."""

    fails = True

    def note(self, deed: Deed) -> None:
        if self.fails:
            raise StoreError("the disk is full")
        super().note(deed)


@pytest.fixture
def log() -> Failing:
    return Failing(FakeClock())


def deeds(log: MemoryEventLog) -> list[tuple[str, str, str]]:
    return [(deed.action, deed.target, deed.result) for deed in log.deeds(DeedQuery(org=None)).rows]


def test_a_destination_is_paused_while_the_event_log_fails_and_that_is_noted_later(log: Failing) -> None:
    clock, late = FakeClock(), LateNotes(lambda: log)
    broker = MemoryBroker(clock)
    with open_site(known=KNOWN, clock=clock, broker=broker, log=log, late_notes=late) as site:
        assert site.post("/api/v1/destinations/crm/pause", json={"why": "it burns"}).status == 200
        assert list(Pauses(broker.reader, KNOWN.names, clock).look()) == ["crm"]
        with pytest.raises(StoreError):
            late.step()
        log.fails = False
        late.step()
        assert deeds(log) == [("pause", "crm", "done")]
        late.step()
        assert len(deeds(log)) == 1, "what is written does not wait any more"


def test_only_what_takes_load_off_is_urgent(log: Failing) -> None:
    assert {name for name, action in BY_NAME.items() if action.urgent} == {"pause", "resume", "cancel-job"}
    with open_site(known=KNOWN, log=log) as site:
        assert site.post("/api/v1/dead/0/0/redrive", json={}).status == 503
    log.fails = False
    assert deeds(log) == []


def test_an_end_that_could_not_be_noted_is_noted_later(log: Failing) -> None:
    """Of any deed: whether it is urgent matters before it is done."""
    log.fails, late = False, LateNotes(lambda: log)

    def do(ask: Any, sources: Sources, by: object) -> Any:
        log.fails = True
        return ask

    action = msgspec.structs.replace(BY_NAME["pause"], do=do, urgent=False)
    perform(action, PauseAsk(destination="crm"), _sources(log, late), OPERATOR, "", threading.Event())
    log.fails = False
    assert [result for _, _, result in deeds(log)] == ["asked"]
    late.step()
    assert [result for _, _, result in deeds(log)] == ["done"]


def test_what_could_not_begin_before_whoever_asked_gave_up_is_not_done(log: Failing) -> None:
    log.fails = False
    given_up = threading.Event()
    given_up.set()

    def do(*_: object) -> Any:
        raise AssertionError("it is done")

    action = msgspec.structs.replace(BY_NAME["pause"], do=do)
    with pytest.raises(Busy):
        perform(action, PauseAsk(destination="crm"), _sources(log, LateNotes()), OPERATOR, "", given_up)
    assert deeds(log) == [("pause", "crm", "failed")]


def test_memory_is_bounded_and_the_last_stay(log: Failing) -> None:
    late = LateNotes(lambda: log)
    for number in range(MOST + 2):
        late.add(Deed(id=f"{number}", at=float(number), who="olga", action="pause", target=f"{number}"))
    log.fails = False
    late.step()
    found = log.deeds(DeedQuery(org=None, limit=MOST + 2)).rows
    assert {deed.target for deed in found} == {f"{number}" for number in range(2, MOST + 2)}


def _sources(log: Failing, late: LateNotes) -> Sources:
    nothing: Any = None
    return Sources(
        log=log, reader=nothing, pauses=nothing, pausing=nothing, facts=KNOWN, clock=FakeClock(), late_notes=late
    )
