"""From a request to an ask, and no further: what does not fit is refused with one sentence."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from headrace.console.fields import LONGEST, is_time, read_time
from headrace.console.viewer import Absent, Audience, Viewer, admit
from headrace.errors import UsageError

T = TypeVar("T", bound=msgspec.Struct)

MOST_FIELDS = 50

_PLACE = re.compile(r"(?P<what>.*) - at `\$\.(?P<name>\w+)(?P<rest>.*)`", re.DOTALL)


def make_ask(
    declared: type[T], given: Mapping[str, Any], path: Mapping[str, str], viewer: Viewer, audience: Audience
) -> T:
    """Make the ask that *viewer* may put; raise `Absent`, or `UsageError` for a value that cannot be.

    What is empty was not given, as forms send it; the org is always the viewer's.
    """
    fields = {field.name: field for field in msgspec.structs.fields(declared)}
    values: dict[str, Any] = {name: value for name, value in given.items() if value != ""} | dict(path)
    if "org" in fields:
        values["org"] = admit(viewer, audience, _text(values.get("org")))
        if values["org"] is None:
            del values["org"]
    else:
        admit(viewer, audience, None)
    for name, value in values.items():
        if name not in fields:
            raise UsageError(f"there is no parameter {name[:40]!r} here, only {', '.join(fields) or 'none'}")
        if isinstance(value, str) and "\0" in value:
            raise _refused(name, path, "a text has no character 0")
    values |= {name: _time(name, path, values[name]) for name in _times(declared) if isinstance(values.get(name), str)}
    try:
        return msgspec.convert(values, declared, strict=False)
    except msgspec.ValidationError as error:
        match = _PLACE.fullmatch(str(error))
        if match is None:
            raise UsageError(f"this cannot be asked: {error}") from None
        raise _refused(match["name"], path, f"{match['what'][0].lower()}{match['what'][1:]}") from None


def fitting(declared: type[msgspec.Struct], given: Mapping[str, str]) -> dict[str, str]:
    """Return what of *given* can be asked of *declared*, each value by itself; the rest is left out."""
    types = {field.name: field.type for field in msgspec.structs.fields(declared)}
    return {name: value for name, value in given.items() if name in types and _fits(value, types[name])}


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a form; files are refused."""
    _check_type(request, "application/x-www-form-urlencoded", "multipart/form-data")
    async with request.form(max_files=0, max_fields=MOST_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


async def read_body(request: Request) -> dict[str, Any]:
    """Read a JSON object; an empty body is an empty one."""
    # A form of another site can send text, which must not pass for a program's.
    _check_type(request, "application/json")
    try:
        return msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the body is no JSON object: {error}") from None


def _check_type(request: Request, *types: str) -> None:
    sent = request.headers.get("content-type")
    if sent is not None and sent.partition(";")[0].strip().lower() not in types:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send Content-Type: {types[0]}")
    if sent is None and request.headers.get("content-length", "0") != "0":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send Content-Type: {types[0]}")


def _fits(value: str, declared: Any) -> bool:
    try:
        msgspec.convert(value, declared, strict=False)
    except msgspec.ValidationError:
        return False
    return True


@cache
def _times(declared: type[msgspec.Struct]) -> Sequence[str]:
    """Return the fields that hold a time. It is looked up once: an ask is made for every page."""
    return [field.name for field in msgspec.structs.fields(declared) if is_time(field.type)]


def _time(name: str, path: Mapping[str, str], text: str) -> float:
    try:
        return read_time(text)
    except ValueError:
        raise _refused(
            name, path, "a time is expected, such as 2026-03-01T14:10 in UTC, or seconds since the epoch"
        ) from None


def _text(org: object) -> str | None:
    if org is None or isinstance(org, str):
        return org
    raise UsageError("org: a text is expected")


def _refused(name: str, path: Mapping[str, str], why: str) -> Absent | UsageError:
    """Say what is wrong with a parameter; what cannot be in a path is nowhere.

    But a name in it that is too long may be there all the same: whoever looks for it is told why it is not shown.
    """
    if name not in path:
        return UsageError(f"{name}: {why}")
    if len(path[name]) > LONGEST:
        return UsageError(
            f"{name}: the console's addresses hold names of {LONGEST:,} characters at most, and this one has "
            f"{len(path[name]):,}; `headrace log` shows what has longer ones"
        )
    return Absent("there is nothing here")
