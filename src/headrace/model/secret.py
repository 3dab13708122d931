"""A secret that cannot be printed by accident."""

from typing import Self

from headrace.errors import SecretMissing


class Secret:
    """Text that shows itself only to `reveal`; `str`, `repr` and logs see `***`."""

    __slots__ = ("_missing", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._missing = ""

    @classmethod
    def missing(cls, sentence: str) -> Self:
        """Return one whose text is not there: to `reveal` it raises `SecretMissing` with *sentence*.

        So a process that never uses it, such as a bot beside the worker's configuration, runs without it.
        """
        secret = cls("")
        secret._missing = sentence
        return secret

    @property
    def is_missing(self) -> bool:
        """Whether `reveal` would raise."""
        return bool(self._missing)

    def reveal(self) -> str:
        """Return the text itself. Call it where the secret is used, never to store or show it."""
        if self._missing:
            raise SecretMissing(self._missing)
        return self._text

    def __bool__(self) -> bool:
        """Whether there is one at all: text, or the name of a place for it."""
        return bool(self._text or self._missing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (other._text, other._missing) == (self._text, self._missing)

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__
