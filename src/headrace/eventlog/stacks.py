"""The frames of a stack that was told as one text, in any language."""

import re

_PYTHON_FRAME = re.compile(r'^\s*File "(?P<file>[^"\n]*)", line (?P<line>\d+), in (?P<function>.+)$', re.MULTILINE)
FRAMES = 3
"""The frames of a stack that are told: those nearest to the place that threw."""


def frames(stack: str) -> tuple[str, ...]:
    """Return the frames of *stack* nearest to the place that threw, that one last; other languages' lines as they are.

    Python tells the nearest frame last; Java, Apex and JavaScript tell it first, on lines that begin with `at` or
    `Class.`.
    """
    return all_frames(stack)[-FRAMES:]


def all_frames(stack: str) -> tuple[str, ...]:
    """Return every frame of *stack*, as `frames` does."""
    return known_frames(stack) or tuple(line.strip() for line in stack.splitlines() if line.strip())


def known_frames(stack: str) -> tuple[str, ...]:
    """Return the lines of *stack* that are frames in a language whose stacks are known."""
    python = [f"{found['file']}:{found['line']} in {found['function']}" for found in _PYTHON_FRAME.finditer(stack)]
    if python:
        return tuple(python)
    lines = map(str.strip, stack.splitlines())
    return tuple(line for line in lines if line.startswith(("at ", "Class.")))[::-1]
