"""An error that was told as one text, where the taxonomy has an object."""

import re
from typing import NamedTuple

from headrace.eventlog.stacks import known_frames

_HEAD = re.compile(
    r"(?P<type>(?:[\w$]+\.)*[A-Z][\w$]*)"
    r"(?:: (?P<said>.+)|\((?P<quote>['\"])(?P<quoted>[^'\"\\]*)(?P=quote)\)|(?:(?<=Error)|(?<=Exception))(?:\(\))?)",
    re.DOTALL,
)
"""`ValueError: boom`, `ValueError('boom')`, and a name alone that ends as those of exceptions do."""


class Parts(NamedTuple):
    """What a text says. *type* is empty where it names none, *stack* where it has no frames."""

    type: str
    message: str
    stack: str


def take_apart(text: str) -> Parts:
    """Take *text* apart where that is plain, else it is the message: one that is wrongly cut says less than before."""
    head = text.strip()
    # One line is no stack, though it may begin as a frame does: "at least one is missing".
    frames = known_frames(text) if "\n" in head else ()
    if frames:
        lines = head.splitlines()
        # Python says what was raised after the frames, all others before.
        head = lines[-1 if lines[0].startswith("Traceback") else 0].strip()
    found = _HEAD.fullmatch(head)
    stack = text if frames else ""
    if found is None:
        return Parts("", head, stack)
    return Parts(found["type"], found["said"] or found["quoted"] or "", stack)
