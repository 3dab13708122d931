"""What goes wrong, as an HTTP status and one sentence: the same for a page and for the API."""

from http import HTTPStatus

import msgspec

from headrace.console.desk import Busy
from headrace.console.viewer import Absent
from headrace.errors import BrokerError, HeadraceError, StoreError, UsageError


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What the API answers instead, after RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


def problem(error: HeadraceError) -> Problem:
    """Say what *error* means to whoever asked."""
    match error:
        case Absent():
            status = HTTPStatus.NOT_FOUND
        case UsageError():
            status = HTTPStatus.BAD_REQUEST
        case Busy() | StoreError() | BrokerError():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(title=status.phrase, status=status.value, detail=str(error))
