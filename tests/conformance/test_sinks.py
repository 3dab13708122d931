"""Every sink that needs no store of its own, held to the contract of sinks."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec
import pytest

from headrace.model.outcome import Busy
from headrace.sinks.http import HttpSink
from headrace.sinks.http_settings import HttpSettings
from headrace.sinks.memory import MemorySink
from headrace.testing.faults import FaultPlan, Hang, Status, always
from headrace.testing.simulated_org import SimulatedOrg
from headrace.testing.sink_contract import TIMEOUT, RemoteSinkContract, SinkBench

ORG = "acme"


class MemoryBench:
    def __init__(self) -> None:
        self.sink = MemorySink(timeout=TIMEOUT)

    def stored(self) -> list[bytes]:
        return self.sink.stored

    def posts(self) -> int:
        return len(self.sink.batches)

    def fail(self) -> None:
        self.sink.plan(Busy("planned"))

    def hang(self) -> None:
        self.sink.open.clear()

    def mend(self) -> None:
        self.sink.open.set()


class TestMemorySink(RemoteSinkContract):
    def bench(self) -> AbstractAsyncContextManager[SinkBench]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[SinkBench]:
            yield MemoryBench()

        return opened()


class HttpBench:
    def __init__(self, orgs: SimulatedOrg, settings: HttpSettings) -> None:
        self.sink = HttpSink(settings, timeout=TIMEOUT)
        self._orgs = orgs

    def stored(self) -> list[bytes]:
        taken = {(each.source, each.id): each.times for each in self._orgs.ledger(ORG, ids=1).taken}
        values: list[bytes] = []
        for request in self._orgs.requests(ORG):
            for raw in msgspec.json.decode(request.body, type=list[msgspec.Raw]):
                event = msgspec.json.decode(raw)
                if taken.get((event["source"], event["id"])):
                    values.append(bytes(raw))
        return values

    def posts(self) -> int:
        return self._orgs.ledger(ORG).requests

    def fail(self) -> None:
        self._orgs.plan(ORG, always(Status(status=503)))

    def hang(self) -> None:
        self._orgs.plan(ORG, always(Hang()))

    def mend(self) -> None:
        self._orgs.plan(ORG, FaultPlan())


@pytest.fixture(scope="module")
def orgs() -> Iterator[SimulatedOrg]:
    with SimulatedOrg() as running:
        running.keep(100)
        yield running


class TestHttpSink(RemoteSinkContract):
    compression = "none"

    @pytest.fixture(autouse=True)
    def _fresh(self, orgs: SimulatedOrg) -> None:
        self.orgs = orgs
        orgs.forget()
        orgs.plan(ORG, FaultPlan())

    def bench(self) -> AbstractAsyncContextManager[SinkBench]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[SinkBench]:
            settings = msgspec.convert({"url": self.orgs.url, "compression": self.compression}, HttpSettings)
            bench = HttpBench(self.orgs, settings)
            yield bench
            await bench.sink.aclose()

        return opened()


class TestHttpSinkWithGzip(TestHttpSink):
    compression = "gzip"
