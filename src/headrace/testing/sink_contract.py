"""What every sink keeps to. A third party ships a sink with a test class that subclasses one of these."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from headrace.model.batch import Batch
from headrace.model.destination import Destination
from headrace.model.outcome import AllDelivered, Answer, Busy, Delivered, Each
from headrace.sinks.port import Sink

TIMEOUT = 0.3
"""Seconds after which the sink of a bench gives up a post."""


class SinkBench(Protocol):
    """A sink, and the destination behind it as the test sees and directs it."""

    @property
    def sink(self) -> Sink:
        """Return the sink under test."""
        ...

    def stored(self) -> list[bytes]:
        """Return the values that the destination took, in any order, each as often as it took it."""
        ...

    def posts(self) -> int:
        """Return how many posts reached the destination, whatever became of them."""
        ...

    def fail(self) -> None:
        """Let the destination fail every post from now on, in a way that passes."""
        ...

    def hang(self) -> None:
        """Let the destination accept every post from now on, and never answer."""
        ...

    def mend(self) -> None:
        """Let the destination take everything again."""
        ...


class SinkContract:
    """For a sink whose destination cannot be made to fail. Implement `bench`."""

    def bench(self) -> AbstractAsyncContextManager[SinkBench]:
        """Return a fresh bench, whose sink gives up a post after `TIMEOUT`; leaving it closes what it opened."""
        raise NotImplementedError

    def test_values_are_stored_unchanged(self) -> None:
        batch = batch_of(
            value("a", text="Ålesund 北京 \\u00e9 \\n"),
            value("b").replace(b":", b" :  "),
            b'{"id":"c","data":{"id":"not this"},\n "specversion":"1.0","source":"/orgs/acme/bots/b","type":"t"}',
        )
        asyncio.run(self._stores(batch))

    def test_a_batch_of_one_is_stored(self) -> None:
        asyncio.run(self._stores(batch_of(value("alone"))))

    def test_a_batch_above_a_mebibyte_is_stored(self) -> None:
        asyncio.run(self._stores(batch_of(*(value(f"e-{number}", text="x" * 5_000) for number in range(300)))))

    def test_events_that_share_an_id_are_all_stored(self) -> None:
        """An event is known by `source` and `id` together."""
        asyncio.run(self._stores(batch_of(value("a", bot="one"), value("a", bot="two"))))

    def test_writes_at_the_same_time_keep_apart(self) -> None:
        async def scenario() -> None:
            batches = [batch_of(value(f"{letter}-1"), value(f"{letter}-2")) for letter in "abcdefgh"]
            async with self.bench() as bench:
                answers = await asyncio.gather(*(bench.sink.write(batch) for batch in batches))

                assert all(map(took_all, answers))
                assert sorted(bench.stored()) == sorted(each for batch in batches for each in batch.values)

        asyncio.run(scenario())

    def test_closing_twice_does_nothing(self) -> None:
        async def scenario() -> None:
            async with self.bench() as bench:
                await bench.sink.write(batch_of(value("a")))
                await bench.sink.aclose()
                await bench.sink.aclose()

        asyncio.run(scenario())

    def test_closing_a_sink_that_never_wrote_does_nothing(self) -> None:
        async def scenario() -> None:
            async with self.bench() as bench:
                await bench.sink.aclose()

        asyncio.run(scenario())

    async def _stores(self, batch: Batch) -> None:
        async with self.bench() as bench:
            answer = await bench.sink.write(batch)

            assert took_all(answer)
            assert sorted(bench.stored()) == sorted(batch.values)
            assert bench.posts() == 1


class RemoteSinkContract(SinkContract):
    """For a sink whose destination can fail and hang."""

    def test_a_failing_destination_is_busy_after_one_post(self) -> None:
        """Posting again is not a sink's decision."""

        async def scenario() -> None:
            async with self.bench() as bench:
                bench.fail()

                answer = await bench.sink.write(batch_of(value("a"), value("b")))

                assert isinstance(answer, Busy)
                assert not answer.timed_out
                assert bench.posts() == 1
                assert bench.stored() == []
                await takes_again(bench)

        asyncio.run(scenario())

    def test_a_hanging_destination_is_busy_when_the_time_is_up(self) -> None:
        async def scenario() -> None:
            loop = asyncio.get_running_loop()
            async with self.bench() as bench:
                bench.hang()
                started = loop.time()

                answer = await bench.sink.write(batch_of(value("a")))

                assert isinstance(answer, Busy)
                assert answer.timed_out
                assert TIMEOUT * 0.9 < loop.time() - started < TIMEOUT * 10
                assert bench.stored() == []
                await takes_again(bench)

        asyncio.run(scenario())

    def test_a_cancelled_write_stops_and_leaves_the_sink_usable(self) -> None:
        async def scenario() -> None:
            async with self.bench() as bench:
                bench.hang()
                writing = asyncio.create_task(bench.sink.write(batch_of(value("a"))))
                while bench.posts() == 0:  # noqa: ASYNC110  # the destination lives outside this event loop
                    await asyncio.sleep(0.005)

                writing.cancel()
                (ended,) = await asyncio.gather(writing, return_exceptions=True)

                assert isinstance(ended, asyncio.CancelledError)
                await takes_again(bench)

        asyncio.run(scenario())


async def takes_again(bench: SinkBench) -> None:
    """Mend the destination, and assert that the same sink delivers to it."""
    bench.mend()
    batch = batch_of(value("later"))

    assert took_all(await bench.sink.write(batch))
    assert bench.stored()[-1:] == list(batch.values)


def took_all(answer: Answer) -> bool:
    """Say whether *answer* says of every event that it was delivered."""
    if isinstance(answer, Each):
        return all(isinstance(outcome, Delivered) for outcome in answer.outcomes)
    return isinstance(answer, AllDelivered)


def value(event: str, *, bot: str = "helpdesk", text: str = "") -> bytes:
    """Return a CloudEvent with the id *event*, as a bot's emitter would write it."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": event,
            "source": f"/orgs/acme/bots/{bot}",
            "subject": "s-1",
            "type": "bot.message.sent",
            "time": "2026-11-23T10:00:00.123456Z",
            "seq": 0,
            "data": {"text": text},
        }
    )


def batch_of(*values: bytes) -> Batch:
    """Return a batch of *values* for the org `acme`."""
    destination = Destination(name="crm", type="contract", settings=_NoSettings())
    ids = [msgspec.json.decode(each, type=_Identified).id for each in values]
    return Batch(destination=destination, org="acme", orgs=["acme"] * len(ids), ids=ids, values=values)


class _NoSettings(msgspec.Struct, frozen=True):
    pass


class _Identified(msgspec.Struct):
    id: str
