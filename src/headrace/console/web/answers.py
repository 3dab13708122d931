"""What goes wrong, as an HTTP status and one sentence: the same for a page and for the API."""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from headrace.console.viewer import Absent, Busy, Viewer
from headrace.errors import BrokerError, HeadraceError, StoreError, UsageError

API = "/api/v1"
"""Where the JSON is."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What the API answers instead, after RFC 9457."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


def problem(error: HeadraceError, viewer: Viewer | None) -> Problem:
    """Say what *error* means to the *viewer* who asked.

    What is wrong with a store or a broker can name a host or a path, and is for operators only.
    """
    match error:
        case Absent():
            return refusal(HTTPStatus.NOT_FOUND, str(error))
        case UsageError():
            return refusal(HTTPStatus.BAD_REQUEST, str(error))
        case Busy():
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        case StoreError() | BrokerError():
            status = HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
    is_told = viewer is not None and viewer.is_operator
    return refusal(status, str(error) if is_told else "this cannot be answered now; try again in a moment")


def refusal(status: HTTPStatus, detail: str) -> Problem:
    """Make the problem of a *status*."""
    return Problem(title=status.phrase, status=status.value, detail=detail)


def json(answer: object, status: int = HTTPStatus.OK) -> Response:
    """Answer a program."""
    return Response(msgspec.json.encode(answer), status, media_type="application/json")


def json_problem(told: Problem) -> Response:
    """Tell a program what is wrong."""
    return Response(msgspec.json.encode(told), told.status, media_type="application/problem+json")


def unknown() -> Response:
    """Tell a program that nobody knows it."""
    answer = json_problem(refusal(HTTPStatus.UNAUTHORIZED, "send a token: Authorization: Bearer hr_…"))
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
