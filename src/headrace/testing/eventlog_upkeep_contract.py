"""What people and time do to every event log. Subclass `UpkeepContract` in a test module.

Its fixtures are `store`, and `clock`, which the store reads and which shows `BEGUN` at first.
"""

from typing import Any

import msgspec
import pytest

from headrace.eventlog.counting import Counter, Settled
from headrace.eventlog.graphs import COUNTED, EMITTED, Counted, CounterQuery, TotalsQuery
from headrace.eventlog.opening import Store
from headrace.eventlog.pages import ExceptionQuery, HitQuery, SessionQuery, State
from headrace.eventlog.port import EventQuery
from headrace.eventlog.upkeep import Expired
from headrace.model.record import TopicPartition
from headrace.testing.clock import FakeClock
from headrace.testing.eventlog_contract import event
from headrace.testing.eventlog_pages_contract import BEGUN, at, every, failed

PLACE = TopicPartition("attempts", 3)
DAY = 86_400


def states(store: Store, org: str | None = "acme") -> list[State]:
    """Return the states of an org's exceptions."""
    return [group.state for group in store.find_exceptions(ExceptionQuery(org=org)).rows]


def fingerprint(store: Store) -> str:
    """Return the exception that was seen last."""
    return store.find_exceptions(ExceptionQuery(org=None)).rows[0].fingerprint


def expired(store: Store) -> list[Expired]:
    """Let all go that is older than the day of `BEGUN`; return what each call did."""
    gone = [store.expire(BEGUN // DAY * DAY)]
    while not gone[-1].is_all:
        gone.append(store.expire(BEGUN // DAY * DAY))
    return gone


def started(id_: str, session: str, user: str, second: float = 0) -> bytes:
    """Return the begin of a session."""
    return event(id_, type="bot.session.started", subject=session, seq=0, time=at(second), data={"user": user})


def counter(**fields: Any) -> Counter:
    """Return a counter of the org `acme` at the destination `crm`; *fields* replace its own."""
    return msgspec.convert({"step": 60, "org": "acme", "destination": "crm", "at": 1_795_428_000} | fields, Counter)


class UpkeepContract:
    """The promises of `headrace.eventlog.upkeep` and `headrace.eventlog.graphs`, one test each."""

    def test_an_exception_is_new_for_a_day_then_ongoing(self, store: Store, clock: FakeClock) -> None:
        clock.advance(10)
        store.upsert([failed("1", 0)])

        assert states(store) == ["new"]
        clock.advance(DAY)
        assert states(store) == ["ongoing"]

    def test_what_is_resolved_regresses_when_it_comes_again(self, store: Store, clock: FakeClock) -> None:
        clock.advance(10)
        store.upsert([failed("1", 0)])

        assert store.decide("acme", fingerprint(store), "resolve", "ann") == 1
        assert states(store) == ["resolved"]
        store.upsert([failed("2", 8)])
        assert states(store) == ["resolved"], "it happened before, and came late"
        store.upsert([failed("3", 11)])
        assert states(store) == ["regressed"]
        (group,) = store.find_exceptions(ExceptionQuery(org="acme", state="regressed")).rows
        assert (group.changed_by, group.changed_at, group.count) == ("ann", BEGUN + 10, 3)

    def test_what_is_ignored_stays_so_until_it_is_reopened(self, store: Store, clock: FakeClock) -> None:
        clock.advance(10)
        store.upsert([failed("1", 0)])
        store.decide("acme", fingerprint(store), "ignore", "ann")

        store.upsert([failed("2", 20)])
        assert states(store) == ["ignored"]
        store.decide("acme", fingerprint(store), "reopen", "ben")
        assert states(store) == ["new"]
        assert store.find_exceptions(ExceptionQuery(org="acme", state="ignored")).rows == []

    def test_a_decision_is_one_orgs_and_an_operator_sees_the_most_urgent(self, store: Store, clock: FakeClock) -> None:
        clock.advance(10)
        store.upsert([failed("1", 0), failed("2", 0, source="/orgs/globex/bots/b")])

        store.decide("acme", fingerprint(store), "resolve", "ann")

        assert (states(store), states(store, "globex"), states(store, None)) == (["resolved"], ["new"], ["new"])
        assert store.decide(None, fingerprint(store), "ignore", "op") == 2
        assert states(store, None) == ["ignored"]
        assert store.decide("initech", fingerprint(store), "resolve", "eve") == 0

    def test_an_erased_session_is_gone_and_stays_so(self, store: Store, clock: FakeClock) -> None:
        clock.advance(50)
        store.upsert([event("1"), failed("2", 3), event("3", subject="s-2")])

        gone = store.erase_session("acme", "s-1")

        assert (gone.sessions, gone.events) == (1, 2)
        for _ in range(2):
            done = store.upsert([event("1"), event("4"), event("5", subject="s-2")])
            assert (done.late, done.added + done.repeated) == (2, 1)
        assert [each.session for each in store.find_sessions(SessionQuery(org="acme")).rows] == ["s-2"]
        assert store.events(EventQuery(org="acme", session="s-1")) == []
        assert store.find_exceptions(ExceptionQuery(org="acme")).rows == []
        tombstone = store.tombstone("acme", "s-1")
        assert tombstone is not None
        assert (tombstone.at, tombstone.late) == (BEGUN + 50, 2), "each late event counts once"
        assert store.tombstone("acme", "s-2") is None
        assert store.upsert([event("1", source="/orgs/globex/bots/b")]).added == 1

    def test_an_exception_forgets_the_erased_session_and_shows_another(self, store: Store) -> None:
        store.upsert([failed("1", 0, subject="a"), failed("2", 1, subject="b"), failed("3", 2, subject="b")])

        store.erase_session("acme", "b")

        (group,) = store.find_exceptions(ExceptionQuery(org="acme")).rows
        assert (group.count, group.sessions, group.last_session, group.last_id) == (1, 1, "a", "1")
        assert (group.first_at, group.last_at) == (BEGUN, BEGUN)
        hits = store.find_hits(HitQuery(org="acme", fingerprint=group.fingerprint)).rows
        assert [each.session for each in hits] == ["a"]

    def test_an_erased_session_takes_from_an_exception_no_more_than_its_own(
        self, store: Store, clock: FakeClock
    ) -> None:
        """What retention took still counts, and an exception that is old does not become new."""
        clock.advance(60)
        store.upsert([failed(f"old-{n}", -40 * DAY + n, subject=f"old-{n % 2}") for n in range(50)])
        store.upsert([failed("1", 0, subject="a"), failed("2", 30, subject="b"), failed("3", 20, subject="c")])
        store.decide("acme", fingerprint(store), "ignore", "ann")
        expired(store)

        def told() -> tuple[int, int, float, float, str, str, str]:
            (group,) = store.find_exceptions(ExceptionQuery(org="acme")).rows
            return (
                group.count, group.sessions, group.first_at, group.last_at,
                group.last_session, group.last_id, group.changed_by,
            )  # fmt: skip

        first = BEGUN - 40 * DAY
        assert told() == (53, 5, first, BEGUN + 30, "b", "2", "ann")
        store.erase_session("acme", "b")
        assert told() == (52, 4, first, BEGUN + 20, "c", "3", "ann")
        store.erase_session("acme", "a")
        assert told() == (51, 3, first, BEGUN + 20, "c", "3", "ann")
        store.erase_session("acme", "c")
        assert told() == (50, 2, first, BEGUN + 20, "", "", "ann"), "nothing tells when the last of the others was"
        assert states(store) == ["ignored"]
        (group,) = store.find_exceptions(ExceptionQuery(org="acme")).rows
        assert (group.origin, group.message, group.stack) == ("", "", "")
        store.decide("acme", group.fingerprint, "reopen", "ben")
        assert states(store) == ["ongoing"]

    def test_an_exception_that_lost_its_example_shows_the_next_one(self, store: Store, clock: FakeClock) -> None:
        clock.advance(60)
        store.upsert([failed("old", -40 * DAY, subject="old"), failed("1", 0, subject="a")])
        expired(store)
        store.erase_session("acme", "a")

        store.upsert([failed("2", 40, subject="b")])

        (group,) = store.find_exceptions(ExceptionQuery(org="acme")).rows
        assert (group.count, group.sessions, group.last_session, group.last_id) == (2, 2, "b", "2")
        store.erase_session("acme", "b")
        (group,) = store.find_exceptions(ExceptionQuery(org="acme")).rows
        assert (group.count, group.sessions, group.last_session, group.message) == (1, 1, "", "")

    def test_a_session_of_which_only_the_begin_is_old_is_erased_whole(self, store: Store, clock: FakeClock) -> None:
        clock.advance(60)
        store.upsert([failed("1", -3 * DAY, subject="a"), failed("2", 0, subject="a"), failed("3", 1, subject="b")])
        expired(store)

        store.erase_session("acme", "a")

        (group,) = store.find_exceptions(ExceptionQuery(org="acme")).rows
        assert (group.count, group.sessions, group.first_at, group.last_session) == (1, 1, BEGUN + 1, "b")
        store.erase_session("acme", "b")
        assert store.find_exceptions(ExceptionQuery(org="acme")).rows == []

    def test_a_users_sessions_are_erased_whatever_of_them_arrives_later(self, store: Store, clock: FakeClock) -> None:
        clock.advance(100)
        store.upsert([started("1", "a", "eve"), event("2", subject="a"), started("3", "b", "ben")])
        store.upsert([event("4", subject="c", seq=1)])

        assert store.erase_user("acme", "eve").sessions == 1
        assert store.upsert([event("5", subject="a")]).late == 1
        assert store.upsert([started("6", "c", "eve", 50)]).late == 1
        store.upsert([started("7", "d", "eve", 101)])

        assert sorted(each.session for each in store.find_sessions(SessionQuery(org="acme")).rows) == ["b", "d"]
        assert store.upsert([event("8", subject="c")]).late == 1

    def test_a_users_sessions_are_found_however_many_others_are_newer(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a person is shown before they erase a user is what would go."""
        monkeypatch.setattr("headrace.eventlog.session_pages.SCAN", 2)
        long = "u" * 1000
        store.upsert([started(f"{n}", f"{n}", {1: "eve", 3: "eve", 4: long}.get(n, "evelyn"), n) for n in range(9)])
        store.upsert([event("bare", subject="nobody's")])

        def found(user: str, org: str = "acme") -> list[str]:
            query = SessionQuery(org=org, user=user, limit=1)
            return [each.session for each in every(store.find_sessions, query)]

        assert (found("eve"), found(long), found(""), found("eve", "globex")) == (["3", "1"], ["4"], [], [])
        assert (store.erase_user("acme", "eve").sessions, found("eve")) == (2, [])

    def test_what_is_old_goes_and_what_lives_stays(self, store: Store) -> None:
        store.upsert(
            [
                event("1", subject="old", time=at(-3 * DAY)),
                failed("2", -3 * DAY, subject="old"),
                event("3", subject="living", time=at(-3 * DAY)),
                event("4", subject="living", time=at(0)),
                event("5", subject="young", time=at(1)),
            ]
        )
        store.count(Counted(counters=[counter(at=int(BEGUN) - 3 * DAY), counter(), counter(step=0, at=0)]))

        gone = expired(store)

        assert (sum(each.sessions for each in gone), gone[-1].is_all) == (1, True)
        assert [each.session for each in store.find_sessions(SessionQuery(org="acme")).rows] == ["young", "living"]
        assert [each.id for each in store.events(EventQuery(org="acme", session="living"))] == ["4"]
        assert store.find_exceptions(ExceptionQuery(org="acme")).rows == []
        assert len(store.counters(CounterQuery(org="acme", since=0, until=BEGUN + DAY))) == 1
        assert len(store.totals(TotalsQuery(org="acme"))) == 1

    def test_much_that_is_old_goes_in_portions(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("erasing", "sqlite_tables"):
            monkeypatch.setattr(f"headrace.eventlog.{module}.PORTION", 3)
        monkeypatch.setattr("headrace.eventlog.erasing.EVENTS", 5)
        old = [failed(f"{n}", (-3 if n % 2 else -900) * DAY + n, subject=f"s-{n % 7}") for n in range(40)]
        store.upsert([*old, event("young", subject="s-0", time=at(0))])
        store.count(Counted(counters=[counter(at=int(BEGUN) - 3 * DAY + 60 * n) for n in range(12)]))

        gone = expired(store)

        assert sum(each.sessions for each in gone) == 6
        assert all(each.sessions <= 7 for each in gone)
        assert [each.session for each in store.find_sessions(SessionQuery(org=None)).rows] == ["s-0"]
        assert [each.id for each in store.events(EventQuery(org="acme", session="s-0"))] == ["young"]
        assert store.counters(CounterQuery(org="acme", since=0, until=BEGUN)) == []

    def test_totals_of_several_orgs_are_one_question(self, store: Store) -> None:
        hour = {"step": 3600, "at": 1_795_428_000}
        named = [f"o{number}" for number in range(600)]
        store.count(Counted(counters=[counter(**hour, org=org, retried=1) for org in (*named, "*")]))

        def orgs(*asked: str, org: str | None = None) -> list[str]:
            return [each.org for each in store.totals(TotalsQuery(org=org, orgs=asked, since=BEGUN))]

        assert orgs("o7", "nobody", "o3") == ["o3", "o7"]
        assert orgs(*named[:500]) == sorted(named[:500]), "as many as the longest page has"
        assert (orgs(), orgs("*"), orgs("o7", org="o3")) == ([], [], [])

    def test_counters_add_up_with_their_place_or_not_at_all(self, store: Store) -> None:
        first = Counted(
            read=(PLACE, 0, 10),
            counters=[counter(posts=2, ms=5.0, slowest_ms=4.0, dead=1, aged=1, age_ms=70.0, oldest_ms=70.0)],
        )
        second = Counted(
            read=(PLACE, 10, 12),
            counters=[
                counter(posts=1, ms=3.0, slowest_ms=3.0, aged=1, age_ms=9.5, oldest_ms=9.5),
                counter(at=1_795_428_060),
            ],
        )

        assert [store.count(each) for each in (first, second, second, first)] == [True, True, False, False]

        minute, following = store.counters(CounterQuery(org="acme", since=BEGUN, until=BEGUN + 120))
        assert (minute.posts, minute.ms, minute.slowest_ms, minute.dead) == (3, 8.0, 4.0, 1)
        assert (minute.aged, minute.age_ms, minute.oldest_ms) == (2, 79.5, 70.0)
        assert (following.at, following.posts) == (1_795_428_060, 0)
        assert store.read_to("attempts") == {3: 12}
        assert store.counters(CounterQuery(org="globex", since=BEGUN, until=BEGUN + 120)) == []
        assert store.counters(CounterQuery(org="acme", destination="log", since=BEGUN, until=BEGUN + 120)) == []

    def test_what_was_emitted_counts_once_with_how_far_it_was_counted(self, store: Store) -> None:
        emitted = counter(org="*", destination="", emitted=5)
        first = Counted(moved=[(COUNTED, 0, 1_795_428_005), (EMITTED, 0, 5)], counters=[emitted])
        anew = Counted(moved=[(COUNTED, 1_795_428_005, 1_795_428_006), (EMITTED, 5, 2)], counters=[emitted])

        assert [store.count(each) for each in (first, first, anew, anew)] == [True, False, True, False]

        (minute,) = store.counters(CounterQuery(org=None, since=BEGUN, until=BEGUN + 60))
        assert (minute.destination, minute.emitted) == ("", 10)
        assert (store.read_to(COUNTED.topic), store.read_to(EMITTED.topic)) == ({0: 1_795_428_006}, {0: 2})

    def test_tiles_wait_until_they_are_judged(self, store: Store) -> None:
        main = TopicPartition("events", 0)
        store.count(Counted(read=(PLACE, 0, 2), tiles=[("a", b"{}"), ("b", b"[]")]))
        assert sorted(store.waiting()[1]) == [b"[]", b"{}"]

        judged = Counted(settled=(Settled(main, 0), Settled(main, 7)), done=["a"], counters=[counter(delivered=7)])
        assert [store.count(judged), store.count(judged)] == [True, False]

        places, tiles = store.waiting()
        assert (places[main], tiles) == (7, [b"[]"])

    def test_totals_tell_the_worst_first(self, store: Store) -> None:
        hour = {"step": 3600, "at": 1_795_428_000}
        rows = [
            counter(step=0, at=0, org=org, dead=dead, retried=4) for org, dead in (("calm", 0), ("bad", 9), ("*", 9))
        ]
        store.count(
            Counted(counters=[*rows, counter(**hour, org="calm", retried=3), counter(**hour | {"at": 0}, org="bad")])
        )

        assert [(each.org, each.dead) for each in store.totals(TotalsQuery(org=None))] == [("bad", 9), ("calm", 0)]
        assert [each.org for each in store.totals(TotalsQuery(org=None, limit=1))] == ["bad"]
        assert [each.retried for each in store.totals(TotalsQuery(org=None, since=BEGUN + 5))] == [3]
        assert [each.org for each in store.totals(TotalsQuery(org="calm"))] == ["calm"]
