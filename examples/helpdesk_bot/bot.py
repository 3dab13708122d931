"""The bot's runtime: it hears, recognises, runs dialogs, and answers; and it tells Headrace of every step."""

import random
from datetime import UTC, datetime

from headrace import SessionLog

from .carrier import Carrier
from .desk import EMAIL, ORDER_NUMBER, ActionBroke, Desk, Dialog, NotUnderstood
from .dialogs import dialog_named
from .intents import THRESHOLD, recognise
from .shop import Shop

_LAST = {"talk_to_human", "goodbye"}
"""What a customer may say in the middle of a dialog, and what ends the conversation."""

_MORE = "Is there anything else I can do?"
_PATIENCE = 2
"""After so many troubles a person takes over."""


class HelpdeskBot:
    """One conversation with one customer. *log* is its session's; *shop* and *carrier* default to fresh ones."""

    def __init__(self, log: SessionLog, *, shop: Shop | None = None, carrier: Carrier | None = None) -> None:
        today = datetime.now(UTC).date()
        self._desk = Desk(log, shop or Shop(random.Random(0), today), carrier or Carrier(random.Random()))
        self._log = log
        self._running: Dialog | None = None
        self.turns = 0
        self._troubles = 0
        self.ended = False
        self.transferred = False

    def reply(self, text: str) -> str:
        """Answer the customer. Once *ended* is true, there is nobody left to answer."""
        self.turns += 1
        with self._log.turn(input="text"):
            self._log.emit("bot.message.received", text=text)
            words = self._answer(text)
            self._log.emit("bot.message.sent", text=words)
        return words

    def _answer(self, text: str) -> str:
        intent = recognise(text)
        clear = intent.confidence >= THRESHOLD
        if self._running and not (clear and intent.name in _LAST):
            return self._go_on(text)
        self._log.emit("bot.intent.detected", intent=intent.name, confidence=intent.confidence)
        for variable, pattern in (("order_number", ORDER_NUMBER), ("email", EMAIL)):
            if found := pattern.search(text):
                self._desk.set(variable, found[0])
        if not clear:
            return self._trouble("I did not understand that.")
        return self._enter(intent.name, "intent")

    def _enter(self, dialog: str, reason: str) -> str:
        """Leave the dialog that runs, if any, and begin another one."""
        self._leave("cancelled")
        self._log.emit("bot.navigation", source=self._desk.dialog, target=dialog, reason=reason)
        self._desk.dialog = dialog
        self._log.emit("bot.dialog.entered", dialog=dialog, via=reason)
        self._running = dialog_named(dialog)(self._desk)
        return self._go_on(None)

    def _go_on(self, text: str | None) -> str:
        """Let the dialog that runs go on to its next question, its end, or its failure."""
        assert self._running is not None
        dialog = self._desk.dialog
        try:
            return next(self._running) if text is None else self._running.send(text)
        except StopIteration as end:
            self._leave("completed")
            self.ended = dialog in _LAST
            self.transferred = dialog == "talk_to_human"
            words = str(end.value)
            return words if self.ended or words.endswith("?") else f"{words} {_MORE}"
        except NotUnderstood:
            self._leave("failed")
            return self._trouble("I am sorry, I still do not understand.")
        except ActionBroke:
            self._leave("failed")
            return self._trouble("I am sorry, that does not work at the moment.")
        except Exception as error:  # noqa: BLE001 - whatever a dialog does wrong, the customer gets an answer
            self._log.exception(error, origin="bot_logic", handled=True, dialog=dialog)
            self._leave("failed")
            return self._trouble("I am sorry, I lost my thread.")

    def _leave(self, outcome: str) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None
            self._log.emit("bot.dialog.exited", dialog=self._desk.dialog, outcome=outcome)

    def _trouble(self, words: str) -> str:
        """Offer more, or after too many troubles a person."""
        self._troubles += 1
        if self._troubles < _PATIENCE:
            return f"{words} {_MORE}"
        self._troubles = 0
        return f"{words} {self._enter('talk_to_human', 'system')}"
