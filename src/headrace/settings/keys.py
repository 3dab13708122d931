"""What there is to set: the keys of a room's settings, as its struct declares them."""

from collections.abc import Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from headrace.model.secret import Secret
from headrace.model.units import Duration, Size

VARIABLE = "HEADRACE_"

_WORDS = {str: "text", int: "number", float: "number", bool: "true or false"}
_WORDS |= {Duration: "duration", Size: "size", Secret: "secret"}


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key: its type with its bounds, its default, its sentence."""

    name: str
    declared: Any
    default: Any
    sentence: str

    @property
    def is_required(self) -> bool:
        """Whether there is no default."""
        return self.default is msgspec.NODEFAULT

    @property
    def kind(self) -> str:
        """What is written there, in words."""
        return _in_words(bare(self.declared))


def keys_of(settings: type[msgspec.Struct]) -> Sequence[Key]:
    """Return the keys of a struct in the order in which it declares them."""
    return [_key(field) for field in msgspec.structs.fields(settings)]


def variable(*path: str) -> str:
    """Name the environment variable of a key, as `HEADRACE_DELIVERY__BATCH_EVENTS`."""
    return VARIABLE + "__".join(path).upper()


def is_list(kind: Any) -> bool:
    """Tell whether lists are written there."""
    return get_origin(kind) is list


def is_text(kind: Any) -> bool:
    """Tell whether a variable's text is the value itself, and not JSON."""
    return kind in (str, Duration, Size, Secret) or get_origin(kind) is Literal


def bare(declared: Any) -> Any:
    """Return a declared type without its bounds and its sentence."""
    return get_args(declared)[0] if get_origin(declared) is Annotated else declared


def _key(field: msgspec.structs.FieldInfo) -> Key:
    notes = get_args(field.type)[1:] if get_origin(field.type) is Annotated else ()
    sentence = next((note.description or "" for note in notes if isinstance(note, msgspec.Meta)), "")
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return Key(name=field.name, declared=field.type, default=default, sentence=sentence)


def _in_words(kind: Any) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    arguments = get_args(kind)
    if get_origin(kind) is Literal:
        return " or ".join(map(str, arguments))
    if is_list(kind):
        return f"list of {_in_words(arguments[0])}"
    if get_origin(kind) is dict:
        return f"table of {_in_words(arguments[1])}"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"{{{', '.join(kind.__struct_fields__)}}}"
    if get_origin(kind) in (UnionType, Union):
        return " or ".join(_in_words(each) for each in arguments if each is not type(None))
    raise TypeError(f"{kind!r} is no type of a setting")
