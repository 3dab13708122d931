"""The frames of a stack, in any language."""

import pytest

from headrace.eventlog.stacks import frames

PYTHON = """Traceback (most recent call last):
  File "bot.py", line 1, in run
    act()
  File "desk.py", line 2, in act
    call()
  File "shop.py", line 3, in call
    self.find()
  File "orders.py", line 4, in find
    raise KeyError(7)
KeyError: 7
"""
APEX = "Class.Orders.find: line 4, column 1\nClass.Desk.act: line 2, column 1\nClass.Bot.run: line 1, column 1\nX"
JAVA = "OrderNotFound: no\n\tat Orders.find(Orders.java:4)\n\tat Desk.act(Desk.java:2)\n"


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        (PYTHON, ("desk.py:2 in act", "shop.py:3 in call", "orders.py:4 in find")),
        (APEX, ("Class.Bot.run: line 1, column 1", "Class.Desk.act: line 2, column 1", APEX.partition("\n")[0])),
        (JAVA, ("at Desk.act(Desk.java:2)", "at Orders.find(Orders.java:4)")),
        ("a\n\nb\nc\nd", ("b", "c", "d")),
        ("", ()),
    ],
    ids=["python", "apex", "java", "other", "none"],
)
def test_frames_end_with_the_place_that_threw(stack: str, told: tuple[str, ...]) -> None:
    assert frames(stack) == told
