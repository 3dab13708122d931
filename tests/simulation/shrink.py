"""Makes a script that fails smaller, part by part, for as long as it fails in the same way (delta debugging)."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import msgspec

from simulation.script import Script

Kind = Literal["emissions", "spells", "fronts", "faults", "workers"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Fails = Callable[[Script], bool]


class Cut(msgspec.Struct, frozen=True):
    """What is left out of a script: numbers of its parts, by kind."""

    emissions: frozenset[int] = frozenset()
    spells: frozenset[int] = frozenset()
    fronts: frozenset[int] = frozenset()
    faults: frozenset[int] = frozenset()
    workers: frozenset[int] = frozenset()

    def of(self, script: Script) -> Script:
        """Leave these parts out of *script*."""
        changes = {
            kind: tuple(part for number, part in enumerate(getattr(script, kind)) if number not in getattr(self, kind))
            for kind in KINDS
        }
        return msgspec.structs.replace(script, **changes)

    def and_also(self, kind: Kind, numbers: Sequence[int]) -> "Cut":
        return msgspec.structs.replace(self, **{kind: getattr(self, kind) | frozenset(numbers)})

    def __str__(self) -> str:
        """Write it as `emissions:0-3,7 faults:1`, which `parse` reads."""
        return " ".join(f"{kind}:{_spans(sorted(cut))}" for kind in KINDS if (cut := getattr(self, kind)))

    @classmethod
    def parse(cls, text: str) -> "Cut":
        """Read what `str` wrote; raise `ValueError` when it is something else."""
        cut = cls()
        for kind in text.split():
            name, _, spans = kind.partition(":")
            if name not in KINDS:
                raise ValueError(f"{name!r} is no part of a script; there are {', '.join(KINDS)}")
            for span in spans.split(","):
                first, _, last = span.partition("-")
                cut = cut.and_also(name, range(int(first), int(last or first) + 1))
        return cut


def shrink(script: Script, fails: Fails, most: int = 400) -> Cut:
    """Find a cut after which *script* still fails, trying at most so many runs."""
    cut, runs = Cut(), 0
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for kind in KINDS:
            size = max(1, len(getattr(script, kind)) // 2)
            while size:
                left = [number for number in range(len(getattr(script, kind))) if number not in getattr(cut, kind)]
                for start in range(0, len(left), size):
                    smaller = cut.and_also(kind, left[start : start + size])
                    runs += 1
                    if runs > most:
                        return cut
                    if smaller.of(script).workers and fails(smaller.of(script)):
                        cut, is_smaller = smaller, True
                size //= 2
    return cut


def _spans(numbers: Sequence[int]) -> str:
    """Write ascending numbers as `0-3,7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(f"{first}-{last}" if first != last else str(first) for first, last in spans)
