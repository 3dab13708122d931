"""Notifications on their way to a webhook: signed, in order, again until they are taken, and never without a bound."""

import http.server
import threading
from collections.abc import Iterator, Sequence

import msgspec
import pytest
from standardwebhooks import Webhook

from headrace.clock import SystemClock
from headrace.console.alarm.notifying import TRIES, WAITING, Notifier
from headrace.core.alerts import Alert, Notice
from headrace.errors import UsageError
from headrace.model.secret import Secret
from headrace.sinks.signing import Signer
from headrace.testing.clock import EPOCH, FakeClock

SECRET = "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"
ALERT = Alert(rule="lag", subject="headrace.events", says="it waits 9 min", since=EPOCH, raised_at=EPOCH)


class AnsweringWebhook:
    """A webhook that answers as it is told, 204 by default, and remembers what it got."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Asked(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.answers.pop(0) if outer.answers else 204)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    @property
    def texts(self) -> list[str]:
        return [msgspec.json.decode(body)["text"] for _, body in self.got]


@pytest.fixture(scope="module")
def server() -> Iterator[AnsweringWebhook]:
    webhook = AnsweringWebhook()
    thread = threading.Thread(target=webhook.server.serve_forever, args=(0.02,))
    thread.start()
    yield webhook
    webhook.server.shutdown()
    webhook.server.server_close()
    thread.join()


@pytest.fixture
def webhook(server: AnsweringWebhook) -> AnsweringWebhook:
    server.answers.clear()
    server.got.clear()
    return server


def notices(*says: str) -> Sequence[Notice]:
    return [Notice(kind="raised", alert=msgspec.structs.replace(ALERT, says=each)) for each in says]


def test_a_notification_is_posted_once_with_words_for_people_and_fields_for_programs(webhook: AnsweringWebhook) -> None:
    notifier = Notifier(webhook.url, None, FakeClock(), "staging")

    notifier.tell([Notice(kind="raised", alert=ALERT)])
    notifier.work()
    notifier.work()

    ((headers, body),) = webhook.got
    assert headers["content-type"] == "application/json"
    assert msgspec.json.decode(body) == {
        "type": "headrace.alert.raised",
        "timestamp": "2025-11-24T16:00:00.000+00:00",
        "text": "[Headrace staging] it waits 9 min",
        "data": {**msgspec.to_builtins(ALERT), "environment": "staging"},
    }
    assert (notifier.told.sent, notifier.told.waiting, notifier.told.at) == (1, 0, EPOCH)


def test_it_is_signed_as_standard_webhooks_want_it(webhook: AnsweringWebhook) -> None:
    notifier = Notifier(webhook.url, Signer([Secret(SECRET)]).sign, SystemClock())

    notifier.tell(notices("x"))
    notifier.work()

    ((headers, body),) = webhook.got
    Webhook(SECRET).verify(body, headers)


def test_what_is_resolved_or_still_open_says_so(webhook: AnsweringWebhook) -> None:
    notifier = Notifier(webhook.url, None, FakeClock())

    notifier.tell([Notice(kind="open", alert=ALERT), Notice(kind="resolved", alert=ALERT)])
    notifier.work()

    assert webhook.texts == ["[Headrace] still: it waits 9 min", "[Headrace] resolved: it waits 9 min"]


def test_what_is_not_taken_is_posted_again_later_and_first(webhook: AnsweringWebhook) -> None:
    clock = FakeClock()
    notifier = Notifier(webhook.url, None, clock)
    webhook.answers = [503]

    notifier.tell(notices("first", "second"))
    notifier.work()
    notifier.work()
    assert (len(webhook.got), notifier.told.trouble, notifier.told.waiting) == (1, "it answers 503", 2)
    clock.advance(10.0)
    notifier.work()

    assert webhook.texts == ["[Headrace] first", "[Headrace] first", "[Headrace] second"]
    assert (notifier.told.sent, notifier.told.failed, notifier.told.trouble) == (2, 1, "")


def test_a_redirect_is_not_followed(webhook: AnsweringWebhook) -> None:
    notifier = Notifier(webhook.url, None, FakeClock())
    webhook.answers = [302]

    notifier.tell(notices("x"))
    notifier.work()

    assert (len(webhook.got), notifier.told.trouble) == (1, "it answers 302")


def test_one_that_is_never_taken_does_not_hold_the_others_up_for_ever(webhook: AnsweringWebhook) -> None:
    clock = FakeClock()
    notifier = Notifier(webhook.url, None, clock)
    webhook.answers = [400] * TRIES

    notifier.tell(notices("bad", "good"))
    for _ in range(TRIES + 1):
        notifier.work()
        clock.advance(400.0)

    assert webhook.texts[-1] == "[Headrace] good"
    assert (notifier.told.given_up, notifier.told.sent, notifier.told.waiting) == (1, 1, 0)


def test_what_waits_is_bounded() -> None:
    notifier = Notifier("http://127.0.0.1:9/", None, FakeClock())

    notifier.tell(notices(*map(str, range(WAITING + 5))))

    assert (notifier.told.waiting, notifier.told.given_up) == (WAITING, 5)


def test_nobody_there_is_said_in_words() -> None:
    notifier = Notifier("http://127.0.0.1:9/", None, FakeClock())

    assert "refused" in notifier.test()
    assert "refused" in notifier.told.test_trouble


def test_without_a_webhook_nothing_waits_and_a_test_says_what_to_set() -> None:
    notifier = Notifier("", None, FakeClock())

    notifier.tell(notices("x"))
    notifier.work()

    assert notifier.told.waiting == 0
    with pytest.raises(UsageError, match=r"set alerts\.url"):
        notifier.test()


def test_a_test_is_one(webhook: AnsweringWebhook) -> None:
    notifier = Notifier(webhook.url, None, FakeClock())

    assert notifier.test() == ""
    assert msgspec.json.decode(webhook.got[0][1])["type"] == "headrace.alert.test"
    assert (notifier.told.tested_at, notifier.told.sent) == (EPOCH, 0)
