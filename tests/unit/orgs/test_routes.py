import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import ConfigError
from headrace.model.destination import Destination
from headrace.orgs.routes import Routes


class NoSettings(msgspec.Struct, frozen=True):
    pass


DESTINATIONS = {name: Destination(name=name, type="memory", settings=NoSettings()) for name in ("crm", "log", "lake")}
CRM, LOG = DESTINATIONS["crm"], DESTINATIONS["log"]


def test_an_org_without_a_line_goes_where_every_org_goes() -> None:
    assert Routes({"*": ["log"]}, DESTINATIONS).of("acme") == (LOG,)


def test_an_own_line_replaces_that_of_every_org() -> None:
    routes = Routes({"*": ["log"], "acme": ["crm"], "quiet": []}, DESTINATIONS)

    assert routes.of("acme") == (CRM,)
    assert routes.of("quiet") == ()


def test_destinations_come_in_the_order_of_the_line() -> None:
    assert Routes({"acme": ["log", "crm"]}, DESTINATIONS).of("acme") == (LOG, CRM)


def test_an_org_that_no_line_is_for_goes_nowhere() -> None:
    assert Routes({"acme": ["log"]}, DESTINATIONS).of("other") == ()


def test_an_org_named_like_the_wildcard_is_an_org_like_any_other() -> None:
    assert Routes({"*": ["log"]}, DESTINATIONS).of("*") == (LOG,)


def test_an_unknown_destination_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"""routes\."acme" names the destination 'crn'.*did you mean 'crm'\?"""):
        Routes({"acme": ["crn"]}, DESTINATIONS)


def test_without_destinations_a_route_is_told_that_there_are_none() -> None:
    with pytest.raises(ConfigError, match="none is known"):
        Routes({"*": ["log"]}, {})


def test_a_destination_that_is_named_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="twice"):
        Routes({"*": ["log", "crm", "log"]}, DESTINATIONS)


@pytest.mark.parametrize("org", ["", "-", "a/b", ".hidden", "x" * 65, "**", "é"])
def test_what_can_be_no_org_is_refused(org: str) -> None:
    with pytest.raises(ConfigError, match="is no name of an org"):
        Routes({org: ["log"]}, DESTINATIONS)


lines = st.lists(st.sampled_from(sorted(DESTINATIONS)), unique=True)


@given(
    own=st.dictionaries(st.sampled_from(["a", "b", "c"]), lines), every=st.none() | lines, org=st.sampled_from("abcd")
)
def test_the_nearest_line_decides(own: dict[str, list[str]], every: list[str] | None, org: str) -> None:
    routes = Routes(own if every is None else {**own, "*": every}, DESTINATIONS)

    assert [destination.name for destination in routes.of(org)] == own.get(org, every or [])
