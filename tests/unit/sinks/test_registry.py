import msgspec
import pytest

from headrace.errors import ConfigError
from headrace.model.destination import Destination
from headrace.sinks.http import HTTP, HttpSink
from headrace.sinks.http_settings import HttpSettings
from headrace.sinks.memory import MemorySink
from headrace.sinks.port import Sink
from headrace.sinks.registry import Registry, SinkType


class NoSettings(msgspec.Struct, frozen=True):
    pass


def make_memory(_: Destination, timeout: float) -> Sink:
    return MemorySink(timeout=timeout)


REGISTRY = Registry([HTTP, SinkType(name="memory", settings=NoSettings, make=make_memory, shared=True)])


def test_a_type_is_found_by_its_name() -> None:
    assert REGISTRY.type_named("http") is HTTP
    assert REGISTRY.type_named("memory").shared


def test_a_typing_error_is_told_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"'htpp' is no type of destination; did you mean 'http'\?"):
        REGISTRY.type_named("htpp")


def test_a_name_near_to_none_is_told_all() -> None:
    with pytest.raises(ConfigError, match="known: http, memory"):
        REGISTRY.type_named("carrier pigeon")


@pytest.mark.parametrize("name", ["salesforce", "postgres"])
def test_a_planned_type_is_said_to_be_planned(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' is planned, and not in this version; known: http, memory"):
        REGISTRY.type_named(name)


def test_a_sink_is_made_of_a_destination() -> None:
    settings = HttpSettings(url="https://crm.example")

    assert isinstance(REGISTRY.make(Destination(name="crm", type="http", settings=settings), 10.0), HttpSink)


def test_settings_that_cannot_work_are_refused_with_the_destination_s_name() -> None:
    destination = Destination(name="crm", type="http", settings=HttpSettings(url="nowhere"))

    with pytest.raises(ConfigError, match=r"^destinations\.crm: url "):
        REGISTRY.make(destination, 10.0)
