"""A peer's client door as the testbed uses it: requests in, answers out."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any, Protocol

from pygrenache import Address, GrenacheError, RemoteError
from testbed.accounts import Copy
from testbed.evidence import MOST_SHOWN
from testbed.script import Outcome


class Client(Protocol):
    """Whoever brings a request to an address and returns the answer: RpcClient, or the simulation."""

    async def request_at(self, address: Address, key: str, payload: Any) -> Any:
        """Ask; raises GrenacheError."""

    async def close(self) -> None:
        """Let go of all connections."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a peer can be asked at this time; each method is one request, and raises GrenacheError."""

    client: Client
    address: Address

    async def ask(self, payload: dict[str, Any]) -> Any:
        """Send a request as it is, and return the answer."""
        return await self.client.request_at(self.address, "exchange", payload)

    async def status(self) -> dict[str, Any]:
        """Return what the peer knows of itself and of the others."""
        found: dict[str, Any] = await self.ask({"type": "GET_STATUS"})
        return found

    async def order(self, id_: str) -> dict[str, Any]:
        """Return an order."""
        found: dict[str, Any] = (await self.ask({"type": "GET_ORDER", "id": id_}))["order"]
        return found

    async def trades(self, item: str) -> list[dict[str, Any]]:
        """Return the trades of an item."""
        found: list[dict[str, Any]] = (await self.ask(trades_of(item)))["trades"]
        return found

    async def book(self, item: str) -> dict[str, Any]:
        """Return the book of an item."""
        found: dict[str, Any] = await self.ask(book_of(item))
        return found

    async def ledger(self, owner: str) -> Copy:
        """Return all that the peer holds of a ledger, page by page."""
        texts: list[str] = []
        positions: list[int] = []
        bases: dict[int, str] = {}
        after = 0
        while True:
            page = await self.ask({"type": "GET_LEDGER", "peerId": owner, "after": after})
            if not page.get("ledger"):
                return Copy(owner, tuple(texts), tuple(positions), bases)
            batch = page["ledger"]
            if batch["first"] != after + 1:
                # What was before has been forgotten, maybe since the last page was turned: this is all there is.
                texts, positions, bases = [], [], {batch["first"]: batch["base"]}
            texts += batch["entries"]
            positions += page["positions"]
            after = batch["first"] - 1 + len(batch["entries"])


def trades_of(item: str, latest: int | None = None) -> dict[str, Any]:
    """Return the request for the trades of an item, all or the latest so many."""
    return {"type": "GET_TRADES", "item": item, "limit": latest or MOST_SHOWN}


def book_of(item: str) -> dict[str, Any]:
    """Return the request for the whole book of an item."""
    return {"type": "GET_ORDERBOOK", "item": item, "limit": MOST_SHOWN}


def eviction_of(peer_id: str, asked: str, *, force: bool, key: bytes) -> dict[str, Any]:
    """Return an operator's request to one peer to evict another; `key` is the network's."""
    text = f"grapevine evict {peer_id} at {asked} {'forced' if force else 'unforced'}"
    mac = hmac.digest(key, text.encode(), "sha256").hex()
    return {"type": "EVICT_PEER", "peerId": peer_id, "force": force, "mac": mac}


def outcome_of(error: GrenacheError) -> Outcome:
    """Tell whether a failed request surely had no effect (`fail`) or may have had one (`info`).

    A peer refuses before it does anything; only an error that it did not foresee leaves that open.
    """
    refused = isinstance(error, RemoteError) and error.code != "ERR_INTERNAL"
    return "fail" if refused or error.definite else "info"
