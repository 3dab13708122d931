"""Which failures are the same one."""

import msgspec
import pytest

from headrace.eventlog.fingerprint import Failure, failure, normal, own_frame


def failing(*, stack: str = "", message: str = "no order 7", type_: str = "OrderNotFound", **data: object) -> Failure:
    error = {"origin": "custom_code", "type": type_, "message": message, "stack": stack}
    return failure(msgspec.json.encode({"data": {"error": error, **data}}))


PYTHON = """Traceback (most recent call last):
  File "/srv/releases/41/shop/orders.py", line 12, in find
    return client.get(number)
  File "/usr/lib/python3.11/site-packages/httpx/_client.py", line 1054, in get
    raise ConnectError()
"""


@pytest.mark.parametrize(
    "other",
    [
        failing(action="A", stack=PYTHON, message="another"),
        failing(action="A", stack=PYTHON.replace("line 12", "line 99")),
        failing(action="A", stack=PYTHON.replace("releases/41", "releases/42")),
        failing(action="A", stack=PYTHON.replace("_client.py", "_transport.py")),
    ],
)
def test_a_message_a_line_a_release_and_a_library_make_no_other_failure(other: Failure) -> None:
    assert other.fingerprint == failing(action="A", stack=PYTHON).fingerprint
    assert other.fingerprint.startswith("v1:")


@pytest.mark.parametrize(
    "other",
    [
        failing(action="B", stack=PYTHON),
        failing(action="A", stack=PYTHON, type_="TimeoutError"),
        failing(action="A", stack=PYTHON.replace("in find", "in search")),
        failing(dialog="A", step="1", stack=PYTHON),
        failing(action="A"),
    ],
)
def test_a_type_a_culprit_or_a_function_makes_another(other: Failure) -> None:
    assert other.fingerprint != failing(action="A", stack=PYTHON).fingerprint


def test_without_a_place_the_message_decides_but_not_what_varies_in_it() -> None:
    assert failing(message="no order 7").fingerprint == failing(message="no order 812").fingerprint
    assert failing(message="no order 7").fingerprint != failing(message="no customer 7").fingerprint
    assert normal("user 'Ann' of 0197f0c2-aaaa-7bbb is gone\nmore") == "user … of … is gone"


@pytest.mark.parametrize(
    ("frames", "own"),
    [
        (("/app/bot/orders.py:7 in find",), "bot/orders.py in find"),
        (
            ("/app/bot/orders.py:7 in find", "/venv/lib/python3.12/json/decoder.py:355 in decode"),
            "bot/orders.py in find",
        ),
        (("/usr/lib/python3.11/json/decoder.py:355 in decode",), "json/decoder.py in decode"),
        (
            ("at com.acme.Orders.find(Orders.java:42)", "at java.util.List.get(List.java:9)"),
            "at com.acme.Orders.find(Orders.java)",
        ),
        (("Class.OrderService.lookUp: line 42, column 1",), "Class.OrderService.lookUp"),
        (("at lookUp (/app/src/orders.js:10:5)", "at node:internal/x:1:2"), "at lookUp (src/orders.js)"),
        ((), ""),
    ],
)
def test_the_frame_is_the_nearest_of_the_bots_own_code(frames: tuple[str, ...], own: str) -> None:
    assert own_frame(frames) == own


def test_what_is_no_failure_of_the_usual_form_is_one_all_the_same() -> None:
    for value in (b"{}", b"[", b'{"data":{"error":{"type":7,"stack":[1]}}}', b'{"data":{"error":{}}}'):
        assert failure(value).fingerprint.startswith("v1:")


def test_long_texts_are_cut() -> None:
    found = failing(message="m" * 5000, action="a" * 5000, stack="x" * 5000)

    assert max(map(len, found)) <= 1000
