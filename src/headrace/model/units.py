"""Durations and sizes as people write them: `20ms`, `5s`, `7d`, `64KiB`, `1MiB`."""

import re
from typing import Self

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_SIZE = re.compile(r"(\d+)(B|KiB|MiB|GiB|TiB)?")
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


class Duration(float):
    """A span of time in seconds, written `250ms`, `5s`, `30m`, `24h` or `7d`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read *text*; raise `ValueError` with an example when it is no duration."""
        match = _DURATION.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a duration such as '250ms', '5s', '30m', '24h' or '7d'")
        return cls(float(match[1]) * _SECONDS[match[2]])

    def __str__(self) -> str:
        for unit, seconds in _SECONDS.items():
            count = self / seconds
            if count >= 1 and count == int(count):
                return f"{int(count)}{unit}"
        return f"{self * 1000:g}ms"

    def __repr__(self) -> str:
        return f"Duration({str(self)!r})"


class Size(int):
    """A number of bytes, written `64KiB`, `1MiB`, `1GiB`, or a bare number."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read *text*; raise `ValueError` with an example when it is no size."""
        match = _SIZE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a size such as '64KiB', '1MiB' or '1GiB'")
        return cls(int(match[1]) * _BYTES[match[2] or "B"])

    def __str__(self) -> str:
        for unit, factor in reversed(_BYTES.items()):
            if self >= factor and self % factor == 0:
                return f"{self // factor}{unit}"
        return f"{int(self)}B"

    def __repr__(self) -> str:
        return f"Size({str(self)!r})"
