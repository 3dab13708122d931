"""Text that somebody else wrote, made fit to be shown: of bounded length, and without characters that act."""

import msgspec

LONGEST = 2_000
"""Characters that are shown of one text."""

_VISIBLE = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421, 0xFEFF: 0xFFFD}
_VISIBLE |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)
"""Control characters get the sign that stands for them, and what turns the direction of a line gets a mark."""


class Shown(msgspec.Struct, frozen=True):
    """A text as a page shows it. *is_cut* says that there is more."""

    text: str
    is_cut: bool = False


def shown(text: str, most: int = LONGEST) -> Shown:
    """Return the first *most* characters of *text*."""
    return Shown(text[:most].translate(_VISIBLE), len(text) > most)


def pretty(value: bytes, most: int) -> Shown:
    """Return JSON indented, its numbers as they are written; whatever is no JSON comes as it is."""
    try:
        text = msgspec.json.format(value, indent=2).decode()
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        text = value.decode(errors="replace")
    return shown(text, most)


def short(value: msgspec.Raw | bytes, most: int) -> Shown:
    """Return JSON on one line, its numbers as they are written."""
    text = bytes(value)[: 4 * most + 4].decode(errors="replace")
    return Shown(text[:most].translate(_VISIBLE), len(value) > len(text[:most].encode()))
