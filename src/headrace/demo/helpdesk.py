"""Finds the help desk's bot of the examples, which `headrace demo` talks to."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from headrace.errors import HeadraceError

NAME = "headrace_helpdesk_bot"
"""What the wheel calls `examples/helpdesk_bot`."""

_IN_CHECKOUT = Path(__file__).parents[3] / "examples" / "helpdesk_bot"


def load(checkout: Path = _IN_CHECKOUT) -> ModuleType:
    """Return the bot's package: in development that of the *checkout*, else the installed one.

    Its `converse(emitter, org, session, seed)` plays one conversation to its end. `HeadraceError` when it is nowhere.
    """
    if NAME in sys.modules:
        return sys.modules[NAME]
    # The checkout comes first, because an editable install leaves a copy behind that grows old.
    if (checkout / "__init__.py").is_file():
        spec = importlib.util.spec_from_file_location(NAME, checkout / "__init__.py")
    else:
        spec = importlib.util.find_spec(NAME)
    if spec is None or spec.loader is None:
        raise HeadraceError(f"the demo's bot is neither in {checkout} nor installed; install headrace again")
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return module
