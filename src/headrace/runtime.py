"""The emitter as a bot's runtime uses it: configuration, Kafka and the emitter, put together.

It stands beside `headrace.app`, and apart from it, so that a bot does not import the worker.
"""

from pathlib import Path
from typing import Self

from headrace import config as configuration
from headrace.broker.kafka import KafkaBroker
from headrace.emitter import emitter


class Emitter(emitter.Emitter):
    """The emitter of `headrace.emitter.emitter`, which can be made from a configuration."""

    @classmethod
    def from_config(cls, path: Path | str | None = None) -> Self:
        """Make the process's emitter from `headrace.toml`; raise `ConfigError` when that cannot be used.

        *path* is the file; by default `HEADRACE_CONFIG`, else `./headrace.toml`. Kafka need not be there.
        """
        config = configuration.load(Path(path) if path is not None else None)
        return cls(
            KafkaBroker(config.kafka),
            topic=config.names.events,
            settings=config.emitter,
            ordering=config.delivery.ordering,
            max_message_bytes=config.topics.max_message_bytes,
        )
