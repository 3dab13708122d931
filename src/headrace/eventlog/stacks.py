"""The frames of a stack that was told as one text, in any language."""

import re

FRAMES = 3
"""The frames of a stack that are told: those nearest to the place that threw."""

_PYTHON = re.compile(r'^[ \t]*File "(?P<file>[^"\n]*)", line (?P<line>\d+), in (?P<function>.+)$', re.MULTILINE)
_GO = re.compile(
    r"^(?:created by )?(?P<function>\S+?)(?:\([^()\n]*\))?(?: in goroutine \d+)?\r?\n"
    r"[ \t]+(?P<file>\S+\.go):(?P<line>\d+)(?: \+0x[0-9a-f]+)?\r?$",
    re.MULTILINE,
)
"""Two lines a frame; what the function was called with are addresses."""

_LINE = re.compile(r"(?:at |Class\.).*|(?:from )?(?P<ruby>\S.*?:\d+:in [`'][^'\n]+')(?:: .*)?")
"""A frame of Java, .NET and JavaScript, of Apex, or of Ruby, which has the message after its first one."""


def frames(stack: str) -> tuple[str, ...]:
    """Return the frames of *stack* nearest to the place that threw, that one last; other languages' lines as they are.

    Python tells the nearest frame last, all others that are known tell it first.
    """
    return all_frames(stack)[-FRAMES:]


def all_frames(stack: str) -> tuple[str, ...]:
    """Return every frame of *stack*, as `frames` does."""
    return known_frames(stack) or tuple(line.strip() for line in stack.splitlines() if line.strip())


def known_frames(stack: str) -> tuple[str, ...]:
    """Return the lines of *stack* that are frames in a language whose stacks are known."""
    if python := _placed(_PYTHON, stack):
        return python
    if go := _placed(_GO, stack):
        return go[::-1]
    found = (_LINE.fullmatch(line.strip()) for line in stack.splitlines())
    return tuple(each["ruby"] or each[0] for each in found if each)[::-1]


def _placed(frame: re.Pattern[str], stack: str) -> tuple[str, ...]:
    return tuple(f"{found['file']}:{found['line']} in {found['function']}" for found in frame.finditer(stack))
