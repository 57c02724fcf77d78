"""Calling a service: look it up, POST to one of its workers, hand back the result or a typed error.

A worker that refuses the connection is passed over for the next one, since that proves it did nothing.
Whatever happens later than that is not tried elsewhere unless the caller asks for more attempts: it may
have been carried out.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import Any

from pygrenache import wire
from pygrenache.address import Address
from pygrenache.errors import (
    BadCall,
    ConnectFailed,
    ConnectionLost,
    GrenacheError,
    LookupEmpty,
    ProtocolError,
    RemoteError,
    RequestTimeout,
)
from pygrenache.link import Link
from pygrenache.pool import Pool

_AGAIN = (ConnectFailed, ConnectionLost, LookupEmpty, RequestTimeout)
_HEADERS = b"Content-Type: application/json\r\n"
_GZIP_HEADERS = _HEADERS + b"grc-compress: gzip\r\n"


class RpcClient:
    """A client of any number of services.

    Without a Link it can only `request_at`. `timeout_s` bounds one attempt, its lookup included.
    """

    def __init__(
        self,
        link: Link | None = None,
        *,
        timeout_s: float = 5.0,
        parse_float: wire.ParseFloat = float,
        max_reply_bytes: int = 8 << 20,
        compress: bool = False,
        rng: random.Random | None = None,
    ) -> None:
        self._link = link
        self._timeout_s = timeout_s
        self._parse_float = parse_float
        self._max_reply_bytes = max_reply_bytes
        self._compress = compress
        self._rng = rng or random.Random()
        self._pool = Pool(max_reply_bytes=max_reply_bytes)
        # The rid is a UUID, as the C# server insists: one dice roll a client, then a count.
        self._rid_prefix = str(uuid.uuid4())[:24]
        self._sent = 0

    async def request(self, key: str, payload: Any, *, timeout_s: float | None = None, attempts: int = 1) -> Any:
        """Ask one worker of `key`, chosen at random, and return its result.

        With `attempts` above 1 a call whose fate is unknown is made again, so a worker may see it more than
        once. Raises RemoteError for the worker's own error, otherwise the last attempt's error, which is
        definite only if every attempt's was.
        """
        definite = True
        while True:
            try:
                return await self._attempt(key, payload, timeout_s or self._timeout_s)
            except GrenacheError as error:
                attempts -= 1
                definite = definite and error.definite
                if attempts < 1 or not isinstance(error, _AGAIN):
                    error.definite = definite
                    raise

    async def request_at(self, address: Address, key: str, payload: Any, *, timeout_s: float | None = None) -> Any:
        """Ask the worker at `address`."""
        self._sent += 1
        rid = f"{self._rid_prefix}{self._sent:012x}"
        body = wire.encode_request(rid, key, payload)
        headers = _HEADERS
        if self._compress:
            body, headers = wire.gzip(body), _GZIP_HEADERS
        status, reply = await self._pool.post(address, body, headers=headers, timeout_s=timeout_s or self._timeout_s)
        return self._read(rid, status, reply)

    async def map(
        self, key: str, payload: Any, *, timeout_s: float | None = None, limit: int | None = None
    ) -> list[tuple[Address, Any | GrenacheError]]:
        """Ask every worker of `key` at once (or `limit` of them, by chance); each one's result or error."""
        timeout_s = timeout_s or self._timeout_s
        addresses = await self._lookup(key, timeout_s)
        if limit is not None and limit < len(addresses):
            addresses = self._rng.sample(addresses, limit)

        async def ask(address: Address) -> Any | GrenacheError:
            try:
                return await self._ask(address, key, payload, timeout_s)
            except GrenacheError as error:
                return error

        return list(zip(addresses, await asyncio.gather(*map(ask, addresses)), strict=True))

    async def close(self) -> None:
        """Close the connections; the Link is its owner's to close."""
        await self._pool.close()

    async def _attempt(self, key: str, payload: Any, timeout_s: float) -> Any:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        addresses = await self._lookup(key, timeout_s)
        refused: ConnectFailed | None = None
        while addresses:
            address = addresses.pop(self._rng.randrange(len(addresses)))
            left_s = deadline - loop.time()
            if refused is not None and left_s <= 0:
                break
            try:
                return await self._ask(address, key, payload, left_s)
            except ConnectFailed as error:
                refused = error
        raise refused or LookupEmpty(f"nobody is announced under {key!r}")

    async def _ask(self, address: Address, key: str, payload: Any, timeout_s: float) -> Any:
        try:
            return await self.request_at(address, key, payload, timeout_s=timeout_s)
        except ConnectFailed:
            if self._link is not None:
                self._link.forget(address)
            raise

    async def _lookup(self, key: str, timeout_s: float) -> list[Address]:
        if self._link is None:
            raise BadCall("this client has no Link to look names up with")
        if known := self._link.cached(key):
            return known
        try:
            async with asyncio.timeout(timeout_s):
                addresses = await self._link.lookup(key)
        except TimeoutError as error:
            raise RequestTimeout(f"no Grape answered a lookup of {key!r} in time", definite=True) from error
        return addresses

    def _read(self, rid: str, status: int, reply: bytes | bytearray) -> Any:
        try:
            plain = wire.gunzip(reply, self._max_reply_bytes) if self._compress else reply
            if plain is None:
                raise ProtocolError(f"a reply of more than {self._max_reply_bytes} bytes once unzipped")
            answered, error, result = wire.decode_reply(plain, self._parse_float)
        except ProtocolError as problem:
            raise ProtocolError(f"status {status}, {problem}") from problem
        # A worker that could not read the request does not know its rid either.
        if answered != rid and not (answered is None and error):
            raise ProtocolError("the reply to another request")
        if error:
            raise RemoteError(error)
        return result
