"""The HTTP sink and TLS: no byte of an event goes to a server that cannot prove who it is."""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from headrace.model.outcome import Answer, Busy, Misconfigured
from headrace.sinks.http import HttpSink
from headrace.sinks.http_settings import HttpSettings
from headrace.testing.sink_contract import batch_of, value

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def certificate(directory: Path) -> tuple[Path, ssl.SSLContext]:
    """Make a certificate that nobody has a reason to trust yet."""
    key, cert = directory / "key.pem", directory / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "1", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


POST_OVER_TLS = """
import asyncio, sys
from headrace.sinks.http import HttpSink
from headrace.sinks.http_settings import HttpSettings
from headrace.testing.sink_contract import batch_of, value

async def scenario():
    sink = HttpSink(HttpSettings(url=sys.argv[1]), timeout=5)
    print(type(await sink.write(batch_of(value("a")))).__name__)
    await sink.aclose()

asyncio.run(scenario())
"""


@pytest.mark.parametrize(("is_trusted", "expected"), [(True, "AllDelivered"), (False, "Misconfigured")])
def test_a_certificate_decides_who_gets_the_events(tmp_path: Path, expected: str, *, is_trusted: bool) -> None:
    """What is trusted is read once per process, so each case has its own."""
    cert, context = certificate(tmp_path)
    reached = False

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal reached
        reached = True
        await reader.readuntil(b"}]")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def scenario() -> str:
        async with serving(answering, context) as port:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", POST_OVER_TLS, f"https://127.0.0.1:{port}/"),
                env={**os.environ, **({"SSL_CERT_FILE": str(cert)} if is_trusted else {})},
                stdout=asyncio.subprocess.PIPE,
            )
            printed, _ = await process.communicate()
            return printed.decode().strip()

    assert uvloop.run(scenario()) == expected
    assert reached == is_trusted


def test_a_server_without_tls_is_misconfigured() -> None:
    async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    assert isinstance(uvloop.run(post_to(answering)), Misconfigured)


def test_a_connection_that_is_cut_before_tls_is_there_is_busy() -> None:
    async def answering(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    assert isinstance(uvloop.run(post_to(answering)), Busy)


async def post_to(answering: Answering) -> Answer:
    async with serving(answering) as port:
        sink = HttpSink(HttpSettings(url=f"https://127.0.0.1:{port}/"), timeout=5)
        try:
            return await sink.write(batch_of(value("a")))
        finally:
            await sink.aclose()


@asynccontextmanager
async def serving(answering: Answering, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(answering, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
