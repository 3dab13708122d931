"""What every event log must do. Subclass `EventLogContract` in a test module, with a fixture `store`."""

from typing import Any

import msgspec

from headrace.eventlog.port import EventLog, EventQuery

ERROR = {"origin": "custom_code", "type": "OrderNotFound", "message": "no order 7"}


def event(id: str, /, **fields: Any) -> bytes:  # noqa: A002  CloudEvents' own word
    """Return a CloudEvent of the org `acme`, session `s-1`; *fields* replace its own, and None leaves one out."""
    whole = {
        "specversion": "1.0",
        "id": id,
        "source": "/orgs/acme/bots/helpdesk",
        "subject": "s-1",
        "type": "bot.message.sent",
        "time": "2026-11-23T10:00:00Z",
        "data": {},
    } | fields
    return msgspec.json.encode({name: value for name, value in whole.items() if value is not None})


def ids(store: EventLog, query: EventQuery) -> list[str]:
    """Return the ids of the events that *query* finds, in the order in which the store gives them."""
    return [msgspec.json.decode(found.value)["id"] for found in store.events(query)]


class EventLogContract:
    """The promises of `headrace.eventlog.port`, one test each."""

    def test_an_event_is_read_back_byte_for_byte(self, store: EventLog) -> None:
        value = (
            b'{ "specversion":"1.0","id":"1","source":"/orgs/acme/bots/b","type":"t","subject":"s","data":"\\u00e9" }'
        )

        assert store.upsert([value]).added == 1

        assert [found.value for found in store.events(EventQuery(org="acme"))] == [value]

    def test_the_same_source_and_id_again_leaves_one_event(self, store: EventLog) -> None:
        first = store.upsert([event("1"), event("2"), event("1")])
        second = store.upsert([event("2"), event("3")])

        assert [(first.added, first.repeated), (second.added, second.repeated)] == [(2, 1), (1, 1)]
        assert ids(store, EventQuery(org="acme", session="s-1")) == ["1", "2", "3"]

    def test_the_first_of_equal_events_stays(self, store: EventLog) -> None:
        store.upsert([event("1", data="first")])
        store.upsert([event("1", data="second"), event("1", subject="s-2", data="third")])

        assert [found.value for found in store.events(EventQuery(org="acme"))] == [event("1", data="first")]
        assert [summary.session for summary in store.sessions("acme")] == ["s-1"]

    def test_the_same_id_of_another_source_is_another_event(self, store: EventLog) -> None:
        assert store.upsert([event("1"), event("1", source="/orgs/acme/bots/sales")]).added == 2

    def test_a_repeated_event_is_not_counted_again(self, store: EventLog) -> None:
        for _ in range(3):
            store.upsert([event("1"), event("2", data={"error": ERROR})])

        (summary,) = store.sessions("acme")
        assert (summary.events, summary.errors) == (2, 1)

    def test_events_of_a_session_come_by_seq_then_by_time(self, store: EventLog) -> None:
        store.upsert(
            [
                event("third", seq=9),
                event("last", time="2026-11-23T10:00:09Z"),
                event("second", seq=1, time="2026-11-23T10:00:01Z"),
                event("first", seq=1, time="2026-11-23T10:00:00.5Z"),
                event("fourth", seq="odd", time="2026-11-23T11:00:05+01:00"),
            ]
        )

        assert ids(store, EventQuery(org="acme", session="s-1")) == ["first", "second", "third", "fourth", "last"]

    def test_events_of_all_sessions_come_from_the_session_begun_last_the_latest_first(self, store: EventLog) -> None:
        later = {"subject": "b", "time": "2026-11-23T10:00:01Z"}
        store.upsert([event("1", seq=0), event("3", seq=0, **later), event("2", seq=1), event("4", seq=1, **later)])

        assert ids(store, EventQuery(org="acme", limit=3)) == ["4", "3", "2"]

    def test_a_query_keeps_type_failures_and_limit(self, store: EventLog) -> None:
        store.upsert(
            [
                event("1", seq=0, type="bot.action.failed", data={"error": ERROR}),
                event("2", seq=1, data={"text": 'an "error", only in words', "error": None}),
                event("3", seq=2, type="bot.exception.raised", data={"error": ERROR}),
            ]
        )

        session = EventQuery(org="acme", session="s-1")
        assert ids(store, msgspec.structs.replace(session, type="bot.action.failed")) == ["1"]
        assert ids(store, msgspec.structs.replace(session, failed=True)) == ["1", "3"]
        assert ids(store, msgspec.structs.replace(session, limit=2)) == ["1", "2"]
        assert ids(store, EventQuery(org="acme", failed=True, limit=1)) == ["3"]

    def test_a_type_of_a_failure_is_one_whatever_its_error_is(self, store: EventLog) -> None:
        """Bots in other languages tell an error as they like, or leave it out."""
        store.upsert(
            [
                event("1", seq=0, type="bot.exception.raised", data={"error": "ValueError: boom"}),
                event("2", seq=1, type="bot.action.failed", data={"action": "LookUp"}),
                event("3", seq=2, type="bot.action.failed", data={"error": ["boom"]}),
                event("4", seq=3, type="bot.action.failed", data=None, time=7),
                event("5", seq=4, type="bot.action.succeeded", data={"error": "none"}),
            ]
        )

        assert ids(store, EventQuery(org="acme", session="s-1", failed=True)) == ["1", "2", "3", "4"]
        (session,) = store.sessions("acme")
        assert (session.errors, session.error_type, session.error_message) == (4, "ValueError", "boom")

    def test_sessions_come_the_last_begun_first_with_their_sums(self, store: EventLog) -> None:
        failure = event("3", seq=2, type="bot.action.failed", data={"error": ERROR}, time="2026-11-23T10:00:07Z")
        ended = event("4", seq=3, type="bot.session.ended", time="2026-11-23T10:00:08Z")
        store.upsert([event("1", seq=0), event("2", seq=1, type="bot.turn.started"), failure])
        store.upsert([ended, event("5", subject="s-2", time="2026-11-23T10:00:05Z")])

        newest, oldest = store.sessions("acme")
        assert [newest.session, oldest.session] == ["s-2", "s-1"]
        assert oldest.source == "/orgs/acme/bots/helpdesk"
        assert oldest.last_at - oldest.first_at == 8
        assert (oldest.events, oldest.errors, oldest.turns) == (4, 1, 1)
        assert (oldest.first_error, oldest.end) == (failure, ended)
        assert (newest.errors, newest.turns, newest.first_error, newest.end) == (0, 0, None, None)
        assert [summary.session for summary in store.sessions("acme", limit=1)] == ["s-2"]

    def test_no_org_sees_anothers_events(self, store: EventLog) -> None:
        store.upsert([event("1"), event("1", source="/orgs/globex/bots/b", data={"error": ERROR})])

        assert ids(store, EventQuery(org="acme", failed=True)) == []
        assert len(store.events(EventQuery(org="acme"))) == 1
        assert [summary.org for summary in store.sessions("acme")] == ["acme"]
        assert store.sessions("initech") == []
        assert store.events(EventQuery(org="initech", session="s-1")) == []

    def test_the_org_is_the_given_one_else_that_of_the_source_else_none(self, store: EventLog) -> None:
        foreign = event("1", source="urn:some:bot")
        store.upsert([foreign, event("2", source="urn:some:bot")], orgs=["acme", ""])
        store.upsert([event("3")])

        assert ids(store, EventQuery(org="acme")) == ["3", "1"]
        assert ids(store, EventQuery(org="-")) == ["2"]

    def test_an_event_that_lacks_what_is_optional_is_stored_all_the_same(self, store: EventLog) -> None:
        odd = [
            event("1", subject=None),
            event("2", subject=7),
            event("3", time=None),
            event("4", time="yesterday", seq=1.5),
            event("5", seq=10**30, data=[1, {"error": 1}]),
            event("6", subject="a\0b\u202e\U0001f600", time="2026-11-23T10:00:00"),
            event("7", data={"error": "only text"}),
            event("8", subject="8", time="0001-01-01T00:00:00+10:00", data=None),
            event("9", subject=None, time=9, seq=True, data={"error": ERROR}),
        ]

        assert store.upsert(odd).added == len(odd)

        assert ids(store, EventQuery(org="acme", session="")) == ["1", "2", "9"]
        assert ids(store, EventQuery(org="acme", failed=True)) == ["9"]
        assert ids(store, EventQuery(org="acme", session="a\0b\u202e\U0001f600")) == ["6"]
        assert sorted(found.value for found in store.events(EventQuery(org="acme"))) == sorted(odd)

    def test_what_is_no_event_is_refused_and_the_rest_stored(self, store: EventLog) -> None:
        bad = [b"{", b'{"id":1}', b"\xff", b"[" * 100_000, event("3", data="half").replace(b"half", b"\\ud83d")]

        done = store.upsert([event("1"), *bad, event("2", data="\xff").decode().encode("latin-1"), event("2")])

        assert done.added == 2
        assert sorted(done.refused) == [1, 2, 3, 4, 5, 6]
        assert all(done.refused.values())

    def test_nothing_to_store_is_no_error(self, store: EventLog) -> None:
        assert store.upsert([]).added == 0

    def test_many_events_of_many_sessions_are_all_there(self, store: EventLog) -> None:
        """More than one statement's worth, interleaved, with a repeat far from its first."""
        values = [event(f"{n}", subject=f"s-{n % 70}", seq=n) for n in range(1_234)]

        done = store.upsert([*values, values[0]])

        assert (done.added, done.repeated) == (1_234, 1)
        assert ids(store, EventQuery(org="acme", session="s-5")) == [f"{n}" for n in range(5, 1_234, 70)]
        assert sum(summary.events for summary in store.sessions("acme", limit=1_000)) == 1_234

    def test_a_store_closes_twice(self, store: EventLog) -> None:
        store.upsert([event("1")])

        store.close()
        store.close()
