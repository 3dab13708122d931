"""`headrace console`: the web console."""

import signal
from pathlib import Path

from headrace import config as configuration
from headrace import console_app
from headrace.cli.output import emit_document, say


def console(*, config: Path | None = None, host: str | None = None, port: int | None = None, json: bool = False) -> int:
    """Run the web console: production as it is, and every conversation down to the line that threw.

    It goes on until Ctrl-C.

    Example: headrace console --port 8400

    Parameters
    ----------
    config
        The configuration file; else HEADRACE_CONFIG, else ./headrace.toml.
    host
        The address to listen on, instead of console.host.
    port
        The port to listen on, instead of console.port; 0 takes a free one.
    json
        Print where it is as one JSON document.
    """
    settings = configuration.load(config)
    for end in (signal.SIGINT, signal.SIGTERM):  # an orderly end, as by Ctrl-C
        signal.signal(end, signal.default_int_handler)
    with console_app.console(settings, host=host, port=port) as served:
        say(f"the console is at {served.url}; Ctrl-C ends it")
        if json:
            emit_document({"url": served.url}, "", json=True)
        served.wait()
    return 0
