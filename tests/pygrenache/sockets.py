"""Real sockets with a script behind them, to show our clients any reply and our server any request."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from pygrenache import Address

CLOSE = b"<close>"


class ScriptedServer:
    """Answers each request's body with the raw bytes that `respond` gives, none of them being silence.

    `respond` may end them with CLOSE. `heard` is set once there was a request, `ended` once a connection is over.
    """

    def __init__(self, respond: Callable[[bytes], bytes]) -> None:
        self.address = Address("127.0.0.1", 0)
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.heard = asyncio.Event()
        self.ended = asyncio.Event()
        self.respond = respond

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it leaves."""
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                self.heads.append(head)
                self.bodies.append(body)
                self.heard.set()
                reply = self.respond(body)
                writer.write(reply.removesuffix(CLOSE))
                if reply.endswith(CLOSE):
                    break
        self.ended.set()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def scripted_server(respond: Callable[[bytes], bytes]) -> AsyncIterator[ScriptedServer]:
    """A ScriptedServer on a free port."""
    script = ScriptedServer(respond)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    yield script
    # It stops listening; connections end when their client does.
    server.close()


def http(body: bytes, status: str = "200 OK") -> bytes:
    """A whole HTTP response."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


async def refusing_address() -> Address:
    """An address of 127.0.0.1 where nobody listens."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return address


async def converse(port: int, *pieces: bytes, end: bool = True) -> bytes:
    """Send the pieces one by one, then (unless `end` is False) no more; all that the server says until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    if end:
        writer.write_eof()
    async with asyncio.timeout(30):
        heard = await reader.read(-1)
    writer.close()
    await writer.wait_closed()
    return heard
