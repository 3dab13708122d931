"""Chooses letters among all that are remembered, with as little work for each as there is to do. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from operator import attrgetter

from headrace.console.dead.letters import Letter, Position, Wanted

_died = attrgetter("died")
_position = attrgetter("partition", "offset")
_texts = attrgetter("error", "id", "type", "session", "org", "destination")


def chosen(letters: Sequence[Letter], redriven: Collection[Position], wanted: Wanted) -> Sequence[Letter]:
    """Return those of *letters*, which come the oldest first, that are *wanted*, in the same order."""
    start = 0 if wanted.since is None else bisect_left(letters, wanted.since, key=_died)
    stop = len(letters) if wanted.until is None else bisect_left(letters, wanted.until, key=_died)
    found = letters if (start, stop) == (0, len(letters)) else letters[start:stop]
    for name in ("org", "destination", "reason", "kind"):
        value = getattr(wanted, name)
        if value is not None:
            found = _equal(found, attrgetter(name), value)
    if wanted.state == "unknown":
        return []
    if wanted.state is not None and (redriven or wanted.state == "redriven"):
        is_sought = wanted.state == "redriven"
        places = map(_position, found)
        found = [each for each, place in zip(found, places, strict=True) if (place in redriven) == is_sought]
    return _telling(found, wanted.text.lower()) if wanted.text else found


def _equal(letters: Sequence[Letter], read: Callable[[Letter], str], value: str) -> Sequence[Letter]:
    return [each for each in letters if read(each) == value]


def _telling(letters: Sequence[Letter], sought: str) -> Sequence[Letter]:
    return [each for each in letters if sought in "\0".join(_texts(each)).lower()]
