"""Announcing straight into the DHT over UDP (BEP 5), so that a worker is listed under its own address.

A Grape stores the source address of the announcing datagram and has no field for another: announced through
a Grape's HTTP API, a worker in a container of its own is listed under the Grape's address. So the worker
sends the two datagrams itself, to every Grape. They carry no node id: with one, the Grapes would count the
sender as a neighbour and wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import Sequence
from typing import TypeAlias, cast

from pygrenache import bencode
from pygrenache.address import Address
from pygrenache.errors import BadCall, GrapeError, GrenacheError, ProtocolError, RequestTimeout
from pygrenache.link import check_name, check_port

_Arguments: TypeAlias = dict[bytes, bencode.Value]

_log = logging.getLogger(__name__)
_QUERY_S = 0.6
_QUERY_TRIES = 3
_MAX_CONCURRENT_QUERIES = 64


class UdpAnnouncer:
    """Keeps `port` announced under every one of `names` at every one of `grapes` ("host:20001").

    A dead peer stays listed for one to two times the Grapes' --dpa, and a live one must be announced again
    within half of it: 5 s suits the 30 s that this project starts its Grapes with.
    """

    def __init__(
        self,
        grapes: Sequence[str],
        names: Sequence[str],
        port: int,
        *,
        interval_s: float = 5.0,
        rng: random.Random | None = None,
    ) -> None:
        check_port(port)
        for name in names:
            check_name(name)
        try:
            self._grapes = [Address.parse(grape) for grape in grapes]
        except ValueError as error:
            raise BadCall(str(error)) from error
        self._names = [name.encode() for name in names]
        self._port = port
        self._interval_s = interval_s
        self._rng = rng or random.SystemRandom()
        self._task: asyncio.Task[None] | None = None

    async def announce(self) -> int:
        """Announce every name at every Grape once; the number of Grapes that took them all.

        A Grape that is dead or not to be found only counts as none.
        """
        loop = asyncio.get_running_loop()
        try:
            # A socket of its own each round: nothing to repair after the network went away and came back.
            transport, protocol = await loop.create_datagram_endpoint(
                lambda: _Queries(self._rng), local_addr=("0.0.0.0", 0), family=socket.AF_INET
            )
        except OSError as error:
            _log.warning("no UDP socket to announce from: %s", error)
            return 0
        try:
            return sum(await asyncio.gather(*(self._announce_at(protocol, grape) for grape in self._grapes)))
        finally:
            transport.close()

    async def start(self) -> None:
        """Announce now and from now on, in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Announce no more. Nobody can un-announce: the entries end with the Grapes' --dpa."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self.announce()
            except Exception:
                _log.exception("an announcing round failed")
            # Jitter keeps peers that were started together from announcing together.
            await asyncio.sleep(self._interval_s * self._rng.uniform(0.75, 1.25))

    async def _announce_at(self, queries: _Queries, grape: Address) -> bool:
        try:
            # Resolved anew each round, since a restarted container may come back under another address.
            address = await _resolve(grape)
        except (OSError, UnicodeError) as error:
            _log.debug("no address for %s: %s", grape, error)
            return False
        done = await asyncio.gather(*(queries.announce(address, name, self._port) for name in self._names))
        return all(done)


class _Queries(asyncio.DatagramProtocol):
    """BEP 5 queries from one socket, each matched to its reply by transaction number and address."""

    transport: asyncio.DatagramTransport

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._waiting: dict[tuple[bytes, Address], asyncio.Future[_Arguments]] = {}
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT_QUERIES)

    async def announce(self, address: Address, name: bytes, port: int) -> bool:
        """Announce one name at one Grape, by a fresh token: an old one ends with the Grape's process."""
        try:
            async with self._slots:
                token = (await self._query(address, b"get_peers", {b"info_hash": name})).get(b"token", b"")
                arguments: _Arguments = {b"info_hash": name, b"port": port, b"token": token}
                await self._query(address, b"announce_peer", {b"implied_port": 0, **arguments})
        except (OSError, GrenacheError) as error:
            _log.debug("not announced at %s: %s", address, error)
            return False
        return True

    async def _query(self, address: Address, query: bytes, arguments: _Arguments) -> _Arguments:
        for _ in range(_QUERY_TRIES):
            transaction = self._rng.randbytes(2)
            while (transaction, address) in self._waiting:
                transaction = self._rng.randbytes(2)
            reply: asyncio.Future[_Arguments] = asyncio.get_running_loop().create_future()
            self._waiting[transaction, address] = reply
            self.transport.sendto(
                bencode.encode({b"a": arguments, b"q": query, b"t": transaction, b"y": b"q"}), address
            )
            try:
                async with asyncio.timeout(_QUERY_S):
                    return await reply
            except TimeoutError:
                pass  # A datagram may be lost on either way; both queries may be repeated.
            finally:
                del self._waiting[transaction, address]
        raise RequestTimeout(f"{address}: no answer over UDP")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str | object, int]) -> None:
        try:
            message = bencode.decode(data)
        except ProtocolError:
            return  # Anybody may send anything to a UDP port.
        if not isinstance(message, dict):
            return
        transaction = message.get(b"t")
        if not isinstance(transaction, bytes):
            return
        waiting = self._waiting.get((transaction, Address(str(source[0]), source[1])))
        if waiting is None or waiting.done():
            return
        answer = message.get(b"r")
        if isinstance(answer, dict):
            waiting.set_result(answer)
        else:
            waiting.set_exception(GrapeError(str(message.get(b"e"))))


async def _resolve(grape: Address) -> Address:
    found = await asyncio.get_running_loop().getaddrinfo(
        grape.host, grape.port, family=socket.AF_INET, type=socket.SOCK_DGRAM
    )
    return Address(str(found[0][4][0]), grape.port)
