from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import ConfigError, SecretMissing
from headrace.model.secret import Secret
from headrace.model.units import Duration, Size
from headrace.settings.tables import read_table
from headrace.settings.values import Given, Surroundings


class Mill(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of every type that there is."""

    name: str
    wheels: Annotated[int, msgspec.Meta(ge=1, description="How many wheels turn.")] = 2
    height: float = 1.5
    open: bool = False
    pause: Duration = Duration(5)
    pond: Size = Size(1024)
    side: Literal["left", "right"] = "left"
    spans: list[Duration] = []
    keys: list[Secret] = []
    labels: dict[str, Secret] = {}
    gates: int | None = None
    plan: str = "plan.txt"

    def __post_init__(self) -> None:
        if self.gates == 0:
            raise ValueError("gates is 0; write at least 1")
        if len(self.keys) > 2:
            raise ConfigError("mill.keys: too many")

    def relative_to(self, directory: Path) -> Self:
        return msgspec.structs.replace(self, plan=str(directory / self.plan))


def read(written: dict[str, Any], *, variable: bool = False, environ: dict[str, str] | None = None) -> Mill:
    """Read a table as from a file, or as from variables."""
    keys = {name: Given(value, "mill.toml", variable) for name, value in ({"name": "m"} | written).items()}
    return read_table("mill", Mill, keys, Surroundings(environ or {}, Path("/etc/mill")))[0]


def refusal(written: dict[str, Any], *, variable: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        read(written, variable=variable)
    return str(caught.value)


def test_file_values_become_typed_settings() -> None:
    mill = read({"wheels": 3, "height": 2, "open": True, "pause": "20ms", "pond": "4KiB", "side": "right"})

    assert (mill.wheels, mill.height, mill.open, mill.side) == (3, 2.0, True, "right")
    assert (mill.pause, type(mill.pause)) == (0.02, Duration)
    assert (mill.pond, type(mill.pond)) == (4096, Size)


def test_variables_hold_text_or_json() -> None:
    mill = read(
        {"wheels": "3", "open": "true", "pause": "1m", "spans": '["1s","2s"]', "gates": "4", "pond": "7", "name": "5"},
        variable=True,
    )

    assert (mill.wheels, mill.open, mill.gates, mill.name) == (3, True, 4, "5")
    assert (mill.pause, mill.spans, mill.pond) == (Duration(60), [Duration(1), Duration(2)], Size(7))


def test_single_value_stands_for_a_list_of_one() -> None:
    assert read({"spans": "5s"}).spans == [Duration(5)]
    assert read({"spans": "5s"}, variable=True).spans == [Duration(5)]


def test_relative_paths_begin_at_the_file() -> None:
    assert read({}).plan == "/etc/mill/plan.txt"


def test_origins_name_where_each_key_was_set() -> None:
    written = {"name": Given("m", "HEADRACE_MILL__NAME", is_variable=True), "wheels": Given(1, "mill.toml")}

    _, origins = read_table("mill", Mill, written, Surroundings({}, Path()))

    assert origins["mill.name"] == "HEADRACE_MILL__NAME"
    assert origins["mill.wheels"] == "mill.toml"
    assert origins["mill.open"] == "default"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"weels": 3}, "mill.toml: mill.weels: no such key; did you mean 'wheels'?"),
        ({"wheels": 0}, "mill.toml: mill.wheels: expected a whole number >= 1"),
        ({"wheels": "many"}, "mill.toml: mill.wheels: expected a whole number, got text"),
        ({"open": 1}, "mill.toml: mill.open: expected true or false, got a whole number"),
        ({"pause": 5}, "mill.toml: mill.pause: '5' is not a duration such as '250ms', '5s', '30m', '24h' or '7d'"),
        ({"spans": ["1s", "x"]}, "mill.toml: mill.spans[1]: 'x' is not a duration"),
        ({"pond": "1MB"}, "mill.toml: mill.pond: '1MB' is not a size such as '64KiB', '1MiB' or '1GiB'"),
        ({"pond": -1}, "mill.toml: mill.pond: '-1' is not a size"),
        ({"pond": True}, "mill.toml: mill.pond: 'True' is not a size"),
        ({"side": "rigth"}, "mill.toml: mill.side: 'rigth' is not one of its words; did you mean 'right'?"),
        ({"side": ["left"]}, "mill.toml: mill.side: ['left'] is not one of its words; did you mean 'left'?"),
        ({"gates": 0}, "mill.toml: mill.gates is 0; write at least 1"),
        ({"keys": ["env:A", "env:B", "env:C"]}, "mill.toml: mill.keys: too many"),
        ({"labels": "x"}, "mill.toml: mill.labels: expected a table, got text"),
    ],
)
def test_bad_value_is_refused_with_path_and_way_out(written: dict[str, Any], sentence: str) -> None:
    assert refusal(written).startswith(sentence)


def test_missing_key_without_default_is_named() -> None:
    with pytest.raises(ConfigError, match=r"mill\.name is missing"):
        read_table("mill", Mill, {}, Surroundings({}, Path()))


def test_variable_that_is_no_json_is_refused() -> None:
    assert refusal({"wheels": "three"}, variable=True).startswith("mill.toml: mill.wheels is no JSON")


def test_secret_comes_from_the_variable_it_names() -> None:
    mill = read({"keys": "env:KEY", "labels": {"a": "env:KEY"}}, environ={"KEY": "s3cret"})

    assert [key.reveal() for key in mill.keys] == ["s3cret"]
    assert mill.labels["a"].reveal() == "s3cret"
    assert "s3cret" not in repr(mill)


def test_secret_comes_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")

    written = {"name": Given("m", "f"), "keys": Given("file:key", "f")}
    mill, _ = read_table("mill", Mill, written, Surroundings({}, tmp_path))

    assert mill.keys[0].reveal() == "s3cret"


@pytest.mark.parametrize("place", ["env:KEY", "file:nowhere", "file:."])
def test_secret_that_is_not_there_is_refused_when_it_is_used(place: str) -> None:
    """A bot that reads the worker's configuration runs without the worker's secrets."""
    secret = read({"keys": [place]}).keys[0]

    with pytest.raises(SecretMissing, match=r"^mill\.keys: the"):
        secret.reveal()


def test_secret_written_into_the_file_is_refused_unseen() -> None:
    sentence = refusal({"keys": "s3cret"})

    assert sentence.endswith("a secret is not written here; write env:NAME or file:PATH")
    assert "s3cret" not in sentence


def test_secret_may_stand_in_a_variable() -> None:
    assert read({"keys": "s3cret"}, variable=True).keys[0].reveal() == "s3cret"


@given(
    st.dictionaries(
        st.sampled_from([field.name for field in msgspec.structs.fields(Mill)]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.just({"a": 1}),
    ),
    st.booleans(),
)
def test_whatever_is_written_is_read_or_refused(written: dict[str, Any], variable: bool) -> None:
    """No value of any type escapes as another exception."""
    refused = ""
    try:
        read(written, variable=variable)
    except ConfigError as error:
        refused = str(error)

    assert not refused or refused.startswith(("mill.", "mill.toml: mill."))
