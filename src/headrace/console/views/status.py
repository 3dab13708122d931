"""Status: the checks of `headrace doctor`, what the console does in the background, versions, and the configuration."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from headrace.console.chores import Pulse
from headrace.console.sources import Sources
from headrace.console.view import View
from headrace.console.views.destination import Setting, text_of
from headrace.console.watching.seen import Seen, seen
from headrace.model.finding import Finding

State = Literal["success", "warning", "failure", "halted"]


class StatusAsk(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check. *halted*: it could not be made because of what an earlier one found."""

    check: str
    state: State
    says: str
    mend: str = ""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """*checked_at* is when the checks were made last, None before the first time; *chores* run in the background."""

    state: State
    checked_at: float | None
    checks: Sequence[Check]
    chores: Sequence[Pulse]
    versions: Mapping[str, str]
    settings: Sequence[Setting]
    seen: Seen


_BADNESS: Sequence[State] = ("success", "halted", "warning", "failure")


def read_status(ask: StatusAsk, sources: Sources) -> Status:  # noqa: ARG001  # there is nothing to choose
    """Return how the installation does; it needs neither Kafka nor the event log."""
    findings, chores = sources.findings(), sources.pulses()
    checks = [check_of(each) for each in findings.found]
    states: list[State] = [each.state for each in checks]
    states += ["failure" for each in chores if each.failure]
    return Status(
        state=max(states, key=_BADNESS.index, default="halted"),
        checked_at=findings.at,
        checks=checks,
        chores=chores,
        versions=sources.facts.versions,
        settings=[
            Setting(key=path, value=text_of(shown.value), origin=shown.origin)
            for path, shown in sources.facts.settings.items()
        ],
        seen=seen(sources.watch.latest(), None),
    )


def check_of(finding: Finding) -> Check:
    """Return *finding* in the words of a status page: what is well, and yet has a hint, is a warning."""
    states: dict[str, State] = {"wrong": "failure", "halted": "halted", "well": "success"}
    state = "warning" if finding.state == "well" and finding.mend else states[finding.state]
    return Check(check=finding.check, state=state, says=finding.says, mend=finding.mend)


STATUS = View(
    name="status",
    path="/status",
    title="Status",
    ask=StatusAsk,
    answer=Status,
    read=read_status,
    audience="operator",
    group="House",
    needs="memory",
    help="What `headrace doctor` checks, what runs in the background, versions, and the configuration in force.",
)
