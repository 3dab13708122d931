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
        ("mysql://user:geheim@db/events", "names no event log"),
        ("eventlog.db", "names no event log"),
        ("sqlite://", "names no event log"),
        ("sqlite:///", "names no event log"),
        ("sqlite:///:memory:", "names no event log"),
        ("sqlite:///a\0b", "names no event log"),
    ],
)
def test_what_is_no_file_is_refused_without_repeating_it(url: str, words: str) -> None:
    """A password may stand in it."""
    with pytest.raises(ConfigError, match=words) as refused:
        EventlogSettings(url=url).relative_to(Path())

    assert "geheim" not in str(refused.value)
    assert "sqlite:///" in str(refused.value)


def test_a_database_stays_where_it_is_and_its_password_is_never_shown() -> None:
    settings = EventlogSettings(url="postgres://user:geh%2Feim@db:5433/events?sslmode=require").relative_to(
        Path("/etc")
    )

    assert settings.is_postgres
    assert settings.url == "postgres://user@db:5433/events?sslmode=require"
    assert settings.password.reveal() == "geh/eim"
    assert "geh" not in repr(settings)
    assert EventlogSettings(url="postgresql://user@db/events").relative_to(Path("/etc")).url.endswith("user@db/events")
