"""The simulation as one more cluster: the same scripts, driver, observer and checkers as on real peers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from peer.codes import Refusal
from peer.desk import Reply
from pygrenache import Address, ConnectionLost, RemoteError, RequestTimeout
from testbed.cluster import Cluster
from testbed.driver import Driver
from testbed.history import History
from testbed.observer import Observer
from testbed.script import FAULTS, GRAPES, Crash, Cut, Fault, Lie, Mend, Skew, Wait, Weather, Wish
from testbed.simulation.process import NETWORK_KEY
from testbed.simulation.world import World

REQUEST_TIMEOUT_S = 5.0


class SimulationCluster:
    """Simulated peers; a peer's address is its name."""

    name = "simulation"
    supports: frozenset[type[Fault]] = frozenset(FAULTS)
    network_key = NETWORK_KEY

    def __init__(self, seed: int) -> None:
        self.world = World(seed)

    async def open(self, peers: Sequence[str]) -> None:
        """Prepare the peers."""
        self.world.open(peers)

    async def start(self, peer: str) -> None:
        """Start a peer, or a Grape."""
        if peer in GRAPES:
            self.world.grapes[peer] = None
        else:
            self.world.start(peer)

    async def kill(self, peer: str) -> None:
        """End a peer between two of its turns, or a Grape."""
        if peer in GRAPES:
            self.world.grapes.pop(peer)
        else:
            self.world.kill(peer)

    async def pause(self, peer: str) -> None:
        """Freeze a peer."""
        self.world.peers[peer].freeze()

    async def resume(self, peer: str) -> None:
        """Let a paused peer go on."""
        self.world.peers[peer].thaw()

    def door(self, peer: str) -> Address:
        """Return an address that only SimulatedClient understands."""
        return Address(peer, 0)

    async def crashed(self) -> list[str]:
        """Tell of every peer that has ended by itself."""
        return self.world.crashed

    async def close(self) -> None:
        """Leave the world as it is: nothing of it is outside."""


class SimulatedClient:
    """Clients' way to simulated peers."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def request_at(self, address: Address, key: str, payload: Any) -> Any:
        """Ask a peer, and return its answer. Raises GrenacheError."""
        replied: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()

        def answer(reply: Reply) -> None:
            if not replied.done():
                replied.set_result(reply)

        self._world.ask(address.host, payload, answer)
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                reply = await replied
        except TimeoutError:
            raise RequestTimeout(f"{address.host} did not answer in {REQUEST_TIMEOUT_S:g} s") from None
        if reply is None:
            raise ConnectionLost(f"{address.host} ended before it answered")
        if isinstance(reply, Refusal):
            raise RemoteError(str(reply))
        return reply

    async def close(self) -> None:
        """Let go of nothing."""


class SimulationDriver(Driver):
    """Grants also the wishes that only virtual time can grant."""

    def __init__(self, cluster: Cluster, observer: Observer, history: History) -> None:
        assert isinstance(cluster, SimulationCluster)
        super().__init__(cluster, observer, history)
        self._world = cluster.world

    async def _grant(self, wish: Wish, process: str) -> Any:
        match wish:
            case Wait(seconds):
                return await asyncio.sleep(seconds)
            case Crash() | Cut() | Mend() | Weather() | Skew() | Lie():
                self._stirred = True
                if isinstance(wish, Crash):
                    self._observer.living.pop(wish.peer, None)
                number = self._history.invoke("testbed", type(wish).__name__.lower(), asdict(wish), self._now())
                self._world.torment(wish)
                return self._history.end(number, "testbed", type(wish).__name__.lower(), "ok", None, self._now())
            case _:
                return await super()._grant(wish, process)
