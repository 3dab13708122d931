"""Headrace carries every event of a chatbot to the data store of its org.

A bot needs `Emitter`, once per process; code deep inside it needs `current`, `emit` and `action`, which belong to the
session that is running. Importing the package is cheap: a name brings its module when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.emitter.action import Action
    from headrace.emitter.current import action, current, emit
    from headrace.emitter.session import SessionLog
    from headrace.emitter.settings import EmitterSettings
    from headrace.emitter.tally import Stats
    from headrace.errors import HeadraceError
    from headrace.runtime import Emitter

__all__ = [
    "Action",
    "Emitter",
    "EmitterSettings",
    "HeadraceError",
    "SessionLog",
    "Stats",
    "action",
    "current",
    "emit",
]

_MODULES = {
    "Action": "headrace.emitter.action",
    "Emitter": "headrace.runtime",
    "EmitterSettings": "headrace.emitter.settings",
    "HeadraceError": "headrace.errors",
    "SessionLog": "headrace.emitter.session",
    "Stats": "headrace.emitter.tally",
    "action": "headrace.emitter.current",
    "current": "headrace.emitter.current",
    "emit": "headrace.emitter.current",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'headrace' has no attribute {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
