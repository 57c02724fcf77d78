"""The market: the fold of all ledgers into orders, books, fills and trades. Pure.

The rule: only an entry changes anything here, and only what its ledger's owner owns; so any order of arrival between
ledgers folds to the same market. Own entries and copies go through the same door. Whether an owner is in reach, and
what this peer has asked for, only decides how much of an order the book offers (`Order.open`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from peer.book import Book
from peer.digest import Digest
from peer.events import (
    Entry,
    EvictionJoined,
    EvictionProposed,
    FillClosed,
    FillGranted,
    FillOpened,
    OrderCancelled,
    OrderPlaced,
    OrdersTraded,
    PeerFenced,
)
from peer.fences import Fences
from peer.order import Order
from peer.schema import owner_of


class Contradiction(Exception):
    """An entry that cannot follow from the ledger before it: its owner is broken or lies."""


# A fill's id and its maker: a decision counts for the maker that was asked, whoever else writes one.
TradeKey = tuple[str, str]


class Grant(NamedTuple):
    """The written decision of a fill; `time` in microseconds, `sequence` in the maker's ledger."""

    granted: int
    price: int
    time: int
    sequence: int


class Trade(NamedTuple):
    """Two orders traded; `id` is the fill's, or of the entry that traded both."""

    id: str
    item: str
    price: int
    quantity: int
    maker: str
    taker: str
    time: int


class Market:
    """What one peer knows. `asked` and `answered` are the fills that wait for this peer to write something."""

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
        self.asked: dict[str, FillOpened] = {}
        self.answered: dict[str, FillOpened] = {}
        self.digest = Digest()
        self.fences = Fences(me)
        self.stirred: dict[str, None] = {}
        self._waiting: dict[str, dict[str, FillOpened]] = {}
        self._claims: dict[TradeKey, tuple[Order, int]] = {}
        self._live: dict[str, dict[str, Order]] = {}
        self._resting: dict[str, dict[str, Order]] = {}
        self._reachable: set[str] = {me}
        self._shunned: set[str] = set()

    def apply(self, peer_id: str, entry: Entry) -> None:
        """Fold one entry of a peer's ledger.

        Raises:
            Contradiction: the entry cannot follow; nothing has changed.
        """
        event = entry.event
        match event:
            case OrderPlaced():
                self._placed(peer_id, entry, event)
            case FillOpened():
                self._opened(peer_id, entry, event)
            case FillGranted():
                self._granted(peer_id, entry, event)
            case FillClosed():
                self._closed(peer_id, event)
            case OrdersTraded():
                self._traded(peer_id, entry, event)
            case OrderCancelled():
                self._cancelled(peer_id, event)
            case EvictionProposed() | EvictionJoined() | PeerFenced():
                _require(self.fences.follows(peer_id, event), "a peer speaks once of another's end")
                self.fences.apply(peer_id, event)
                if isinstance(event, PeerFenced):
                    self._void(event.peer_id)

    def own_fills(self) -> Iterator[FillOpened]:
        """Yield this peer's fills that wait for a decision."""
        return (fill for fills in self._waiting.values() for fill in fills.values())

    def waiting_for(self, peer_id: str) -> Collection[FillOpened]:
        """Return this peer's fills that wait for one other peer's decision."""
        fills = self._waiting.get(peer_id)
        return fills.values() if fills else ()

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
        for order in self._live.get(peer_id, {}).values():
            self._offer(order)

    def shun(self, peer_id: str) -> None:
        """Halt a peer's orders for good: nobody is sent to them again."""
        self._shunned.add(peer_id)
        self.set_reachable(peer_id, reachable=False)

    def is_shunned(self, peer_id: str) -> bool:
        """Tell whether a peer's orders are halted for good."""
        return peer_id in self._shunned

    def is_halted(self, order: Order) -> bool:
        """Tell whether the order's owner is out of reach."""
        return order.peer_id not in self._reachable

    def resting(self, item: str) -> Iterator[Order]:
        """Yield every order of an item of which something remains, whatever of it may trade now."""
        return iter(self._resting.get(item, {}).values())

    def _placed(self, peer_id: str, entry: Entry, event: OrderPlaced) -> None:
        _require(event.id == f"{peer_id}-{entry.sequence}", "an order's id names its entry")
        _require(event.quantity > 0 and event.price > 0, "an order has a price and a quantity")
        key = (entry.time, peer_id)
        order = Order(event.id, event.item, event.side == "buy", event.price, event.quantity, key)
        order.client_id, order.client_order_id = event.client_id, event.client_order_id
        order.time_in_force = event.time_in_force
        order.void = peer_id in self.fences.fenced
        self.orders[order.id] = order
        self._live.setdefault(peer_id, {})[order.id] = order
        self._resting.setdefault(order.item, {})[order.id] = order
        if event.client_order_id is not None and peer_id == self.me:
            self.by_client[event.client_id, event.client_order_id] = order
        self._changed(order)

    def _cancelled(self, peer_id: str, event: OrderCancelled) -> None:
        order = self._own(peer_id, event.id)
        _require(not order.cancelled, "an order is cancelled once")
        _require(event.remaining == order.reserved, "a cancel leaves what fills have reserved")
        order.cancelled = True
        order.remaining = event.remaining
        self._changed(order)

    def _opened(self, peer_id: str, entry: Entry, event: FillOpened) -> None:
        taker = self._own(peer_id, event.taker)
        _require(event.fill_id == f"{peer_id}-{entry.sequence}", "a fill's id names its entry")
        _require(0 < event.quantity <= taker.available, "a fill reserves what is available")
        _require(owner_of(event.maker) != peer_id, "a fill asks another peer")
        taker.reserved += event.quantity
        self.fills[event.fill_id] = event
        decided = (event.fill_id, event.maker) in self.grants
        if owner_of(event.maker) == self.me and not decided:
            self.asked[event.fill_id] = event
        if peer_id == self.me and not decided:
            self._waiting.setdefault(owner_of(event.maker), {})[event.fill_id] = event
            maker = self.orders.get(event.maker)
            # The order of a fenced peer may lie beyond its fence: then it never was.
            if maker is not None:
                maker.claimed += event.quantity
                self._claims[event.fill_id, event.maker] = (maker, event.quantity)
                self._offer(maker)
        self._changed(taker)

    def _granted(self, peer_id: str, entry: Entry, event: FillGranted) -> None:
        _require(owner_of(event.maker) == peer_id, "a maker's owner decides")
        key = (event.fill_id, event.maker)
        _require(key not in self.grants, "a fill is decided once")
        maker = self._granting(peer_id, event) if event.granted else None
        self.grants[key] = Grant(event.granted, event.price, entry.time, entry.sequence)
        self.asked.pop(event.fill_id, None)
        self._waiting.get(peer_id, {}).pop(event.fill_id, None)
        claimed, quantity = self._claims.pop(key, (None, 0))
        if claimed is not None:
            claimed.claimed -= quantity
        if maker is not None:
            trade = self._trade(event.fill_id, maker, event, event.granted, entry.time)
            self._take(maker, event.granted, trade)
        elif claimed is not None:
            self._offer(claimed)
        fill = self.fills.get(event.fill_id)
        if fill is not None and fill.maker == event.maker and owner_of(fill.taker) == self.me:
            self.answered[event.fill_id] = fill

    def _granting(self, peer_id: str, event: FillGranted) -> Order:
        maker = self._own(peer_id, event.maker)
        _require(event.granted <= maker.available, "a grant is of what is available")
        _require(event.remaining == maker.remaining - event.granted, "what remains adds up")
        _require(event.price == maker.price, "a trade is at the maker's price")
        return maker

    def _closed(self, peer_id: str, event: FillClosed) -> None:
        taker = self._own(peer_id, event.taker)
        fill = self.fills.get(event.fill_id)
        if fill is None or (fill.taker, fill.maker) != (event.taker, event.maker):
            raise Contradiction("a fill that closes was open, between the same two orders")
        _require(event.granted <= fill.quantity, "a fill grants at most what was asked")
        left = 0 if not taker.cancelled else fill.quantity - event.granted
        _require(event.remaining == taker.remaining - event.granted - left, "what remains adds up")
        del self.fills[event.fill_id]
        self._waiting.get(owner_of(event.maker), {}).pop(event.fill_id, None)
        self.answered.pop(event.fill_id, None)
        taker.reserved -= fill.quantity
        # Of a cancelled order, what a fill reserved and did not get is cancelled now.
        taker.remaining -= left
        if event.granted:
            trade = self._trade(event.fill_id, taker, event, event.granted, event.time)
            self._take(taker, event.granted, trade)
        else:
            self._changed(taker)

    def _traded(self, peer_id: str, entry: Entry, event: OrdersTraded) -> None:
        taker, maker = self._own(peer_id, event.taker), self._own(peer_id, event.maker)
        _require(
            taker.crosses(maker) and maker.key < taker.key,
            "a later order takes an earlier one that it crosses",
        )
        _require(0 < event.quantity <= min(taker.available, maker.available), "a trade is of what is available")
        _require(event.price == maker.price, "a trade is at the maker's price")
        _require(event.taker_remaining == taker.remaining - event.quantity, "what remains adds up")
        _require(event.maker_remaining == maker.remaining - event.quantity, "what remains adds up")
        trade = self._trade(event.id, maker, event, event.quantity, entry.time)
        self._take(maker, event.quantity, trade)
        self._take(taker, event.quantity, trade)

    def _void(self, peer_id: str) -> None:
        for order in list(self._live.get(peer_id, {}).values()):
            order.void = True
            self._changed(order)

    def _own(self, peer_id: str, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None or order.peer_id != peer_id:
            raise Contradiction(f"{order_id} is not an order of this ledger")
        return order

    def _trade(
        self, id: str, order: Order, event: FillGranted | FillClosed | OrdersTraded, quantity: int, time: int
    ) -> Trade:
        # Both sides' ledgers tell of a trade; whichever is read first makes it known.
        key = (id, event.maker)
        trade = self.trades.get(key)
        if trade is None:
            trade = Trade(id, order.item, event.price, quantity, event.maker, event.taker, time)
            self.trades[key] = trade
            self.trade_times.setdefault(order.item, []).append((time, key))
        return trade

    def _take(self, order: Order, quantity: int, trade: Trade) -> None:
        order.remaining -= quantity
        order.filled += quantity
        if isinstance(order.trades, tuple):
            order.trades = [trade]
        else:
            order.trades.append(trade)
        if order.filled == order.original:
            self.filled.setdefault(order.item, []).append((order.key, order.id))
        self._changed(order)

    def _changed(self, order: Order) -> None:
        assert 0 <= order.reserved <= order.remaining <= order.original - order.filled, order
        self.digest.touch(order)
        if not order.remaining or order.void:
            self._live[order.peer_id].pop(order.id, None)
            self._resting[order.item].pop(order.id, None)
        self._offer(order)

    def _offer(self, order: Order) -> None:
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


def _require(holds: bool, claim: str) -> None:
    if not holds:
        raise Contradiction(f"against the rule that {claim}")
