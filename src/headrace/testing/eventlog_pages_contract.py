"""What every event log must show page by page. Subclass `PagesContract` in a test module, with a fixture `store`."""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar

import msgspec
import pytest

from headrace.errors import UsageError
from headrace.eventlog.opening import Store
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary, Hit, HitQuery, Page, SessionQuery
from headrace.eventlog.port import EventQuery, SessionSummary, StoredEvent
from headrace.eventlog.trail import DeedQuery
from headrace.testing.eventlog_contract import ERROR, event
from headrace.wire.times import to_text

T = TypeVar("T")
Q = TypeVar("Q", SessionQuery, ExceptionQuery, HitQuery, EventQuery, DeedQuery)

BEGUN = 1_795_428_000.0
"""2026-11-23T10:00:00Z."""

ALL = SessionQuery(org="acme")
STACK = 'Traceback:\n  File "/srv/bot/orders.py", line 7, in find\n    raise OrderNotFound\n'


def at(second: float) -> str:
    """Return the time that many seconds after `BEGUN`."""
    return to_text(BEGUN + second)


def failed(id_: str, second: float, /, action: str = "LookUpOrder", **fields: Any) -> bytes:
    """Return a failed action."""
    data = {"action": action, "kind": "apex", "error": ERROR | {"stack": STACK}}
    return event(id_, type="bot.action.failed", time=at(second), data=data, **fields)


def every(find: Callable[[Q], Page[T]], query: Q) -> list[T]:
    """Follow the pages to the last one."""
    rows: list[T] = []
    for _ in range(1000):
        page = find(query)
        assert len(page.rows) <= query.limit
        rows += page.rows
        if page.next is None:
            return rows
        query = msgspec.structs.replace(query, after=page.next)
    raise AssertionError("the pages have no end")


def names(rows: list[SessionSummary]) -> list[str]:
    """Return the sessions' names."""
    return [each.session for each in rows]


def whole(store: Store) -> tuple[list[SessionSummary], list[ExceptionSummary], list[Hit], list[StoredEvent]]:
    """Return all that a console shows."""
    sessions = sorted(every(store.find_sessions, SessionQuery(org=None, limit=7)), key=lambda each: each.session)
    groups = [group for org in ("acme", None) for group in every(store.find_exceptions, ExceptionQuery(org=org))]
    hits = [
        hit for group in groups for hit in every(store.find_hits, HitQuery(org=None, fingerprint=group.fingerprint))
    ]
    queries = [EventQuery(org=each.org, session=each.session, limit=3) for each in sessions]
    return sessions, groups, hits, [found for query in queries for found in every(store.find_events, query)]


class PagesContract:
    """The promises of `headrace.eventlog.pages`, one test each."""

    def test_a_session_is_told_in_one_row(self, store: Store) -> None:
        start = {"channel": "web", "language": "en", "version": "3.1", "user": "u-7"}
        ended = event("4", seq=4, type="bot.session.ended", time=at(9), data={"reason": "transfer"})
        failure = failed("3", 5, seq=3)
        store.upsert(
            [
                event("1", seq=0, type="bot.session.started", time=at(0), data=start),
                event("2", seq=1, type="bot.turn.started", time=at(1)),
                failure,
                failed("5", 4, action="Other", seq=8),
                ended,
            ]
        )

        (found,) = store.find_sessions(ALL).rows

        assert (found.bot, found.version, found.channel, found.language, found.user) == (
            "helpdesk",
            "3.1",
            "web",
            "en",
            "u-7",
        )
        assert (found.first_at, found.last_at, found.ended_at, found.end_type) == (
            BEGUN,
            BEGUN + 9,
            BEGUN + 9,
            "transfer",
        )
        assert (found.turns, found.events, found.errors) == (1, 5, 2)
        assert (found.error_type, found.error_culprit, found.error_message, found.error_at) == (
            "OrderNotFound", "action LookUpOrder (apex)", "no order 7", BEGUN + 5,
        )  # fmt: skip
        assert found.error_fingerprint.startswith("v2:")
        assert (found.first_error, found.end) == (None, None), "nobody asked for what may be long"
        (found,) = store.find_sessions(msgspec.structs.replace(ALL, values=True)).rows
        assert (found.first_error, found.end) == (failure, ended)

    def test_whatever_the_order_and_the_repeats_the_same_is_shown(
        self, store: Store, new_store: Callable[[], Store]
    ) -> None:
        """At-least-once delivery over several partitions and tiers brings events in any order, and some twice."""
        rng = random.Random(5)  # noqa: S311  the same at every run
        values = []
        for number in range(120):
            fields = {
                "subject": f"s-{rng.randrange(9)}",
                "source": f"/orgs/{rng.choice(['acme', 'globex'])}/bots/{rng.choice(['a', 'b'])}",
                "seq": rng.choice([None, rng.randrange(40)]),
            }
            kind = rng.choice(["bot.session.started", "bot.session.ended", "bot.turn.started", "failed"])
            if kind == "failed":
                values.append(failed(f"{number}", rng.randrange(50), rng.choice(["A", "B"]), **fields))
            else:
                data = {"reason": rng.choice(["user", "bot"]), "user": f"u-{number}", "version": f"{number}"}
                values.append(event(f"{number}", type=kind, time=at(rng.randrange(50)), data=data, **fields))
        other = new_store()
        store.upsert(values)

        shuffled = values + rng.choices(values, k=60)
        rng.shuffle(shuffled)
        for start in range(0, len(shuffled), 13):
            other.upsert(shuffled[start : start + 13])

        assert whole(other) == whole(store)

    def test_sessions_come_in_pages_without_a_gap_or_a_repeat(self, store: Store) -> None:
        store.upsert([event(f"{n}", subject=f"s-{n:02}", time=at(n // 3)) for n in range(20)])

        found = every(store.find_sessions, msgspec.structs.replace(ALL, limit=3))

        assert sorted(names(found)) == [f"s-{n:02}" for n in range(20)]
        assert all(one.first_at >= following.first_at for one, following in pairwise(found))

    def test_sessions_are_filtered(self, store: Store) -> None:
        ended = {"type": "bot.session.ended", "data": {"reason": "timeout"}}
        store.upsert(
            [
                event("1", subject="calm", time=at(0)),
                event("2", subject="sales", time=at(1), source="/orgs/acme/bots/sales"),
                failed("3", 2, subject="broken"),
                event("4", subject="over", time=at(3), **ended),
                event("5", subject="other", time=at(3), source="/orgs/globex/bots/sales", **ended),
            ]
        )

        def found(**filters: Any) -> list[str]:
            return names(
                every(store.find_sessions, msgspec.convert({"org": "acme", "limit": 1} | filters, SessionQuery))
            )

        assert found() == ["over", "broken", "sales", "calm"]
        assert found(since=BEGUN + 1, until=BEGUN + 3) == ["broken", "sales"]
        assert found(bot="sales") == ["sales"]
        assert found(errors=True) == ["broken"]
        assert found(end_type="timeout") == ["over"]
        assert found(end_type="") == ["broken", "sales", "calm"]
        assert found(text="ordernotFOUND") == ["broken"]
        assert found(text="100%_") == []
        assert found(session="calm") == ["calm"]
        assert found(org="initech") == []
        assert sorted(found(org=None, bot="sales")) == ["other", "sales"]
        assert found(org=None, end_type="timeout", errors=True) == []

    def test_a_page_looks_at_so_many_candidates_only(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        """What hardly ever matches is found all the same, on a later page."""
        monkeypatch.setattr("headrace.eventlog.session_pages.SCAN", 5)
        store.upsert([event(f"{n}", subject="rare" if n in {3, 17} else f"s-{n}", time=at(n)) for n in range(23)])

        assert names(every(store.find_sessions, msgspec.structs.replace(ALL, text="rare"))) == ["rare"]
        assert len(every(store.find_sessions, msgspec.structs.replace(ALL, text="s-"))) == 21

    def test_a_long_session_comes_in_pages(self, store: Store) -> None:
        store.upsert([event(f"{n:02}", seq=None if n > 15 else n // 2, time=at(n % 7)) for n in range(30)])
        query = EventQuery(org="acme", session="s-1", limit=4)

        found = every(store.find_events, query)

        assert [each.id for each in found] == [
            each.id for each in store.events(msgspec.structs.replace(query, limit=99))
        ]
        assert len({each.id for each in found}) == 30

    def test_a_page_of_long_events_ends_before_it_is_full(self, store: Store) -> None:
        store.upsert([event(f"{n}", seq=n, data="x" * 1000 if n % 3 == 0 else "") for n in range(10)])
        query = EventQuery(org="acme", session="s-1", limit=4, most_bytes=1000)

        assert [each.seq for each in store.find_events(query).rows] == [0]
        assert [each.seq for each in every(store.find_events, query)] == list(range(10))
        assert len(store.find_events(msgspec.structs.replace(query, most_bytes=100_000)).rows) == 4

    def test_events_are_told_without_their_values(self, store: Store) -> None:
        store.upsert([event(f"{n}", seq=n, data="x" * 1000) for n in range(4)])
        query = EventQuery(org="acme", session="s-1", limit=2, most_bytes=1000, values=False)

        found = every(store.find_events, query)

        assert [(each.id, each.seq, each.value) for each in found] == [(f"{n}", n, b"") for n in range(4)]
        assert len(store.find_events(query).rows) == 2, "no value makes a page long"

    def test_what_never_came_of_a_session_is_counted(self, store: Store) -> None:
        seqs = [0, 1, 1, 4, -3, None, 9]
        store.upsert([*(event(f"{n}", seq=seq) for n, seq in enumerate(seqs)), event("x", seq=7, subject="s-2")])
        store.upsert([event("far", seq=(1 << 63) - 1, subject="s-3")])

        assert store.missing("acme", "s-1") == 6
        assert store.missing("acme", "s-2") == 7
        assert store.missing("acme", "s-3") == (1 << 63) - 1
        assert store.missing("acme", "s-4") == store.missing("globex", "s-1") == 0

    def test_what_is_missing_of_a_very_long_session_is_not_known(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("headrace.eventlog.pages.COUNTED", 4)
        store.upsert([event(f"{n}", seq=2 * n) for n in range(4)])

        assert store.missing("acme", "s-1") == 3
        store.upsert([event("more", seq=20)])
        assert store.missing("acme", "s-1") is None

    def test_one_event_is_found_and_a_session_from_some_event_on(self, store: Store) -> None:
        store.upsert([*(event(f"e{n}", seq=n) for n in range(6)), event("bare"), event("e3", seq=3, subject="s-2")])
        query = EventQuery(org="acme", session="s-1", limit=2)

        assert [each.seq for each in every(store.find_events, msgspec.structs.replace(query, id="e3"))] == [3]
        assert every(store.find_events, msgspec.structs.replace(query, id="e9")) == []
        found = every(store.find_events, msgspec.structs.replace(query, seq_from=4))
        assert [each.id for each in found] == ["e4", "e5", "bare"]
        for session in ("s-1", None):
            part = msgspec.structs.replace(query, session=session, seq_from=2, seq_to=3, limit=9)
            assert {each.id for each in store.find_events(part).rows} == {"e2", "e3"}
        found = every(store.find_events, msgspec.structs.replace(query, seq_to=4))
        assert [each.id for each in found] == ["e0", "e1", "e2", "e3", "e4"]

    def test_a_place_that_is_none_is_an_error_of_whoever_asks(self, store: Store) -> None:
        store.upsert([event("1")])
        for after in ("", "x", "WzFd", "bnVsbA", "é", "W1tbW1td"):
            with pytest.raises(UsageError, match="first one"):
                store.find_sessions(msgspec.structs.replace(ALL, after=after))
            with pytest.raises(UsageError, match="first one"):
                store.find_events(EventQuery(org="acme", session="s-1", after=after))
