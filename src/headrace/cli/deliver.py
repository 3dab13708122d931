"""`headrace deliver`: the worker."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from headrace.cli.output import emit_document
from headrace.errors import UsageError

if TYPE_CHECKING:
    from headrace.config import Config


def deliver(
    *,
    workers: int = 1,
    only: Literal["main", "retry"] | None = None,
    config: Path | None = None,
    parent: Annotated[int | None, Parameter(show=False)] = None,
    seat: Annotated[int, Parameter(show=False)] = 0,
    json: bool = False,
) -> int:
    """Read the main topic and the retry tiers, and write every org's events to its destinations.

    Runs until SIGTERM or Ctrl-C, then finishes what it holds, for `delivery.drain` at most, and exits 0. What was not
    finished is delivered by the next worker.

    With telemetry.metrics_port a worker has /metrics, /livez and /readyz there; of several workers the first has that
    port, and each other the next.

    Example: headrace deliver --workers 2

    Parameters
    ----------
    workers
        How many worker processes to run; they end with this one.
    only
        Serve only the main topic, or only the retry tiers.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print at the end what was done, as one JSON document; with several workers each prints its own.
    """
    from headrace import config as configuration  # noqa: PLC0415 -- a parent of workers loads no Kafka client

    settings = configuration.load(config)
    if only and settings.delivery.ordering != "any":
        raise UsageError(f"--only breaks the order of ordering = {settings.delivery.ordering!r}; run without it")
    if workers < 1:
        raise UsageError(f"--workers {workers}: there must be at least one")
    if workers > 1:
        return _supervise(workers, only, config, settings.delivery.drain, json=json)
    return _work(settings, only, parent, seat, json=json)


def _supervise(workers: int, only: str | None, config: Path | None, drain: float, *, json: bool) -> int:
    from headrace.delivery.supervisor import Supervisor  # noqa: PLC0415

    arguments = ["deliver"]
    if only:
        arguments += ["--only", only]
    if config:
        arguments += ["--config", str(config)]
    if json:
        arguments.append("--json")
    return Supervisor(workers, arguments).run(drain)


def _work(
    settings: "Config", only: Literal["main", "retry"] | None, parent: int | None, seat: int, *, json: bool
) -> int:
    import uvloop  # noqa: PLC0415

    from headrace import app  # noqa: PLC0415
    from headrace.delivery.supervisor import end_with_parent  # noqa: PLC0415
    from headrace.delivery.worker import run_until_signalled  # noqa: PLC0415

    if parent is not None:
        end_with_parent(parent)

    worker = app.worker(settings, only or "all")
    with app.overseen(settings, worker, seat), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_until_signalled(worker))
    done = worker.metrics.read().counters
    emit_document(done, ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in done.items()), json=json)
    return 0
