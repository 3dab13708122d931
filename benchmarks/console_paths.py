"""The pages of the console that read the event log or its dead letters, with filters that make them work: for
`console_pages.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from dead_letters import BOOKED
from eventlog_pages import DAY, ORGS
from headrace.console.dead.redriving import DEED
from headrace.console.links import link
from headrace.console.view import View
from headrace.console.views.every import VIEWS
from headrace.console.web.answers import API
from headrace.eventlog.opening import Store
from headrace.eventlog.pages import ExceptionQuery, ExceptionSummary, SessionQuery
from headrace.eventlog.port import EventQuery
from headrace.eventlog.trail import Deed, DeedQuery
from long_session import EVENTS, SESSION, batches

LARGEST = ORGS[0]
JOBS = 100
"""Of each org."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One page or document, *path* with its query, asked by *who*."""

    who: str
    view: str
    what: str
    path: str

    @property
    def name(self) -> str:
        kind = "api" if self.path.startswith(API) else "page"
        return f"{self.who}: {self.view}{self.what and f', {self.what}'} ({kind})"


def who_asks(store: Store) -> dict[str, str | None]:
    """Return by who asks the one org that they may see: the largest, the smallest in which something failed, or all."""
    small = next(org for org in reversed(ORGS) if store.find_exceptions(ExceptionQuery(org=org, limit=1)).rows)
    return {"viewer": LARGEST, "small org": small, "operator": None}


def questions(store: Store, now: float) -> list[Question]:
    """Return every question, each as a page and as JSON; add the long session and jobs to *store* if it has none."""
    if not store.find_sessions(SessionQuery(org=LARGEST, session=SESSION)).rows:
        for batch in batches(LARGEST, now - 3600):
            store.upsert(batch)
    if not store.deeds(DeedQuery(org=None, action=DEED, limit=1)).rows:
        _redrive(store, now)
    views = {view.name: view for view in VIEWS}
    found: list[Question] = []
    for who, org in who_asks(store).items():
        for name, asked in (_asked(store, org, now) | (_of_orgs() if org is None else {})).items():
            found += _both(who, views[name], asked)
    return found


def unasked(asked: Sequence[Question]) -> list[str]:
    """Name the views that nobody asks here: they read Kafka, or what the console remembers."""
    return sorted({view.name for view in VIEWS} - {each.view for each in asked})


def _redrive(store: Store, now: float) -> None:
    """Note jobs of each org, as a console does that made them."""
    for org in ORGS:
        for number in range(JOBS):
            detail = msgspec.json.encode({"total": 100, "rate": 50.0, "wanted": {"org": org}}).decode()
            answer = msgspec.json.encode({"state": "done", "redriven": 90, "records": 90, "skipped": 10}).decode()
            job, at = _job(org, number), now - 60.0 * (JOBS - number)
            store.note(
                Deed(
                    id=job,
                    at=at,
                    who="ada",
                    action=DEED,
                    org=org,
                    target=job,
                    detail=detail,
                    result="done",
                    answer=answer,
                )
            )


def _job(org: str, number: int) -> str:
    return f"job-{number}-of-{org}"


def _of_orgs() -> dict[str, dict[str, dict[str, Any]]]:
    return {
        "orgs": {
            "": {},
            "500": {"limit": 500},
            "with trouble": {"trouble": True},
            "a text": {"text": "OTHER-001"},
            "the last": {"after": BOOKED - 100},
        }
    }


def _both(who: str, view: View, asked: Mapping[str, Mapping[str, Any]]) -> Iterator[Question]:
    for what, values in asked.items():
        path = link(view.path, values)
        if view.has_page:
            yield Question(who=who, view=view.name, what=what, path=path)
        yield Question(who=who, view=view.name, what=what, path=API + path)


def _asked(store: Store, org: str | None, now: float) -> dict[str, dict[str, dict[str, Any]]]:
    """Return by view, and by what is special about them, the values of each ask."""
    whose = org or LARGEST
    top = _worst_exception(store, org)
    usual = store.find_sessions(SessionQuery(org=org, errors=True, limit=2)).rows[-1]
    asked: dict[str, dict[str, dict[str, Any]]] = {
        "overview": {span: {"range": span} for span in ("1h", "24h", "7d")},
        "org": {"": {"org": whose}, "7d": {"org": whose, "range": "7d"}},
        "destinations": {"": {}},
        "destination": {
            tab: {"destination": "log", "tab": tab, "range": "7d"} for tab in ("overview", "attempts", "settings")
        },
        "trail": {"": {}, "of a kind": {"action": "redrive"}},
        "books": {"": {}},
        "jobs": {"": {}, "500": {"limit": 500}},
        "job": {"": {"id": _job(whose, JOBS - 1)}},
        "letter": {"": {"partition": ORGS.index(whose), "offset": 0}},
        "dead": {
            "": {},
            "all, by destination": {"by": "destination", "state": "all"},
            "a text": {"text": "kind 17", "limit": 500},
            "a day": {"since": now - 3 * DAY, "until": now - 2 * DAY},
        },
        "plan": {"": {}, "of a reason": {"reason": "gave_up"}},
        "sessions": {
            "": {},
            "500": {"limit": 500},
            "a day": {"since": now - 9 * DAY, "until": now - 8 * DAY},
            "a week": {"within": "7d"},
            "errors": {"errors": True},
            "errors of a bot": {"errors": True, "bot": "bot-1"},
            "ended in error": {"end_type": "error"},
            "open": {"open": True},
            "a text": {"text": "ordernotfound"},
            "a text that is nowhere": {"text": "no such text"},
            "in the middle": {"after": store.find_sessions(SessionQuery(org=org, limit=1, until=now - 15 * DAY)).next},
        },
        "exceptions": {
            "": {},
            "500": {"limit": 500},
            "new": {"state": "new"},
            "a text": {"text": "action17"},
            "by events": {"order": "events"},
            "by events, 500": {"order": "events", "limit": 500},
            "by events, a text": {"order": "events", "text": "action17"},
            "by events, in the middle": {
                "order": "events",
                "after": store.find_exceptions(ExceptionQuery(org=org, order="events", limit=20)).next,
            },
        },
        # An operator's has the table of the orgs that it hit.
        "exception": {
            "": {"fingerprint": top.fingerprint},
            "500 sessions": {"fingerprint": top.fingerprint, "limit": 500},
        },
        "erase_session": {"": {"org": usual.org, "session": usual.session}},
        "erase_user": {"": {"org": whose, "user": "u-17"}},
        **_of_session("25 events", store, usual.org, usual.session, seq=12),
    }
    if org in {LARGEST, None}:
        for view, values in _of_session("10,000 events", store, LARGEST, SESSION, seq=EVENTS * 3 // 4).items():
            asked[view] |= values
    return asked


def _worst_exception(store: Store, org: str | None) -> ExceptionSummary:
    return store.find_exceptions(ExceptionQuery(org=org, order="events", limit=1)).rows[0]


def _of_session(what: str, store: Store, org: str, session: str, *, seq: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what is asked of one session: its three views, from the begin and around one step, and one event of it."""
    of = {"org": org, "session": session}
    event = store.find_events(EventQuery(org=org, session=session, seq_from=seq, limit=1)).rows[0]
    told: dict[str, dict[str, Any]] = {}
    for view in ("conversation", "timeline", "log"):
        told[f"{view} of {what}"] = {**of, "view": view}
        told[f"{view} of {what}, at a step"] = {**of, "view": view, "step": str(seq)}
    return {
        "session": told,
        "events": {what: of},
        "event": {what: {**of, "id": event.id}},
        "journey": {what: {**of, "id": event.id}},
    }
