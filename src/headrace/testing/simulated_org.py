"""`SimulatedOrg`: a real HTTP server that plays many orgs at once, in a thread or in a process of its own.

    with SimulatedOrg() as orgs:
        orgs.plan("00D000000000001", always(Status(status=503, retry_after="2")))
        ...                                   # post to orgs.url, in which {org} stands for the org
        assert orgs.ledger("00D000000000001").distinct == 0

`python -m headrace.testing.simulated_org --port P [--count]` runs one by itself and prints its address.
"""

import argparse
import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Self

import uvloop
from aiohttp import web

from headrace.testing.org_client import OrgClient
from headrace.testing.org_server import OrgServer

_LOOPBACK = "127.0.0.1"


class SimulatedOrg(OrgClient):
    """A context manager that runs the server: in a thread, or with *process* in a process that ends with this one.

    *port* 0 picks a free one. *count* is `OrgServer`'s.
    """

    def __init__(self, *, port: int = 0, count: bool = False, process: bool = False) -> None:
        super().__init__("")
        self._start: Callable[[], _Thread | _Process] = (
            (lambda: _Process(port, count=count)) if process else (lambda: _Thread(port, count=count))
        )

    def __enter__(self) -> Self:
        self._running = self._start()
        self.base = self._running.base
        return self

    def __exit__(self, *_: object) -> None:
        self._running.stop()


class _Thread:
    """The server on an event loop of its own, in a thread of this process."""

    def __init__(self, port: int, *, count: bool) -> None:
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(port, count=count)), daemon=True)
        self._failure: OSError | None = None
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    async def _run(self, port: int, *, count: bool) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        try:
            runner, self.base = await _serve(port, count=count)
        except OSError as failure:
            self._failure = failure
            return
        finally:
            self._ready.set()
        await self._end.wait()
        await runner.cleanup()

    def stop(self) -> None:
        """Stop serving; posts that wait for an answer are cut."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()


class _Process:
    """The server in a process that ends when its standard input does, so that it never outlives this one."""

    def __init__(self, port: int, *, count: bool) -> None:
        command = [sys.executable, "-m", __name__, "--port", str(port), "--until-eof", *(["--count"] if count else [])]
        # In a session of its own, Ctrl-C on a terminal is left to the one who started it.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._process.stdout is not None
        self.base = self._process.stdout.readline().strip()
        if not self.base:
            self.stop()
            raise OSError(f"the simulated org cannot listen on port {port}")

    def stop(self) -> None:
        """Stop serving and wait for the process."""
        self._process.communicate()


async def _serve(port: int, *, count: bool) -> tuple[web.ServerRunner, str]:
    # Without cancellation a post that hangs would stay after its client went.
    server = web.Server(OrgServer(count=count).answer, handler_cancellation=True, access_log=None)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, _LOOPBACK, port, backlog=1024).start()
    return runner, "http://{}:{}".format(*runner.addresses[0][:2])


async def _main() -> None:
    parser = argparse.ArgumentParser(description="Play orgs' HTTP destinations.")
    parser.add_argument("--port", type=int, default=0, help="where to listen on loopback; 0 picks a free port")
    parser.add_argument("--count", action="store_true", help="only count events, without reading JSON")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    options = parser.parse_args()
    _, base = await _serve(options.port, count=options.count)
    print(base, flush=True)  # noqa: T201  # the address is this program's output
    if options.until_eof:
        await asyncio.to_thread(sys.stdin.read)
    else:
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main())
