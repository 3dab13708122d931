"""Text for PostgreSQL, which knows every character but one: U+0000 is written as two others."""

import re
from typing import Any

from psycopg.adapt import AdaptersMap, Buffer
from psycopg.types.string import StrBinaryDumper, StrDumper, TextLoader

_ESCAPE = "\x1a"
_ODD = re.compile("[\x00\x1a]")
_ESCAPED = re.compile(b"\x1a([01])")
_BACK = {b"0": b"\x00", b"1": b"\x1a"}


def escape(text: str) -> str:
    """Return *text* without U+0000, so that `unescape` gives it back."""
    return _ODD.sub(lambda found: f"{_ESCAPE}{int(found[0] == _ESCAPE)}", text) if _ODD.search(text) else text


def unescape(text: bytes) -> bytes:
    """Return what `escape` was given."""
    return _ESCAPED.sub(lambda found: _BACK[found[1]], text) if b"\x1a" in text else text


class _Dumper(StrDumper):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escape(obj))


class _BinaryDumper(StrBinaryDumper):
    def dump(self, obj: str) -> Buffer | None:
        return super().dump(escape(obj))


class _Loader(TextLoader):
    def load(self, data: Buffer) -> Any:
        text = bytes(data)
        return text.decode() if b"\x1a" not in text else unescape(text).decode()


def teach(adapters: AdaptersMap) -> None:
    """Let every text of a connection pass through here."""
    adapters.register_dumper(str, _BinaryDumper)
    adapters.register_dumper(str, _Dumper)
    adapters.register_loader("text", _Loader)
