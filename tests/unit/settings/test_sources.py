from pathlib import Path

import pytest

from headrace.errors import ConfigError
from headrace.settings.sources import check_variables, entries_in_variables, read_file, table_in_variable
from headrace.settings.values import Given

KEYS = {"mill": ["wheels", "side"]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[mill\n", "is no TOML: Expected ']' at the end of a table declaration (at line 1, column 6)"),
        (b"wheels = 1\n", "wheels stands outside of any table"),
        (b"[mill]\na = 1\na = 2\n", "is no TOML: Cannot overwrite a value"),
        (b"# \xff\n", "is not UTF-8"),
    ],
)
def test_broken_file_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "headrace.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        read_file(file)

    assert sentence in str(caught.value)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no configuration file"):
        read_file(tmp_path / "headrace.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(tmp_path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("HEADRACE_MILL__WEELS", "did you mean 'HEADRACE_MILL__WHEELS'?"),
        ("HEADRACE_MILL_WHEELS", "did you mean 'HEADRACE_MILL__WHEELS'?"),
        ("HEADRACE_MIL__SIDE", "did you mean 'HEADRACE_MILL__SIDE'?"),
        ("HEADRACE_MILL__X", "did you mean 'HEADRACE_MILL__SIDE'?"),
    ],
)
def test_variable_that_sets_nothing_is_refused(name: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_variables({name: "1"}, KEYS, ["places"])

    assert str(caught.value) == f"{name}: no such setting; {hint}"


@pytest.mark.parametrize(
    "name", ["HEADRACE_MILL__SIDE", "HEADRACE_PLACES", "HEADRACE_PLACES__A__URL", "HEADRACE_LOG", "X__Y"]
)
def test_other_variables_pass(name: str) -> None:
    check_variables({name: "1"}, KEYS, ["places"])


def test_variables_name_entries_in_any_case() -> None:
    environ = {"HEADRACE_PLACES__CRM__URL": "u", "HEADRACE_PLACES__NEW__TYPE": "t", "HEADRACE_PLACES": "{}"}

    found = list(entries_in_variables(environ, "places", ["Crm"]))

    assert found == [
        ("Crm", "url", Given("u", "HEADRACE_PLACES__CRM__URL", is_variable=True)),
        ("new", "type", Given("t", "HEADRACE_PLACES__NEW__TYPE", is_variable=True)),
    ]


def test_table_in_a_variable_is_json() -> None:
    name = "HEADRACE_PLACES"

    assert table_in_variable({}, "places") is None
    assert table_in_variable({name: '{"a":{}}'}, "places") == Given({"a": {}}, name, is_variable=True)
    with pytest.raises(ConfigError, match="HEADRACE_PLACES is no JSON table") as caught:
        table_in_variable({name: '["s3cret"]'}, "places")
    assert "s3cret" not in str(caught.value)
