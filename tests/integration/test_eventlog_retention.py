"""Old events go where no console runs, too: whoever stores events keeps the log within its retention."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from headrace import app, config
from headrace.clock import SystemClock
from headrace.eventlog import retention
from headrace.eventlog.opening import open_event_log
from headrace.eventlog.port import EventQuery
from headrace.model.batch import Batch
from headrace.model.outcome import AllDelivered
from headrace.testing.eventlog_contract import event
from headrace.wire.times import to_text
from river import until

DAYS = 86_400


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_worker_alone_lets_old_events_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, new_postgres: Callable[[], str]
) -> None:
    monkeypatch.setattr(retention, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(retention, "EXPIRE_EVERY", 0.05)
    url = new_postgres() if kind == "postgres" else f"sqlite:///{tmp_path}/eventlog.db"
    file = tmp_path / "headrace.toml"
    file.write_text(f'[eventlog]\nurl = "{url}"\nretention = "30d"\n')
    settings = config.load(file)
    now = time.time()
    values = [event(f"{age}", subject=f"s-{age}", time=to_text(now - age * DAYS)) for age in (40, 33, 2)]

    async def deliver() -> None:
        meant = settings.destinations["log"]
        sink = app.registry(settings).make(meant, 20.0)
        try:
            answer = await sink.write(Batch(destination=meant, org="acme", ids=["40", "33", "2"], values=values))
            assert isinstance(answer, AllDelivered)
            with closing(open_event_log(settings.eventlog, SystemClock())) as store:

                def is_kept() -> bool:
                    return [each.id for each in store.events(EventQuery(org="acme"))] == ["2"]

                await asyncio.to_thread(until, is_kept, "what is too old is gone", 20.0)
        finally:
            await sink.aclose()

    asyncio.run(deliver())
