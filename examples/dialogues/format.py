"""The Schema-Guided Dialogue format, as far as a runtime lives it (Rastogi et al., AAAI 2020)."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from headrace.errors import HeadraceError

NO_INTENT = "NONE"
"""The active intent of a user who wants nothing in particular."""


class BadDialogues(HeadraceError):
    """A file does not hold conversations in this format; the text names the file and the place."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a turn does, such as REQUEST or NOTIFY_FAILURE, and the slot that it is about."""

    act: str
    slot: str = ""
    values: tuple[str, ...] = ()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the user wants of a service so far. Each slot has one value, in one or more spellings."""

    active_intent: str
    requested_slots: tuple[str, ...] = ()
    slot_values: dict[str, tuple[str, ...]] = {}


class ServiceCall(msgspec.Struct, frozen=True, kw_only=True):
    """What the system asked of a service."""

    method: str
    parameters: dict[str, str] = {}


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One service's part of a turn; *state* is the user's, the call and its results are the system's."""

    service: str
    actions: tuple[Act, ...] = ()
    state: State | None = None
    service_call: ServiceCall | None = None
    service_results: tuple[dict[str, str], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the system tells the user that it did not work."""
        return any(action.act == "NOTIFY_FAILURE" for action in self.actions)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What one side says at a time."""

    speaker: Literal["USER", "SYSTEM"]
    utterance: str
    frames: tuple[Frame, ...]


class Dialogue(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation from its first word to its last."""

    dialogue_id: str
    services: tuple[str, ...]
    turns: tuple[Turn, ...]


_decode = msgspec.json.Decoder(list[Dialogue]).decode


def read(path: Path) -> list[Dialogue]:
    """Return the conversations of one file; raise `BadDialogues` when it cannot be read as such."""
    try:
        return _decode(path.read_bytes())
    except OSError as error:
        raise BadDialogues(f"{path} cannot be read: {error.strerror or error}") from error
    except msgspec.ValidationError as error:
        raise BadDialogues(f"{path} is not in the Schema-Guided Dialogue format: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadDialogues(f"{path} is not JSON: {error}") from error


def understand(documents: Iterable[dict[str, Any]]) -> list[Dialogue]:
    """Return conversations that were parsed already; raise `msgspec.ValidationError` when one is none."""
    return msgspec.convert(list(documents), list[Dialogue])
