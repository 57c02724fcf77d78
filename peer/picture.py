"""The picture of the market: orders, books, fills, holds, decisions and trades, as far as one peer knows of them. Pure.

The rule: what hangs together is changed together: what remains of an order, what its book offers of it, and what waits
for this peer to write something. Which changes are right is for `peer.market` to say.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from peer.book import Book
from peer.digest import Digest
from peer.events import FillClosed, FillOpened
from peer.fences import Fences
from peer.fills import Grant, Hold, Trade, TradeKey
from peer.order import Order
from peer.schema import owner_of


class Picture:
    """What one peer knows.

    What waits for this peer to write something: the fills `asked` of it and those `answered` to it, the fills that it
    holds and that have `ended`, items that are `stirred`, and its immediate orders that are `restless`.
    """

    def __init__(self, me: str) -> None:
        self.me = me
        self.orders: dict[str, Order] = {}
        self.books: dict[str, Book[Order]] = {}
        # In the order of arrival, nearly sorted: whoever shows them sorts them.
        self.filled: dict[str, list[tuple[tuple[int, str], str]]] = {}
        self.trades: dict[TradeKey, Trade] = {}
        self.trade_times: dict[str, list[tuple[int, TradeKey]]] = {}
        self.by_client: dict[tuple[str | None, str], Order] = {}
        self.fills: dict[str, FillOpened] = {}
        self.grants: dict[TradeKey, Grant] = {}
        self.holds: dict[TradeKey, Hold] = {}
        self.asked: dict[str, FillOpened] = {}
        self.answered: dict[str, FillOpened] = {}
        self.ended: dict[str, FillClosed] = {}
        self.restless: dict[str, Order] = {}
        self.digest = Digest()
        self.fences = Fences(me)
        self.stirred: dict[str, None] = {}
        self._immediate: dict[str, Order] = {}
        self._holding: dict[str, dict[str, FillOpened]] = {}
        self._waiting: dict[str, dict[str, FillOpened]] = {}
        self._claims: dict[TradeKey, tuple[Order, int]] = {}
        self._live: dict[str, dict[str, Order]] = {}
        self._resting: dict[str, dict[str, Order]] = {}
        self._reachable: set[str] = {me}
        self._shunned: set[str] = set()

    def own_fills(self) -> Iterator[FillOpened]:
        """Yield this peer's fills that wait for a decision."""
        return (fill for fills in self._waiting.values() for fill in fills.values())

    def waiting_for(self, peer_id: str) -> Collection[FillOpened]:
        """Return this peer's fills that wait for one other peer's decision."""
        fills = self._waiting.get(peer_id)
        return fills.values() if fills else ()

    def own_holds(self) -> Iterator[tuple[TradeKey, Hold]]:
        """Yield what this peer holds for fills that their takers' owners have yet to decide."""
        return ((key, hold) for key, hold in self.holds.items() if owner_of(key[1]) == self.me)

    def holding(self, taker: Order) -> list[FillOpened]:
        """Return the open fills by which an order of this peer, to be filled or killed, has asked others to hold."""
        return list(self._holding.get(taker.id, {}).values())

    def immediate(self) -> list[Order]:
        """Return this peer's own orders that are never to rest, and of which something remains."""
        return list(self._immediate.values())

    def open_orders(self, peer_id: str) -> int:
        """Count a peer's orders of which something remains."""
        return len(self._live.get(peer_id, ()))

    def set_reachable(self, peer_id: str, reachable: bool) -> None:
        """Offer a peer's orders in the book, or halt them: they stay known, and nobody is sent to them."""
        if reachable == (peer_id in self._reachable) or (reachable and peer_id in self._shunned):
            return
        if reachable:
            self._reachable.add(peer_id)
        else:
            self._reachable.discard(peer_id)
            self.restless.update(self._immediate)
        for order in self._live.get(peer_id, {}).values():
            self._offer(order)

    def shun(self, peer_id: str) -> None:
        """Halt a peer's orders for good: nobody is sent to them again."""
        self._shunned.add(peer_id)
        self.restless.update(self._immediate)
        self.set_reachable(peer_id, reachable=False)

    def is_shunned(self, peer_id: str) -> bool:
        """Tell whether a peer's orders are halted for good."""
        return peer_id in self._shunned

    def is_away(self, peer_id: str) -> bool:
        """Tell whether a peer is out of reach: its orders are halted."""
        return peer_id not in self._reachable

    def resting(self, item: str) -> Iterator[Order]:
        """Yield every order of an item of which something remains, whatever of it may trade now."""
        return iter(self._resting.get(item, {}).values())

    def _reveal(self, key: TradeKey) -> None:
        # The maker's ledger shows now what this peer has asked of it; nobody need ask any more.
        fill_id, maker_id = key
        self.asked.pop(fill_id, None)
        self._waiting.get(owner_of(maker_id), {}).pop(fill_id, None)
        claimed, quantity = self._claims.pop(key, (None, 0))
        if claimed is not None:
            claimed.claimed -= quantity
            self._offer(claimed)

    def _notice(self, key: TradeKey) -> None:
        fill = self.fills.get(key[0])
        if fill is None or fill.maker != key[1] or owner_of(fill.taker) != self.me:
            return
        if fill.hold:
            self.restless[fill.taker] = self.orders[fill.taker]
        else:
            self.answered[fill.fill_id] = fill

    def _void(self, peer_id: str) -> None:
        for order in list(self._live.get(peer_id, {}).values()):
            order.void = True
            self._changed(order)

    def _changed(self, order: Order) -> None:
        assert 0 <= order.reserved <= order.remaining <= order.original - order.filled, order
        self.digest.touch(order)
        if not order.remaining or order.void:
            self._live[order.peer_id].pop(order.id, None)
            self._resting.get(order.item, {}).pop(order.id, None)
        if order.immediate and order.peer_id == self.me:
            self.restless[order.id] = order
            if not order.remaining:
                self._immediate.pop(order.id, None)
        self._offer(order)

    def _offer(self, order: Order) -> None:
        if order.immediate:
            # It takes what it may, and nobody takes it: no book holds it.
            order.open = order.available if order.peer_id == self.me else 0
            return
        before = order.open
        if order.cancelled or order.void or order.peer_id not in self._reachable:
            after = 0
        else:
            after = max(0, order.remaining - order.reserved - order.claimed)
        if after == before:
            return
        order.open = after
        if after > before:
            self.stirred[order.item] = None
        if not before:
            self._book(order.item).add(order)
        elif not after:
            self._book(order.item).drop(order)

    def _book(self, item: str) -> Book[Order]:
        book = self.books.get(item)
        if book is None:
            book = self.books[item] = Book[Order]()
        return book
