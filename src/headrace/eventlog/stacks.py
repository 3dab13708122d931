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
    python = [f"{found['file']}:{found['line']} in {found['function']}" for found in _PYTHON_FRAME.finditer(stack)]
    if python:
        return tuple(python)
    lines = [line.strip() for line in stack.splitlines() if line.strip()]
    nearest_first = [line for line in lines if line.startswith(("at ", "Class."))]
    return tuple(nearest_first[::-1] or lines)
