"""What a dialog works with: the conversation's variables, and the ways to ask and to act."""

import re
from collections.abc import Callable, Generator
from typing import ParamSpec, TypeVar

from headrace import SessionLog

from .actions import Actions
from .carrier import Carrier
from .shop import OrderNotFound, Shop

Dialog = Generator[str, str, str]
"""A dialog yields what it asks, is sent what the customer answers, and returns its last words."""

ORDER_NUMBER = re.compile(r"\b\d{3}-\d{3}\b")
EMAIL = re.compile(r"\b[\w.]+@[\w.]+\.\w+\b")
ANYTHING = re.compile(r".+")


P = ParamSpec("P")
T = TypeVar("T")


class ActionBroke(Exception):
    """An action threw; the exception itself is recorded with the action's failure."""


class NotUnderstood(Exception):
    """The customer was asked often enough for the same thing."""


class Desk:
    """One conversation's desk. *variables* hold what is known; every change of one is an event."""

    def __init__(self, log: SessionLog, shop: Shop, carrier: Carrier) -> None:
        self.log = log
        self.actions = Actions(shop)
        self.carrier = carrier
        self.variables: dict[str, str] = {}
        self.dialog = ""

    def set(self, name: str, value: str | None) -> None:
        """Set a variable, or with None forget it."""
        if self.variables.get(name) == value:
            return
        if value is None:
            del self.variables[name]
        else:
            self.variables[name] = value
        self.log.emit("bot.variable.set", variable=name, value=value)

    def step(self, step: str, **details: str) -> None:
        """Say which step of the current dialog runs."""
        self.log.emit("bot.step.executed", dialog=self.dialog, step=step, **details)

    def collect(self, name: str, pattern: re.Pattern[str], question: str) -> Generator[str, str, str]:
        """Return the variable *name*; where it is not known yet, ask for it, three times at most."""
        for _ in range(3):
            known = self.variables.get(name)
            if known is not None:
                return known
            self.step("collect", variable=name)
            found = pattern.search((yield question))
            self.set(name, found and found[0])
        raise NotUnderstood(name)

    def act(self, action: str, kind: str, call: Callable[P, T], *args: P.args, **inputs: P.kwargs) -> T:
        """Run the org's *action*. An unknown order is the customer's slip; what else it throws is `ActionBroke`."""
        self.step(action, kind="action")
        try:
            with self.log.action(action, kind=kind, **inputs) as running:
                result = call(*args, **inputs)
                running.output(result=result)
                return result
        except OrderNotFound:
            raise
        except Exception as error:
            raise ActionBroke(action) from error
