"""Exceptions of the event log in memory: what folding says of each org, put together."""

from collections.abc import Mapping
from typing import NamedTuple

from headrace.eventlog.fold import ExceptionSum, Folded
from headrace.eventlog.pages import (
    ExceptionQuery,
    ExceptionSummary,
    Hit,
    HitQuery,
    OrgHit,
    State,
    most_urgent,
    state_of,
)
from headrace.eventlog.upkeep import Action


class Decision(NamedTuple):
    """What somebody decided about one org's exception; a resolved one is so up to *until*."""

    action: Action
    until: float
    at: float
    by: str


def groups(
    folded: Folded, decisions: Mapping[tuple[str, str], Decision], query: ExceptionQuery, now: float
) -> list[ExceptionSummary]:
    """Return the groups that *query* asks for, in its order."""
    parts: dict[str, list[ExceptionSum]] = {}
    for each in folded.exceptions.values():
        texts = (each.type, each.culprit, each.frame, each.message)
        if query.org in (None, each.org) and any(query.text.lower() in text.lower() for text in texts):
            parts.setdefault(each.fingerprint, []).append(each)
    found = [_group(sums, folded, decisions, now) for sums in parts.values()]
    found = [
        each
        for each in found
        if query.fingerprint in (None, each.fingerprint)
        and query.state in (None, each.state)
        and (query.since is None or each.last_at >= query.since)
        and (query.until is None or each.first_at < query.until)
    ]
    if query.order == "events":
        return sorted(found, key=lambda each: (each.count, each.fingerprint), reverse=True)
    return sorted(found, key=lambda each: (each.last_at, each.fingerprint), reverse=True)


def hits(folded: Folded, query: HitQuery) -> list[Hit]:
    """Return the sessions that an exception hit, the last hit first."""
    found = [
        Hit(
            org=each.org,
            session=each.session,
            count=each.count,
            first_at=each.first_at,
            last_at=each.last_at,
            bot=folded.sessions[each.org, each.session].bot,
            version=folded.sessions[each.org, each.session].version,
        )
        for each in folded.hits.values()
        if each.fingerprint == query.fingerprint and query.org in (None, each.org)
    ]
    return sorted(found, key=lambda each: (each.last_at, each.org, each.session), reverse=True)


def hit_orgs(folded: Folded, org: str | None, fingerprint: str) -> list[OrgHit]:
    """Return the orgs that an exception hit, those with the most events first."""
    found = [
        OrgHit(
            org=each.org,
            count=each.count,
            sessions=_sessions(folded, each),
            first_at=each.first_at,
            last_at=each.last_at,
        )
        for each in folded.exceptions.values()
        if each.fingerprint == fingerprint and org in (None, each.org)
    ]
    return sorted(found, key=lambda each: (-each.count, each.org))


def _group(
    sums: list[ExceptionSum], folded: Folded, decisions: Mapping[tuple[str, str], Decision], now: float
) -> ExceptionSummary:
    last = min(sums, key=lambda each: (tuple(-byte for byte in each.last_rank), each.org))
    decision = decisions.get((last.org, last.fingerprint))
    return ExceptionSummary(
        fingerprint=last.fingerprint,
        type=last.type,
        culprit=last.culprit,
        frame=last.frame,
        state=most_urgent([_state(each, decisions.get((each.org, each.fingerprint)), now) for each in sums]),
        count=sum(each.count for each in sums),
        sessions=sum(_sessions(folded, each) for each in sums),
        orgs=len(sums),
        first_at=min(each.first_at for each in sums),
        last_at=max(each.last_at for each in sums),
        origin=last.origin,
        message=last.message,
        stack=last.stack,
        last_org=last.org,
        last_session=last.last_session,
        last_id=last.last_id,
        changed_by=decision.by if decision else "",
        changed_at=decision.at if decision else None,
    )


def _sessions(folded: Folded, whole: ExceptionSum) -> int:
    return sum((org, fingerprint) == (whole.org, whole.fingerprint) for org, fingerprint, _ in folded.hits)


def _state(whole: ExceptionSum, decision: Decision | None, now: float) -> State:
    return state_of(
        ignored=decision is not None and decision.action == "ignore",
        resolved_at=decision.until if decision is not None and decision.action == "resolve" else None,
        first_at=whole.first_at,
        last_at=whole.last_at,
        now=now,
    )
