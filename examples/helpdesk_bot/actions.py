"""The org's own code: invocable actions that its admin wrote, and that the bot calls by name.

It is written as such code is written: it works on the day it is tried. `look_up_order` has a real bug.
"""

from datetime import date

from .shop import Row, Shop

RETURN_DAYS = 30


class Actions:
    """What the bot may do in the *shop*."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def look_up_order(self, number: str) -> tuple[Row, int | None]:
        """Return the order, and how many days ago it was delivered, if it was.

        The bug: a parcel left at a pick-up point is "delivered" without a date, and this function throws.
        """
        order = self._shop.order(number)
        if order["status"] != "delivered":
            return order, None
        return order, (self._shop.today - date.fromisoformat(order["delivered_on"])).days

    def start_return(self, number: str, reason: str, days: int) -> str | None:
        """Return the label's code, or None when the order was delivered too many *days* ago."""
        return None if days > RETURN_DAYS else f"R-{number}-{len(reason)}"

    def reset_password(self, email: str) -> bool:
        """Send a link to *email*; return whether it is a customer's."""
        return email in self._shop.customers

    def open_ticket(self, summary: str) -> str:
        """Leave the conversation to a person; return the ticket's number."""
        return self._shop.open_ticket(summary)
