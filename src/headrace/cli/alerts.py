"""`headrace alerts`: what the console tells when something is wrong."""

from pathlib import Path

import msgspec

from headrace import config as configuration
from headrace import console_app
from headrace.cli.output import emit_document
from headrace.clock import SystemClock


class SentDocument(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints; *trouble* says why the webhook did not take it."""

    taken: bool
    trouble: str = ""


def send_test(*, config: Path | None = None, json: bool = False) -> int:
    """Post a test notification to alerts.url, signed as the real ones are. Exits 1 when it is not taken.

    Example: headrace alerts test

    Parameters
    ----------
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print one JSON document.
    """
    trouble = console_app.notifier(configuration.load(config), SystemClock()).test()
    document = SentDocument(taken=not trouble, trouble=trouble)
    emit_document(document, f"the webhook did not take it: {trouble}" if trouble else "the webhook took it", json=json)
    return 1 if trouble else 0
