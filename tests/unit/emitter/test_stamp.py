from datetime import UTC, datetime
from threading import Thread
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from headrace.emitter.stamp import Stamper

NANOSECONDS = st.integers(min_value=0, max_value=4_000_000_000 * 1_000_000_000)


@given(NANOSECONDS)
def test_a_stamp_says_the_time_twice(now: int) -> None:
    """The id is a UUIDv7 of the millisecond, the time RFC 3339 with microseconds."""
    id_, time = Stamper(lambda: now)()

    uuid = UUID(id_)
    assert (uuid.version, uuid.variant) == (7, "specified in RFC 4122")
    assert uuid.int >> 80 == now // 1_000_000
    assert str(uuid) == id_
    assert datetime.fromisoformat(time) == datetime.fromtimestamp(now // 1_000_000_000, UTC).replace(
        microsecond=now // 1000 % 1_000_000
    )
    assert len(time) == len("2026-11-23T10:00:00.123456Z")


@given(st.lists(NANOSECONDS, min_size=2))
def test_ids_rise_even_when_the_clock_is_set_back(moments: list[int]) -> None:
    clock = iter(moments)
    stamp = Stamper(lambda: next(clock))

    ids = [stamp()[0] for _ in moments]

    assert ids == sorted(set(ids))


def test_two_stampers_at_the_same_moment_make_different_ids() -> None:
    """Two processes may emit in the same millisecond."""
    assert Stamper(lambda: 0)()[0] != Stamper(lambda: 0)()[0]


def test_threads_share_a_stamper_without_a_repeat() -> None:
    stamp = Stamper()
    ids: list[str] = []
    threads = [Thread(target=lambda: ids.extend([stamp()[0] for _ in range(500)])) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(ids)) == 2000
