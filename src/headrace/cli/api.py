"""The console's API, as a command asks it. Whatever answers there, it is read within limits and told in a sentence."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import msgspec

from headrace.console.links import link
from headrace.console.opener import opener
from headrace.console.web.answers import API, Problem
from headrace.console.web.lines import SUFFIX, End
from headrace.errors import HeadraceError, UsageError

PATIENCE = 60.0
"""Seconds without a byte after which an answer is given up."""

LONGEST = 64 << 20
"""Bytes of a document, or of a line of one; a console sends none as long."""

_GARBLED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Api:
    """The API of the console at *url*, asked with *token*, which may be empty where the console is open.

    Raise `UsageError` for a *url* or a *token* that can be none.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._name = _name_of(self._url)
        token = token.strip()
        if not (token.isascii() and token.isprintable()):
            raise UsageError("the token has characters that no token has; copy it again as `headrace token` printed it")
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
            if end.next is None or values.get("limit"):
                return
            if end.next == after:
                raise self._broken("it does not go on")
            after = end.next

    def _open(self, path: str) -> HTTPResponse:
        try:
            request = urllib.request.Request(f"{self._url}{API}{path}", headers=self._headers)  # noqa: S310
            opened: HTTPResponse = self._opener.open(request, timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            raise HeadraceError(_said(error)) from None
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", "") or error or type(error).__name__
            raise HeadraceError(
                f"no console answers at {self._name} ({reason}); start one with `headrace console`, or name it: --url"
            ) from None
        return opened

    def _whole(self, answer: HTTPResponse) -> bytes:
        try:
            document = answer.read(LONGEST + 1)
            if len(document) > LONGEST or answer.length:
                raise self._broken("it is too long" if len(document) > LONGEST else "not all of it came")
            msgspec.json.decode(document, type=msgspec.Raw)
        except (OSError, HTTPException) as error:
            raise self._broken(error) from None
        except _GARBLED:
            raise HeadraceError(f"what answers at {self._name} is no console; name another: --url") from None
        return document

    def _lines(self, answer: HTTPResponse) -> Iterator[bytes]:
        try:
            while line := answer.readline(LONGEST + 1):
                if len(line) > LONGEST:
                    raise self._broken("a line is too long")
                yield line.rstrip(b"\n")
        except (OSError, HTTPException) as error:
            raise self._broken(error) from None

    def _end(self, line: bytes) -> End:
        try:
            document = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
            if "next" in document:
                return msgspec.json.decode(line, type=End)
        except _GARBLED:
            pass
        raise self._broken("its last line is missing")

    def _broken(self, why: object) -> HeadraceError:
        return HeadraceError(f"the answer of {self._name} was broken off: {why}; ask again")


def _name_of(url: str) -> str:
    """Return where a console is, without a password; raise `UsageError` where none can be."""
    try:
        parts = urlsplit(url)
        is_place = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_place = False
    if not is_place or not url.isascii():
        raise UsageError("--url names no console; write it like http://127.0.0.1:8400")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _said(error: urllib.error.HTTPError) -> str:
    if error.code == HTTPStatus.UNAUTHORIZED:
        return "the console wants a token that it knows; put one that `headrace token` makes into HEADRACE_TOKEN"
    try:
        with error:
            detail = msgspec.json.decode(error.read(LONGEST), type=Problem).detail
    except (*_GARBLED, OSError, HTTPException):
        detail = "no word more, as no console would"
    return f"the console says {error.code}: {detail}"
