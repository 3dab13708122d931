"""From what a person wrote to a typed value. Every refusal is one sentence, and none quotes a secret."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from headrace.errors import ConfigError
from headrace.model.nearest import nearest
from headrace.model.secret import Secret
from headrace.model.units import Duration, Size
from headrace.settings.keys import bare, is_list, is_text

_WHERE = re.compile(r"(?P<what>.*) - at `(?:key in )?\$(?P<where>.*)`", re.DOTALL)

_QUOTED = re.compile(r"`([^`]*)`")
_WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "null": "nothing"}
_WORDS |= {"array": "a list", "object": "a table"}


class Given(msgspec.Struct, frozen=True):
    """What was written for a key, and where: a file's name or a variable's."""

    value: Any
    origin: str
    is_variable: bool = False


class Surroundings(msgspec.Struct, frozen=True):
    """What `env:NAME` and `file:PATH` are looked up in; relative paths begin at *directory*."""

    environ: Mapping[str, str]
    directory: Path


def read(declared: Any, path: str, given: Given, surroundings: Surroundings) -> Any:
    """Return what was *given* for the key at *path* as its *declared* type; raise `ConfigError` with the way out."""
    kind = bare(declared)
    value = _parse_variable(kind, path, given) if given.is_variable else given.value
    if get_origin(kind) is Literal:
        _check_choice(value, get_args(kind), path, given.origin)
    if is_list(kind) and not isinstance(value, list):
        # One secret, or two while it is rotated: a single value need not be wrapped.
        value = [value]
    try:
        return msgspec.convert(value, declared, dec_hook=_reader(path, given, surroundings))
    except msgspec.ValidationError as error:
        raise _refusal(str(error), path, given.origin) from None


def _parse_variable(kind: Any, path: str, given: Given) -> Any:
    text = given.value
    if not isinstance(text, str) or is_text(kind) or (is_list(kind) and not text.lstrip().startswith("[")):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise ConfigError(f"{given.origin}: {path} is no JSON; write for example 5, true, [..] or {{..}}") from None


def _check_choice(value: Any, choices: tuple[str, ...], path: str, origin: str) -> None:
    if value not in choices:
        raise ConfigError(f"{origin}: {path}: {value!r} is not one of its words; {nearest(str(value), choices)}")


def _reader(path: str, given: Given, surroundings: Surroundings) -> Callable[[type, Any], Any]:
    def read_custom(kind: type, value: Any) -> Any:
        if kind is Secret:
            return _secret(value, path, given, surroundings)
        if kind is Duration:
            return Duration.parse(str(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return Size.parse(str(value))
        return Size.parse(value if isinstance(value, str) else repr(value))

    return read_custom


def _secret(value: Any, path: str, given: Given, surroundings: Surroundings) -> Secret:
    if not isinstance(value, str):
        raise ValueError("write env:NAME or file:PATH")  # noqa: TRY004 - msgspec expects it
    place, _, name = value.partition(":")
    if place == "env":
        text = surroundings.environ.get(name)
        return Secret(text) if text else Secret.missing(f"{path}: the variable {name} is not set; set it")
    if place == "file":
        return _secret_in(surroundings.directory / name, path)
    if given.is_variable or not value:
        # A variable of the environment is a place for secrets itself, and nothing is no secret.
        return Secret(value)
    raise ValueError("a secret is not written here; write env:NAME or file:PATH")


def _secret_in(file: Path, path: str) -> Secret:
    try:
        text = file.read_text().rstrip("\r\n")
    except (OSError, ValueError) as error:
        return Secret.missing(f"{path}: the secret's file {file} cannot be read ({_reason(error)}); put it there")
    return Secret(text) if text else Secret.missing(f"{path}: the secret's file {file} is empty; write it there")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else "it is no text"


def _refusal(message: str, path: str, origin: str) -> ConfigError:
    match = _WHERE.fullmatch(message)
    what, where = (match["what"], match["where"]) if match else (message, "")
    plain = _QUOTED.sub(lambda quoted: " or ".join(_WORDS.get(word, word) for word in quoted[1].split(" | ")), what)
    return ConfigError(f"{origin}: {path}{where}: {plain[0].lower()}{plain[1:]}")
