"""Alerts: what is wrong, what was, and whom the console tells."""

from collections.abc import Sequence

import msgspec

from headrace.console.alarm.notifying import Told
from headrace.console.alarm.symptoms import KEEPER_SILENT, RULES, UNSEEN
from headrace.console.sources import Sources
from headrace.console.view import Action, View
from headrace.console.viewer import Viewer
from headrace.core.alerts import Alert, Rule
from headrace.model.units import Duration


class AlertsAsk(msgspec.Struct, frozen=True, kw_only=True):
    """There is nothing to choose."""


class RuleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: what it looks for, what its limit is, whether it is looked at, and how many alerts of it are open."""

    rule: Rule
    says: str
    limit: str
    is_on: bool
    open: int


class AlertsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """*at* is when it was looked last. *past* alerts are those since the console started, the last resolved first."""

    at: float | None
    open: Sequence[Alert]
    past: Sequence[Alert]
    rules: Sequence[RuleAnswer]
    told: Told


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the webhook took a test; *trouble* says why not."""

    ok: bool
    trouble: str = ""


def read_alerts(ask: AlertsAsk, sources: Sources) -> AlertsAnswer:  # noqa: ARG001  there is nothing to choose
    """Return the alerts as of the last look."""
    board = sources.alerts.board()
    limits = board.limits
    told = {
        "lag": f"{limits.lag}",
        "dead_letters": f"{limits.dead_letters} within 5 min",
        "destination_failing": f"{limits.failing}",
        "books_old": f"{limits.books_age}",
        "workers_silent": f"{limits.silence}",
        "river_unseen": f"{Duration(UNSEEN)}",
        "event_log_failing": f"{Duration(KEEPER_SILENT)}",
        "journal_filling": f"{limits.journal:.0%} of emitter.journal_bytes",
    }
    rules = [
        RuleAnswer(
            rule=rule,
            says=says,
            limit=told.get(rule, ""),
            is_on=rule not in limits.off,
            open=sum(alert.rule == rule for alert in board.open),
        )
        for rule, says in RULES.items()
    ]
    return AlertsAnswer(at=board.at, open=board.open, past=board.past, rules=rules, told=board.told)


def test_alert(ask: AlertsAsk, sources: Sources, by: Viewer) -> Tested:  # noqa: ARG001  there is nothing to choose
    """Post a test notification to the webhook."""
    trouble = sources.alerts.test()
    return Tested(ok=not trouble, trouble=trouble)


ALERTS = View(
    name="alerts",
    path="/alerts",
    title="Alerts",
    ask=AlertsAsk,
    answer=AlertsAnswer,
    read=read_alerts,
    audience="operator",
    group="House",
    needs="memory",
    help="What is wrong, what was, and whom the console tells.",
)

TEST_ALERT = Action(
    name="test-alert",
    path="/alerts/test",
    title="Send a test",
    ask=AlertsAsk,
    answer=Tested,
    do=test_alert,
    form="alerts",
    back=lambda ask, done: "/alerts",  # noqa: ARG005  what came of it is seen there
    needs="time",
    help="Post a test notification to the webhook of the alerts.",
)
