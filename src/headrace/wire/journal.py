"""The segment format of the emitter's journal: bytes to frames and back.

A segment is `MAGIC` and then frames. A frame is `MARK`, the CRC-32 of what follows, the lengths of topic, key and value
(16, 16 and 32 bits; all numbers little-endian), and these three. The mark lets a reader find the next frame behind
damage, so that one bad byte hides one frame, not the rest of the file.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

import msgspec

MAGIC = b"HRSEG\r\n\x01"
MARK = b"\xf5\x9dHR"

_HEAD = struct.Struct("<4sI")
_LENGTHS = struct.Struct("<HHI")
_BODY = _HEAD.size + _LENGTHS.size

KEY_BYTES = 0xFFFF
"""A key cannot be longer than this."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One record as the journal holds it."""

    topic: bytes
    key: bytes
    value: bytes


class Damaged(msgspec.Struct, frozen=True):
    """Bytes between frames that are no frame: flipped bits, or the torn end of a write that a crash cut off."""

    bytes: bytes


def encode(topic: bytes, key: bytes, value: bytes) -> bytes:
    """Write one frame."""
    body = b"".join((_LENGTHS.pack(len(topic), len(key), len(value)), topic, key, value))
    return MARK + crc32(body).to_bytes(4, "little") + body


class Found(NamedTuple):
    """What stands in a segment from *start* to *stop*."""

    start: int
    stop: int
    what: Frame | Damaged


def read(segment: bytes) -> Iterator[Frame | Damaged]:
    """Yield the frames of *segment* in order, and what lies between them when it is damaged. Nothing raises."""
    return (found.what for found in scan(segment))


def scan(segment: bytes, base: int = 0) -> Iterator[Found]:
    """Do as `read`, and tell where each stands when *segment* is a piece of a file that begins at *base* there."""
    at = len(MAGIC) if segment.startswith(MAGIC) else 0
    while at < len(segment):
        framed = _frame(segment, at)
        if framed is not None:
            frame, behind = framed
            yield Found(base + at, base + behind, frame)
        else:
            behind = _next_frame(segment, at + 1)
            yield Found(base + at, base + behind, Damaged(segment[at:behind]))
        at = behind


def frame_of(encoded: bytes) -> Frame | None:
    """Read the frame that *encoded* begins with; None when there is none."""
    found = _frame(encoded, 0)
    return found[0] if found else None


def _frame(segment: bytes, at: int) -> tuple[Frame, int] | None:
    """Read the frame at *at* and where it ends; None when there is none."""
    if at + _BODY > len(segment):
        return None
    mark, crc = _HEAD.unpack_from(segment, at)
    if mark != MARK:
        return None
    topic_length, key_length, value_length = _LENGTHS.unpack_from(segment, at + _HEAD.size)
    topic = at + _BODY
    key = topic + topic_length
    value = key + key_length
    end = value + value_length
    if end > len(segment) or crc32(memoryview(segment)[at + _HEAD.size : end]) != crc:
        return None
    return Frame(segment[topic:key], segment[key:value], segment[value:end]), end


def _next_frame(segment: bytes, at: int) -> int:
    """Find where the next whole frame begins; the end of *segment* when there is none."""
    while (at := segment.find(MARK, at)) >= 0:
        if _frame(segment, at) is not None:
            return at
        at += 1
    return len(segment)
