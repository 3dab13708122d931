"""The org's own code: invocable actions that its admin wrote, and that the bot calls by name.

It is written as such code is written: it works on the day it is tried. `look_up_order` has a real bug.
"""

from datetime import date

from .shop import Row, Shop

RETURN_DAYS = 30


def look_up_order(shop: Shop, number: str) -> tuple[Row, int | None]:
    """Return the order, and how many days ago it was delivered, if it was.

    The bug: a parcel left at a pick-up point is "delivered" without a date, and this function throws.
    """
    order = shop.order(number)
    if order["status"] != "delivered":
        return order, None
    return order, (shop.today - date.fromisoformat(order["delivered_on"])).days


def start_return(number: str, reason: str, days_since_delivery: int) -> str | None:
    """Return the label's code, or None when the order was delivered too long ago."""
    if days_since_delivery > RETURN_DAYS:
        return None
    return f"R-{number}-{len(reason) % 10}"


def reset_password(shop: Shop, email: str) -> bool:
    """Send a link to *email*; return whether it is a customer's."""
    return email in shop.customers


def open_ticket(shop: Shop, summary: str) -> str:
    """Leave the conversation to a person; return the ticket's number."""
    return shop.open_ticket(summary)
