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
    assert other.fingerprint.startswith("v2:")


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


OTHERS = {
    "java": (
        """com.acme.OrderNotFound: no order 7
	at java.base/java.util.Optional.orElseThrow(Optional.java:403)
	at app//org.apache.http.impl.client.CloseableHttpClient.execute(CloseableHttpClient.java:83)
	at com.fasterxml.jackson.databind.ObjectMapper.readValue(ObjectMapper.java:3723)
	at io.netty.channel.AbstractChannel.read(AbstractChannel.java:7)
	at reactor.core.publisher.Mono.block(Mono.java:1710)
	at scala.concurrent.Future.apply(Future.scala:9)
	at com.acme.Orders.find(Orders.java:42)
	at com.acme.Desk.act(Desk.java:7)
""",
        "at com.acme.Orders.find(Orders.java)",
    ),
    "java-lambda": (
        """java.lang.IllegalStateException: no
	at com.acme.Orders$$Lambda$143/0x0000000800c03000.apply(Unknown Source)
	at com.acme.Desk.act(Desk.java:7)
""",
        "at com.acme.Orders$$Lambda.apply(Unknown Source)",
    ),
    "java-lambda-21": (
        "java.lang.Error\n\tat com.acme.Orders$$Lambda/0x00007f0a1c0c9a28.apply(Unknown Source)\n",
        "at com.acme.Orders$$Lambda.apply(Unknown Source)",
    ),
    "java-lambda-body": (
        "java.lang.Error\n\tat com.acme.Orders.lambda$find$3(Orders.java:42)\n",
        "at com.acme.Orders.lambda$find(Orders.java)",
    ),
    "dotnet": (
        """System.Text.Json.JsonException: no JSON
   at System.Text.Json.JsonSerializer.Deserialize[TValue](String json, JsonSerializerOptions options)
   at Newtonsoft.Json.JsonConvert.DeserializeObject(String value)
   at Acme.Bot.Orders.<FindAsync>d__4.MoveNext() in D:\\a\\1\\s\\Bot\\Orders.cs:line 42
--- End of stack trace from previous location ---
   at Microsoft.Bot.Builder.ActivityHandler.OnTurnAsync(ITurnContext turn) in /_/src/ActivityHandler.cs:line 60
""",
        "at Acme.Bot.Orders.<FindAsync>d__.MoveNext() in Bot\\Orders.cs",
    ),
    "javascript": (
        """TypeError: Cannot read properties of undefined
    at JSON.parse (node:internal/json:1:2)
    at request (/app/node_modules/undici/index.js:9:1)
    at Orders.find (/app/src/orders.js:10:5)
    at async act (/app/src/desk.js:3:1)
""",
        "at Orders.find (src/orders.js)",
    ),
    "apex": (
        "Class.System.Http.send: line 1\nClass.OrderService.lookUp: line 42, column 1\nClass.Bot.run: line 1",
        "Class.OrderService.lookUp",
    ),
    "ruby": (
        """/usr/local/lib/ruby/3.3.0/net/http.rb:960:in `initialize': refused (Errno::ECONNREFUSED)
	from /srv/vendor/bundle/ruby/3.3.0/gems/faraday-2.9.0/lib/faraday/adapter.rb:55:in `call'
	from <internal:kernel>:187:in `loop'
	from /srv/releases/41/app/orders.rb:12:in `find'
	from /srv/releases/41/bot.rb:3:in `<main>'
""",
        "app/orders.rb:in `find'",
    ),
    "go": (
        """panic: runtime error: invalid memory address or nil pointer dereference

goroutine 7 [running]:
runtime/debug.Stack()
	/usr/local/go/src/runtime/debug/stack.go:24 +0x65
panic({0x6a1b20?, 0x9c00a0?})
	/usr/local/go/src/runtime/panic.go:770 +0x132
github.com/acme/kit.Must(...)
	/srv/go/pkg/mod/github.com/acme/kit@v1.2.0/kit.go:9
main.(*Orders).Find(0xc00001c0a0, 0x7)
	/srv/bot/orders.go:12 +0x1d
net/http.HandlerFunc.ServeHTTP(0xc0000b2000?, {0x7d1c80?, 0xc0000c40e0?}, 0x0?)
	/usr/local/go/src/net/http/server.go:2166 +0x29
""",
        "bot/orders.go in main.(*Orders).Find",
    ),
}


@pytest.mark.parametrize(("stack", "frame"), OTHERS.values(), ids=OTHERS)
def test_each_languages_stack_is_read_to_the_bots_own_frame(stack: str, frame: str) -> None:
    assert failing(stack=stack).frame == frame


def test_what_compilers_and_runtimes_number_anew_makes_no_other_failure() -> None:
    lambdas = OTHERS["java-lambda"][0], OTHERS["java-lambda-21"][0], OTHERS["java-lambda"][0].replace("$143", "$7")
    assert len({failing(stack=each).fingerprint for each in lambdas}) == 1
    dotnet = OTHERS["dotnet"][0]
    moved = dotnet.replace("d__4", "d__11").replace("line 42", "line 43").replace("a\\1", "a\\2")
    assert failing(stack=dotnet).fingerprint == failing(stack=moved).fingerprint


def test_what_is_no_failure_of_the_usual_form_is_one_all_the_same() -> None:
    for value in (b"{}", b"[", b'{"data":{"error":{"type":7,"stack":[1]}}}', b'{"data":{"error":{}}}'):
        assert failure(value).fingerprint.startswith("v2:")


def test_long_texts_are_cut() -> None:
    found = failing(message="m" * 5000, action="a" * 5000, stack="x" * 5000)

    assert max(map(len, found)) <= 1000
