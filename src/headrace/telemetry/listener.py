"""A port for those who look after a process: metrics and health, by HTTP, from a thread of its own.

It is for machines on a network that is trusted: there is no sign-in, and by default only this machine reaches it.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import msgspec

from headrace.errors import HeadraceError
from headrace.telemetry.health import Health
from headrace.telemetry.prometheus import Exposition

PATIENCE = 5.0
"""Seconds that somebody may take to send a request."""


class Answer(msgspec.Struct, frozen=True):
    """What is sent back."""

    status: int
    content_type: str
    body: bytes


Routes = Mapping[str, Callable[[str], Answer]]
"""By path, what answers there; it is called with the request's `Accept`."""


def routes(exposition: Exposition, livez: Callable[[], Health], readyz: Callable[[], Health]) -> Routes:
    """Return the three paths that every process has."""

    def metrics(accept: str) -> Answer:
        return Answer(200, *exposition.render(accept))

    return {"/metrics": metrics, "/livez": lambda _: _tell(livez()), "/readyz": lambda _: _tell(readyz())}


class Listener:
    """Serves *routes* on *host* and *port* while the context lasts; raise `HeadraceError` when the port is taken."""

    def __init__(self, host: str, port: int, routes: Routes) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = type("Server", (ThreadingHTTPServer,), {"address_family": family, "daemon_threads": True})
        try:
            self._server: ThreadingHTTPServer = server((host, port), _requests(routes))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or error
            raise HeadraceError(
                f"metrics cannot be served on {host}:{port}: {why}; choose another telemetry.metrics_port"
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="headrace-metrics", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens, also when any port would do."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _tell(health: Health) -> Answer:
    return Answer(health.status, "application/json", msgspec.json.encode(health))


def _requests(routes: Routes) -> type[BaseHTTPRequestHandler]:
    class Request(BaseHTTPRequestHandler):
        timeout = PATIENCE
        server_version = "headrace"
        sys_version = ""

        def do_GET(self) -> None:
            answer = routes.get(self.path.partition("?")[0])
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND, explain=f"there are {', '.join(routes)}")
                return
            answered = answer(self.headers.get("Accept", ""))
            self.send_response(answered.status)
            self.send_header("Content-Type", answered.content_type)
            self.send_header("Content-Length", str(len(answered.body)))
            self.end_headers()
            self.wfile.write(answered.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's own name
            """Say nothing: a scrape every few seconds would fill the log."""

    return Request
