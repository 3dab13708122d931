"""A small order database in memory, filled from a seed."""

import random
from collections.abc import Mapping
from datetime import date, timedelta

Row = Mapping[str, str]
"""One order as the database returns it: every column is text."""

_ITEMS = ("desk lamp", "rain jacket", "kettle", "pair of headphones", "backpack", "board game")
_CUSTOMERS = ("ines@mail.example", "jonas@mail.example", "maud@mail.example", "tomasz@mail.example")


class OrderNotFound(LookupError):
    """No order has that number."""


class Shop:
    """Orders and tickets of one org. About one delivered order in six has no delivery date.

    Those went to a pick-up point, which reports no date: true in many shops, and forgotten in much custom code.
    """

    def __init__(self, rng: random.Random, today: date) -> None:
        self.today = today
        self.tickets: list[str] = []
        self._orders = {row["number"]: row for row in (_order(rng, today, n) for n in range(24))}

    @property
    def numbers(self) -> list[str]:
        """The numbers of all orders."""
        return list(self._orders)

    @property
    def customers(self) -> tuple[str, ...]:
        """The e-mail addresses of all customers."""
        return _CUSTOMERS

    def order(self, number: str) -> Row:
        """Return the order; raise `OrderNotFound` when there is none of that *number*."""
        try:
            return self._orders[number]
        except KeyError:
            raise OrderNotFound(f"no order has the number {number}") from None

    def open_ticket(self, summary: str) -> str:
        """Keep a ticket for a person to read; return its number."""
        self.tickets.append(summary)
        return f"T-{len(self.tickets):04d}"


def _order(rng: random.Random, today: date, n: int) -> Row:
    placed = today - timedelta(days=rng.randint(1, 60))
    status = rng.choice(("processing", "in transit", "delivered", "delivered"))
    delivered = placed + timedelta(days=rng.randint(1, 7))
    at_pickup_point = rng.random() < 1 / 6
    return {
        "number": f"100-{400 + 7 * n}",
        "item": rng.choice(_ITEMS),
        "email": rng.choice(_CUSTOMERS),
        "status": status,
        "placed_on": placed.isoformat(),
        "delivered_on": "" if at_pickup_point or status != "delivered" else min(delivered, today).isoformat(),
        "tracking": f"PX{rng.randint(10**7, 10**8 - 1)}",
    }
