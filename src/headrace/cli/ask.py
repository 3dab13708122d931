"""`headrace ask`: what the console's pages show, where there is no browser."""

import json as plain_json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from headrace import config as configuration
from headrace.cli.api import Api
from headrace.cli.output import emit_document
from headrace.cli.plain import columns
from headrace.clock import SystemClock
from headrace.console.access.tokens import Signer, claim_of
from headrace.console.links import link, places
from headrace.console.settings import ConsoleSettings
from headrace.console.view import View
from headrace.console.views.every import VIEWS
from headrace.errors import UsageError
from headrace.model.nearest import nearest

TOKEN_VARIABLE = "HEADRACE_TOKEN"  # noqa: S105  the name of a variable
"""Where a token stands that `headrace token` made."""

TOKEN_LASTS = 300.0
"""Seconds for which a token is good that this command signs for itself."""


class ViewLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be asked, and by which names it is told what of it."""

    name: str
    title: str
    needs: list[str]
    takes: list[str]


def ask(
    view: str | None = None,
    *given: Annotated[str, Parameter(name="NAME=VALUE")],
    lines: bool = False,
    url: str | None = None,
    config: Path | None = None,
    json: bool = False,
) -> int:
    """Ask a running console what one of its pages shows, with the page's filters. Without a view: list what there is.

    It shows HEADRACE_TOKEN, a token made by `headrace token`; without one, where console.secret is known, a token
    for operators that it signs for itself.

    Example: headrace ask sessions errors=true org=acme

    Parameters
    ----------
    view
        The view, such as overview, sessions, exception or dead.
    given
        What its page has in its address, such as org=acme or limit=20.
    lines
        Print every row as a line of JSON, page after page to the last, where the view is a list.
    url
        Where the console is; by default what console.host and console.port say.
    config
        The configuration file; by default HEADRACE_CONFIG, else ./headrace.toml.
    json
        Print the document on one line.
    """
    settings = configuration.load(config).console
    if view is None:
        emit_document({"views": list(_views())}, _text(), json=json)
        return 0
    asked = _view(view)
    values = _values(asked, given)
    api = Api(url or settings.url, _token(settings))
    if lines:
        if asked.rows is None:
            lists = [each.name for each in VIEWS if each.rows is not None]
            raise UsageError(f"{view} is no list of rows; --lines goes with: {', '.join(lists)}")
        for row in api.rows(asked.path, values):
            sys.stdout.buffer.write(row + b"\n")
        return 0
    document = api.get(link(asked.path, values))
    emit_document(msgspec.Raw(document), _readable(document), json=json)
    return 0


def _views() -> Iterator[ViewLine]:
    for view in VIEWS:
        needs = [field.name for field in msgspec.structs.fields(view.ask) if field.required]
        takes = [field.name for field in msgspec.structs.fields(view.ask) if not field.required]
        yield ViewLine(name=view.name, title=view.title, needs=needs, takes=takes)


def _text() -> str:
    rows = [["view", "shows", "needs", "takes"]]
    rows += [[line.name, line.title, " ".join(line.needs), " ".join(line.takes)] for line in _views()]
    return columns(rows, left=len(rows[0]))


def _readable(document: bytes) -> str:
    """Indent a document, and escape what a terminal would act on: it is JSON still."""
    text = msgspec.json.format(document, indent=2).decode()
    return "".join(each if each.isprintable() or each == "\n" else plain_json.dumps(each)[1:-1] for each in text)


def _view(name: str) -> View:
    for view in VIEWS:
        if view.name == name:
            return view
    raise UsageError(f"there is no view {name!r}; {nearest(name, [view.name for view in VIEWS])}")


def _values(view: View, given: tuple[str, ...]) -> Mapping[str, Any]:
    """Read what was *given*; raise `UsageError` for what the view does not take, and for what it lacks."""
    known = [field.name for field in msgspec.structs.fields(view.ask)]
    values: dict[str, str] = {}
    for word in given:
        if not _is_text(word):
            raise UsageError(f"{word!a} is no text in UTF-8")
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"{word!r} is no NAME=VALUE, such as {(known or ['org'])[0]}=…")
        if name not in known:
            raise UsageError(f"{view.name} takes no {name!r}; {nearest(name, known)}")
        values[name] = value
    for name in places(view.path):
        if name not in values:
            raise UsageError(f"{view.name} needs {name}={name.upper()}")
    return values


def _is_text(word: str) -> bool:
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _token(settings: ConsoleSettings) -> str:
    if TOKEN_VARIABLE in os.environ:
        return os.environ[TOKEN_VARIABLE]
    if not settings.secret:
        return ""
    claim = claim_of("headrace ask", None, SystemClock().wall() + TOKEN_LASTS)
    return Signer(settings.secret).sign(claim)
