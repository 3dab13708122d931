"""What nobody expected, for the log: where it happened and what kind it is, and never a word of what was read."""

import secrets
from pathlib import Path
from traceback import FrameSummary, extract_tb

import structlog

_log = structlog.get_logger("headrace.console")

_DEEPEST = 12


def note(error: BaseException, method: str) -> str:
    """Log *error*, and return the reference under which it stands in the log.

    Its message is left out: it could quote the text of a session.
    """
    reference = secrets.token_hex(4)
    frames = [f"{'/'.join(Path(each.filename).parts[-2:])}:{each.lineno} {each.name}" for each in _frames(error)]
    _log.error("console.failed", reference=reference, error=_kinds(error), method=method, at=frames)
    return reference


def _frames(error: BaseException) -> list[FrameSummary]:
    return list(extract_tb(error.__traceback__))[-_DEEPEST:]


def _kinds(error: BaseException) -> str:
    """Name the kind of *error*, and those that it came from."""
    kinds: list[str] = []
    at: BaseException | None = error
    while at is not None and len(kinds) < _DEEPEST:
        kinds.append(type(at).__qualname__)
        at = at.__cause__ or at.__context__
    return " from ".join(kinds)
