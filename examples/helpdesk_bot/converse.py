"""One conversation between a scripted customer and the bot, from the first word to the last."""

import random
from datetime import date
from typing import NamedTuple, Protocol

from headrace import SessionLog

from .bot import HelpdeskBot
from .carrier import Carrier
from .customers import Customer
from .shop import Shop

BOT = "helpdesk"
VERSION = "1.4.0"
"""What the bot's author raises with every release, so that a log says which one threw."""

CHANNELS = ("web", "whatsapp", "messenger", "voice")
"""The ways on which scripted customers come."""

TODAY = date(2026, 11, 23)
"""The day on which scripted customers talk, so that a seed always says the same."""


class Emits(Protocol):
    """What a conversation needs of `headrace.Emitter`."""

    def session(self, *, org: str, bot: str, session: str) -> SessionLog:
        """Return the log of one session."""
        ...


class Conversation(NamedTuple):
    """How a conversation went: its turns, and how it ended: by the `user`, or by a `transfer` to a person."""

    turns: int
    reason: str


def converse(emitter: Emits, org: str, session: str, seed: int) -> Conversation:
    """Let the customer of that *seed* talk to the bot until one of them ends it. Nobody waits in between."""
    rng = random.Random(seed)
    shop = Shop(rng, TODAY)
    customer = Customer(rng, shop)
    with emitter.session(org=org, bot=BOT, session=session) as log:
        log.started(
            channel=CHANNELS[seed % len(CHANNELS)], language="en", reason="user", version=VERSION, user=customer.email
        )
        bot = HelpdeskBot(log, shop=shop, carrier=Carrier(rng))
        words = customer.opening()
        while not bot.ended:
            words = customer.answer(bot.reply(words))
        reason = "transfer" if bot.transferred else "user"
        log.ended(reason, turns=bot.turns)
    return Conversation(bot.turns, reason)
