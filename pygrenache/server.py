"""Serving requests: decode, await the handler, encode.

Every request is answered with a JSON array, errors included, and with the rid it came with. What a handler
raises is told to the client only if it is an RpcError; anything else is the server's own affair, logged
here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pygrenache import wire
from pygrenache.address import Address
from pygrenache.errors import ProtocolError, RpcError
from pygrenache.http_server import Call, HttpServer, Reply

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `key` is the service's name, usually a string, and `peer` the client's socket."""

    rid: Any
    key: Any
    payload: Any
    peer: Address


Handler: TypeAlias = Callable[[Request], Awaitable[Any]]


class RpcServer:
    """Answers every request with what `handler` returns, or with the text of the RpcError it raises.

    Keys are not compared: one port may be announced under any number of names, and the handler tells them
    apart. A body over `max_body_bytes`, before or after unzipping, is refused. `idle_timeout_s` bounds the
    wait for a next request, for the whole of one once it began, and for the client to take its reply. A
    handler is not cancelled when its client goes away.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        max_body_bytes: int = 1 << 20,
        parse_float: wire.ParseFloat = float,
        idle_timeout_s: float = 30.0,
        max_connections: int = 1024,
    ) -> None:
        self._handler = handler
        self._max_body_bytes = max_body_bytes
        self._parse_float = parse_float
        self._http = HttpServer(
            self._respond,
            max_body_bytes=max_body_bytes,
            idle_timeout_s=idle_timeout_s,
            max_connections=max_connections,
        )

    async def start(self, host: str = "0.0.0.0", port: int = 0) -> int:
        """Listen; the port bound, which is a free one for 0."""
        return await self._http.start(host, port)

    async def stop(self, grace_s: float = 5.0) -> None:
        """Accept no more, answer what has come whole, close; what is left after `grace_s` is cancelled."""
        await self._http.stop(grace_s)

    def _respond(self, call: Call) -> bytes | Reply:
        compress = b"gzip" in call.headers.get(b"grc-compress", b"")
        try:
            return self._answer(self._read(call, compress), compress)
        except RpcError as refusal:
            rid = wire.salvage_rid(call.headers.get(b"_gr") or call.body)
            return _reply(rid, str(refusal), None, compress)

    def _read(self, call: Call, compress: bool) -> Request:
        try:
            body = self._plain_body(call, compress)
            rid, key, payload = wire.decode_request(body, self._parse_float)
        except ProtocolError as error:
            raise RpcError(f"ERR_BAD_JSON: {error}") from error
        if (named := call.headers.get(b"_gr")) is not None:
            rid, key = _read_named(named)
        return Request(rid, key, payload, call.peer)

    def _plain_body(self, call: Call, compress: bool) -> bytes | bytearray:
        body: bytes | bytearray | None = None if call.too_large else call.body
        if compress and body is not None:
            body = wire.gunzip(body, self._max_body_bytes)
        if body is None:
            raise RpcError(f"ERR_TOO_LARGE: a body of more than {self._max_body_bytes} bytes")
        return body

    async def _answer(self, request: Request, compress: bool) -> bytes:
        try:
            return _reply(request.rid, None, await self._handler(request), compress)
        except RpcError as error:
            # An empty error would read as success.
            return _reply(request.rid, str(error) or "ERR_INTERNAL", None, compress)
        except Exception:
            _log.exception("the handler failed for a request of %s", request.peer)
            return _reply(request.rid, "ERR_INTERNAL: the request could not be served", None, compress)


def _read_named(header: bytes) -> tuple[Any, Any]:
    """The rid and key of a `_gr` header, which overrule the body's."""
    try:
        rid, key, _ = wire.decode_request(header)
    except ProtocolError as error:
        raise RpcError(f"ERR_HEADER_PARSE_GR: {error}") from error
    return rid, key


def _reply(rid: Any, error: str | None, result: Any, compress: bool) -> bytes:
    body = wire.encode_reply(rid, error, result)
    return wire.gzip(body) if compress else body
