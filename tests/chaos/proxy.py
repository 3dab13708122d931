"""TCP proxies of one process: each link can be cut, refused, slowed, or swallow what passes, and counts what it did.

    python -m chaos.proxy SOCKET LINKS

LINKS is a JSON object of `[listen, target]` by name. A line of JSON on the Unix socket, a `Change`, is answered by the
link's `Counts`.
"""

import asyncio
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec
import uvloop

from chaos.parent import die_with_parent

LOOPBACK = "127.0.0.1"
_READ = 65_536

Mode = Literal["open", "drop", "refuse", "blackhole", "slow", "cut_after"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How a link is to behave from now on.

    `drop` breaks the connections that there are, `refuse` those and all that are tried; `blackhole` keeps what comes
    until the link is open again; `slow` adds *delay* to each piece; `cut_after` breaks a connection after *bytes*.
    """

    link: str
    mode: Mode
    delay: float = 0.0
    bytes: int = 0


class Counts(msgspec.Struct):
    """What a link did to those that used it: connections broken, pieces kept back and pieces delayed.

    *connections* are those there are now.
    """

    connections: int = 0
    broken: int = 0
    kept: int = 0
    delayed: int = 0


class Link:
    """One listener and the connections that came in through it."""

    def __init__(self, listen: int, target: int) -> None:
        self.counts = Counts()
        self._listen = listen
        self._target = target
        self._mode: Mode = "open"
        self._delay = 0.0
        self._bytes = 0
        self._opened = asyncio.Event()
        self._opened.set()
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self._listen)

    async def change(self, change: Change) -> Counts:
        """Behave as *change* says."""
        self._mode, self._delay, self._bytes = change.mode, change.delay, change.bytes
        if change.mode == "blackhole":
            self._opened.clear()
        else:
            self._opened.set()
        if change.mode == "refuse":
            if self._server is not None:
                self._server.close()
                self._server = None
        elif self._server is None:
            await self.start()
        if change.mode in {"drop", "refuse"}:
            for writer in list(self._connections):
                self._break(writer)
        return msgspec.structs.replace(self.counts, connections=len(self._connections))

    def _break(self, writer: asyncio.StreamWriter) -> None:
        self.counts.broken += 1
        writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        with suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection(LOOPBACK, self._target)
            try:
                ways = [self._pump(reader, far_writer, writer), self._pump(far_reader, writer, writer)]
                tasks = [asyncio.create_task(way) for way in ways]
                _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            finally:
                far_writer.transport.abort()
        self._connections.discard(writer)
        writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        passed = 0
        while part := await reader.read(_READ):
            if not self._opened.is_set():
                self.counts.kept += 1
                await self._opened.wait()
            if self._mode == "slow":
                self.counts.delayed += 1
                await asyncio.sleep(self._delay)
            passed += len(part)
            if self._mode == "cut_after" and passed > self._bytes:
                writer.write(part[: max(0, self._bytes - passed + len(part))])
                self._break(client)
                return
            writer.write(part)
            await writer.drain()
        with suppress(OSError):
            await writer.drain()


def ask(control: Path, change: Change) -> Counts:
    """Change a link from another process, and return what it did so far."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(control))
        connection.sendall(msgspec.json.encode(change) + b"\n")
        with connection.makefile("rb") as answer:
            return msgspec.json.decode(answer.readline(), type=Counts)


async def main(control: Path, links: Mapping[str, tuple[int, int]]) -> None:
    """Serve until this process is ended."""
    running = {name: Link(*ports) for name, ports in links.items()}
    for link in running.values():
        await link.start()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        change = msgspec.json.decode(await reader.readline(), type=Change)
        writer.write(msgspec.json.encode(await running[change.link].change(change)) + b"\n")
        writer.close()

    async with await asyncio.start_unix_server(serve, control) as server:
        await server.serve_forever()


if __name__ == "__main__":
    die_with_parent()
    uvloop.run(main(Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=dict[str, tuple[int, int]])))
