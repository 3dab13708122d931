"""Settings on a page: what is in force, the reference, and an example file with every default. Secrets are `***`."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

import msgspec

from headrace.model.secret import Secret
from headrace.model.units import Duration, Size
from headrace.settings.keys import Key, keys_of, variable

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100


class Shown(msgspec.Struct, frozen=True):
    """One key in force."""

    value: Any
    origin: str


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """One key as the reference has it."""

    key: str
    type: str
    default: Any
    variable: str
    description: str


def as_written(value: Any) -> Any:
    """Return *value* as a file would have it, of plain types that JSON has too; secrets are hidden."""
    match value:
        case Secret():
            return "(missing)" if value.is_missing else "***" if value else ""
        case Duration() | Size():
            return str(value)
        case list() | tuple():
            return [as_written(each) for each in value]
        case dict():
            return {name: as_written(each) for name, each in value.items()}
        case msgspec.Struct():
            return {name: as_written(getattr(value, name)) for name in value.__struct_fields__}
        case _:
            return value


def to_toml(value: Any) -> str:
    """Return *value*, made of plain types, as TOML writes it."""
    match value:
        case list():
            return f"[{', '.join(map(to_toml, value))}]"
        case dict():
            return f"{{{', '.join(f'{key_in_toml(name)} = {to_toml(each)}' for name, each in value.items())}}}"
        case _:
            return json.dumps(value, ensure_ascii=False)


def key_in_toml(name: str) -> str:
    """Return *name* as a key of TOML, in quotes where it needs them."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def show(path: str, settings: msgspec.Struct, origins: Mapping[str, str]) -> dict[str, Shown]:
    """Return what is in force at *path*, by the path of each key."""
    places = {field: f"{path}.{field}" for field in settings.__struct_fields__}
    return {place: Shown(as_written(getattr(settings, field)), origins[place]) for field, place in places.items()}


def describe(path: str, declared: type[msgspec.Struct]) -> list[Described]:
    """Return the reference of the keys at *path*."""
    return [
        Described(
            key=f"{path}.{key.name}",
            type=key.kind,
            default=None if key.is_required else as_written(key.default),
            variable=variable(*path.split("."), key.name),
            description=key.sentence,
        )
        for key in keys_of(declared)
    ]


def table(path: str, declared: type[msgspec.Struct]) -> Iterator[str]:
    """Yield the lines of a Markdown table of the keys at *path*."""
    yield "| key | type | default | what it says |"
    yield "|---|---|---|---|"
    for key, line in zip(keys_of(declared), describe(path, declared), strict=True):
        sentence = line.description.replace("|", "\\|")
        yield f"| `{key.name}` | {line.type} | {_default(key)} | {sentence} |"


def example(path: str, declared: type[msgspec.Struct]) -> Iterator[str]:
    """Yield the lines of a TOML table that says every key's sentence and default."""
    yield f"[{path}]"
    for key in keys_of(declared):
        yield from (f"# {line}" for line in wrap(key.sentence, _WIDTH - 2))
        line = _line(key.name, as_written(key.default))
        yield f"# {line}" if key.default is None else line


def _line(key: str, value: Any) -> str:
    return f"{key} is unset" if value is None else f"{key} = {to_toml(value)}"


def _default(key: Key) -> str:
    if key.is_required:
        return "must be given"
    default = as_written(key.default)
    return f"`{to_toml(default)}`" if default or isinstance(default, bool | int) else ""


def lines(shown: Mapping[str, Shown]) -> Sequence[str]:
    """Return *shown* for people: one line per key, and where it comes from."""
    written = [_line(path, each.value) for path, each in shown.items()]
    width = max(map(len, written), default=0)
    return [f"{text:<{width}}  # {each.origin}" for text, each in zip(written, shown.values(), strict=True)]
