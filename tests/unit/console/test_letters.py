"""Dead letters as the console remembers, counts and pages them."""

from collections.abc import Iterable, Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.broker.memory import MemoryBroker
from headrace.broker.memory_reader import MemoryReader
from headrace.console.dead.book import ANSWERS, LetterBook, page
from headrace.console.dead.letters import Wanted, kind_of
from headrace.console.dead.pivot import COLUMNS, pivot
from headrace.console.dead.reading import LetterReading, newest
from headrace.errors import TopicMissing, UsageError
from headrace.model.record import Record, TopicPartition
from headrace.testing.clock import EPOCH, FakeClock
from unit.console.burying import NAMES, Dead, letter


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def dead(clock: FakeClock) -> Dead:
    return Dead(clock)


def reading(dead: Dead, clock: FakeClock, most: int = 100) -> tuple[LetterBook, LetterReading]:
    book = LetterBook(most)
    return book, LetterReading(book, dead.broker.reader, NAMES, clock, most=most)


def ids(book: LetterBook, **wanted: object) -> list[str]:
    return [each.id for each in book.find(msgspec.convert(wanted, Wanted))]


def test_letters_and_their_redrives_are_remembered_as_they_come(dead: Dead, clock: FakeClock) -> None:
    book, reader = reading(dead, clock)
    dead.bury("1")
    dead.bury("2", partition=1, org="globex", error="no order 123456")
    reader.look()

    assert ids(book, state="open") == ["1", "2"]
    assert book.memory.as_of == clock.wall()
    (second,) = book.find(Wanted(org="globex"))
    assert (second.kind, second.session, second.attempts, second.position) == ("no order …", "s-1", 2, (1, 0))

    clock.advance(5)
    dead.note(0, 0)
    dead.note(1, 0, topic="headrace.other")
    dead.write(b'{"kind":"redrive"')
    reader.look()

    assert (ids(book, state="open"), ids(book, state="redriven")) == (["2"], ["1"])
    first = book.letter((0, 0))
    assert first is not None
    assert book.row(first).redriven_at == clock.wall()


def test_only_the_newest_are_remembered_and_what_is_left_out_is_told(dead: Dead, clock: FakeClock) -> None:
    book, reader = reading(dead, clock, most=4)
    for number in range(6):
        dead.bury(f"a{number}")
    dead.bury("b0", partition=1)
    reader.look()

    assert ids(book) == ["a3", "a4", "a5", "b0"]
    assert (book.memory.known, book.memory.left_out) == (4, 3)
    assert book.state((0, 0)) == "unknown"

    clock.advance(1)
    dead.note(0, 3)
    reader.look()
    assert book.state((0, 3)) == "redriven"
    dead.bury("b1", partition=1)
    reader.look()

    assert ids(book) == ["a4", "a5", "b0", "b1"]
    assert book.memory.left_out == 4
    assert book.state((0, 3)) == "unknown", "its note is forgotten with it"


def test_what_is_left_out_is_not_even_read(dead: Dead, clock: FakeClock) -> None:
    for number in range(50):
        dead.bury(f"{number}")
    read: list[tuple[int, int]] = []

    class Counting(MemoryReader):
        def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
            read.append((start, stop))
            return super().read(partition, start, stop)

    book = LetterBook(3)
    LetterReading(book, lambda: Counting(dead.broker._cluster), NAMES, clock, most=3).look()

    assert (read, ids(book)) == ([(47, 50)], ["47", "48", "49"])


def test_notes_are_read_from_the_time_on_at_which_the_oldest_letter_died(dead: Dead, clock: FakeClock) -> None:
    """However many millions of tiles there were before."""
    for _ in range(50):
        dead.write(b'{"kind":"tile"}')
    clock.advance(3600)
    dead.bury("1")
    clock.advance(5)
    dead.note(0, 0)
    read: list[TopicPartition] = []

    class Counting(MemoryReader):
        def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
            read.extend([partition] * (stop - start))
            return super().read(partition, start, stop)

    book = LetterBook()
    reader = LetterReading(book, lambda: Counting(dead.broker._cluster), NAMES, clock)
    reader.look()

    assert sorted(place.topic for place in read) == [NAMES.attempts, NAMES.dead]
    assert ids(book, state="redriven") == ["1"]


def test_a_letter_that_comes_and_is_redriven_between_two_looks_at_kafka_is_redriven(
    dead: Dead, clock: FakeClock
) -> None:
    """The notes that are left out are those that were there before it was looked for letters."""

    class Meanwhile(MemoryReader):
        def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
            before = super().bounds(topic)
            if topic == NAMES.dead and not before[0][1]:
                dead.bury("1")
                dead.note(0, 0)
                clock.advance(3600)
            return before

    book = LetterBook()
    reader = LetterReading(book, lambda: Meanwhile(dead.broker._cluster), NAMES, clock)
    reader.look()
    assert ids(book) == []
    reader.look()

    assert ids(book, state="redriven") == ["1"]


def test_as_long_as_not_all_notes_were_read_no_letter_is_said_to_be_open(dead: Dead, clock: FakeClock) -> None:
    book, reader = reading(dead, clock)
    dead.bury("1")
    dead.bury("2")
    dead.note(0, 1)
    dead.write(b"one document more")
    states = []

    class Watching(MemoryReader):
        def read(self, partition: TopicPartition, start: int, stop: int) -> Iterable[Record]:
            if partition.topic == NAMES.attempts:
                states.append((book.state((0, 0)), book.memory.is_whole))
            return super().read(partition, start, stop)

    reader._open_reader = lambda: Watching(dead.broker._cluster)
    reader.look()

    assert set(states) == {("unknown", True)}
    assert (book.state((0, 0)), book.state((0, 1))) == ("open", "redriven")


def test_a_topic_that_was_made_anew_is_read_from_its_start(dead: Dead, clock: FakeClock) -> None:
    book, reader = reading(dead, clock)
    for number in range(3):
        dead.bury(f"old {number}")
    dead.note(0, 0)
    reader.look()

    anew = Dead(clock)
    anew.bury("new")
    reader._reader = anew.broker.reader()
    reader.look()

    assert (ids(book), ids(book, state="redriven")) == (["new"], [])


def test_what_retention_deletes_is_forgotten(dead: Dead, clock: FakeClock) -> None:
    book, reader = reading(dead, clock)
    for number in range(3):
        dead.bury(f"{number}")
    reader.look()

    dead.broker.delete_records(TopicPartition(NAMES.dead, 0), 2)
    reader.look()

    assert ids(book) == ["2"]
    assert book.memory.left_out == 0


def test_a_failure_is_told_without_hosts_and_the_next_look_goes_on(dead: Dead, clock: FakeClock) -> None:
    book, reader = reading(dead, clock)
    dead.bury("1")
    dead.broker.stop()
    with pytest.raises(Exception, match="stopped"):
        reader.look()
    assert book.memory.problem == "Kafka did not answer when dead letters were last looked for"

    dead.broker.start()
    reader.look()

    assert (book.memory.problem, ids(book)) == ("", ["1"])
    with pytest.raises(TopicMissing, match="topics apply"):
        LetterReading(book, MemoryBroker(clock).reader, NAMES, clock).look()


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=8), most=st.integers(0, 200))
def test_newest_takes_as_many_as_it_may_and_no_more(sizes: list[int], most: int) -> None:
    bounds = {partition: (7, 7 + size) for partition, size in enumerate(sizes)}

    floors = newest(bounds, most)

    taken = {partition: stop - floors[partition] for partition, (_, stop) in bounds.items()}
    assert sum(taken.values()) == min(most, sum(sizes))
    assert all(0 <= taken[partition] <= size for partition, size in enumerate(sizes))
    cut = [taken[partition] for partition, size in enumerate(sizes) if taken[partition] < size]
    assert not cut or max(cut) - min(cut) <= 1, "those that are cut are cut alike"


def filled(count: int = 10) -> LetterBook:
    book = LetterBook()
    book.add([letter(number, EPOCH + number, kind=f"kind {number % 3}") for number in range(count)], {0: 0})
    return book


def test_pages_begin_with_the_newest_and_miss_none() -> None:
    book = filled()
    found = book.find(Wanted())

    seen: list[str] = []
    after: str | None = None
    while True:
        some = page(book, found, after, 3)
        seen += [row.id for row in some.rows]
        after = some.next
        if after is None:
            break

    assert seen == [f"id-{number}" for number in reversed(range(10))]
    with pytest.raises(UsageError):
        page(book, found, "nowhere", 3)


def test_a_letter_that_comes_late_stands_where_it_died() -> None:
    book = filled(3)
    book.add([letter(7, EPOCH + 0.5)], {0: 0})

    assert [each.offset for each in book.find(Wanted())] == [0, 7, 1, 2]


@pytest.mark.parametrize(
    ("wanted", "offsets"),
    [
        (Wanted(org="acme", kind="kind 1"), [1, 4, 7]),
        (Wanted(since=EPOCH + 7), [7, 8, 9]),
        (Wanted(until=EPOCH + 2), [0, 1]),
        (Wanted(text="ID-4"), [4]),
        (Wanted(text="S-1", since=EPOCH + 9), [9]),
        (Wanted(org="globex"), []),
        (Wanted(destination="log"), []),
        (Wanted(reason="gave_up"), []),
        (Wanted(state="redriven"), []),
        (Wanted(state="unknown"), []),
        (Wanted(since=EPOCH + 2, until=EPOCH + 5, kind="kind 0"), [3]),
    ],
)
def test_letters_are_chosen(wanted: Wanted, offsets: list[int]) -> None:
    assert [each.offset for each in filled().find(wanted)] == offsets


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("422: no order 4711-8", "422: no order …-8"),
        ("order 0197f0c2-0000-7000-8000-0123456789ab is gone", "order … is gone"),
        ("HTTP 503", "HTTP 503"),
        ("at 0x7f3a: deadbeef01", "at …: …"),
        ("10.1.2.3:8080 refused", "… refused"),
        ("the feedback was defaced", "the feedback was defaced"),
        ("", ""),
    ],
)
def test_the_kind_of_an_error_leaves_out_what_differs(error: str, kind: str) -> None:
    assert kind_of(error) == kind


def test_while_nothing_changes_nothing_is_sorted_or_counted_anew(dead: Dead, clock: FakeClock) -> None:
    """A hundred thousand letters are neither sorted nor counted anew each second, nor for each portion of lines."""
    book, reader = reading(dead, clock)
    for number in range(3):
        dead.bury(f"{number}", partition=number % 2)
    reader.look()
    wanted = Wanted(state="open")
    found, counted, known = book.find(wanted), book.pivot(wanted, "error", clock.wall()), book._known

    reader.look()

    assert book._known is known
    assert book.find(Wanted(state="open")) is found
    assert book.pivot(wanted, "error", clock.wall() + 1) is counted
    assert book.pivot(wanted, "error", clock.wall() + 3600) is not counted, "it ends an hour later"

    dead.bury("late")
    reader.look()
    assert sorted(ids(book, state="open")) == ["0", "1", "2", "late"]
    dead.note(0, 0)
    reader.look()
    assert (len(book.find(wanted)), book.pivot(wanted, "error", clock.wall()).total) == (3, 3)


def test_answers_that_are_kept_are_few() -> None:
    book = filled()
    for number in range(5 * ANSWERS):
        book.find(Wanted(text=f"{number}"))
        book.pivot(Wanted(text=f"{number}"), "org", EPOCH)

    assert max(len(book._known.found), len(book._known.pivots)) <= ANSWERS


@given(st.text(max_size=600))
def test_a_kind_is_short_whatever_the_error(error: str) -> None:
    assert len(kind_of(error)) <= 120


@given(ages=st.lists(st.floats(0, 90 * 86_400), max_size=30), by=st.sampled_from(["error", "org", "destination"]))
def test_a_pivot_counts_each_letter_once(ages: list[float], by: str) -> None:
    letters = [letter(n, EPOCH - age, org=f"org-{n % 4}") for n, age in enumerate(sorted(ages, reverse=True))]

    counted = pivot(letters, msgspec.convert(by, str), EPOCH)

    assert counted.total == len(ages)
    assert sum(row.total for row in counted.rows) + counted.rest == len(ages)
    assert all(sum(row.counts) == row.total for row in counted.rows)
    assert sum(sum(counts) for counts in counted.reasons.values()) == len(ages)
    assert len(counted.since) in {0, COLUMNS}
    for row in counted.rows:
        for place, since in enumerate(counted.since):
            inside = [each for each in letters if since <= each.died < since + counted.width]
            mine = [each for each in inside if by != "org" or each.org == row.org]
            assert row.counts[place] == len(mine)


def test_the_row_with_the_most_letters_stands_first() -> None:
    rows = pivot(filled().find(Wanted()), "error", EPOCH + 10).rows

    assert [(row.kind, row.total, row.orgs) for row in rows] == [("kind 0", 4, 1), ("kind 1", 3, 1), ("kind 2", 3, 1)]
