"""`headrace console`: the web console."""

from pathlib import Path

from headrace import app
from headrace import config as configuration
from headrace.cli.output import say


def console(*, config: Path | None = None, host: str | None = None, port: int | None = None) -> int:
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
        The port to listen on, instead of console.port.
    """
    settings = configuration.load(config)
    with app.console(settings, host=host, port=port) as served:
        say(f"the console is at {served.url}; Ctrl-C ends it")
        served.wait()
    return 0
