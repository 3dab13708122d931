"""What threw: an exception as it is shown, with the frames of the bot's own code told apart from those of others."""

import msgspec

from headrace.console.telling.texts import Shown, shown
from headrace.eventlog import fingerprint
from headrace.eventlog.stacks import all_frames
from headrace.eventlog.told import Told

MOST = 200
"""Frames that are shown, those nearest to the place that threw."""

LONGEST = 500
"""Characters that are shown of a frame."""

MESSAGE = 600
"""Characters that are shown of a message."""


class Frame(msgspec.Struct, frozen=True):
    """One frame of a stack. *is_own*: of the code that the bot's developer wrote."""

    text: str
    is_own: bool


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """An exception. *culprit* is the action, or the dialog and step; *frames* come nearest last."""

    origin: str
    type: str
    message: Shown
    code: str
    culprit: str
    fingerprint: str
    frames: list[Frame]


def fault_of(value: bytes) -> Fault | None:
    """Return the exception that the event *value* tells, if any."""
    error = Told(value).error()
    if error is None:
        return None
    known = fingerprint.failure(value)
    return Fault(
        origin=known.origin,
        type=shown(known.type).text,
        message=shown(error.message, MESSAGE),
        code=shown(error.code, 100).text,
        culprit=shown(known.culprit).text,
        fingerprint=known.fingerprint,
        frames=frames_of(error.stack),
    )


def frames_of(stack: str) -> list[Frame]:
    """Return the frames of a stack, told as one text in any language."""
    return marked(all_frames(stack)[-MOST:])


def marked(frames: tuple[str, ...]) -> list[Frame]:
    """Return *frames* with what is known of each."""
    return [Frame(shown(each, LONGEST).text, fingerprint.is_own(each)) for each in frames]
