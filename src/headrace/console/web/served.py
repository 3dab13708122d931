"""The console on a port: uvicorn in a thread, so that a demo may hold it as well as a process of its own."""

import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from headrace.console.chores import Chore
from headrace.console.web.patience import PatientProtocol
from headrace.errors import HeadraceError

ENDS_WITHIN = 5
"""Seconds that open streams and requests may take when it ends."""


class Served:
    """Serves *app*, and does *chores*, while the context lasts; raise `HeadraceError` when the port is taken."""

    def __init__(self, app: ASGIApp, host: str, port: int, chores: Sequence[Chore] = ()) -> None:
        self._chores = chores
        self._host = host
        self._socket = _listen(host, port)
        settings = uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="none",
            lifespan="on",
            log_level="error",  # what anybody can send is no warning
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=ENDS_WITHIN,
            h11_max_incomplete_event_size=32 * 1024,
        )
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="headrace-console", daemon=True
        )

    @property
    def url(self) -> str:
        """Where it is."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._socket.getsockname()[1]}"

    def wait(self) -> None:
        """Return when the server has ended, or at Ctrl-C."""
        try:
            while self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            return

    def __enter__(self) -> Self:
        self._thread.start()
        for chore in self._chores:
            chore.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for chore in self._chores:
            chore.stop(0)  # streams end then, so that nobody waits for them
        self._server.should_exit = True
        self._thread.join(ENDS_WITHIN + 1)
        for chore in self._chores:
            chore.stop(ENDS_WITHIN)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise HeadraceError(
            f"the console cannot listen on {host}:{port}: {error.strerror or error}; name another --port"
        ) from None
