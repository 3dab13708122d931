"""From a request to an ask, and no further: what does not fit is refused with one sentence."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from headrace.console.viewer import Absent, Audience, Viewer, admit
from headrace.errors import UsageError

T = TypeVar("T", bound=msgspec.Struct)


def make_ask(
    declared: type[T], given: Mapping[str, Any], path: Mapping[str, str], viewer: Viewer, audience: Audience
) -> T:
    """Make the ask that *viewer* may put; raise `Absent`, or `UsageError` for a value that cannot be.

    What is empty was not given, as forms send it; the org is always the viewer's.
    """
    fields = {field.name: field for field in msgspec.structs.fields(declared)}
    for name in given:
        if name not in fields:
            raise UsageError(f"there is no parameter {name[:40]!r} here, only {', '.join(fields) or 'none'}")
    values: dict[str, Any] = {name: value for name, value in given.items() if value != ""} | dict(path)
    if "org" in fields:
        values["org"] = admit(viewer, audience, values.get("org"))
        if values["org"] is None:
            del values["org"]
    else:
        admit(viewer, audience, None)
    try:
        return msgspec.convert(values, declared, strict=False)
    except msgspec.ValidationError as error:
        if any(f"$.{name}" in str(error) for name in path):
            raise Absent("there is nothing here") from None
        raise UsageError(f"this cannot be asked: {error}") from None
