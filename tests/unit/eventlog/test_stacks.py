"""The frames of a stack, in any language."""

import time

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
DOTNET = """System.Text.Json.JsonException: no JSON
   at System.Text.Json.ThrowHelper.ReThrow(JsonException ex)
   at Acme.Bot.Orders.Find(Int32 id) in /src/Orders.cs:line 42
--- End of stack trace from previous location ---
   at Acme.Bot.Desk.Act() in /src/Desk.cs:line 7
"""
RUBY = """app/orders.rb:12:in 'Orders#find': no order 7: gone (OrderNotFound)
\tfrom app/desk.rb:7:in `block (2 levels) in act'
\tfrom bot.rb:3:in '<main>'
"""
GO = """panic: no order 7

goroutine 1 [running]:
panic({0x4a1b20?, 0xc00001c0a0?})
\t/usr/local/go/src/runtime/panic.go:770 +0x132
main.(*Orders).Find(0xc00001c0a0, 0x7)
\t/srv/bot/orders.go:12 +0x1d
main.act(...)
\t/srv/bot/desk.go:7
created by main.main in goroutine 1
\t/srv/bot/main.go:8 +0x20
"""
JAVA = "OrderNotFound: no\n\tat Orders.find(Orders.java:4)\n\tat Desk.act(Desk.java:2)\n"


@pytest.mark.parametrize(
    ("stack", "told"),
    [
        (PYTHON, ("desk.py:2 in act", "shop.py:3 in call", "orders.py:4 in find")),
        (APEX, ("Class.Bot.run: line 1, column 1", "Class.Desk.act: line 2, column 1", APEX.partition("\n")[0])),
        (JAVA, ("at Desk.act(Desk.java:2)", "at Orders.find(Orders.java:4)")),
        (
            DOTNET,
            (
                "at Acme.Bot.Desk.Act() in /src/Desk.cs:line 7",
                "at Acme.Bot.Orders.Find(Int32 id) in /src/Orders.cs:line 42",
                "at System.Text.Json.ThrowHelper.ReThrow(JsonException ex)",
            ),
        ),
        (
            RUBY,
            ("bot.rb:3:in '<main>'", "app/desk.rb:7:in `block (2 levels) in act'", "app/orders.rb:12:in 'Orders#find'"),
        ),
        (
            GO,
            (
                "/srv/bot/desk.go:7 in main.act",
                "/srv/bot/orders.go:12 in main.(*Orders).Find",
                "/usr/local/go/src/runtime/panic.go:770 in panic",
            ),
        ),
        ("a\n\nb\nc\nd", ("b", "c", "d")),
        ("", ()),
    ],
    ids=["python", "apex", "java", "dotnet", "ruby", "go", "other", "none"],
)
def test_frames_end_with_the_place_that_threw(stack: str, told: tuple[str, ...]) -> None:
    assert frames(stack) == told


@pytest.mark.parametrize("stack", [" \n" * 50_000, "a\n\t" * 50_000, "(" * 100_000, ":1:in 'x" * 50_000])
def test_a_stack_of_nonsense_holds_nobody_up(stack: str) -> None:
    begun = time.process_time()

    frames(stack)

    assert time.process_time() - begun < 2
