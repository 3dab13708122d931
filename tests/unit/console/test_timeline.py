"""The drawing of a session: order is kept, nothing lies on anything, and nothing takes no room."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from headrace.console.telling.axis import WIDTH, Axis
from headrace.console.telling.spans import GROUPS, Group, Span, spans_of
from headrace.console.telling.steps import steps_of
from headrace.console.telling.timeline import LANES, LEAST, Bar, draw, lay
from unit.console.test_telling import ERROR, stored

MOMENTS = st.floats(0, 5000, allow_nan=False).map(lambda at: 1.8e9 + round(at, 3))
INTERVALS = st.tuples(MOMENTS, st.floats(0, 50)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def span(name: str, start: float, end: float | None = None, group: Group = "turn", failed: bool = False) -> Span:
    return Span(name=name, group=group, label=name, start=start, end=start if end is None else end, failed=failed)


@given(st.lists(INTERVALS, min_size=1, max_size=30), st.lists(MOMENTS, min_size=2, max_size=30))
def test_an_axis_keeps_the_order_of_moments_and_its_bounds(
    busy: list[tuple[float, float]], moments: list[float]
) -> None:
    axis = Axis(busy)
    places = [axis.x(at) for at in sorted(moments)]

    assert all(0 <= x <= WIDTH + 1e-6 for x in places)
    assert all(before <= after + 1e-6 for before, after in pairwise(places))
    assert all(0 <= gap.x <= gap.x + gap.width <= WIDTH + 1e-6 for gap in axis.gaps)
    assert all(one.x + one.width <= two.x + 1e-6 for one, two in pairwise(axis.gaps))


def test_what_takes_longer_is_longer_and_idle_time_is_cut_short() -> None:
    axis = Axis([(0.0, 1.0), (600.0, 603.0)])
    (gap,) = axis.gaps

    assert gap.seconds == 599.0
    assert gap.width < 50
    assert round((axis.x(603) - axis.x(600)) / (axis.x(1) - axis.x(0)), 6) == 3
    assert axis.x(300) <= gap.x


def test_a_wait_within_what_is_busy_is_no_gap() -> None:
    assert Axis([(0.0, 30.0), (5.0, 6.0), (28.0, 31.0)]).gaps == []
    assert Axis([]).gaps == []


@given(st.lists(st.tuples(st.floats(0, WIDTH), st.floats(0.1, 300), st.booleans()), max_size=60), st.integers(1, 4))
def test_bars_never_lie_on_each_other_and_none_is_lost(them: list[tuple[float, float, bool]], most: int) -> None:
    bars = [
        Bar(name=f"{n}", label="", x=x, width=width, seconds=width, failed=failed)
        for n, (x, width, failed) in enumerate(sorted(them))
    ]
    ends = max((bar.end for bar in bars), default=0.0)

    rows = lay(bars, most)

    assert len(rows) <= most
    assert all(one.end <= two.x for row in rows for one, two in pairwise(row))
    assert sum(bar.count for row in rows for bar in row) == len(them)
    assert any(bar.failed for row in rows for bar in row) == any(failed for _, _, failed in them)
    assert abs(max((bar.end for row in rows for bar in row), default=0.0) - ends) < 1e-6


@given(st.lists(st.tuples(INTERVALS, st.sampled_from(GROUPS)), max_size=40))
def test_a_drawing_has_a_place_for_every_step(them: list[tuple[tuple[float, float], Group]]) -> None:
    spans = [span(f"{n}", start, end, group) for n, ((start, end), group) in enumerate(them)]

    drawn = draw(spans)

    assert drawn.marks.keys() == {each.name for each in spans}
    assert all(mark.width >= LEAST - 0.01 and mark.x + mark.width <= WIDTH + 0.01 for mark in drawn.marks.values())
    for group in GROUPS:
        assert sum(lane.group == group for lane in drawn.lanes) <= LANES[group]
    assert [lane.y for lane in drawn.lanes] == sorted({lane.y for lane in drawn.lanes})


def test_a_bar_of_many_moments_shows_the_one_that_failed() -> None:
    (lane,) = draw([span("a", 1.0, group="step"), span("b", 1.0, group="step", failed=True)]).lanes

    assert [(bar.name, bar.count, bar.failed) for bar in lane.bars] == [("b", 2, True)]


def test_turns_dialogs_and_actions_last_from_their_begin_to_their_end() -> None:
    steps = steps_of(
        [
            stored(0, "bot.turn.started", {"turn": 1}, 10.0),
            stored(1, "bot.dialog.entered", {"dialog": "outer", "via": "intent"}, 10.1),
            stored(2, "bot.dialog.entered", {"dialog": "inner"}, 10.2),
            stored(3, "bot.action.invoked", {"action": "A", "call": "c"}, 10.3),
            stored(4, "bot.model.called", {"model": "m", "duration_ms": 100}, 10.5),
            stored(5, "bot.action.failed", {"action": "A", "call": "c", "error": ERROR}, 10.6),
            stored(6, "bot.dialog.exited", {"dialog": "outer", "outcome": "failed"}, 10.7),
            stored(7, "bot.dialog.entered", {"dialog": "last"}, 10.8),
            stored(8, "bot.message.sent", {"text": "sorry"}, 10.9),
            stored(9, "bot.turn.ended", {}, 11.0),
            stored(10, "bot.action.failed", {"action": "B", "duration_ms": 200, "error": ERROR}, 12.0),
        ]
    )

    found = [(each.group, round(each.start, 3), round(each.end, 3), each.failed) for each in spans_of(steps)]

    assert found == [
        ("turn", 10.0, 11.0, False),
        ("dialog", 10.1, 10.7, False),
        ("dialog", 10.2, 10.7, False),
        ("action", 10.3, 10.6, True),
        ("action", 10.4, 10.5, False),
        ("step", 10.7, 10.7, False),
        ("dialog", 10.8, 12.0, False),
        ("said", 10.9, 10.9, False),
        ("action", 11.8, 12.0, True),
    ]


def test_a_dialog_is_left_once() -> None:
    """A second exit of the same name is that of an outer one, or of none that is known."""
    entered, exited = "bot.dialog.entered", "bot.dialog.exited"
    dialogs = [(entered, "a"), (entered, "b"), (exited, "b"), (exited, "b"), (exited, "a"), (entered, "c")]
    steps = steps_of([stored(n, type_, {"dialog": name}, float(n)) for n, (type_, name) in enumerate(dialogs)])

    found = [(each.label, each.end) for each in spans_of(steps) if each.group == "dialog"]

    assert found == [("dialog a", 4.0), ("dialog b", 2.0), ("dialog c", 5.0)]
