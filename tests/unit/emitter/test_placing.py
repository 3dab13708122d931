from hypothesis import given
from hypothesis import strategies as st

from headrace.broker.partitioning import partition_of
from headrace.emitter.placing import Placing


@given(st.from_regex(r"[A-Za-z0-9_]{1,20}", fullmatch=True), st.lists(st.text(min_size=1), min_size=2))
def test_org_ordering_keeps_an_org_in_one_partition(org: str, sessions: list[str]) -> None:
    placing = Placing("org")
    placing.partitions = 12

    places = {placing.of(f"{org}/{session}".encode("utf-8", "replace")) for session in sessions}

    assert places == {partition_of(org.encode(), 12)}


def test_org_ordering_waits_until_the_partitions_are_known() -> None:
    placing = Placing("org")

    assert not placing.ready
    placing.partitions = 12
    assert placing.ready


def test_session_ordering_leaves_the_partition_to_the_producer() -> None:
    placing = Placing("session")
    placing.partitions = 12
    placing.turn()

    assert placing.ready
    assert placing.of(b"o/s") is None


def test_any_ordering_turns_to_another_partition_with_every_batch() -> None:
    placing = Placing("any")
    placing.turn()
    assert placing.of(b"o/s") is None
    placing.partitions = 12

    places = set()
    for _ in range(300):
        placing.turn()
        assert placing.of(b"o/a") == placing.of(b"o/b")
        places.add(placing.of(b"o/a"))

    assert places == set(range(12))
