"""What goes wrong, as an HTTP status and one sentence: the same for a page and for the API."""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from headrace.console.viewer import Absent, Busy, Forbidden, Greedy, Viewer
from headrace.errors import BrokerError, HeadraceError, StoreError, UsageError

API = "/api/v1"
"""Where the JSON is."""

AGAIN = 5
"""Seconds after which whoever was refused for a moment may ask again."""


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
        case Forbidden():
            return refusal(HTTPStatus.FORBIDDEN, str(error))
        case UsageError():
            return refusal(HTTPStatus.BAD_REQUEST, str(error))
        case Greedy():
            return refusal(HTTPStatus.TOO_MANY_REQUESTS, str(error))
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
    """Answer a program; what is bytes is JSON already."""
    body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    return Response(body, status, media_type="application/json")


def json_problem(told: Problem) -> Response:
    """Tell a program what is wrong."""
    return Response(msgspec.json.encode(told), told.status, patience(told), media_type="application/problem+json")


def patience(told: Problem) -> dict[str, str]:
    """Return the header that says when to ask again, where asking again helps."""
    again = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    return {"Retry-After": str(AGAIN)} if told.status in again else {}


def unknown() -> Response:
    """Tell a program that nobody knows it."""
    answer = json_problem(refusal(HTTPStatus.UNAUTHORIZED, "send a token: Authorization: Bearer hr_…"))
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
