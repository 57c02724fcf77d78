"""A Grape's HTTP API: lookup, announce, put, get; several Grapes, so that one may be down.

A Grape reports nearly every failure as status 200 with a JSON string, so answers are told apart by their
type. Names and hashes are checked before they are sent: an empty one can end a Grape's process.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from tenacity import AsyncRetrying

from pygrenache import bencode, retry, wire
from pygrenache.address import Address
from pygrenache.errors import (
    BadCall,
    ConnectFailed,
    ConnectionLost,
    GrapeError,
    ProtocolError,
    RequestTimeout,
)
from pygrenache.pool import Pool

_HASH = re.compile(r"[0-9a-fA-F]{40}")
_HEADERS = b"Content-Type: application/json\r\n"
_MAX_REPLY_BYTES = 1 << 20
_MAX_CACHED_NAMES = 1024
_MAX_PUT_BYTES = 1000


class Link:
    """A view of the Grapes at `grapes` ("http://host:30001"); the one that answered last is asked first."""

    def __init__(
        self,
        grapes: Sequence[str],
        *,
        timeout_s: float = 3.0,
        cache_s: float = 2.0,
        retrying: AsyncRetrying = retry.GRAPES_UNREACHABLE,
    ) -> None:
        if not grapes:
            raise BadCall("a Link needs at least one Grape")
        self._grapes = [_grape_address(grape) for grape in grapes]
        self._timeout_s = timeout_s
        self._cache_s = cache_s
        self._retrying = retrying
        self._pool = Pool(max_reply_bytes=_MAX_REPLY_BYTES)
        self._cache: dict[str, tuple[float, list[Address]]] = {}

    async def lookup(self, name: str, *, fresh: bool = False) -> list[Address]:
        """Who is announced under `name`, at most 100 addresses in no order; `fresh` passes the cache by.

        Raises GrapeError, or the network's errors if no Grape could be asked.
        """
        if not fresh and (known := self.cached(name)):
            return known
        check_name(name)
        now = asyncio.get_running_loop().time()
        addresses = _read_addresses(await self._ask("lookup", name))
        self._remember(name, addresses, now)
        return list(addresses)

    def cached(self, name: str) -> list[Address]:
        """What `lookup` would answer without asking a Grape; empty when it would ask."""
        until, addresses = self._cache.get(name, (0.0, ()))
        return list(addresses) if asyncio.get_running_loop().time() < until else []

    def forget(self, address: Address) -> None:
        """Leave an address that refused a connection out of cached answers."""
        for name, (until, addresses) in list(self._cache.items()):
            if address in addresses:
                addresses.remove(address)
                if not addresses:
                    del self._cache[name]
                else:
                    self._cache[name] = (until, addresses)

    async def announce(self, name: str, port: int) -> int:
        """Announce a port under `name` **at the Grape's own IP address**; the number of Grapes that took it.

        Only right where peer and Grape share an address; elsewhere see `UdpAnnouncer`.
        A Grape that knew no other when first asked remembers that for minutes, until the name is looked up.
        """
        check_name(name)
        check_port(port)
        answer = await self._ask("announce", [name, port])
        if not _is_count(answer):
            await self.lookup(name, fresh=True)
            answer = await self._ask("announce", [name, port])
        if not _is_count(answer):
            raise GrapeError(str(answer))
        return int(answer)

    async def put(self, text: str) -> str:
        """Store an immutable text of at most 999 characters and 1000 bytes; its hash, 40 hex digits."""
        digest = _text_hash(text)
        answer = await self._ask("put", {"v": text})
        if not isinstance(answer, str) or not _HASH.fullmatch(answer):
            raise GrapeError(str(answer))
        if answer.lower() != digest:
            raise ProtocolError(f"the Grape stored {answer}, not {digest}")
        return digest

    async def get(self, hash_: str) -> str | None:
        """The text stored under a hash, or None. Raises ProtocolError for a text that has another hash."""
        if not _HASH.fullmatch(hash_):
            raise BadCall(f"not 40 hex digits: {hash_[:50]!r}")
        answer = await self._ask("get", hash_.lower())
        if answer is None:
            return None
        if isinstance(answer, str):
            raise GrapeError(answer)
        text = answer.get("v") if isinstance(answer, dict) else None
        if not isinstance(text, str) or _bencode_hash(text) != hash_.lower():
            raise ProtocolError("what the Grape returned is not what the hash names")
        return text

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    def _remember(self, name: str, addresses: list[Address], now: float) -> None:
        # Emptiness is never remembered: the first worker to come should be found at once.
        self._cache.pop(name, None)
        if addresses and self._cache_s > 0:
            self._cache[name] = (now + self._cache_s, addresses)
            if len(self._cache) > _MAX_CACHED_NAMES:
                del self._cache[next(iter(self._cache))]

    async def _ask(self, endpoint: str, data: Any) -> Any:
        # A copy, since tenacity keeps the state of a run in the policy itself.
        return await self._retrying.copy()(self._ask_grapes, endpoint, data)

    async def _ask_grapes(self, endpoint: str, data: Any) -> Any:
        """Ask one Grape after the other until one has more to say than nothing."""
        failure: Exception | None = None
        answer: Any = None
        answered = False
        for grape in list(self._grapes):
            try:
                answer = await self._ask_grape(grape, endpoint, data)
            except (ConnectFailed, ConnectionLost, RequestTimeout) as error:
                failure = error
                continue
            answered = True
            if answer is not None and answer != []:
                self._grapes.remove(grape)
                self._grapes.insert(0, grape)
                break
        if not answered and failure is not None:
            raise failure
        return answer

    async def _ask_grape(self, grape: Address, endpoint: str, data: Any) -> Any:
        status, body = await self._pool.post(
            grape,
            wire.encode({"data": data}),
            path=b"/" + endpoint.encode(),
            headers=_HEADERS,
            timeout_s=self._timeout_s,
        )
        if status != 200:
            raise GrapeError(body.decode(errors="replace")[:500] or f"status {status}")
        return wire.decode(body) if body else None


def check_name(name: str) -> None:
    """Refuse what a Grape must not be sent as a service's name. Raises BadCall."""
    try:
        if name and name.encode():
            return
    except UnicodeEncodeError:
        pass
    raise BadCall(f"not a service name: {name[:50]!r}")


def check_port(port: int) -> None:
    """Refuse a port that a Grape would ignore or take for its own. Raises BadCall."""
    if isinstance(port, bool) or not 0 < port < 65536:
        raise BadCall(f"not a port: {port}")


def _grape_address(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or not parts.port or parts.path not in ("", "/"):
        raise BadCall(f"not a Grape's address, http://host:port: {url!r}")
    return Address(parts.hostname, parts.port)


def _read_addresses(answer: Any) -> list[Address]:
    if isinstance(answer, str):
        raise GrapeError(answer)
    try:
        addresses = [Address.parse(each) for each in answer]
    except (TypeError, ValueError, AttributeError) as error:
        raise ProtocolError(f"not a list of addresses: {str(answer)[:200]}") from error
    # A Grape bound with -b lists its own announces as 0.0.0.0, next to the right address.
    return list(dict.fromkeys(each for each in addresses if each.host != "0.0.0.0"))


def _is_count(answer: Any) -> bool:
    return isinstance(answer, int) and not isinstance(answer, bool) and answer >= 1


def _text_hash(text: str) -> str:
    try:
        # The Grape counts UTF-16 units, its neighbours count bytes.
        units, size = len(text.encode("utf-16-le")) // 2, len(text.encode())
    except UnicodeEncodeError as error:
        raise BadCall("a text with half a character") from error
    if not text or units >= _MAX_PUT_BYTES or size > _MAX_PUT_BYTES:
        raise BadCall(f"a text of {units} characters and {size} bytes; 1 to 999, and at most 1000 bytes")
    return _bencode_hash(text)


def _bencode_hash(text: str) -> str:
    return hashlib.sha1(bencode.encode(text.encode(errors="surrogatepass")), usedforsecurity=False).hexdigest()
