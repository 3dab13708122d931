import io
import json
import logging

import pytest
import structlog

from headrace.model.secret import Secret
from headrace.telemetry.logs import configure


class Terminal(io.StringIO):
    """A stream that a person watches."""

    def isatty(self) -> bool:
        return True


def test_log_is_a_line_of_json_with_its_fields() -> None:
    stream = io.StringIO()
    configure("info", stream)

    structlog.get_logger("x").info("worker.started", partitions=3, secret=Secret("s3cret"))

    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "worker.started", "level": "info", "partitions": 3, "secret": "Secret('***')"}


def test_below_the_level_is_silence() -> None:
    stream = io.StringIO()
    configure("warning", stream)

    structlog.get_logger("x").info("worker.started")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_traceback_shows_no_local_variable(stream: io.StringIO) -> None:
    configure("info", stream)
    words = ["local", "variable"]
    try:
        len(words) / 0
    except ZeroDivisionError:
        structlog.get_logger("x").exception("worker.failed")

    assert "ZeroDivisionError" in stream.getvalue()
    assert "'local', 'variable'" not in stream.getvalue().replace('["local", "variable"]', "")


def test_on_a_terminal_logs_are_for_people() -> None:
    stream = Terminal()
    configure("info", stream)

    structlog.get_logger("x").info("worker.started", partitions=3)

    assert "worker.started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_warnings_of_other_libraries_come_along() -> None:
    stream = io.StringIO()
    configure("info", stream)

    logging.getLogger("aiohttp").warning("odd %s", "thing")
    logging.getLogger("aiohttp").info("unimportant")

    line = json.loads(stream.getvalue())
    assert (line["event"], line["logger"], line["level"]) == ("odd thing", "aiohttp", "warning")
