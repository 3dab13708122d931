"""What commands leave in the audit trail."""

import getpass
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from headrace.cli.noting import ADDRESS, noted
from headrace.clock import SystemClock
from headrace.errors import BrokerUnavailable
from headrace.eventlog.opening import open_event_log
from headrace.eventlog.settings import EventlogSettings
from headrace.eventlog.trail import Deed, DeedQuery


class House:
    """Settings by which the event log is a file in *directory*."""

    def __init__(self, directory: Path) -> None:
        self.settings = EventlogSettings(url=f"sqlite:///{directory / 'log.db'}")

    def make(self) -> None:
        self.deeds(read_only=False)

    def deeds(self, *, read_only: bool = True) -> Sequence[Deed]:
        with closing(open_event_log(self.settings, SystemClock(), read_only=read_only)) as log:
            return log.deeds(DeedQuery(org=None)).rows


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_who_did_what_on_the_command_line_is_noted_before_it_is_done_and_when_it_ended(house: House) -> None:
    house.make()
    with noted(house.settings, "pause", org="acme", target="crm", asked={"why": "it moves"}) as ended:
        (before,) = house.deeds()
        ended({"count": 3})

    (after,) = house.deeds()
    assert (before.result, before.answer) == ("asked", "")
    assert (after.who, after.address, after.action) == (getpass.getuser(), ADDRESS, "pause")
    assert (after.org, after.target, after.detail) == ("acme", "crm", '{"why":"it moves"}')
    assert (after.result, after.answer) == ("done", '{"count":3}')


def test_what_failed_is_noted_with_the_reason(house: House) -> None:
    house.make()
    with pytest.raises(BrokerUnavailable), noted(house.settings, "resume", org=None, target="crm", asked=None):
        raise BrokerUnavailable("nobody answers")

    assert [(deed.result, deed.answer) for deed in house.deeds()] == [("failed", "nobody answers")]


def test_without_an_event_log_it_is_done_and_said_that_it_is_not_noted(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    with noted(house.settings, "pause", org=None, target="crm", asked=None) as ended:
        ended("done")

    assert "this is not noted in the audit trail: there is no event log at" in capsys.readouterr().err
    assert not house.settings.path().exists()


def test_an_event_log_that_does_not_take_it_holds_nothing_up(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.settings.path().write_bytes(b"no database" * 100)
    with noted(house.settings, "pause", org=None, target="crm", asked=None) as ended:
        ended("done")

    assert "this is not noted in the audit trail" in capsys.readouterr().err
