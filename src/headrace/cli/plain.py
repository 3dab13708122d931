"""Text that somebody else wrote, made safe for a terminal, and columns that line up."""

from collections.abc import Sequence


def plain(text: str) -> str:
    """Write what a terminal would act on (control characters, changes of direction, lone surrogates) as escapes."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def columns(rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Line up *rows*: the first *left* columns to the left, the others, which are numbers, to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
