"""Builds the condition of a query: pieces of SQL, and the parameters that belong to them."""

from collections.abc import Sequence


class Where:
    """Conditions that all hold."""

    def __init__(self) -> None:
        self.parameters: list[object] = []
        self._pieces: list[str] = []

    def add(self, piece: str, *parameters: object) -> None:
        """Add a condition with its parameters."""
        self._pieces.append(piece)
        self.parameters += parameters

    def add_given(self, piece: str, parameter: object | None) -> None:
        """Add a condition if its parameter is given."""
        if parameter is not None:
            self.add(piece, parameter)

    def add_text(self, columns: Sequence[str], text: str) -> None:
        """Look for *text*, whatever its case, in any of *columns*."""
        if text:
            pattern = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            likes = " OR ".join(f"lower({column}) LIKE ? ESCAPE '\\'" for column in columns)
            self.add(f"({likes})", *[f"%{pattern}%"] * len(columns))

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def __str__(self) -> str:
        return f"WHERE {' AND '.join(self._pieces)}" if self._pieces else ""
