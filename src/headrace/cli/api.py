"""The console's API, as a command asks it."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any

import msgspec

from headrace.console.links import link
from headrace.console.opener import opener
from headrace.console.web.answers import API, Problem
from headrace.console.web.lines import SUFFIX, End
from headrace.errors import HeadraceError

PATIENCE = 60.0
"""Seconds without a byte after which an answer is given up."""


class Api:
    """The API of the console at *url*, asked with *token*, which may be empty where the console is open."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._opener = opener()
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str) -> bytes:
        """Return the document at *path* below the API; raise `HeadraceError` with what the console says is wrong."""
        with self._open(path) as answer:
            return self._whole(answer)

    def rows(self, path: str, values: Mapping[str, Any]) -> Iterator[bytes]:
        """Yield every row of a view at *path* as a line, from one answer to the next, to the last of them.

        Raise `HeadraceError` as `get` does, also for an answer that ended early.
        """
        after: str | None = values.get("after")
        while True:
            last = b""
            with self._open(link(path + SUFFIX, {**values, "after": after})) as answer:
                for line in self._lines(answer):
                    if last:
                        yield last
                    last = line
            end = self._end(last)
            if end.problem is not None:
                raise HeadraceError(f"the console ended early: {end.problem.detail}")
            if end.next is None or "limit" in values:
                return
            after = end.next

    def _open(self, path: str) -> HTTPResponse:
        address = f"{self._url}{API}{path}"
        try:
            request = urllib.request.Request(address, headers=self._headers)  # noqa: S310  http alone is opened
            opened: HTTPResponse = self._opener.open(request, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            with error:
                raise HeadraceError(_said(error.code, error.read())) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", "") or error or type(error).__name__
            raise HeadraceError(
                f"no console answers at {self._url} ({reason}); start one with `headrace console`, or name it: --url"
            ) from None
        return opened

    def _whole(self, answer: HTTPResponse) -> bytes:
        try:
            document = answer.read()
            msgspec.json.decode(document, type=msgspec.Raw)
        except (OSError, HTTPException) as error:
            raise self._broken(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise HeadraceError(f"what answers at {self._url} is no console; name another: --url") from None
        return document

    def _lines(self, answer: HTTPResponse) -> Iterator[bytes]:
        try:
            for line in answer:
                yield line.rstrip(b"\n")
        except (OSError, HTTPException) as error:
            raise self._broken(error) from None

    def _end(self, line: bytes) -> End:
        try:
            document = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            if "next" in document:
                return msgspec.json.decode(line, type=End)
        except (msgspec.DecodeError, UnicodeDecodeError):
            pass
        raise self._broken("its last line is missing")

    def _broken(self, why: object) -> HeadraceError:
        return HeadraceError(f"the answer of {self._url} was broken off: {why}; ask again")


def _said(status: int, body: bytes) -> str:
    if status == HTTPStatus.UNAUTHORIZED:
        return "the console wants a token that it knows; put one that `headrace token` makes into HEADRACE_TOKEN"
    try:
        detail = msgspec.json.decode(body, type=Problem).detail
    except (msgspec.DecodeError, UnicodeDecodeError):
        detail = "no word more, as no console would"
    return f"the console says {status}: {detail}"
