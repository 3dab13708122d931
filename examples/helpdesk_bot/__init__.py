"""A small help desk for an online shop, instrumented with Headrace as a bot of your own would be.

`HelpdeskBot(log).reply(text)` is the bot; `converse` lets a scripted customer talk to it to the end. Read `bot.py`
for the runtime, `dialogs.py` for what the bot's author drew, and `actions.py` for the org's own code, which has bugs.
"""

from .bot import HelpdeskBot
from .converse import BOT, VERSION, Conversation, converse
from .shop import Shop

__all__ = ["BOT", "VERSION", "Conversation", "HelpdeskBot", "Shop", "converse"]
