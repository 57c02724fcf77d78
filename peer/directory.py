"""Where other peers answer: found through Grapes, learned from who calls, asked who they are.

The rule: an address is only a hint. A Grape lists dead peers for a minute, and a living one may have moved; who
answers at an address is known when it has said its peer id.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pygrenache import Address, GrenacheError, Link, RpcClient

BROADCAST = "broadcast"
LOOKUP_EVERY_S = 2.0
FIRST_LOOKUP_EVERY_S = 0.1
ASK_TIMEOUT_S = 2.0
ASK_AGAIN_S = 5.0

log = logging.getLogger(__name__)


class Directory:
    """Keeps `address of peer` fresh, and says whom it found."""

    def __init__(self, me: str, link: Link, client: RpcClient, found: Callable[[str], None]) -> None:
        self._me = me
        self._link = link
        self._client = client
        self._found = found
        self._addresses: dict[str, Address] = {}
        self._own: set[Address] = set()
        self._asked_at: dict[Address, float] = {}
        self._grapes_answer = True

    def address_of(self, peer_id: str) -> Address | None:
        """Return where a peer answered last."""
        return self._addresses.get(peer_id)

    def learn(self, peer_id: str, address: Address) -> None:
        """Note where a peer answers, from its own word."""
        self._addresses[peer_id] = address

    def forget(self, peer_id: str) -> None:
        """Note that a peer no longer answers where it was: the next lookups ask who does."""
        address = self._addresses.pop(peer_id, None)
        if address is not None:
            self._link.forget(address)

    async def run(self) -> None:
        """Look for peers until cancelled: often at first, then every two seconds."""
        pause_s = FIRST_LOOKUP_EVERY_S
        while True:
            await self._look()
            await asyncio.sleep(pause_s)
            pause_s = min(LOOKUP_EVERY_S, pause_s * 1.25)

    async def _look(self) -> None:
        try:
            addresses = await self._link.lookup(BROADCAST, fresh=True)
        except GrenacheError as error:
            self._note_grapes(str(error))
            return
        self._note_grapes(None)
        now = asyncio.get_running_loop().time()
        known = {*self._own, *self._addresses.values()}
        unknown = [address for address in addresses if address not in known and self._may_ask(address, now)]
        self._asked_at = {a: t for a, t in self._asked_at.items() if a in addresses} | dict.fromkeys(unknown, now)
        await asyncio.gather(*(self._ask(address) for address in unknown))

    def _may_ask(self, address: Address, now: float) -> bool:
        return now - self._asked_at.get(address, -ASK_AGAIN_S) >= ASK_AGAIN_S

    async def _ask(self, address: Address) -> None:
        try:
            status: Any = await self._client.request_at(
                address, "exchange", {"type": "GET_STATUS"}, timeout_s=ASK_TIMEOUT_S
            )
        except GrenacheError:
            return
        peer_id = status.get("peerId") if isinstance(status, dict) else None
        if peer_id == self._me:
            self._own.add(address)
        elif isinstance(peer_id, str):
            self.learn(peer_id, address)
            self._found(peer_id)

    def _note_grapes(self, error: str | None) -> None:
        # Said once, not every two seconds.
        if error is not None and self._grapes_answer:
            log.warning("no Grape answers (%s); known peers go on trading", error)
        if error is None and not self._grapes_answer:
            log.info("a Grape answers again")
        self._grapes_answer = error is None
