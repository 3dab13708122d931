"""The pages that are made from the settings."""

import json
from pathlib import Path

import msgspec
import pytest

from headrace import app, config
from headrace.cli.main import main
from headrace.config import DESTINATION_TYPES, SECTIONS

DOCS = Path(__file__).parents[3] / "docs"
WAY_OUT = "the settings have changed: run `make docs`"


@pytest.mark.parametrize(("page", "options"), [("configuration.md", []), ("headrace.toml", ["--toml"])])
def test_page_is_as_the_code_makes_it(page: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "reference", *options]) == 0

    assert capsys.readouterr().out == (DOCS / page).read_text(), WAY_OUT


def test_example_file_holds_every_default(tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").write_bytes((DOCS / "headrace.toml").read_bytes())
    (tmp_path / "empty.toml").touch()

    example, empty = (config.load(tmp_path / name, {}) for name in ("headrace.toml", "empty.toml"))

    assert {name: getattr(example, name) for name in SECTIONS} == {name: getattr(empty, name) for name in SECTIONS}
    assert example.destinations == empty.destinations
    assert example.routes == empty.routes


def test_show_names_values_and_origins_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "headrace.toml"
    file.write_text(
        '[destinations.crm]\ntype = "http"\nurl = "http://a.example"\nsecret = ["env:KEY", "env:GONE"]\n'
        'headers.Authorization = "env:KEY"\n[routes]\n"*" = ["crm"]\n'
    )
    monkeypatch.setenv("KEY", "whsec_c2VjcmV0")
    monkeypatch.setenv("HEADRACE_DELIVERY__DRAIN", "9s")

    assert main(["config", "show", "--config", str(file), "--json"]) == 0

    output = capsys.readouterr().out
    shown = json.loads(output)
    assert "c2VjcmV0" not in output
    assert shown["file"] == str(file)
    assert shown["settings"]["delivery.drain"] == {"value": "9s", "origin": "HEADRACE_DELIVERY__DRAIN"}
    assert shown["settings"]["destinations.crm.secret"] == {"value": ["***", "(missing)"], "origin": str(file)}
    assert shown["settings"]["destinations.crm.headers"]["value"] == {"Authorization": "***"}
    assert shown["settings"]['routes."*"'] == {"value": ["crm"], "origin": str(file)}
    assert shown["settings"]["topics.min_insync_replicas"] == {"value": None, "origin": "default"}


def test_show_for_people_is_toml_with_origins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "headrace.toml"
    file.write_text('[retry]\ntiers = ["1s"]')

    assert main(["config", "show", "--config", str(file)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith("retry.tiers")] == [
        ["retry.tiers", "=", '["1s"]', "#", str(file)]
    ]


def test_reference_as_json_has_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "reference", "--json"]) == 0

    settings = json.loads(capsys.readouterr().out)["settings"]
    keys = {each["key"] for each in settings}
    assert "destinations.NAME.url" in keys
    assert {f"{name}.{field}" for name, each in SECTIONS.items() for field in each.__struct_fields__} <= keys
    assert all(each["variable"].startswith("HEADRACE_") and each["description"] for each in settings)


def test_app_makes_the_sinks_that_the_configuration_knows(tmp_path: Path) -> None:
    (tmp_path / "headrace.toml").touch()
    registry = app.registry(config.load(tmp_path / "headrace.toml", {}))

    for name, known in DESTINATION_TYPES.items():
        made = registry.type_named(name)
        assert (made.settings, made.shared) == (known.settings, known.shared)
    assert issubclass(config.EventlogDestination, msgspec.Struct)
