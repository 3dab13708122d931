"""The typed taxonomy: the events that every bot platform has (design, section 3.1).

Each class is one type; its fields are the event's `data`. A bot may emit the class, `emit(IntentDetected(intent="x"))`,
or the name, `emit("bot.intent.detected", intent="x")`; and any other name with any data, which passes untouched.
Text is what people wrote or read, confidences are 0 to 1, durations are milliseconds, counts are integers. Everything
but what names the thing is optional, because no platform knows it all.
"""

from typing import Any, ClassVar, Literal, get_args

import msgspec

ErrorOrigin = Literal["bot_logic", "custom_code", "integration", "platform", "channel", "nlu"]
"""Where an exception comes from.

`bot_logic`: the bot's own dialogs and rules. `custom_code`: what the org wrote (an invocable action, a flow, a tool).
`integration`: a system that was called. `platform`: the runtime itself. `channel`: the way to the person.
`nlu`: understanding.
"""
ERROR_ORIGINS: frozenset[str] = frozenset(get_args(ErrorOrigin))


class ErrorDetail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exception. *type* is its class, *stack* its traceback as text, *code* the system's own number or name."""

    origin: ErrorOrigin
    type: str
    message: str
    stack: str = ""
    code: str = ""


class BotEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all types share. *turn* counts the turns of a session from 1; an open `turn` scope fills it in."""

    type: ClassVar[str]

    turn: int | None = None


class SessionStarted(BotEvent, frozen=True, kw_only=True):
    """A conversation began. *reason* is what began it: `user`, `proactive`, `transfer`.

    *version* is the bot's. *user* names the person as the channel does; by it their sessions are found and erased.
    """

    type: ClassVar[str] = "bot.session.started"

    channel: str = ""
    language: str = ""
    reason: str = ""
    version: str = ""
    user: str = ""


class SessionEnded(BotEvent, frozen=True, kw_only=True):
    """A conversation is over. *reason* is how: `user`, `bot`, `transfer`, `timeout`, `error`."""

    type: ClassVar[str] = "bot.session.ended"

    reason: str = ""
    duration_ms: float | None = None
    turns: int | None = None


class TurnStarted(BotEvent, frozen=True, kw_only=True):
    """The bot begins to deal with one input. *input* is its kind: `text`, `voice`, `button`, `event`."""

    type: ClassVar[str] = "bot.turn.started"

    input: str = ""


class TurnEnded(BotEvent, frozen=True, kw_only=True):
    """The bot is done with one input."""

    type: ClassVar[str] = "bot.turn.ended"

    duration_ms: float | None = None


class MessageReceived(BotEvent, frozen=True, kw_only=True):
    """The person wrote or said something."""

    type: ClassVar[str] = "bot.message.received"

    text: str
    message_id: str = ""


class MessageSent(BotEvent, frozen=True, kw_only=True):
    """The bot wrote or said something."""

    type: ClassVar[str] = "bot.message.sent"

    text: str
    message_id: str = ""


class IntentDetected(BotEvent, frozen=True, kw_only=True):
    """The bot understood, or believes to. *entities* are what it found in the text, by name."""

    type: ClassVar[str] = "bot.intent.detected"

    intent: str
    confidence: float | None = None
    entities: dict[str, Any] = {}


class DialogEntered(BotEvent, frozen=True, kw_only=True):
    """A dialog (topic, flow, form) began. *via* is how: `intent`, `call`, `redirect`, `menu`, `system`."""

    type: ClassVar[str] = "bot.dialog.entered"

    dialog: str
    via: str = ""


class DialogExited(BotEvent, frozen=True, kw_only=True):
    """A dialog is over. *outcome* is how: `completed`, `cancelled`, `redirected`, `failed`."""

    type: ClassVar[str] = "bot.dialog.exited"

    dialog: str
    outcome: str = ""


class StepExecuted(BotEvent, frozen=True, kw_only=True):
    """One step or rule of a dialog ran. *kind* is its type on the platform, *result* what a rule came to."""

    type: ClassVar[str] = "bot.step.executed"

    step: str
    dialog: str = ""
    kind: str = ""
    result: Any = None


class Navigated(BotEvent, frozen=True, kw_only=True):
    """The conversation went from one place of the bot to another: dialogs, steps or menus."""

    type: ClassVar[str] = "bot.navigation"

    target: str
    source: str = ""
    reason: str = ""


class VariableSet(BotEvent, frozen=True, kw_only=True):
    """A variable or slot got a value. *by* is who gave it: `user`, `bot`, `action`."""

    type: ClassVar[str] = "bot.variable.set"

    variable: str
    value: Any = None
    by: str = ""


class ActionInvoked(BotEvent, frozen=True, kw_only=True):
    """An action was called. *kind*: `apex`, `flow`, `function`, `tool`, `http`, `api`, … *call* joins it to its end."""

    type: ClassVar[str] = "bot.action.invoked"

    action: str
    kind: str = ""
    call: str = ""
    inputs: dict[str, Any] = {}


class ActionSucceeded(BotEvent, frozen=True, kw_only=True):
    """An action did what it should."""

    type: ClassVar[str] = "bot.action.succeeded"

    action: str
    kind: str = ""
    call: str = ""
    duration_ms: float | None = None
    outputs: dict[str, Any] = {}


class ActionFailed(BotEvent, frozen=True, kw_only=True):
    """An action threw, or reported an error."""

    type: ClassVar[str] = "bot.action.failed"

    action: str
    error: ErrorDetail
    kind: str = ""
    call: str = ""
    duration_ms: float | None = None


class ModelCalled(BotEvent, frozen=True, kw_only=True):
    """A language model was asked. Tokens are as the provider counts them."""

    type: ClassVar[str] = "bot.model.called"

    model: str
    provider: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    duration_ms: float | None = None
    finish_reason: str = ""


class ToolCalled(BotEvent, frozen=True, kw_only=True):
    """A model used a tool. Where its course matters, `action(kind="tool")` records begin, end and error instead."""

    type: ClassVar[str] = "bot.tool.called"

    tool: str
    call: str = ""
    inputs: dict[str, Any] = {}
    duration_ms: float | None = None


class TransferRequested(BotEvent, frozen=True, kw_only=True):
    """The bot hands the conversation on. *kind* is to what: `queue`, `agent`, `skill`, `flow`, `bot`."""

    type: ClassVar[str] = "bot.transfer.requested"

    target: str
    kind: str = ""
    reason: str = ""


class ExceptionRaised(BotEvent, frozen=True, kw_only=True):
    """Something threw outside an action. *handled* says whether the conversation could go on."""

    type: ClassVar[str] = "bot.exception.raised"

    error: ErrorDetail
    handled: bool = False
    dialog: str = ""
    step: str = ""


TAXONOMY: dict[str, type[BotEvent]] = {kind.type: kind for kind in BotEvent.__subclasses__()}
"""Every typed event by its name."""

FAILURES: frozenset[str] = frozenset({ActionFailed.type, ExceptionRaised.type})
"""The types that say that something failed, whatever their data does."""
