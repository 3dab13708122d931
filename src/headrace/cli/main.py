"""The entry point: reads the command line, runs one command, turns what went wrong into a sentence and an exit code.

Exit 0 done, 1 failed, 2 usage; 130 after Ctrl-C and 141 when the reader of standard output went away, as a shell's
own commands do.
"""

import errno
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, CycloptsError, Parameter
from cyclopts.exceptions import UnknownCommandError

from headrace.cli.commands import COMMANDS, Command, Family
from headrace.errors import HeadraceError, UsageError
from headrace.model.nearest import nearest

DONE, FAILED, USAGE, INTERRUPTED, READER_GONE = 0, 1, 2, 130, 141

ABOUT = """Carries every event of a chatbot to the data store of its org, and keeps the books that prove it.

Example: headrace demo --once
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line *arguments* (by default the process's own) and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it was closed by whoever started this: what is said there is for nobody
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  for as long as the process lives
    wants_json = "--json" in words
    try:
        code = _run(words)
        sys.stdout.flush()
    except CycloptsError as error:
        return _fail(_sentence(error), USAGE, json=wants_json)
    except HeadraceError as error:
        return _fail(str(error), USAGE if isinstance(error, UsageError) else FAILED, json=wants_json)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return READER_GONE
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG} or error.filename is not None:
            raise
        _discard_output()
        return _fail(f"standard output cannot be written: {error.strerror}", FAILED, json=False)
    return code


def _discard_output() -> None:
    """Let the interpreter flush standard output once more at exit without complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build(words: Collection[str] = ()) -> App:
    """Put the command line together without importing any command; *words* are what was asked for."""
    app = App(
        name="headrace",
        help=ABOUT,
        help_format="plaintext",
        version=_version,
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(negative=()),
    )
    for entry in COMMANDS:
        match entry:
            case Command():
                _register(app, entry, words)
            case Family():
                family = App(name=entry.name, help=entry.help)
                for command in entry.commands:
                    _register(family, command, words)
                app.command(family)
    return app


def _register(app: App, command: Command, words: Collection[str]) -> None:
    # The line of the overview would hide the docstring of a command that is asked for its own help.
    line = None if command.name in words else command.help
    app.command(command.function, name=command.name, help=line)


def _run(words: Sequence[str]) -> int:
    app = build(words)
    app.meta.suppress_keyboard_interrupt = False

    @app.meta.default
    def launch(
        *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        log_level: Annotated[
            Literal["debug", "info", "warning", "error"] | None,
            Parameter(
                env_var="HEADRACE_LOG",
                help="How much is logged to standard error; by default info by the worker, error by the others.",
            ),
        ] = None,
    ) -> object:
        from headrace.telemetry.logs import configure  # noqa: PLC0415 -- costs a quarter of what --help may

        if log_level is not None:
            # Processes that a command spawns log as much as it does.
            os.environ["HEADRACE_LOG"] = log_level
        configure(log_level or ("info" if words[:1] == ("deliver",) else "error"))
        return app(words)

    code = app.meta(words)
    return code if isinstance(code, int) else DONE


def _sentence(error: CycloptsError) -> str:
    if isinstance(error, UnknownCommandError) and error.unused_tokens:
        # The library's own sentence imports every command to find the nearest.
        word = error.unused_tokens[0]
        known = [name for name in (*(error.app or ()), "--log-level") if name.startswith("-") == word.startswith("-")]
        kind = "option" if word.startswith("-") else "command"
        return f"{' '.join(['headrace', *(error.command_chain or ())])} has no {kind} {word!r}; {nearest(word, known)}"
    return " ".join(str(error).split())


def _fail(sentence: str, code: int, *, json: bool) -> int:
    print(sentence if sentence.startswith("headrace") else f"headrace: {sentence}", file=sys.stderr)
    if json:
        print(msgspec.json.encode({"error": sentence}).decode())
    return code


def _version() -> str:
    from importlib.metadata import version  # noqa: PLC0415 -- as above

    return version("headrace")
