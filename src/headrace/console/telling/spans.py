"""What of a session lasted, and from when to when: its turns, dialogs, actions; the rest are moments."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from headrace.console.telling.steps import Step
from headrace.model import taxonomy

Group = Literal["said", "turn", "dialog", "action", "step"]
"""Which of the rows of a timeline something stands in, from above."""

GROUPS: Sequence[Group] = ("said", "turn", "dialog", "action", "step")
LASTING: frozenset[Group] = frozenset({"turn", "dialog", "action"})
"""Groups whose members have a begin and an end; those of the others are moments."""

_AFTERWARDS = {taxonomy.ModelCalled.type, taxonomy.ToolCalled.type}
"""These are told when they are over."""

_ACTIONS = {
    *_AFTERWARDS,
    taxonomy.ActionInvoked.type,
    taxonomy.ActionSucceeded.type,
    taxonomy.ActionFailed.type,
}
_ENDS = {taxonomy.ActionSucceeded.type, taxonomy.ActionFailed.type}


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One thing on a timeline. *name* is its step's; *start* and *end* are equal for a moment."""

    name: str
    group: Group
    label: str
    start: float
    end: float
    failed: bool = False


def spans_of(steps: Sequence[Step]) -> list[Span]:
    """Return what *steps* tell, in their order; a dialog that was not left lasts until the last of them."""
    left = _left(steps)
    last = max((step.end_at or step.at for step in steps), default=0.0)
    spans = []
    for place, step in enumerate(steps):
        group = _group(step)
        start, end = _times(step, group)
        if step.type == taxonomy.DialogEntered.type:
            end = max(start, left.get(place, last))
        label = f"{step.verb} {step.text.text}".strip()
        spans.append(
            Span(name=step.name, group=group, label=label, start=start, end=end, failed=step.fault is not None)
        )
    return spans


def _group(step: Step) -> Group:
    if step.kind in {"person", "bot"}:
        return "said"
    if step.kind == "turn":
        return "turn"
    if step.type == taxonomy.DialogEntered.type:
        return "dialog"
    return "action" if step.type in _ACTIONS else "step"


def _times(step: Step, group: Group) -> tuple[float, float]:
    if group not in LASTING:
        return step.at, step.at
    took = max(0.0, step.took or 0.0)
    if step.end_at is not None:
        return step.at, max(step.at, step.end_at)
    if step.type in _AFTERWARDS | _ENDS:
        return step.at - took, step.at
    return step.at, step.at + took


def _left(steps: Sequence[Step]) -> dict[int, float]:
    """Return by place of a dialog's begin when it was left; what was entered inside it was left with it."""
    entered: list[tuple[str, int]] = []
    left: dict[int, float] = {}
    for place, step in enumerate(steps):
        if step.type == taxonomy.DialogEntered.type:
            entered.append((_dialog(step), place))
        elif step.type == taxonomy.DialogExited.type:
            found = next((n for n in reversed(range(len(entered))) if entered[n][0] == _dialog(step)), None)
            if found is not None:
                left |= {began: step.at for _, began in entered[found:]}
                del entered[found:]
    return left


def _dialog(step: Step) -> str:
    return step.text.text.partition(" (")[0]
