"""One step in full: its fields, its exception, the variables around it, and where one gets to from there."""

from collections.abc import Iterable, Sequence

import msgspec

from headrace.console.telling.faults import Fault, fault_of
from headrace.console.telling.steps import Field, Step, fields_of, inner_fields, names_of, shown_fields
from headrace.console.telling.texts import Shown, pretty
from headrace.console.telling.variables import Variable, around, place_of
from headrace.eventlog.port import StoredEvent

LONGEST = 20_000
"""Characters of an event's JSON that are shown."""


_APART = {"inputs", "outputs", "error"}


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """One of a step's events: *json* is as it was written, indented."""

    id: str
    type: str
    json: Shown


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """A step that is looked at. *name* is what the page's step is called, *events* are those it was told from.

    *inputs* and *outputs* are those of an action or a tool, *fields* all else that they tell.
    *previous* and *next* are the ids of the failed events around. *are_variables_known* is false where too many were
    set before it.
    """

    name: str
    id: str
    inputs: list[Field]
    outputs: list[Field]
    fields: list[Field]
    fault: Fault | None
    variables: list[Variable]
    are_variables_known: bool = True
    events: list[Whole]
    previous: str | None = None
    next: str | None = None


def detail_of(
    focus: StoredEvent,
    events: Sequence[StoredEvent],
    steps: Sequence[Step],
    failed: Sequence[StoredEvent],
    variables: Iterable[StoredEvent],
    *,
    most: int = 50_000,
) -> Detail:
    """Tell of the step of *focus*; *events* and *steps* are those of its page, *variables* those that set one.

    Of more than *most* that were set up to its end nothing is told.
    """
    by_name = dict(zip(names_of(events), events, strict=True))
    own = next((name for name, event in by_name.items() if event.id == focus.id), "")
    step = next((each for each in steps if own and own in {each.name, each.end_name}), None)
    parts = [focus]
    if step is not None:
        parts = [by_name[name] for name in (step.name, step.end_name) if name in by_name]
    first, last = place_of(parts[0]), place_of(parts[-1])
    before = [each.id for each in failed if place_of(each) < first]
    after = [each.id for each in failed if place_of(each) > last]
    known = around(variables, first, last, most=most)
    told = {name: value for part in parts for name, value in fields_of(part.value).items()}
    return Detail(
        name=step.name if step is not None else own,
        id=parts[0].id,
        inputs=inner_fields(told, "inputs"),
        outputs=inner_fields(told, "outputs"),
        fields=shown_fields({name: value for name, value in told.items() if name not in _APART}),
        fault=next((fault for part in reversed(parts) if part.failed and (fault := fault_of(part.value))), None),
        variables=known or [],
        are_variables_known=known is not None,
        events=[Whole(id=part.id, type=part.type, json=pretty(part.value, LONGEST)) for part in parts],
        previous=before[-1] if before else None,
        next=after[0] if after else None,
    )
