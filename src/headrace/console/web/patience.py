"""A connection on which nobody finishes what they began is closed: it would cost a file descriptor for ever."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN = 15.0
"""Seconds that may pass, from the connection's begin, from a head's first byte, or from an answer that came before the
end of what it answers, until the next thing is whole.
"""


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP, with an end to every wait for a client. uvicorn's own keep-alive ends with the next byte."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Wait on, or no more."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Begin to wait for the next head, or for the rest of a body that nobody reads any more."""
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._rest()
        super().connection_lost(exc)

    def _look(self) -> None:
        """See that a timer runs while the client is waited for, the same one however many bytes come meanwhile."""
        answered = self.cycle is None or self.cycle.response_complete
        if not answered:
            self._rest()  # now it is the client who waits; `guard` sees to bodies that are read
        elif self._overdue is None:
            self._overdue = self.loop.call_later(HEAD_WITHIN, self.transport.abort)

    def _rest(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
