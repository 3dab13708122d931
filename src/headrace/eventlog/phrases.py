"""The words for each type of event: one line that a person reads in passing."""

from collections.abc import Callable
from typing import Literal

from headrace.eventlog.told import Told, as_json
from headrace.model import taxonomy

Kind = Literal["mark", "turn", "person", "bot", "step"]
"""A mark stands for the session's begin and end; person and bot speak; a step is anything that the bot did."""

Phrase = tuple[Kind, str, str]
"""The kind of line, what happened, and to what."""

LONGEST = 200
"""Characters of a value before it is cut; what people said is not."""


def phrase(type_: str, told: Told) -> Phrase:
    """Say what an event of *type_* tells; of a type that nobody knows its name and data."""
    find = _PHRASES.get(type_)
    if find is not None:
        return find(told)
    return "step", type_, "" if told.data in (None, {}) else _cut(as_json(told.data))


def pairs(fields: dict[str, object]) -> str:
    """Write *fields* as `name = value, …`."""
    return _cut(", ".join(f"{name} = {_shown(value)}" for name, value in fields.items()))


def _intent(told: Told) -> Phrase:
    confidence = told.number("confidence")
    certain = "" if confidence is None else f"{confidence:.0%}"
    return "step", "intent", _words(told.text("intent"), certain, pairs(told.fields("entities")))


def _variable(told: Told) -> Phrase:
    by = told.text("by")
    return "step", "set", _words(f"{told.text('variable')} = {_shown(told.value('value'))}", by and f"(by {by})")


def _step(told: Told) -> Phrase:
    kind, result = told.text("kind"), told.value("result")
    return (
        "step",
        "step",
        _words(told.text("step"), kind and f"({kind})", "" if result is None else f"→ {_shown(result)}"),
    )


def _action(told: Told) -> Phrase:
    kind = told.text("kind")
    return "step", "action", _words(told.text("action"), kind and f"({kind})", pairs(told.fields("inputs")))


def _navigated(told: Told) -> Phrase:
    source, reason = told.text("source"), told.text("reason")
    return "step", "go to", _words(told.text("target"), source and f"from {source}", reason and f"({reason})")


def _model(told: Told) -> Phrase:
    counts = {"in": told.number("input_tokens"), "out": told.number("output_tokens")}
    tokens = [f"{count:g} tokens {way}" for way, count in counts.items() if count is not None]
    return "step", "model", _words(told.text("model"), ", ".join(tokens), told.text("finish_reason"))


def _tool(told: Told) -> Phrase:
    return "step", "tool", _words(told.text("tool"), pairs(told.fields("inputs")))


def _raised(told: Told) -> Phrase:
    return "step", "threw", _words(told.place(), "(handled)" if told.value("handled") is True else "")


def _naming(kind: Kind, verb: str, name: str, *details: str) -> Callable[[Told], Phrase]:
    """Tell the field *name*, and in brackets what is there of *details*."""

    def tell(told: Told) -> Phrase:
        found = ", ".join(filter(None, map(told.text, details)))
        return kind, verb, _words(told.text(name), found and f"({found})")

    return tell


_PHRASES: dict[str, Callable[[Told], Phrase]] = {
    taxonomy.SessionStarted.type: _naming("mark", "session started", "channel", "language", "reason"),
    taxonomy.SessionEnded.type: _naming("mark", "session ended", "", "reason"),
    taxonomy.TurnStarted.type: _naming("turn", "turn", "turn", "input"),
    taxonomy.TurnEnded.type: _naming("step", "turn ended", "turn"),
    taxonomy.MessageReceived.type: _naming("person", "person", "text"),
    taxonomy.MessageSent.type: _naming("bot", "bot", "text"),
    taxonomy.IntentDetected.type: _intent,
    taxonomy.DialogEntered.type: _naming("step", "dialog", "dialog", "via"),
    taxonomy.DialogExited.type: _naming("step", "leave", "dialog", "outcome"),
    taxonomy.StepExecuted.type: _step,
    taxonomy.Navigated.type: _navigated,
    taxonomy.VariableSet.type: _variable,
    taxonomy.ActionInvoked.type: _action,
    taxonomy.ActionSucceeded.type: _action,
    taxonomy.ActionFailed.type: _action,
    taxonomy.ModelCalled.type: _model,
    taxonomy.ToolCalled.type: _tool,
    taxonomy.TransferRequested.type: _naming("step", "transfer", "target", "kind", "reason"),
    taxonomy.ExceptionRaised.type: _raised,
}


def _words(*words: str) -> str:
    return " ".join(filter(None, words))


def _shown(value: object) -> str:
    return _cut(as_json(value))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
