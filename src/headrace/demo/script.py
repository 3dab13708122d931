"""What can be said to the help desk's bot to see each of its paths: the ways through, and the four ways to go wrong."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

Row = Mapping[str, str]


class Orders(Protocol):
    """What the script asks of the bot's shop."""

    @property
    def numbers(self) -> list[str]: ...

    @property
    def customers(self) -> tuple[str, ...]: ...

    def order(self, number: str) -> Row: ...


class Suggestion(msgspec.Struct, frozen=True):
    """One thing to say, and what it shows. *kind*: whether all goes well, something throws, or the session ends."""

    text: str
    shows: str
    kind: Literal["well", "throws", "ends"] = "well"


class Script:
    """Suggestions for a conversation about the orders of one shop."""

    def __init__(self, orders: Orders) -> None:
        rows = [orders.order(number) for number in orders.numbers]
        delivered = [row for row in rows if row["status"] == "delivered"]
        in_transit = [row for row in rows if row["status"] == "in transit"]
        self._email = orders.customers[0]
        self._arrived = max(delivered, key=lambda row: row["delivered_on"])["number"]
        self._undated = next(row["number"] for row in delivered if not row["delivered_on"])
        lost = in_transit[-1]
        self._lost = lost["number"]
        self.lost_parcel = lost["tracking"]
        """The parcel of which the carrier is never to know anything."""

    def suggest(self, words: str) -> Sequence[Suggestion]:
        """Return what may be said next, after the bot's last *words*, which are empty at the beginning."""
        if "order number" in words:
            return (
                Suggestion(self._arrived, "an order that arrived"),
                Suggestion(self._undated, "custom code throws", "throws"),
                Suggestion("It is 100-999", "nobody has that number", "throws"),
            )
        if "e-mail" in words:
            return (Suggestion(f"It is {self._email}", "an action runs"),)
        if "reason for" in words:
            return Suggestion("It is broken.", "a variable is set"), Suggestion("It is too small.", "a variable is set")
        if "refund or an exchange" in words:
            return (
                Suggestion("A refund, please.", "an action runs"),
                Suggestion("An exchange, please.", "the bot's logic throws", "throws"),
            )
        return self._beginnings()

    def _beginnings(self) -> Sequence[Suggestion]:
        return (
            Suggestion(f"Where is my order {self._undated}?", "custom code throws", "throws"),
            Suggestion(f"Where is my order {self._arrived}?", "all goes well"),
            Suggestion(f"Where is my parcel {self._lost}?", "the carrier times out", "throws"),
            Suggestion(f"I want a refund for {self._arrived}", "a dialog, with a trap"),
            Suggestion("Can I talk to a person?", "handed over, and ended", "ends"),
        )
