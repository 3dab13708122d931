"""What every event log must show of exceptions. Subclass `ExceptionsContract` in a test, with a fixture `store`."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from headrace.eventlog.opening import Store
from headrace.eventlog.pages import ExceptionQuery, HitQuery, OrgHit
from headrace.testing.eventlog_pages_contract import BEGUN, every, failed


class ExceptionsContract:
    """The promises of `headrace.eventlog.pages` about exceptions, one test each."""

    def test_failures_are_grouped_by_type_culprit_and_frame(self, store: Store) -> None:
        store.upsert(
            [
                failed("1", 0, subject="a"),
                failed("2", 1, subject="b"),
                failed("3", 5, subject="b"),
                failed("4", 3, action="Refund", subject="c"),
                failed("5", 9, subject="x", source="/orgs/globex/bots/b"),
            ]
        )

        first, second = store.find_exceptions(ExceptionQuery(org="acme")).rows
        assert (first.type, first.culprit, first.frame) == (
            "OrderNotFound",
            "action LookUpOrder (apex)",
            "bot/orders.py in find",
        )
        assert (first.count, first.sessions, first.orgs) == (3, 2, 1)
        assert (first.first_at, first.last_at) == (BEGUN, BEGUN + 5)
        assert (first.origin, first.message, first.last_session, first.last_id) == (
            "custom_code",
            "no order 7",
            "b",
            "3",
        )
        assert first.stack == "/srv/bot/orders.py:7 in find"
        assert (second.culprit, second.count) == ("action Refund (apex)", 1)

        both, _ = store.find_exceptions(ExceptionQuery(org=None)).rows
        assert (both.count, both.sessions, both.orgs, both.last_org, both.last_session) == (4, 3, 2, "globex", "x")
        assert both.fingerprint == first.fingerprint
        hits = every(store.find_hits, HitQuery(org=None, fingerprint=first.fingerprint, limit=1))
        assert [(each.session, each.count) for each in hits] == [("x", 1), ("b", 2), ("a", 1)]
        assert [each.bot for each in hits] == ["b", "helpdesk", "helpdesk"]
        mine = store.find_hits(HitQuery(org="acme", fingerprint=first.fingerprint)).rows
        assert [each.session for each in mine] == ["b", "a"]

    def test_the_orgs_that_an_exception_hit_come_by_their_events(self, store: Store) -> None:
        sizes = {"acme": 2, "globex": 3, "initech": 2}
        store.upsert(
            [
                failed(f"{org}-{n}", n, subject=f"s-{n // 2}", source=f"/orgs/{org}/bots/b")
                for org, count in sizes.items()
                for n in range(count)
            ]
        )
        store.upsert([failed("other", 9, "Other")])
        other, same = store.find_exceptions(ExceptionQuery(org=None)).rows

        found = store.hit_orgs(None, same.fingerprint, limit=9)

        assert found == [
            OrgHit(org="globex", count=3, sessions=2, first_at=BEGUN, last_at=BEGUN + 2),
            OrgHit(org="acme", count=2, sessions=1, first_at=BEGUN, last_at=BEGUN + 1),
            OrgHit(org="initech", count=2, sessions=1, first_at=BEGUN, last_at=BEGUN + 1),
        ]
        assert store.hit_orgs(None, same.fingerprint, limit=2) == found[:2]
        assert store.hit_orgs("acme", same.fingerprint, limit=9) == found[1:2]
        assert [each.org for each in store.hit_orgs(None, other.fingerprint, limit=9)] == ["acme"]
        assert store.hit_orgs("globex", other.fingerprint, limit=9) == []

    def test_a_page_of_exceptions_looks_at_so_many_candidates_only(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A group counts whole wherever its orgs were hit, and stands where it was seen last."""
        monkeypatch.setattr("headrace.eventlog.pages.SCAN", 4)
        values = [
            failed(f"{org}-{n}", n * 5 % 11 + place, f"Action{n}", source=f"/orgs/{org}/bots/b", subject=f"s-{n}")
            for n in range(11)
            for place, org in enumerate(("acme", "globex", "initech"))
        ]
        store.upsert(values)

        def found(**filters: Any) -> list[tuple[str, int, float]]:
            query = msgspec.convert({"org": None, "limit": 3} | filters, ExceptionQuery)
            groups = every(store.find_exceptions, query)
            return [(group.culprit.split()[1], group.orgs, group.last_at - BEGUN) for group in groups]

        everywhere = [(f"Action{n}", 3, n * 5 % 11 + 2.0) for n in range(11)]
        everywhere.sort(key=lambda each: each[2], reverse=True)
        assert found() == everywhere
        assert found(since=BEGUN + 6.5) == [each for each in everywhere if each[2] > 6.5]
        assert found(text="action7") == [("Action7", 3, 4.0)]
        assert [name for name, _, _ in found(org="globex")] == [name for name, _, _ in everywhere]

    def test_exceptions_come_in_pages_and_are_filtered(self, store: Store) -> None:
        store.upsert([failed(f"{n}", n, action=f"Action{n:02}", subject=f"s-{n}") for n in range(12)])

        def found(**filters: Any) -> list[str]:
            groups = every(
                store.find_exceptions, msgspec.convert({"org": "acme", "limit": 5} | filters, ExceptionQuery)
            )
            return [group.culprit.split()[1] for group in groups]

        assert found() == [f"Action{n:02}" for n in reversed(range(12))]
        assert found(since=BEGUN + 10) == ["Action11", "Action10"]
        assert found(until=BEGUN + 2) == ["Action01", "Action00"]
        assert found(text="action07") == ["Action07"]
        assert found(org="globex") == []
        assert found(org="initech", text="action07") == []

    def test_exceptions_come_in_the_order_of_their_events(self, store: Store) -> None:
        """Those of several orgs by the events of all of them; of equals each comes once."""
        sizes = {"acme": [1, 4, 2, 2, 2], "globex": [5, 1, 2, 0, 2]}
        store.upsert(
            [
                failed(f"{org}-{way}-{n}", 10 - way, f"Action{way}", source=f"/orgs/{org}/bots/b", subject=f"s-{n}")
                for org, counts in sizes.items()
                for way, count in enumerate(counts)
                for n in range(count)
            ]
        )

        def found(**filters: Any) -> list[tuple[str, int]]:
            query = msgspec.convert({"org": None, "limit": 1, "order": "events"} | filters, ExceptionQuery)
            return [(group.culprit.split()[1], group.count) for group in every(store.find_exceptions, query)]

        assert found()[:2] == [("Action0", 6), ("Action1", 5)]
        assert sorted(found()[2:4]) == [("Action2", 4), ("Action4", 4)]
        assert found()[4:] == [("Action3", 2)]
        assert found(limit=2) == found(limit=9) == found()
        assert found(org="acme")[0] == ("Action1", 4)
        assert found(org="acme")[-1] == ("Action0", 1)
        assert found(org="globex", until=BEGUN + 10)[0] == ("Action2", 2)
        assert found(since=BEGUN + 9, text="action1") == [("Action1", 5)]

    def test_a_page_in_the_order_of_events_looks_at_so_many_candidates_only(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each group counts whole and comes once; those of one org are in order all the same."""
        monkeypatch.setattr("headrace.eventlog.pages.SCAN", 4)
        sizes = {f"Action{way}": (way * 5 % 7 + 1, way * 3 % 4, way % 3 + 1) for way in range(9)}
        store.upsert(
            [
                failed(f"{org}-{way}-{n}", n, way, source=f"/orgs/{org}/bots/b")
                for way, counts in sizes.items()
                for org, count in zip(("acme", "globex", "initech"), counts, strict=True)
                for n in range(count)
            ]
        )

        def found(**filters: Any) -> list[tuple[str, int]]:
            query = msgspec.convert({"org": None, "limit": 2, "order": "events"} | filters, ExceptionQuery)
            return [(group.culprit.split()[1], group.count) for group in every(store.find_exceptions, query)]

        assert sorted(found()) == sorted((way, sum(counts)) for way, counts in sizes.items())
        assert found(text="action7") == [("Action7", sum(sizes["Action7"]))]
        mine = found(org="acme")
        assert dict(mine) == {way: counts[0] for way, counts in sizes.items()}
        assert all(one[1] >= following[1] for one, following in pairwise(mine))
