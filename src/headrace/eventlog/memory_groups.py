"""Exceptions of the event log in memory: what folding says of each org, put together."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeVar

from headrace.eventlog.fold import EXCEPTION, HIT, ExceptionSum, Folded, HitSum, SessionSum
from headrace.eventlog.merging import NEVER_LAST, Merging
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

K = TypeVar("K", tuple[str, str], tuple[str, str, str])
T = TypeVar("T")


class Decision(NamedTuple):
    """What somebody decided about one org's exception; a resolved one is so up to *until*."""

    action: Action
    until: float
    at: float
    by: str


class Groups:
    """The exceptions and what they hit: sums that outlive their events, as the tables of the other stores do."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], ExceptionSum] = {}
        self._hits: dict[tuple[str, str, str], HitSum] = {}
        self._decisions: dict[tuple[str, str], Decision] = {}

    def add(self, folded: Folded) -> None:
        """Merge what new events add."""
        for key, hit in folded.hits.items():
            if key not in self._hits:
                folded.exceptions[key[:2]].sessions += 1
            _merge(HIT, self._hits, key, hit)
        for group, part in folded.exceptions.items():
            _merge(EXCEPTION, self._sums, group, part)

    def erase(self, org: str, session: str, left: Folded) -> None:
        """Take away what *session* added; *left* is folded from the events that are left."""
        for key in [key for key in self._hits if (key[0], key[2]) == (org, session)]:
            self._take(key[:2], self._hits.pop(key))
        for group, whole in self._sums.items():
            if (whole.org, whole.last_session) == (org, session):
                _show(whole, left.exceptions.get(group))

    def expire(self, before: float, sessions: Collection[tuple[str, str]]) -> None:
        """Forget what was seen last before *before*, and all hits but those of *sessions*."""
        self._hits = {key: hit for key, hit in self._hits.items() if (key[0], key[2]) in sessions}
        for group in [group for group, whole in self._sums.items() if whole.last_at < before]:
            self._drop(group)

    def decide(self, org: str | None, fingerprint: str, action: Action, by: str, now: float) -> int:
        """Note what a person decided about an exception."""
        chosen = [group for group in self._sums if group[1] == fingerprint and org in (None, group[0])]
        for group in chosen:
            self._decisions[group] = Decision(action, max(now, self._sums[group].last_at), now, by)
        return len(chosen)

    def find(self, query: ExceptionQuery, now: float) -> list[ExceptionSummary]:
        """Return the groups that *query* asks for, in its order."""
        parts: dict[str, list[ExceptionSum]] = {}
        for each in self._sums.values():
            texts = (each.type, each.culprit, each.frame, each.message)
            if query.org in (None, each.org) and any(query.text.lower() in text.lower() for text in texts):
                parts.setdefault(each.fingerprint, []).append(each)
        found = [_group(sums, self._decisions, now) for sums in parts.values()]
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

    def orgs(self, org: str | None, fingerprint: str) -> list[OrgHit]:
        """Return the orgs that an exception hit, those with the most events first."""
        found = [
            OrgHit(org=each.org, count=each.count, sessions=each.sessions, first_at=each.first_at, last_at=each.last_at)
            for each in self._sums.values()
            if each.fingerprint == fingerprint and org in (None, each.org)
        ]
        return sorted(found, key=lambda each: (-each.count, each.org))

    def hits(self, query: HitQuery, sessions: Mapping[tuple[str, str], SessionSum]) -> list[Hit]:
        """Return those of *sessions* that an exception hit, the last hit first."""
        found = [
            Hit(
                org=each.org,
                session=each.session,
                count=each.count,
                first_at=each.first_at,
                last_at=each.last_at,
                bot=sessions[each.org, each.session].bot,
                version=sessions[each.org, each.session].version,
            )
            for each in self._hits.values()
            if each.fingerprint == query.fingerprint and query.org in (None, each.org)
        ]
        return sorted(found, key=lambda each: (each.last_at, each.org, each.session), reverse=True)

    def _take(self, group: tuple[str, str], gone: HitSum) -> None:
        whole = self._sums[group]
        whole.count -= gone.count
        whole.sessions -= 1
        left = [hit for key, hit in self._hits.items() if key[:2] == group]
        if not left:
            if whole.count <= 0:
                self._drop(group)
            return
        if whole.count <= sum(hit.count for hit in left):
            whole.first_at = min(hit.first_at for hit in left)
        whole.last_at = max(hit.last_at for hit in left)

    def _drop(self, group: tuple[str, str]) -> None:
        del self._sums[group]
        self._decisions.pop(group, None)


def _merge(rule: Merging, wholes: dict[K, T], key: K, part: T) -> None:
    if key in wholes:
        rule.merge(wholes[key], part)
    else:
        wholes[key] = part


def _show(whole: ExceptionSum, other: ExceptionSum | None) -> None:
    """Let *whole* show the example of *other*, or none."""
    nothing = {"last_rank": NEVER_LAST} | dict.fromkeys(EXCEPTION.last["last_rank"], "")
    for column, default in nothing.items():
        setattr(whole, column, default if other is None else getattr(other, column))


def _group(sums: list[ExceptionSum], decisions: Mapping[tuple[str, str], Decision], now: float) -> ExceptionSummary:
    last = min(sums, key=lambda each: (tuple(-byte for byte in each.last_rank), each.org))
    decision = decisions.get((last.org, last.fingerprint))
    return ExceptionSummary(
        fingerprint=last.fingerprint,
        type=last.type,
        culprit=last.culprit,
        frame=last.frame,
        state=most_urgent([_state(each, decisions.get((each.org, each.fingerprint)), now) for each in sums]),
        count=sum(each.count for each in sums),
        sessions=sum(each.sessions for each in sums),
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
