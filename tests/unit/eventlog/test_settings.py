"""Where the event log is."""

from pathlib import Path

import pytest

from headrace.errors import ConfigError
from headrace.eventlog.settings import EventlogSettings


def test_a_relative_path_is_read_from_the_directory_and_an_absolute_one_stays() -> None:
    directory = Path("/etc/headrace")

    assert EventlogSettings().relative_to(directory).path() == Path("/etc/headrace/.headrace/eventlog.db")
    absolute = EventlogSettings(url="sqlite:////var/eventlog.db")
    assert absolute.relative_to(directory).path() == Path("/var/eventlog.db")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://user:geheim@db/events", "PostgreSQL is planned"),
        ("postgres://user:geheim@db/events", "PostgreSQL is planned"),
        ("mysql://user:geheim@db/events", "names no SQLite file"),
        ("eventlog.db", "names no SQLite file"),
        ("sqlite://", "names no SQLite file"),
        ("sqlite:///", "names no SQLite file"),
        ("sqlite:///:memory:", "names no SQLite file"),
        ("sqlite:///a\0b", "names no SQLite file"),
    ],
)
def test_what_is_no_file_is_refused_without_repeating_it(url: str, words: str) -> None:
    """A password may stand in it."""
    with pytest.raises(ConfigError, match=words) as refused:
        EventlogSettings(url=url).relative_to(Path())

    assert "geheim" not in str(refused.value)
    assert "sqlite:///" in str(refused.value)
