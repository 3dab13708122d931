"""Where settings are written: a TOML file, and variables of the environment, which come first."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from headrace.errors import ConfigError
from headrace.model.nearest import nearest
from headrace.settings.keys import VARIABLE, variable
from headrace.settings.values import Given


def read_file(path: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of a TOML file; raise `ConfigError` when it cannot be read."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no configuration file {path}; check --config and HEADRACE_CONFIG") from None
    except OSError as error:
        raise ConfigError(f"the configuration file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the configuration file {path} is not UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the configuration file {path} is no TOML: {error}") from None
    for name, table in document.items():
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {name} stands outside of any table; put it below its [section]")
    return document


def from_file(table: Mapping[str, Any], origin: str) -> dict[str, Given]:
    """Return the keys of one table of a file."""
    return {name: Given(value, origin) for name, value in table.items()}


def from_variables(environ: Mapping[str, str], section: str, keys: Collection[str]) -> dict[str, Given]:
    """Return the keys of one section that variables set."""
    names = {key: variable(section, key) for key in keys}
    return {key: Given(environ[name], name, is_variable=True) for key, name in names.items() if name in environ}


def table_in_variable(environ: Mapping[str, str], section: str) -> Given | None:
    """Return the whole table that the variable of a section holds as JSON; None when it is not set."""
    name = variable(section)
    if name not in environ:
        return None
    try:
        return Given(msgspec.json.decode(environ[name], type=dict[str, Any]), name, is_variable=True)
    except msgspec.DecodeError:
        # The error itself could quote a secret.
        raise ConfigError(f"{name} is no JSON table; write it as {{...}}") from None


def entries_in_variables(
    environ: Mapping[str, str], section: str, names: Collection[str]
) -> Iterator[tuple[str, str, Given]]:
    """Yield (entry, key, value) for variables such as `HEADRACE_DESTINATIONS__CRM__URL`.

    Variables are written in capitals, so an entry is found among *names* whatever its case, else is in small letters.
    """
    by_capitals = {name.upper(): name for name in names}
    head = variable(section) + "__"
    for name, text in sorted(environ.items()):
        entry, _, key = name.removeprefix(head).partition("__")
        if name.startswith(head) and key:
            yield by_capitals.get(entry.upper(), entry.lower()), key.lower(), Given(text, name, is_variable=True)


def check_variables(environ: Mapping[str, str], keys: Mapping[str, Collection[str]], tables: Collection[str]) -> None:
    """Raise `ConfigError` for a variable that looks like a setting and is none.

    *keys* are those of each section; *tables* are sections that a variable holds whole, or entry by entry.
    """
    known = {variable(section, key) for section, names in keys.items() for key in names} | set(map(variable, tables))
    sections = tuple(f"{variable(section)}_" for section in (*keys, *tables))
    for name in environ:
        if name in known or not (name.startswith(sections) or (name.startswith(VARIABLE) and "__" in name)):
            continue
        if not any(name.startswith(f"{variable(table)}__") and name.count("__") > 1 for table in tables):
            head = name.split("__", 1)[0]
            raise ConfigError(f"{name}: no such setting; {nearest(name, _neighbours(head, known) or known)}")


def _neighbours(head: str, known: Collection[str]) -> list[str]:
    return [name for name in known if name.startswith(f"{head}__")]
