import msgspec
import pytest

from headrace.errors import ConfigError
from headrace.model.destination import Destination
from headrace.orgs.destinations import by_name


class NoSettings(msgspec.Struct, frozen=True):
    pass


def named(name: str) -> Destination:
    return Destination(name=name, type="memory", settings=NoSettings())


def test_destinations_are_found_by_name() -> None:
    crm, log = named("crm"), named("log")

    assert by_name([crm, log]) == {"crm": crm, "log": log}


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"destinations\.crm is there twice"):
        by_name([named("crm"), named("crm")])


@pytest.mark.parametrize("name", ["", "-", "a b", "é", "x" * 65, "a\nb"])
def test_a_name_that_a_header_cannot_carry_is_refused(name: str) -> None:
    """`-` stands for no destination at all, in headers and in the ledger."""
    with pytest.raises(ConfigError, match="is no name of a destination"):
        by_name([named(name)])
