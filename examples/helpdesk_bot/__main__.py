"""Talk to the bot in the terminal, from the root of the checkout:

python -m examples.helpdesk_bot --config headrace.toml --org org-01
"""

import argparse
import sys
import uuid
from pathlib import Path

from headrace import Emitter
from headrace.errors import HeadraceError

from .bot import HelpdeskBot
from .converse import BOT, VERSION


def main() -> int:
    """Let a person talk to the bot until one of them ends it; return the exit code."""
    parser = argparse.ArgumentParser(prog="helpdesk_bot", description="Talk to the help desk's bot.")
    parser.add_argument("--config", type=Path, help="headrace.toml (default: HEADRACE_CONFIG, else ./headrace.toml)")
    parser.add_argument("--org", default="org-00", help="the org whose bot it is (default: org-00)")
    arguments = parser.parse_args()
    session = uuid.uuid4().hex
    try:
        emitter = Emitter.from_config(arguments.config)
        log = emitter.session(org=arguments.org, bot=BOT, session=session)
    except HeadraceError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with log:
        log.started(channel="terminal", language="en", reason="user", version=VERSION)
        bot = HelpdeskBot(log)
        print("Bot: Hello! How can I help?")
        while not bot.ended:
            try:
                words = input("You: ")
            except (EOFError, KeyboardInterrupt):
                break
            print(f"Bot: {bot.reply(words)}")
        log.ended("transfer" if bot.transferred else "user", turns=bot.turns)
    left = emitter.flush(timeout=5)
    emitter.close()
    print(f"\nSee it with: headrace log --org {arguments.org} --session {session}")
    if left:
        sys.stderr.write(
            f"{left} events are not acknowledged yet; the next process that emits on this host sends them\n"
        )
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
