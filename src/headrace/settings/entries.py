"""A table of named tables, such as `[destinations.NAME]`, whose `type` says which keys each may have."""

from collections.abc import Collection, Mapping

import msgspec

from headrace.errors import ConfigError
from headrace.model.nearest import nearest
from headrace.settings.sources import entries_in_variables, table_in_variable
from headrace.settings.tables import read_table
from headrace.settings.values import Given, Surroundings

TYPE = "type"


def gather(section: str, table: Given, environ: Mapping[str, str]) -> dict[str, dict[str, Given]]:
    """Return what was written for each entry: *table* in the file, unless the section's variable replaces it.

    A variable for one key of an entry, such as `HEADRACE_DESTINATIONS__CRM__URL`, comes before both.
    """
    whole = table_in_variable(environ, section) or table
    entries: dict[str, dict[str, Given]] = {}
    for name, keys in whole.value.items():
        if not isinstance(keys, dict):
            raise ConfigError(f"{whole.origin}: {section}.{name} is no table; write [{section}.{name}], its keys below")
        entries[name] = {key: Given(value, whole.origin, whole.is_variable) for key, value in keys.items()}
    for name, key, given in entries_in_variables(environ, section, tuple(entries)):
        entries.setdefault(name, {})[key] = given
    return entries


def read_entry(
    path: str,
    given: Mapping[str, Given],
    types: Mapping[str, type[msgspec.Struct]],
    planned: Collection[str],
    surroundings: Surroundings,
) -> tuple[str, msgspec.Struct, dict[str, str]]:
    """Make the settings of the entry at *path*: return its type, them, and where each key was set.

    Raise `ConfigError` when the type is not one of *types*, and as `read_table`. *planned* are types to come.
    """
    if TYPE not in given:
        raise ConfigError(f"{path}.{TYPE} is missing; {_known(types)}")
    kind, origin = str(given[TYPE].value), given[TYPE].origin
    if kind in planned:
        raise ConfigError(f"{origin}: {path}.{TYPE}: {kind!r} is planned, and not in this version; {_known(types)}")
    if kind not in types:
        raise ConfigError(f"{origin}: {path}.{TYPE}: {kind!r} is no type that there is; {nearest(kind, types)}")
    keys = {name: value for name, value in given.items() if name != TYPE}
    settings, origins = read_table(path, types[kind], keys, surroundings)
    return kind, settings, {f"{path}.{TYPE}": origin, **origins}


def _known(types: Collection[str]) -> str:
    return f"known: {', '.join(sorted(types))}"
