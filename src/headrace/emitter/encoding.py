"""An event as it is sent: a CloudEvent in structured mode, whatever a bot puts into its data."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

REPR_CHARACTERS = 1000
"""A value that cannot be encoded is shown up to this length."""

_DEPTH = 64


class OutgoingEvent(msgspec.Struct, gc=False):
    """The CloudEvents attributes in the order in which they are written (design, section 3.1)."""

    id: str
    source: str
    subject: str
    type: str
    time: str
    seq: int
    data: Mapping[str, Any]
    traceparent: str | UnsetType = UNSET
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


class Encoding:
    """Encodes events and never fails: a value that is no JSON is replaced by its `repr`, and *count*ed."""

    def __init__(self, count: Callable[[], None]) -> None:
        self._count = count
        self._encode = msgspec.json.Encoder(enc_hook=self._shown).encode

    def __call__(self, event: OutgoingEvent) -> bytes:
        try:
            return self._encode(event)
        except Exception:  # noqa: BLE001  a bot's value may raise anything while it is looked at
            event.type = _text(event.type)
            event.data = self._cleaned_items(event.data.items(), 0)
            return self._encode(event)

    def _shown(self, value: object) -> str:
        self._count()
        try:
            text = repr(value)
        except Exception:  # noqa: BLE001
            text = f"<{type(value).__name__} without a repr>"
        return _text(text[:REPR_CHARACTERS])

    def _cleaned(self, value: object, depth: int) -> Any:
        """Rebuild *value* from what JSON has, showing what it has not."""
        if isinstance(value, str):
            text = _text(value)
            if text != value:
                self._count()
            return text
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth < _DEPTH and isinstance(value, dict):
            return self._cleaned_items(list(value.items()), depth)
        if depth < _DEPTH and isinstance(value, list | tuple | set | frozenset):
            return [self._cleaned(item, depth + 1) for item in list(value)]
        return self._shown(value)

    def _cleaned_items(self, items: Iterable[tuple[object, object]], depth: int) -> dict[str, Any]:
        return {
            _text(key) if isinstance(key, str) else self._shown(key): self._cleaned(value, depth + 1)
            for key, value in items
        }


def _text(text: str) -> str:
    """Return *text* as UTF-8 can carry it: lone surrogates are written out."""
    return text.encode("utf-8", "backslashreplace").decode()
