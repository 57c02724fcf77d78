"""HTTP/1.1 POSTs over kept connections: one request at a time each, retired before the far side does it.

Every foreign exception becomes one of errors.py here. A POST is sent a second time in one case only: a
*reused* connection ended before a byte of the reply came, which is how a server's own idle limit looks from
this side.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from contextlib import suppress
from typing import NamedTuple, cast

import httptools

from pygrenache.address import Address
from pygrenache.errors import ConnectFailed, ConnectionLost, ProtocolError, RequestTimeout

_IDLE_S = 4.0  # Node.js closes an idle connection after 5 s.
_CONNECT_S = 1.5  # Long enough for one lost SYN, which is sent again after 1 s.
_MAX_CONNECTIONS = 256  # To one address; whoever comes later waits.


class Response(NamedTuple):
    """A whole HTTP response, its headers dropped."""

    status: int
    body: bytearray


class Pool:
    """Kept connections to any number of addresses."""

    def __init__(self, *, max_reply_bytes: int, idle_s: float = _IDLE_S, connect_s: float = _CONNECT_S) -> None:
        self._max_reply_bytes = max_reply_bytes
        self._idle_s = idle_s
        self._connect_s = connect_s
        self._destinations: dict[Address, _Destination] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def post(
        self, address: Address, body: bytes, *, path: bytes = b"/", headers: bytes = b"", timeout_s: float
    ) -> Response:
        """Send one POST and wait for its response; `headers` are whole lines.

        Raises ConnectFailed, ConnectionLost, ProtocolError, RequestTimeout (definite if nothing was sent).
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        destination = self._destinations.get(address)
        if destination is None:
            destination = self._destinations[address] = _Destination(address)
        data = b"POST %b HTTP/1.1\r\nHost: %b\r\n%bContent-Length: %d\r\n\r\n%b" % (
            (path, destination.host, headers, len(body), body)
        )
        destination.users += 1
        try:
            if destination.users > _MAX_CONNECTIONS:
                await _wait_for_slot(destination, deadline)
            else:
                await destination.slots.acquire()
            try:
                return await self._exchange(destination, data, deadline)
            finally:
                destination.slots.release()
        finally:
            destination.users -= 1

    async def close(self) -> None:
        """Close every connection; calls under way end as ConnectionLost."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        connections = [each for one in self._destinations.values() for each in one.connections]
        for connection in connections:
            connection.transport.abort()
        await asyncio.gather(*(connection.closed for connection in connections))
        self._destinations.clear()

    async def _exchange(self, destination: _Destination, data: bytes, deadline: float) -> Response:
        connection = destination.pop_idle(asyncio.get_running_loop().time() - self._idle_s)
        lost: ConnectionLost | None = None
        if connection is not None:
            try:
                return await self._send(connection, data, deadline)
            except ConnectionLost as error:
                if connection.heard:
                    raise
                lost = error
        try:
            connection = await self._connect(destination, deadline)
        except ConnectFailed as error:
            if lost is None:
                raise
            # The first try may have been carried out, so the second one's certainty proves nothing.
            raise ConnectionLost(f"{lost}; then {error}") from error
        return await self._send(connection, data, deadline)

    async def _send(self, connection: _Connection, data: bytes, deadline: float) -> Response:
        response = await connection.send(data, deadline)
        if connection.keep:
            connection.destination.idle.append(connection)
            if self._sweeping is None:
                self._sweeping = connection.loop.call_later(self._idle_s, self._sweep)
        return response

    async def _connect(self, destination: _Destination, deadline: float) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + self._connect_s)):
                return await self._connect_to_any(destination, await _resolve(destination.address))
        except TimeoutError as error:
            raise ConnectFailed(f"{destination.address}: no connection in time") from error
        except (OSError, UnicodeError) as error:
            # A host name that no resolver could ever take is a UnicodeError.
            raise ConnectFailed(f"{destination.address}: {error}") from error

    async def _connect_to_any(self, destination: _Destination, addresses: list[Address]) -> _Connection:
        loop = asyncio.get_running_loop()
        while True:
            host, port = addresses.pop(0)
            try:
                _, connection = await loop.create_connection(
                    lambda: _Connection(loop, destination, self._max_reply_bytes), host, port
                )
            except OSError:
                if not addresses:
                    raise
            else:
                return connection

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweeping = None
        for address, destination in list(self._destinations.items()):
            destination.retire(loop.time() - self._idle_s)
            if destination.unused:
                del self._destinations[address]
        if any(destination.idle for destination in self._destinations.values()):
            self._sweeping = loop.call_later(self._idle_s / 4, self._sweep)


class _Destination:
    """The connections to one address: all of them, and the idle ones, longest idle first."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.host = str(address).encode(errors="replace")
        self.connections: set[_Connection] = set()
        self.idle: deque[_Connection] = deque()
        self.slots = asyncio.Semaphore(_MAX_CONNECTIONS)
        self.users = 0

    @property
    def unused(self) -> bool:
        return not self.connections and not self.users

    def pop_idle(self, since: float) -> _Connection | None:
        while self.idle:
            connection = self.idle.pop()
            if connection.keep and connection.last_used >= since:
                return connection
            connection.transport.abort()
        return None

    def retire(self, since: float) -> None:
        while self.idle and (self.idle[0].last_used < since or not self.idle[0].keep):
            self.idle.popleft().transport.abort()


class _Connection(asyncio.Protocol):
    """One kept connection; `keep` says that another request may follow on it."""

    transport: asyncio.Transport

    def __init__(self, loop: asyncio.AbstractEventLoop, destination: _Destination, max_reply_bytes: int) -> None:
        self.loop = loop
        self.destination = destination
        self.keep = True
        self.heard = False
        self.last_used = 0.0
        self.closed: asyncio.Future[None] = loop.create_future()
        self._max_reply_bytes = max_reply_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._response: asyncio.Future[Response] | None = None
        self._body = bytearray()
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def send(self, data: bytes, deadline: float) -> Response:
        """Write one request and wait for its response; whatever else happens ends the connection."""
        self.heard = False
        self._body = bytearray()
        self._response = self.loop.create_future()
        self._deadline = deadline
        if self._timer is None or deadline < self._timer.when():
            self._set_timer()
        try:
            self.transport.write(data)
            return await self._response
        except BaseException:
            # Also when the caller is cancelled: a late reply must not meet the next request.
            self.keep = False
            self.transport.abort()
            raise
        finally:
            self._response = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.destination.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.destination.connections.discard(self)
        self.closed.set_result(None)
        if self._timer is not None:
            self._timer.cancel()
        self._fail(ConnectionLost(f"{self.destination.address}: {error or 'closed before the reply was whole'}"))

    def data_received(self, data: bytes) -> None:
        self.heard = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(ProtocolError(f"{self.destination.address}: not HTTP: {error}"))
        if not self.keep:
            self.transport.close()

    def on_message_begin(self) -> None:
        if not self._is_waiting():
            # Nobody asked for this message, so no reply that follows it could be trusted.
            self.keep = False

    def on_body(self, piece: bytes) -> None:
        if not self._is_waiting():
            return
        self._body += piece
        if len(self._body) > self._max_reply_bytes:
            self._fail(ProtocolError(f"{self.destination.address}: a reply over {self._max_reply_bytes} bytes"))

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200 or self._response is None or self._response.done():
            return  # 100 Continue and its kind announce the response, they are not it.
        self.keep = self._parser.should_keep_alive()
        self.last_used = self.loop.time()
        self._response.set_result(Response(status, self._body))

    def _set_timer(self) -> None:
        # One timer serves many requests: it is moved on only when it goes off too early.
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(self._deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if not self._is_waiting():
            return
        if self.loop.time() < self._deadline:
            self._set_timer()
        else:
            self._fail(RequestTimeout(f"{self.destination.address}: no reply in time"))

    def _is_waiting(self) -> bool:
        return self._response is not None and not self._response.done()

    def _fail(self, error: Exception) -> None:
        self.keep = False
        if self._response is not None and not self._response.done():
            self._response.set_exception(error)


async def _wait_for_slot(destination: _Destination, deadline: float) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await destination.slots.acquire()
    except TimeoutError as error:
        raise RequestTimeout(f"{destination.address}: no free connection in time", definite=True) from error


async def _resolve(address: Address) -> list[Address]:
    """Return every address that a host's name stands for; never none. Raises OSError, UnicodeError."""
    with suppress(OSError, UnicodeError):
        # What is an address already would otherwise be looked up in a thread.
        socket.inet_pton(socket.AF_INET, address.host)
        return [address]
    # Not left to `create_connection`: given up while it looks a name up, uvloop's never retrieves how that ended.
    found = await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return [Address(str(where[0]), address.port) for *_, where in found]
