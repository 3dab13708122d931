"""A connection on which nobody finishes what they began is closed: it would cost a file descriptor for ever."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_WITHIN = 15.0
"""Seconds that the head of a request may take, from the connection's begin or from its first byte."""


class PatientProtocol(H11Protocol):
    """uvicorn's HTTP, with an end to the wait for a head. Between two requests uvicorn's own keep-alive ends it."""

    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._overdue = self.loop.call_later(HEAD_WITHIN, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Begin to wait for a head with its first byte, and end with its last."""
        if self._overdue is None:
            self._overdue = self.loop.call_later(HEAD_WITHIN, self.transport.abort)
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._whole()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._whole()
        super().connection_lost(exc)

    def _whole(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
