"""The trail of the event log in memory."""

from collections.abc import Iterable

import msgspec

from headrace.eventlog.trail import Deed, DeedQuery, cut


def noted(deeds: dict[str, Deed], deed: Deed) -> None:
    """Write *deed* among *deeds*, or how it ended."""
    kept = cut(deed)
    before = deeds.get(deed.id, kept)
    deeds[deed.id] = msgspec.structs.replace(before, result=kept.result, answer=kept.answer)


def sought(deeds: Iterable[Deed], query: DeedQuery) -> list[Deed]:
    """Return the deeds that *query* asks for, the last first."""
    return sorted(
        (each for each in deeds if _is_sought(each, query)), key=lambda each: (each.at, each.id), reverse=True
    )


def _is_sought(deed: Deed, query: DeedQuery) -> bool:
    named = ("org", "who", "action", "target", "result")
    texts = (deed.who, deed.target, deed.detail, deed.answer)
    return (
        all(getattr(query, name) in (None, getattr(deed, name)) for name in named)
        and (query.since is None or deed.at >= query.since)
        and (query.until is None or deed.at < query.until)
        and any(query.text.lower() in text.lower() for text in texts)
    )
