"""Logs: an event's name and its fields, on standard error; JSON lines, or colours where a person reads along."""

import logging
import sys
from typing import Literal, TextIO

import msgspec
import structlog

Level = Literal["debug", "info", "warning", "error"]


def configure(level: Level = "info", stream: TextIO | None = None) -> None:
    """Send logs from *level* up to *stream*, by default standard error. A later call replaces an earlier one.

    A `Secret` shows itself as `***`, as everywhere, and tracebacks come without local variables. What other
    libraries say through `logging` comes along from warnings up.
    """
    lowest = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(stream or sys.stderr),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        # Looked up anew for each line: whoever redirects standard error gets the logs too.
        logger_factory=lambda *_: structlog.WriteLogger(stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_Bridge()], level=max(lowest, logging.WARNING), force=True)


def _rendering(stream: TextIO) -> list[structlog.typing.Processor]:
    if stream.isatty():
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_line)]


def _line(fields: object, **_: object) -> str:
    return msgspec.json.encode(fields, enc_hook=str).decode()


class _Bridge(logging.Handler):
    """Hands on what vendor libraries log."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info)
