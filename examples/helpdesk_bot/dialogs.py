"""The dialogs that the bot's author drew. Each is a generator, which waits where it asks."""

from collections.abc import Callable, Generator

from .actions import RETURN_DAYS
from .desk import ANYTHING, EMAIL, ORDER_NUMBER, Desk, Dialog, NotUnderstood
from .shop import OrderNotFound, Row


def welcome(desk: Desk) -> Dialog:
    """Say what the bot can do."""
    desk.step("menu")
    yield from ()
    return "Hello! I can find an order, take an item back, or reset your password. Which shall it be?"


def order_status(desk: Desk) -> Dialog:
    """Say where an order is; for a parcel on its way, ask the carrier."""
    order, days = yield from _order(desk)
    item = order["item"]
    if order["status"] == "in transit":
        place = desk.act("TrackParcel", "external_service", desk.carrier.where_is, tracking=order["tracking"])
        return f"Your {item} is on its way; it was last seen at {place}."
    if days is None:
        return f"Your {item} is still being packed."
    return f"Your {item} was delivered on {order['delivered_on']}."


def return_item(desk: Desk) -> Dialog:
    """Take an item back, for the money or for another one."""
    order, days = yield from _order(desk)
    if days is None:
        return f"Your {order['item']} has not arrived yet, so it cannot be returned."
    reason = yield from desk.collect("return_reason", ANYTHING, "What is the reason for the return?")
    desk.set("wish", None)
    wish = yield from desk.collect("wish", ANYTHING, "Would you like a refund or an exchange?")
    if "exchange" in wish.lower():
        return (yield from dialog_named("exchange_item")(desk))
    label = desk.act("StartReturn", "apex", desk.actions.start_return, number=order["number"], reason=reason, days=days)
    if label is None:
        return f"I am sorry, it is too late: items come back within {RETURN_DAYS} days."
    return f"Please write {label} on the parcel; the refund follows."


def reset_password(desk: Desk) -> Dialog:
    """Send a link, if the address is a customer's."""
    email = yield from desk.collect("email", EMAIL, "Which e-mail address do you use with us?")
    desk.act("ResetPassword", "flow", desk.actions.reset_password, email=email)
    return f"If we know {email}, a link is on its way to it."


def talk_to_human(desk: Desk) -> Dialog:
    """Open a ticket, and hand the session over."""
    yield from ()
    ticket = desk.act("OpenTicket", "apex", desk.actions.open_ticket, summary=_summary(desk))
    desk.set("ticket", ticket)
    desk.log.emit("bot.transfer.requested", target="service desk", kind="queue", ticket=ticket)
    return f"I am passing you to a colleague. Your ticket is {ticket}."


def goodbye(desk: Desk) -> Dialog:
    """Part."""
    desk.step("farewell")
    yield from ()
    return "Thank you for your visit. Goodbye!"


_DIALOGS: dict[str, Callable[[Desk], Dialog]] = {
    dialog.__name__: dialog for dialog in (welcome, order_status, return_item, reset_password, talk_to_human, goodbye)
}


def dialog_named(name: str) -> Callable[[Desk], Dialog]:
    """Return the dialog of that *name*.

    `return_item` goes on to an `exchange_item` that nobody has drawn yet: the mistake in a bot's logic that this
    example shows. The `KeyError` reaches the runtime, which records it with origin `bot_logic`.
    """
    return _DIALOGS[name]


def _summary(desk: Desk) -> str:
    """What the colleague should know: all that the customer said."""
    return ", ".join(f"{name}: {value}" for name, value in desk.variables.items()) or "nothing is known yet"


def _order(desk: Desk) -> Generator[str, str, tuple[Row, int | None]]:
    """Ask for an order until one is found; the second wrong number is the end of it."""
    question = "What is the order number? It looks like 100-456."
    for _ in range(2):
        number = yield from desk.collect("order_number", ORDER_NUMBER, question)
        try:
            return desk.act("LookUpOrder", "apex", desk.actions.look_up_order, number=number)
        except OrderNotFound:
            desk.set("order_number", None)
            question = f"I find no order {number}. Please check the order number."
    raise NotUnderstood("order_number")
