"""Watches the peers of a run from outside: who is up, whether all is quiet, what they show in the end.

The rule: it asks and never changes anything, and every wait is for a condition, with a bound.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from pygrenache import GrenacheError
from testbed.cluster import Cluster
from testbed.door import Client, Door
from testbed.evidence import Evidence

POLL_S = 0.05
BOUND_S = 30.0
# With more peers than this everything takes longer, and as much longer is waited.
FEW_PEERS = 10
# Nobody waits longer than so many times the bound, however much else the machine has to do.
MOST_OVERLOAD = 4.0


class NoQuiet(Exception):
    """A condition that had to come about did not, within its bound."""


class Observer:
    """Watches one cluster. `living` are the peers that are up: not killed, frozen or yet to be started.

    `overload` tells how many times longer everything takes at this moment, if it may: on real machines.
    """

    def __init__(
        self,
        cluster: Cluster,
        client: Client,
        *,
        bound_s: float | None = None,
        peers: int = 0,
        overload: Callable[[], float] | None = None,
    ) -> None:
        self.living: dict[str, None] = {}
        self.peer_ids: dict[str, str] = {}
        self._given_up: dict[str, bool] = {}
        self._cluster = cluster
        self._client = client
        self._bound_s = bound_s or BOUND_S * max(1.0, peers / FEW_PEERS)
        self._overload = overload

    def give_up(self, peer: str) -> None:
        """Count a peer as living no more, though it may be up, or come back: it has been evicted."""
        self._given_up.setdefault(peer, peer in self.living)
        self.living.pop(peer, None)

    def door(self, peer: str) -> Door:
        """Return the way to a peer as it is now: a restart may move it."""
        return Door(self._client, self._cluster.door(peer))

    async def until(self, what: str, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until a condition holds. Raises NoQuiet, at once if a process has ended by itself."""
        bound_s = self._bound_s * (min(self._overload(), MOST_OVERLOAD) if self._overload else 1.0)
        try:
            async with asyncio.timeout(bound_s):
                while not await condition():  # noqa: ASYNC110 - peers in other processes set no event here
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise NoQuiet(f"in {bound_s:.3g} s it did not come about that {what}") from None

    async def up(self, peer: str) -> str:
        """Wait until a peer answers, count it among the living, and return its id."""

        async def answers() -> bool:
            status = await self._status(peer)
            if status is None:
                return False
            if peer in self._given_up:
                self._given_up[peer] = True
            else:
                self.living[peer] = None
            self.peer_ids.setdefault(peer, status["peerId"])
            found.append(status["peerId"])
            return True

        found: list[str] = []
        await self.until(f"{peer} answers", answers)
        return found[0]

    async def acquainted(self) -> None:
        """Wait until every living peer reaches every other one."""

        async def reached() -> bool:
            return all(self._reaches_all(status) for status in await self._statuses())

        await self.until("all peers have found each other", reached)

    async def quiet(self) -> None:
        """Wait until all living peers have read the same, reach each other, and wait for no fill.

        An evicted peer that has come back must have been told that it is fenced.

        It has to be seen twice in a row without a difference: what was under way at the first look would show at the
        second.
        """
        last: list[Any] = []

        async def rests() -> bool:
            statuses = await self._statuses()
            # In doubt is only what a peer waits for, and the clock runs on; both are no part of what has been read.
            read = [(s["vector"], s["digest"]) for s in statuses if s]
            told = [await self._status(peer) for peer, is_back in self._given_up.items() if is_back]
            at_rest = all(self._reaches_all(s) and s and not s["inDoubt"] for s in statuses)
            at_rest &= all(status is not None and "fenced" in status for status in told)
            seen_before = last == read
            last[:] = read
            return at_rest and bool(read) and read.count(read[0]) == len(read) and seen_before

        await self.until("all living peers have come to rest", rests)

    async def collect(self, quiet: bool) -> Evidence:
        """Ask every living peer for all that it can show; one that does not answer is not counted among the living."""
        peers = sorted(self.living)
        found = zip(peers, await asyncio.gather(*map(self._collect, peers)), strict=True)
        shown = {peer: one for peer, one in found if one is not None}
        crashed = tuple(await self._cluster.crashed())
        whole = quiet and len(shown) == len(peers)
        logs = await self._cluster.logs()
        evidence = Evidence(whole, dict(sorted(self.peer_ids.items())), tuple(shown), crashed=crashed, logs=logs)
        for peer, one in shown.items():
            evidence.statuses[peer], evidence.ledgers[peer], evidence.books[peer], evidence.trades[peer] = one
            evidence.disks[peer] = self._cluster.disk(peer)
        return evidence

    async def _status(self, peer: str) -> dict[str, Any] | None:
        try:
            return await self.door(peer).status()
        except GrenacheError as error:
            if crashed := await self._cluster.crashed():
                raise NoQuiet("; ".join(crashed)) from error
            return None

    async def _statuses(self) -> list[dict[str, Any] | None]:
        return await asyncio.gather(*(self._status(peer) for peer in self.living))

    def _reaches_all(self, status: dict[str, Any] | None) -> bool:
        if status is None:
            return False
        reached = {contact["peerId"] for contact in status["peers"] if contact["state"] == "reachable"}
        others = {self.peer_ids[peer] for peer in self.living} - {status["peerId"]}
        return others <= reached

    async def _collect(self, peer: str) -> tuple[Any, Any, Any, Any] | None:
        door = self.door(peer)
        try:
            status = await door.status()
            ledgers = {owner: await door.ledger(owner) for owner in status["vector"]}
            items = _items(line.event for copy in ledgers.values() for line in copy.lines())
            books = {item: await door.book(item) for item in items}
            trades = {item: await door.trades(item) for item in items}
        except GrenacheError:
            return None
        return status, ledgers, books, trades


def machine_overload() -> float:
    """Tell how many times more this machine has had to do in the last minute than it has cores for; at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def _items(events: Iterable[dict[str, Any]]) -> list[str]:
    placed = (order for event in events for order in _orders_in(event))
    return sorted({order["item"] for order in placed})


def _orders_in(event: dict[str, Any]) -> list[dict[str, Any]]:
    if event["type"] == "SNAPSHOT":
        return [order["placed"] for order in event["orders"]]
    return [event] if event["type"] == "ORDER_PLACED" else []
