"""What every event log keeps of what people did. Subclass `TrailContract` in a test module, with a fixture `store`."""

from typing import Any

import msgspec
import pytest

from headrace.errors import UsageError
from headrace.eventlog.opening import Store
from headrace.eventlog.trail import DETAIL, TEXT, Deed, DeedQuery
from headrace.testing.eventlog_pages_contract import BEGUN, every


def deed(id_: str, second: float = 0, /, **fields: Any) -> Deed:
    """Return a deed of ann's for the org `acme`; *fields* replace its own."""
    plain = Deed(id=id_, at=BEGUN + second, who="ann", action="redrive", org="acme", target="0/17", address="::1")
    return msgspec.structs.replace(plain, **fields)


class TrailContract:
    """The promises of `headrace.eventlog.trail`, one test each."""

    def test_a_deed_is_read_back(self, store: Store) -> None:
        whole = deed("1", detail='{"rate":5}', answer="a\0b ü", result="failed")

        store.note(whole)

        assert store.deeds(DeedQuery(org=None)).rows == [whole]

    def test_the_second_note_of_a_deed_tells_only_how_it_ended(self, store: Store) -> None:
        store.note(deed("1", detail="asked so"))
        store.note(deed("1", 9, who="eve", org="globex", detail="", result="done", answer="3 letters"))

        (found,) = store.deeds(DeedQuery(org=None)).rows
        assert found == deed("1", detail="asked so", result="done", answer="3 letters")

    def test_deeds_come_in_pages_the_last_first(self, store: Store) -> None:
        for number in range(7):
            store.note(deed(f"{number}", number // 2))

        found = every(store.deeds, DeedQuery(org=None, limit=3))

        assert [each.id for each in found] == ["6", "5", "4", "3", "2", "1", "0"]
        with pytest.raises(UsageError):
            store.deeds(DeedQuery(org=None, after="nowhere"))

    def test_deeds_are_filtered(self, store: Store) -> None:
        store.note(deed("1", 1, who="ben"))
        store.note(deed("2", 2, action="pause", target="crm", result="done"))
        store.note(deed("3", 3, org="", detail="At_100%"))

        def found(**filters: Any) -> list[str]:
            return [each.id for each in every(store.deeds, DeedQuery(**{"org": None, "limit": 1} | filters))]

        assert found() == ["3", "2", "1"]
        assert found(who="ben") == ["1"]
        assert found(action="pause") == ["2"]
        assert found(target="crm") == ["2"]
        assert found(result="asked") == ["3", "1"]
        assert found(since=BEGUN + 2) == ["3", "2"]
        assert found(until=BEGUN + 2) == ["1"]
        assert found(text="at_100%") == ["3"]
        assert found(text="A__100") == []

    def test_no_org_sees_anothers_deeds_nor_nobodys(self, store: Store) -> None:
        store.note(deed("1"))
        store.note(deed("2", org="globex"))
        store.note(deed("3", org=""))

        assert [each.id for each in store.deeds(DeedQuery(org="acme")).rows] == ["1"]
        assert [each.id for each in store.deeds(DeedQuery(org="acme", text="ann")).rows] == ["1"]
        assert store.deeds(DeedQuery(org="initech")).rows == []

    def test_what_is_too_long_is_cut_and_told_so(self, store: Store) -> None:
        store.note(deed("1", who="w" * 1000, detail="d" * 10_000, answer="a" * 10_000))

        (found,) = store.deeds(DeedQuery(org=None)).rows
        assert (len(found.who), len(found.detail), len(found.answer)) == (TEXT, DETAIL, DETAIL)
        assert found.detail.endswith("…")

    def test_retention_leaves_the_trail(self, store: Store) -> None:
        store.note(deed("1"))

        store.expire(BEGUN + 86_400 * 100)

        assert len(store.deeds(DeedQuery(org=None)).rows) == 1
