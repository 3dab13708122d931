"""Notifications: an alert posted to a webhook, signed after Standard Webhooks, again and again until it is taken."""

import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException

import msgspec
import structlog

from headrace.clock import Clock
from headrace.console.opener import opener
from headrace.console.show import iso
from headrace.core.alerts import Notice
from headrace.errors import UsageError

TIMEOUT = 5.0
WAITING = 100
"""Notifications that wait for the webhook; beyond that the oldest is given up."""

TRIES = 10
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds after which one that was not taken is posted again, doubling."""

Sign = Callable[[Sequence[str], bytes, float], Mapping[str, str]]
"""Returns the headers that sign a body, which is about some ids, at a time."""

_log = structlog.get_logger("headrace.console")


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What is posted: Standard Webhooks' three fields, and *text*, which is what chats show."""

    type: str
    timestamp: str
    text: str
    data: Mapping[str, str | float | None]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """How telling goes. *at* is when one was taken last, *trouble* why the last one was not; so with the last test."""

    is_set: bool = False
    sent: int = 0
    failed: int = 0
    given_up: int = 0
    waiting: int = 0
    at: float | None = None
    trouble: str = ""
    tested_at: float | None = None
    test_trouble: str = ""


class Notifier:
    """Posts to *url*, nowhere if it is empty. `test` may be called by any thread, the rest by one."""

    def __init__(self, url: str, sign: Sign | None, clock: Clock, environment: str = "") -> None:
        self._url = url
        self._sign = sign
        self._clock = clock
        self._environment = environment
        self._opener = opener()
        self._waiting: deque[tuple[str, bytes]] = deque(maxlen=WAITING)
        self._tries = 0
        self._next_at = 0.0
        self._noting = threading.Lock()
        self.told = Told(is_set=bool(url))

    def tell(self, notices: Sequence[Notice]) -> None:
        """Let *notices* wait for `work`."""
        if not self._url:
            return
        for notice in notices:
            self._note(given_up=self.told.given_up + (len(self._waiting) == WAITING))
            self._waiting.append((_id(notice, self._clock.wall()), self._body(notice)))
        self._note(waiting=len(self._waiting))

    def work(self) -> None:
        """Post what waits, until one is not taken."""
        while self._waiting and self._clock.monotonic() >= self._next_at:
            id_, body = self._waiting[0]
            trouble = self._post(id_, body)
            if trouble:
                self._put_off(trouble)
                return
            self._waiting.popleft()
            self._tries = 0
            self._note(sent=self.told.sent + 1, at=self._clock.wall(), trouble="", waiting=len(self._waiting))

    def test(self) -> str:
        """Post a test now; return why it was not taken, or nothing. Raise `UsageError` without a webhook."""
        if not self._url:
            raise UsageError("there is no webhook to test: set alerts.url")
        now = self._clock.wall()
        test = Notification(
            type="headrace.alert.test",
            timestamp=iso(now),
            text=f"{self._prefix}this is a test: alerts of Headrace will arrive here",
            data={"environment": self._environment},
        )
        trouble = self._post(f"test/{now}", msgspec.json.encode(test))
        self._note(tested_at=now, test_trouble=trouble)
        return trouble

    def _put_off(self, trouble: str) -> None:
        self._tries += 1
        if self._tries >= TRIES:
            self._waiting.popleft()
            self._tries = 0
            self._note(given_up=self.told.given_up + 1)
        pause = min(FIRST_PAUSE * 2**self._tries, LONGEST_PAUSE)
        self._next_at = self._clock.monotonic() + pause
        self._note(failed=self.told.failed + 1, trouble=trouble, waiting=len(self._waiting))
        _log.warning("console.notification_failed", error=trouble, again_in=pause)

    def _post(self, id_: str, body: bytes) -> str:
        headers = {"Content-Type": "application/json", "User-Agent": "headrace"}
        if self._sign is not None:
            headers |= self._sign([id_], body, self._clock.wall())
        request = urllib.request.Request(self._url, body, headers)  # noqa: S310  the settings take http and https only
        try:
            with self._opener.open(request, timeout=TIMEOUT):
                return ""
        except urllib.error.HTTPError as error:
            error.close()
            return f"it answers {error.code}"
        except (OSError, HTTPException, ValueError) as error:
            return str(getattr(error, "reason", "") or error or type(error).__name__)

    def _body(self, notice: Notice) -> bytes:
        alert = notice.alert
        begun = {"raised": "", "open": "still: ", "resolved": "resolved: "}[notice.kind]
        return msgspec.json.encode(
            Notification(
                type=f"headrace.alert.{notice.kind}",
                timestamp=iso(self._clock.wall()),
                text=f"{self._prefix}{begun}{alert.says}",
                data={**msgspec.to_builtins(alert), "environment": self._environment},
            )
        )

    @property
    def _prefix(self) -> str:
        return f"[Headrace {self._environment}] " if self._environment else "[Headrace] "

    def _note(self, **told: object) -> None:
        with self._noting:
            self.told = msgspec.structs.replace(self.told, **told)


def _id(notice: Notice, now: float) -> str:
    """Name a notification, so that who gets one twice can tell."""
    alert = notice.alert
    return f"{alert.rule}/{alert.subject}/{alert.raised_at}/{notice.kind}/{now}"
