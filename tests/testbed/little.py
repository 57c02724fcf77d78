"""A cluster of toy peers in this very process: they speak the client's door, keep orders and trade nothing.

Good for testing what drives and watches peers; that real peers are driven as well is for tests/scenarios to show.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from pygrenache import Address, Request, RpcError, RpcServer
from testbed.accounts import Copy
from testbed.script import Fault, FillDisk, Kill, Pause, Restart, Resume, Start, Torment
from tests.testbed.world import head


class LittlePeer:
    """One toy peer; all of them look into the same ledgers, but for one that is told to lag."""

    def __init__(self, cluster: LittleCluster, name: str, port: int = 0) -> None:
        self.cluster, self.name, self.port = cluster, name, port
        self.server = RpcServer(self.answer)

    async def start(self) -> int:
        """Listen, at the old port if there was one, and return the port."""
        return await self.server.start("127.0.0.1", self.port)

    async def answer(self, request: Request) -> Any:
        """Answer one request of a client."""
        asked, cluster = request.payload, self.cluster
        if cluster.talks_nonsense:
            return {"type": "WHAT"}
        match asked["type"]:
            case "GET_STATUS":
                return self.status()
            case "SUBMIT_ORDER":
                return {"type": "ORDER_ACCEPTED", "order": cluster.place(self.name, asked["order"])}
            case "GET_ORDER" if asked["id"] in cluster.orders:
                return {"type": "ORDER", "order": cluster.orders[asked["id"]]}
            case "GET_ORDERBOOK":
                book = {"buyOrders": list(cluster.orders.values()), "sellOrders": []}
                return {"type": "ORDERBOOK", "item": asked["item"], **book}
            case "GET_TRADES":
                return {"type": "TRADES", "trades": cluster.trades}
            case "EVICT_PEER" if asked["peerId"] != self.cluster.ids.get(self.name, self.name):
                return {"type": "EVICTION", "peerId": asked["peerId"], "state": "fenced"}
            case "GET_LEDGER":
                return self.ledger(asked["peerId"], asked["after"])
        raise RpcError("ERR_UNKNOWN_ORDER: there is none")

    def status(self) -> dict[str, Any]:
        """Show all others as reachable, and all ledgers as read, unless this one lags."""
        heads = {name: [len(texts), head(texts)] for name, texts in self.cluster.ledgers.items()}
        if self.name == self.cluster.lags:
            heads = {}
        cluster = self.cluster
        others = [{"peerId": name, "state": cluster.states.get(name, "reachable")} for name in cluster.peers]
        id_ = cluster.ids.get(self.name, self.name)
        return {"peerId": id_, "peers": others, "vector": heads, "digest": "d", "inDoubt": cluster.in_doubt}

    def ledger(self, owner: str, after: int) -> dict[str, Any]:
        """Show one entry at a time, so that whoever asks has to turn pages."""
        texts = self.cluster.ledgers[owner][after : after + 1]
        batch = {"first": after + 1, "entries": texts, "base": head(self.cluster.ledgers[owner][:after])}
        return {"ledger": batch, "positions": [after + 1]} if texts else {}


class LittleCluster:
    """Toy peers; each peer's id is its name, and each reaches all others, unless a test sets it otherwise."""

    name = "little"
    supports: frozenset[type[Fault]] = frozenset({Kill, Restart, Start, Pause, Resume})
    network_key = b"a toy's key"

    def __init__(self) -> None:
        self.peers: dict[str, LittlePeer] = {}
        self.ports: dict[str, int] = {}
        self.ledgers: dict[str, list[str]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: list[dict[str, Any]] = []
        self.in_doubt: list[str] = []
        self.lags = ""
        self.talks_nonsense = False
        self.states: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.ended: list[str] = []
        self.torments: list[Torment] = []
        self.exit_code = 0
        self.said: dict[str, str] = {}
        self.closed = False

    def why_not(self, fault: Fault) -> str:
        """Do only what toys can do."""
        return "" if type(fault) in self.supports else "toys cannot"

    def place(self, peer: str, order: dict[str, Any]) -> dict[str, Any]:
        """Write an order into a peer's ledger, and show it."""
        ledger = self.ledgers.setdefault(peer, [])
        id_ = f"{peer}-{len(ledger) + 1}"
        terms = {"id": id_, "item": order["item"], "side": order["type"], "price": order["price"]}
        event = {"type": "ORDER_PLACED", **terms, "quantity": order["quantity"]}
        ledger.append(json.dumps({"sequence": len(ledger) + 1, "time": len(self.orders), "event": event}))
        shown = {**order, "id": id_, "originalQuantity": order["quantity"], "filledQuantity": "0", "status": "open"}
        return self.orders.setdefault(id_, shown)

    async def open(self, peers: Sequence[str], faults: Collection[type[Fault]] = ()) -> None:
        """Prepare nothing."""

    async def start(self, peer: str) -> None:
        """Listen for a peer."""
        self.peers[peer] = LittlePeer(self, peer, self.ports.get(peer, 0))
        self.ports[peer] = await self.peers[peer].start()

    async def kill(self, peer: str) -> None:
        """Listen no more."""
        await self.peers.pop(peer).server.stop(0)

    async def stop(self, peer: str) -> int:
        """Listen no more, and end as the test says."""
        await self.kill(peer)
        return self.exit_code

    async def torment(self, fault: Torment) -> None:
        """Note what was to be done; a toy whose disk is full ends at once."""
        self.torments.append(fault)
        if isinstance(fault, FillDisk):
            await self.kill(fault.peer)

    async def pause(self, peer: str) -> None:
        """Listen no more."""
        await self.kill(peer)

    async def resume(self, peer: str) -> None:
        """Listen again."""
        await self.start(peer)

    def door(self, peer: str) -> Address:
        """Return where the toy listens."""
        return Address("127.0.0.1", self.ports[peer])

    def disk(self, peer: str) -> dict[str, Copy]:
        """Leave it to the peer to show what it holds."""
        return {}

    async def crashed(self) -> list[str]:
        """Tell what the test says has crashed."""
        return self.ended

    async def logs(self) -> dict[str, str]:
        """Tell what the test says has been said."""
        return self.said

    async def close(self) -> None:
        """End all toys."""
        self.closed = True
        for peer in list(self.peers):
            await self.kill(peer)
