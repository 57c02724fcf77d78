"""The simulation as one more cluster: the same scripts, driver, observer and checkers as on real peers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from peer.codes import Refusal
from peer.desk import Reply
from peer.picture import Past
from peer.schema import MAX_BATCH
from pygrenache import Address, ConnectionLost, RemoteError, RequestTimeout
from testbed.accounts import Copy
from testbed.script import FAULTS, GRAPES, Cut, Fault, Mend, Torment
from testbed.simulation.process import NETWORK_KEY
from testbed.simulation.recorder import Recorder
from testbed.simulation.virtual_time import MAX_EFFORT
from testbed.simulation.world import World

REQUEST_TIMEOUT_S = 5.0


class SimulationCluster:
    """Simulated peers; a peer's address is its name."""

    name = "simulation"
    network_key = NETWORK_KEY

    def __init__(
        self,
        seed: int,
        recorder: Recorder | None = None,
        max_effort: int = MAX_EFFORT,
        snapshot_every: int | None = None,
        max_batch: int | None = None,
    ) -> None:
        # Who sums up early also forgets early: few runs see a thousand settled orders.
        past = Past(snapshot_every, settled_orders=snapshot_every // 8) if snapshot_every else None
        self.seed = seed
        self.recorder = recorder or Recorder()
        self.world = World(seed, self.recorder, max_effort, past)
        self._max_batch = max_batch or MAX_BATCH

    @property
    def supports(self) -> frozenset[type[Fault]]:
        """Every kind of fault."""
        return frozenset(FAULTS)

    def why_not(self, fault: Fault) -> str:
        """Say why not to cut off a Grape: it has no links here."""
        grapes = isinstance(fault, Cut | Mend) and {fault.sender, fault.receiver} & set(GRAPES)
        return "a simulated Grape is up or down, and has no links" if grapes else ""

    async def open(self, peers: Sequence[str], faults: Collection[type[Fault]] = ()) -> None:
        """Prepare the peers."""
        self.world.open(peers)
        for peer in self.world.peers.values():
            peer.disk.max_batch = self._max_batch

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

    async def stop(self, peer: str) -> int:
        """End a peer between two of its turns: nothing is under way then."""
        self.world.kill(peer)
        return 0

    async def pause(self, peer: str) -> None:
        """Freeze a peer."""
        self.world.peers[peer].freeze()

    async def resume(self, peer: str) -> None:
        """Let a paused peer go on."""
        self.world.peers[peer].thaw()

    async def torment(self, fault: Torment) -> None:
        """Hurt links, clocks and disks, or end a peer at an exact point."""
        self.world.torment(fault)

    def door(self, peer: str) -> Address:
        """Return an address that only SimulatedClient understands."""
        return Address(peer, 0)

    def disk(self, peer: str) -> dict[str, Copy]:
        """Return all that was ever on a peer's disk, but for what it lost."""
        return self.world.peers[peer].disk.copies()

    async def crashed(self) -> list[str]:
        """Tell of every peer that has ended by itself."""
        return self.world.crashed

    async def logs(self) -> dict[str, str]:
        """Return nothing: whatever goes wrong inside a simulated peer ends the run itself."""
        return {}

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
