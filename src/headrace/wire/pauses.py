"""Pauses on the control topic: JSON under the key `pause/` and what is paused. No value means that it goes on."""

import msgspec

from headrace.model.pause import Pause

_KIND = "pause/"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Pause).decode


def key(pause: Pause) -> bytes:
    """Return the key under which *pause* stands."""
    return f"{_KIND}{pause.name}".encode()


def encode(pause: Pause) -> bytes:
    """Write *pause* as a value."""
    return _encode(pause)


def name_of(key: bytes | None) -> str | None:
    """Return the name of the pause that *key* is about; None when it is about something else."""
    try:
        text = (key or b"").decode()
    except UnicodeDecodeError:
        return None
    return text.removeprefix(_KIND) if text.startswith(_KIND) else None


def decode(value: bytes) -> Pause | None:
    """Read a value; None when it is no pause."""
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
