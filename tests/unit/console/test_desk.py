"""Who waits for whom at the desk: nobody for what they do not need, and nobody for one who asks for too much."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NoReturn

import msgspec
import pytest
from starlette.requests import ClientDisconnect

from headrace.console.links import link
from headrace.console.sources import Sources
from headrace.console.view import Needs, View
from headrace.console.viewer import Busy, Greedy, Viewer
from headrace.console.views.every import ACTIONS, VIEWS
from headrace.console.web.answers import API
from headrace.console.web.desk import Desk
from headrace.console.web.window import SHARE, WAITING
from headrace.errors import StoreError
from headrace.testing.clock import FakeClock
from unit.console.asking_client import OPERATOR, facts, open_site
from unit.console.test_access import EVERYTHING, given
from unit.console.two_orgs import KNOWN, TwoOrgs

ANN, AMY, GUS = Viewer("ann", "acme"), Viewer("amy", "acme"), Viewer("gus", "globex")
NEEDS: dict[str, Needs] = {each.name: each.needs for each in EVERYTHING}
MEMORY = [each for each in VIEWS if each.needs == "memory"]
STUCK = 5.0
"""Seconds after which what hangs gives up, so that a test that fails ends."""

Act = Callable[[Desk, threading.Event], Awaitable[None]]


class Gone:
    """A store or a broker that nobody may touch."""

    def close(self) -> None:
        """Release nothing."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StoreError(f"{name} was asked for")


class GoneBroker:
    """A broker of which a reader can be opened, and no more."""

    def reader(self) -> Any:
        return Gone()


def sources() -> Sources:
    gone: Any = Gone()
    return Sources(log=gone, reader=gone, pauses=gone, pausing=gone, facts=facts(), clock=FakeClock())


def run(act: Act, *, patience: float = STUCK) -> None:
    """Let *act* ask a desk, and release what hangs at the event that it is given."""

    async def scene() -> None:
        desk, gate = Desk(sources, patience=patience), threading.Event()
        try:
            async with asyncio.timeout(STUCK):
                await act(desk, gate)
        finally:
            gate.set()
            desk.close()

    asyncio.run(scene())


def hang(desk: Desk, gate: threading.Event, viewer: Viewer, needs: Needs = "stores") -> "asyncio.Task[bool]":
    return asyncio.ensure_future(desk.ask(lambda _: gate.wait(STUCK), viewer, needs))


async def answer(desk: Desk, viewer: Viewer, needs: Needs = "stores") -> str:
    return await desk.ask(lambda _: "here", viewer, needs)


@pytest.mark.parametrize("needs", ["stores", "time"])
def test_what_needs_memory_alone_is_never_behind_what_hangs(needs: Needs) -> None:
    async def act(desk: Desk, gate: threading.Event) -> None:
        hung = [hang(desk, gate, Viewer(f"v{number}", f"org-{number}"), needs) for number in range(WAITING)]
        await asyncio.sleep(0)
        assert await answer(desk, OPERATOR, "memory") == "here"
        other: Needs = "time" if needs == "stores" else "stores"
        assert await answer(desk, OPERATOR, other) == "here"
        with pytest.raises(Busy):
            await answer(desk, OPERATOR, needs)
        gate.set()
        assert await asyncio.gather(*hung) == [True] * WAITING

    run(act)


@pytest.mark.parametrize("needs", ["stores", "time", "memory"])
def test_an_org_that_hangs_keeps_no_other_viewer_from_answers(needs: Needs) -> None:
    async def act(desk: Desk, gate: threading.Event) -> None:
        hung = [hang(desk, gate, viewer, needs) for viewer in (ANN, AMY) * 4]
        await asyncio.sleep(0)
        assert [await answer(desk, viewer, needs) for viewer in (GUS, OPERATOR, GUS)] == ["here"] * 3
        gate.set()
        assert await asyncio.gather(*hung) == [True] * 8

    run(act)


def test_one_viewer_has_a_share_of_the_questions_and_gets_it_back() -> None:
    async def act(desk: Desk, gate: threading.Event) -> None:
        hung = [hang(desk, gate, ANN) for _ in range(SHARE)]
        await asyncio.sleep(0)
        with pytest.raises(Greedy, match=f"{SHARE} questions of yours"):
            await answer(desk, AMY)
        assert await answer(desk, GUS) == "here"
        gate.set()
        await asyncio.gather(*hung)
        assert await answer(desk, AMY) == "here"

    run(act)


def test_tokens_are_counted_by_themselves_and_an_org_as_one() -> None:
    shares = {Viewer("token for operators", token="a").share, Viewer("token for operators", token="b").share}
    assert len(shares | {OPERATOR.share, Viewer("a").share}) == 4
    assert ANN.share == AMY.share == Viewer("robot", "acme", token="a").share


def test_what_was_not_begun_when_patience_ends_is_never_begun() -> None:
    begun: list[Sources] = []

    async def act(desk: Desk, gate: threading.Event) -> None:
        late = desk.ask(lambda given: begun.append(given) is None, AMY)  # type: ignore[func-returns-value]
        told = await asyncio.gather(hang(desk, gate, ANN), hang(desk, gate, ANN), late, return_exceptions=True)
        assert [str(each) for each in told] == ["the answer took longer than 0 s; is the event log or Kafka slow?"] * 3

    run(act, patience=0.0)
    assert begun == []


def test_what_hangs_keeps_its_turn_when_nobody_waits_any_more() -> None:
    async def act(desk: Desk, gate: threading.Event) -> None:
        hung = [hang(desk, gate, ANN) for _ in range(2)]
        begun = asyncio.ensure_future(desk.ask(lambda _: "begun", AMY))
        await asyncio.sleep(0)
        for each in hung:
            each.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
        assert await answer(desk, GUS) == "here"
        assert not begun.done()
        gate.set()
        assert await begun == "begun"

    run(act)


def test_who_hangs_up_before_their_turn_is_not_answered() -> None:
    async def is_gone() -> bool:
        return True

    async def act(desk: Desk, gate: threading.Event) -> None:
        for _ in range(2 * SHARE):
            with pytest.raises(ClientDisconnect):
                await desk.ask(lambda _: gate.wait(STUCK), ANN, "stores", is_gone)
        assert await answer(desk, ANN) == "here"

    run(act)


@pytest.fixture(scope="module")
def stores() -> TwoOrgs:
    return TwoOrgs()


@pytest.mark.parametrize("viewer", [OPERATOR, ANN], ids=["operator", "viewer"])
@pytest.mark.parametrize("each", MEMORY, ids=lambda each: each.name)
def test_a_view_that_needs_memory_alone_needs_no_more(stores: TwoOrgs, each: View, viewer: Viewer) -> None:
    for site in untouched(stores, viewer):
        values = given(each, stores.names("acme"))
        for prefix in ("", API) if each.has_page else (API,):
            answered = site.get(prefix + link(each.path, values))
            assert answered.status == (200 if viewer.is_operator or each.audience == "org" else 404), answered.text


def test_what_is_needed_when_stores_hang_needs_memory_alone() -> None:
    names = ("status", "alerts", "books", "retries", "plan", "tail", "topics", "dead")
    assert {name: NEEDS[name] for name in names} == dict.fromkeys(names, "memory")
    assert {name for name, needs in NEEDS.items() if needs == "time"} == {"test", "test-alert", "journey"}
    assert all(each.needs != "memory" for each in ACTIONS if each.noted), "what is done is noted in the event log"


def untouched(stores: TwoOrgs, viewer: Viewer, log: Any = None) -> Iterator[Any]:
    """Yield a site over stores that nobody may touch, or over a *log* of a test's own."""
    gone: Any = Gone()
    broker: Any = GoneBroker()
    with open_site(
        viewer=viewer, log=log or gone, broker=broker, pauses=gone, pausing=gone, clock=stores.clock, known=KNOWN,
        letters=stores.letters, jobs=stores.jobs, tail=stores.tail, watch=stores.watch,
    ) as site:  # fmt: skip
        yield site


def test_pages_are_made_in_the_threads_that_read_them() -> None:
    threads: set[str] = set()

    class Watched(FakeClock):
        def wall(self) -> float:
            threads.add(threading.current_thread().name.rpartition("_")[0])
            return super().wall()

    with open_site(clock=Watched()) as site:
        for path in ("/tail", "/api"):
            assert site.get(path).status == 200

    assert threads == {"headrace-console-memory"}


@pytest.mark.parametrize("prefix", ["", API])
def test_who_has_too_much_open_is_told_when_to_ask_again(prefix: str) -> None:
    def read(ask: object, sources: Sources) -> NoReturn:
        raise Greedy("as many as one viewer may")

    view = msgspec.structs.replace(VIEWS[0], read=read)
    with open_site(views=[view]) as site:
        answered = site.get(f"{prefix}/")

    assert (answered.status, answered.headers["retry-after"]) == (429, "5")
    assert "as many as one viewer may" in answered.text
