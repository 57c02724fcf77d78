"""The serving side of HTTP/1.1: bytes to whole requests, and their replies back in order.

It knows nothing of Grenache. Its rule: every wait ends, every buffer is bounded, and whoever sends a
request that HTTP can make out gets a reply with status 200. Bytes that are not HTTP get a 400.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeAlias, cast

import httptools

from pygrenache.address import Address

_BACKLOG = 1024
_ACCEPTED_A_TURN = 16
_MAX_HEAD_BYTES = 64 << 10
_MAX_PIPELINED = 16
_LINGER_S = 5.0
_LINGER_BYTES = 64 << 20
_CUT_S = 1.0
_KEPT_BYTES = 1024
_HEADERS_READ = frozenset((b"_gr", b"grc-compress", b"expect"))
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_LAST_HEAD = _OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n"


class Call(NamedTuple):
    """One request: the headers that matter and its body, or the beginning of one that was too large."""

    headers: dict[bytes, bytes]
    body: bytearray
    peer: Address
    is_head: bool = False
    too_large: bool = False


Reply: TypeAlias = Coroutine[Any, Any, bytes]
Respond: TypeAlias = Callable[[Call], bytes | Reply]


class HttpServer:
    """Listens, and answers every request with the body that `respond` gives, at once or when awaited."""

    def __init__(self, respond: Respond, *, max_body_bytes: int, idle_timeout_s: float, max_connections: int) -> None:
        self.respond = respond
        self.max_body_bytes = max_body_bytes
        self.kept_head = _OK + (
            b"Connection: keep-alive\r\nKeep-Alive: timeout=%d\r\nContent-Length: %%d\r\n\r\n"
            % max(1, int(idle_timeout_s))
        )
        self._idle_timeout_s = idle_timeout_s
        self._max_connections = max_connections
        self._connections: set[_Connection] = set()
        self._drained = asyncio.Event()
        self._servers: list[asyncio.Server] = []
        self._sweeping: asyncio.TimerHandle | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port bound, which is a free one for 0."""
        assert not self._servers, "the server is started already"
        loop = asyncio.get_running_loop()

        def connection() -> _Connection:
            return _Connection(self, loop)

        first = await loop.create_server(connection, host, port, backlog=_BACKLOG)
        self._servers.append(first)
        # uvloop accepts one connection a turn from each listening descriptor. When turns are long, who connects among
        # many would wait for as many turns; so the same sockets are listened to under several descriptors.
        for _ in range(_ACCEPTED_A_TURN - 1):
            for listening in first.sockets:
                again = socket.socket(fileno=os.dup(listening.fileno()))
                self._servers.append(await loop.create_server(connection, sock=again, backlog=_BACKLOG))
        self._sweep(loop)
        return int(first.sockets[0].getsockname()[1])

    async def stop(self, grace_s: float) -> None:
        """Accept no more, answer what has come whole, close; what is left after `grace_s` is cut off."""
        if not self._servers or self._sweeping is None:
            return
        servers, self._servers = self._servers, []
        self._sweeping.cancel()
        for server in servers:
            server.close()
        # Whoever was accepted in this turn of the loop becomes a connection in the next one.
        await asyncio.sleep(0)
        for connection in list(self._connections):
            connection.finish()
        await self._drain(grace_s)
        for connection in list(self._connections):
            connection.cut()
        await self._drain(_CUT_S)
        for server in servers:
            await server.wait_closed()

    def began(self, connection: _Connection) -> bool:
        """Whether there is room for one connection more."""
        self._connections.add(connection)
        return bool(self._servers) and len(self._connections) <= self._max_connections

    def ended(self, connection: _Connection) -> None:
        """A connection is closed and nothing works for it any more."""
        self._connections.discard(connection)
        if not self._connections:
            self._drained.set()

    async def _drain(self, grace_s: float) -> None:
        self._drained.clear()
        if not self._connections:
            return
        try:
            async with asyncio.timeout(grace_s):
                await self._drained.wait()
        except TimeoutError:
            pass

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        # One timer for all connections, so that a request costs none.
        since = loop.time() - self._idle_timeout_s
        for connection in list(self._connections):
            connection.close_if_waiting(since)
        self._sweeping = loop.call_later(self._idle_timeout_s / 4, self._sweep, loop)


class _Connection(asyncio.Protocol):
    """One client's socket.

    `busy`: a reply is being worked out. `last`: nothing more is taken from this client. `eof`: it sends no more.
    `garbage`: it is owed a 400. `since`: when the wait for the client's next step began.
    """

    transport: asyncio.Transport

    def __init__(self, server: HttpServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body = bytearray()
        self._unparsed_bytes = 0
        self._calls: deque[Call] = deque()
        self._task: asyncio.Task[None] | None = None
        self._busy = self._advancing = self._write_paused = self._read_paused = False
        self._last = self._garbage = self._eof = self._lost = False
        self._lingering: asyncio.TimerHandle | None = None
        self._discarded_bytes = 0
        self._since = loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._peer = Address(*(transport.get_extra_info("peername") or ("", 0))[:2])
        if not self._server.began(self):
            self._last = True
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._calls.clear()
        if self._lingering is not None:
            self._lingering.cancel()
        if not self._busy:
            self._server.ended(self)

    def eof_received(self) -> bool:
        """The client sends no more; what it has sent whole is still answered."""
        self._last = self._eof = True
        return (self._busy or bool(self._calls)) and self._lingering is None

    def data_received(self, data: bytes) -> None:
        if self._last:
            self._discard(len(data))
            return
        self._unparsed_bytes += len(data)
        try:
            self._parser.feed_data(data)
            garbage = self._unparsed_bytes > _MAX_HEAD_BYTES
        except httptools.HttpParserUpgrade:
            garbage = False  # Answered as the plain request that it is too; see on_message_complete.
        except httptools.HttpParserError:
            garbage = True
        # After the last request whatever follows does not matter, not even that it is not HTTP.
        self._garbage = garbage and not self._last
        self._last |= garbage
        self._advance()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._advance()

    def on_message_begin(self) -> None:
        self._headers = {}
        self._body = bytearray()
        self._since = self._loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _HEADERS_READ:
            self._headers[name] = value

    def on_headers_complete(self) -> None:
        # Not while an earlier reply is due: the client would take the 100 for a part of that.
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and not (self._busy or self._calls):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, piece: bytes) -> None:
        if self._last:
            return
        self._unparsed_bytes = 0
        self._body += piece
        if len(self._body) > self._server.max_body_bytes:
            self._body = self._body[:_KEPT_BYTES]
            self._calls.append(Call(self._headers, self._body, self._peer, too_large=True))
            self._last = True

    def on_message_complete(self) -> None:
        if self._last:
            return
        self._unparsed_bytes = 0
        is_head = not self._body and self._parser.get_method() == b"HEAD"
        self._calls.append(Call(self._headers, self._body, self._peer, is_head))
        # The parser does not read on after an offer to upgrade, so that is answered as the client's last
        # request.
        self._last = not self._parser.should_keep_alive() or self._parser.should_upgrade()

    def finish(self) -> None:
        """Take nothing more, and close once everything that came whole is answered."""
        self._last = True
        if not self._busy and not self._calls:
            self.transport.close()

    def cut(self) -> None:
        """Close now and stop working for this client."""
        self.transport.abort()
        if self._task is not None:
            self._task.cancel()

    def close_if_waiting(self, since: float) -> None:
        """Close if the client has not sent or taken what is its turn since before `since`."""
        if not self._busy and self._since < since:
            self.transport.abort()

    def _advance(self) -> None:
        """Take up requests while the one before is answered and the client reads its replies."""
        if self._advancing or self._lost:
            return
        self._advancing = True
        while self._calls and not self._busy and not self._write_paused:
            self._take(self._calls.popleft())
        self._advancing = False
        if self._garbage and not self._busy and not self._calls:
            self._garbage = False
            self.transport.write(_BAD_REQUEST)
            self._linger()
        self._limit_reading()

    def _take(self, call: Call) -> None:
        reply = self._server.respond(call)
        if isinstance(reply, bytes):
            self._write(reply, call)
        else:
            self._busy = True
            self._task = _start_task(self._work(reply, call), self._loop)

    async def _work(self, reply: Reply, call: Call) -> None:
        try:
            body = await reply
            if not self._lost:
                self._write(body, call)
        except BaseException:
            # Cancelled: a client that waits for this reply must not take the next one for it.
            self.transport.abort()
            raise
        finally:
            self._busy = False
            if self._lost:
                self._server.ended(self)
        if self._calls or self._garbage:
            self._advance()

    def _write(self, body: bytes, call: Call) -> None:
        is_last = self._last and not self._calls and not self._garbage
        head = (_LAST_HEAD if is_last else self._server.kept_head) % len(body)
        self.transport.write(head if call.is_head else head + body)
        self._since = self._loop.time()
        if is_last:
            self._linger()

    def _linger(self) -> None:
        """Read on for a while: closing over unread bytes resets, and the reply on its way is lost."""
        if self._eof:
            self.transport.close()
            return
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._lingering = self._loop.call_later(_LINGER_S, self.transport.abort)

    def _discard(self, count: int) -> None:
        self._discarded_bytes += count
        if self._discarded_bytes > _LINGER_BYTES:
            self.transport.abort()

    def _limit_reading(self) -> None:
        full = len(self._calls) > _MAX_PIPELINED
        if full == self._read_paused or self.transport.is_closing():
            return
        self._read_paused = full
        if full:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()


def _start_task(work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    if sys.version_info >= (3, 12):
        # Begun at once: a handler that never waits is answered without another turn of the loop.
        return asyncio.Task(work, loop=loop, eager_start=True)
    return loop.create_task(work)
