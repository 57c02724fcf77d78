"""A peer on real sockets: node, clock and Grenache. The only place where a peer waits for anything.

The rule: all that arrived during one turn of the event loop goes to the node as one batch, hence into one commit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from decimal import Decimal
from math import inf
from typing import Any

from peer.admission import Network
from peer.codes import Code, Refusal
from peer.config import Config
from peer.desk import Reply
from peer.directory import BROADCAST, Directory
from peer.keyfile import load_identity
from peer.node import Answered, Asked, Discovered, Failed, Inbound, Node, Send, Tick
from peer.picture import Past
from peer.sqlite_journal import SqliteJournal
from pygrenache import (
    Address,
    ConnectFailed,
    GrenacheError,
    Link,
    RemoteError,
    Request,
    RpcClient,
    RpcError,
    RpcServer,
    UdpAnnouncer,
)

CALL_TIMEOUT_S = 2.0
MAX_WAITING = 10_000
MAX_BODY_BYTES = 4 << 20

log = logging.getLogger(__name__)


class Clock:
    """The wall clock, but for its steps back: heartbeats would wait for the time to come again."""

    def __init__(self) -> None:
        self._wall = time.time_ns() / 1e9
        self._monotonic = time.monotonic()

    def now(self) -> float:
        """Return seconds since the epoch, never less than before."""
        monotonic = time.monotonic()
        self._wall = max(time.time_ns() / 1e9, self._wall + monotonic - self._monotonic)
        self._monotonic = monotonic
        return self._wall


class Service:
    """One peer, from its folder of data to its place in the DHT."""

    def __init__(self, config: Config) -> None:
        config.data.mkdir(parents=True, exist_ok=True)
        identity = load_identity(config.data / "identity.key")
        self._config = config
        self.peer_id = identity.peer_id
        self._journal = SqliteJournal(config.data / "ledgers.sqlite")
        past = Past(snapshot_every=config.snapshot_every)
        self._node = Node(identity, self._journal, Network(config.network_key), past=past)
        self._link = Link(config.grapes)
        self._client = RpcClient(self._link, timeout_s=CALL_TIMEOUT_S, parse_float=Decimal)
        self._server = RpcServer(self._handle, max_body_bytes=MAX_BODY_BYTES, parse_float=Decimal)
        self._directory = Directory(self.peer_id, self._link, self._client, self._discovered)
        self._inbox: list[tuple[Inbound, asyncio.Future[Reply] | None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._clock = Clock()
        self._alarm: asyncio.TimerHandle | None = None
        self._stopping = asyncio.Event()
        self._is_fenced = False
        self._failure: BaseException | None = None

    @property
    def port(self) -> int:
        """The port that the peer listens on; 0 before it does."""
        return self._node.port

    async def run(self) -> None:
        """Serve until `stop` is called, then finish what is under way.

        Raises:
            OSError: the port is taken.
            sqlite3.Error: the disk refuses.
        """
        self._node.recover(self._clock.now())
        port = await self._server.start(self._config.host, self._config.port)
        self._node.port = port
        names = [BROADCAST, "exchange", f"exchange:{self.peer_id}"]
        announcer = UdpAnnouncer(self._config.dht, names, port)
        await announcer.start()
        self._spawn(self._directory.run())
        log.info("listening on %s:%d", self._config.host, port)
        await self._stopping.wait()
        await announcer.stop()
        await self._end()

    def stop(self) -> None:
        """End `run` soon; requests under way are still answered."""
        self._stopping.set()

    async def _end(self) -> None:
        await self._server.stop(0.0 if self._failure else 5.0)
        if self._alarm is not None:
            self._alarm.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()
        await self._link.close()
        self._journal.close()
        if self._failure is not None:
            raise self._failure

    async def _handle(self, request: Request) -> Any:
        if self._stopping.is_set():
            raise RpcError(str(Refusal(Code.STOPPING, "this peer is shutting down")))
        if len(self._inbox) >= MAX_WAITING:
            raise RpcError(str(Refusal(Code.BUSY, f"{MAX_WAITING} requests are waiting")))
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._take_in(Asked(request.payload), answer)
        reply = await answer
        if isinstance(reply, Refusal):
            raise RpcError(str(reply))
        if reply is not None and reply["type"] == "ENVELOPE":
            # Who calls can be called back: a newcomer is known before the next lookup shows it.
            sender = Address(request.peer.host, request.payload["port"])
            self._directory.learn(request.payload["sender"], sender)
        return reply

    def _take_in(self, inbound: Inbound, answer: asyncio.Future[Reply] | None = None) -> None:
        if not self._inbox:
            asyncio.get_running_loop().call_soon(self._drain)
        self._inbox.append((inbound, answer))

    def _drain(self) -> None:
        waiting, self._inbox = self._inbox, []
        if self._failure is not None:
            return
        now = self._clock.now()
        try:
            output = self._node.receive([inbound for inbound, _ in waiting], now)
        except Exception as error:
            # Memory may be ahead of the disk: nothing more may leave, and the next life starts from the disk.
            log.critical("this peer must end: %s", error, exc_info=True)
            self._failure = error
            self.stop()
            return
        for (_, answer), reply in zip(waiting, output.replies, strict=True):
            if answer is not None and not answer.done():
                answer.set_result(reply)
        for send in output.sends:
            self._spawn(self._send(send))
        self._set_alarm(output.wake_at, now)
        self._tell_of_the_fence()

    def _tell_of_the_fence(self) -> None:
        fence = self._node.exchange.market.fences.fence(self.peer_id)
        if fence is None or self._is_fenced:
            return
        self._is_fenced = True
        log.error("this peer has been evicted; void is all after entry %d of its ledger, as follows", fence.sequence)
        for text in self._node.voided():
            log.error("void: %s", text)

    async def _send(self, send: Send) -> None:
        address = self._directory.address_of(send.to)
        try:
            if address is None:
                raise ConnectFailed(f"nobody knows where {send.to} is")
            answer = await self._client.request_at(address, BROADCAST, send.envelope)
        except GrenacheError as error:
            if isinstance(error, ConnectFailed | RemoteError):
                self._directory.forget(send.to)
            refused = isinstance(error, RemoteError) and error.code == Code.NOT_ADMITTED
            self._take_in(Failed(send.to, str(error) if refused else None))
        else:
            self._take_in(Answered(send.to, answer))

    def _discovered(self, peer_id: str) -> None:
        self._take_in(Discovered(peer_id))

    def _wake(self) -> None:
        self._alarm = None
        self._take_in(Tick())

    def _set_alarm(self, wake_at: float, now: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if wake_at < inf:
            self._alarm = asyncio.get_running_loop().call_later(max(0.0, wake_at - now), self._wake)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
