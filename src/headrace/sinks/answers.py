"""What an HTTP answer means: the table of design section 3.3, row by row, and nothing else.

Whatever is not clearly said counts as not delivered and not rejected, since a repeat costs a request and a wrong
guess costs an event.
"""

import codecs
from collections.abc import Sequence
from http import HTTPStatus
from typing import Literal

import msgspec

from headrace.model.mark import ERROR_BYTES
from headrace.model.outcome import (
    AllDelivered,
    Answer,
    Busy,
    Delivered,
    Each,
    Misconfigured,
    Outcome,
    Refused,
    Rejected,
    Retryable,
    TooLarge,
)

EXCERPT_BYTES = 200
"""How much of an answer's body is quoted in a reason."""

_NAMES = {status.value: status.phrase for status in HTTPStatus}
_BUSY = frozenset({408, 425, 429})
_REFUSED = frozenset({400, 422})
_DELIVERED = Delivered()
_UNNAMED = Retryable("the answer does not name the event")
_CONTRADICTED = Retryable("the answer names the event twice, and contradicts itself")


class _Result(msgspec.Struct):
    id: str
    status: Literal["delivered", "retryable", "rejected"]
    reason: object = None


class _Body(msgspec.Struct):
    results: list[_Result] | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_Body).decode


def read_answer(
    status: int, body: bytes, ids: Sequence[str], *, wait: float | None = None, whole: bool = True
) -> Answer:
    """Judge the answer to a post of the events *ids*; never raises, whatever the destination sent.

    *wait* is what `Retry-After` asks for, in seconds. *whole* is False when *body* is only the beginning of a body
    that was too long to be read.
    """
    if 200 <= status < 300:
        return _read_success(status, body, ids, whole=whole)
    reason = describe(status, body)
    if status in _BUSY or 500 <= status < 600:
        return Busy(reason, wait)
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TooLarge(reason)
    if status in _REFUSED:
        return Refused(reason)
    return Misconfigured(reason, wait)


def describe(status: int, body: bytes) -> str:
    """Return one printable line about an answer: its status, the status's name, and how the body begins."""
    text = " ".join(body[:EXCERPT_BYTES].decode(errors="replace").split())
    quote = "".join(character for character in text if character.isprintable())
    head = f"HTTP {status} {_NAMES.get(status, '')}".rstrip()
    return f"{head}: {quote}" if quote else head


def _read_success(status: int, body: bytes, ids: Sequence[str], *, whole: bool) -> Answer:
    text = body.removeprefix(codecs.BOM_UTF8).lstrip()
    results: list[_Result] | msgspec.UnsetType = msgspec.UNSET
    if text.startswith(b"{"):
        if not whole:
            return Busy(f"HTTP {status} with an answer that is too long to be read")
        try:
            text.decode()
            results = _decode(text).results
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Busy(f"HTTP {status} with an answer that cannot be read: {error}")
    if not isinstance(results, msgspec.UnsetType):
        return _read_results(results, ids)
    if status == HTTPStatus.MULTI_STATUS:
        return Busy("HTTP 207 without results")
    return AllDelivered()


def _read_results(results: list[_Result], ids: Sequence[str]) -> Each:
    said: dict[str, Outcome] = {}
    for result in results:
        outcome = _outcome(result)
        before = said.setdefault(result.id, outcome)
        if type(before) is not type(outcome):
            said[result.id] = _CONTRADICTED
    return Each(tuple(said.get(event, _UNNAMED) for event in ids))


def _outcome(result: _Result) -> Outcome:
    if result.status == "delivered":
        return _DELIVERED
    given = result.reason if isinstance(result.reason, str) else ""
    reason = given[:ERROR_BYTES] or f"the destination answered {result.status}"
    return Retryable(reason) if result.status == "retryable" else Rejected(reason)
