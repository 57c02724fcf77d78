"""The market: the fold of all ledgers into orders, books, fills and trades. Pure.

The rule: only an entry changes anything here, and only what its ledger's owner owns; so any order of arrival between
ledgers folds to the same market. Own entries and copies go through the same door. Whether an owner is in reach, and
what this peer has asked for, only decides how much of an order the book offers (`Order.open`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from peer.book import Book
from peer.digest import Digest
from peer.events import (
    Entry,
    EvictionJoined,
    EvictionProposed,
    FillClosed,
    FillGranted,
    FillHeld,
    FillOpened,
    OrderCancelled,
    OrderPlaced,
    OrderReduced,
    OrdersTraded,
    PeerFenced,
)
from peer.fences import Fences
from peer.fills import Grant, Hold, Trade, TradeKey
from peer.order import Order, placed
from peer.schema import owner_of


class Contradiction(Exception):
    """An entry that cannot follow from the ledger before it: its owner is broken or lies."""


class Market:
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
            case FillHeld():
                self._held(peer_id, entry, event)
            case FillGranted():
                self._granted(peer_id, entry, event)
            case FillClosed():
                self._closed(peer_id, event)
            case OrdersTraded():
                self._traded(peer_id, entry, event)
            case OrderCancelled():
                self._cancelled(peer_id, event)
            case OrderReduced():
                self._reduced(peer_id, event)
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

    def _placed(self, peer_id: str, entry: Entry, event: OrderPlaced) -> None:
        _require(event.id == f"{peer_id}-{entry.sequence}", "an order's id names its entry")
        _require(event.quantity > 0 and event.price != 0, "an order has a price and a quantity")
        order = placed(event, (entry.time, peer_id))
        _require(order.immediate or order.has_limit, "an order without a limit does not rest")
        _require(not (order.immediate and order.post_only), "a post-only order rests")
        order.void = peer_id in self.fences.fenced
        self.orders[order.id] = order
        self._live.setdefault(peer_id, {})[order.id] = order
        if not order.immediate:
            self._resting.setdefault(order.item, {})[order.id] = order
        elif peer_id == self.me:
            self._immediate[order.id] = order
        if event.client_order_id is not None and peer_id == self.me:
            self.by_client[event.client_id, event.client_order_id] = order
        self._changed(order)

    def _cancelled(self, peer_id: str, event: OrderCancelled) -> None:
        order = self._own(peer_id, event.id)
        _require(not order.cancelled, "an order is cancelled once")
        _require(event.remaining == order.reserved, "a cancel leaves what fills have reserved")
        order.cancelled = True
        order.reason = event.reason
        order.remaining = event.remaining
        self._changed(order)

    def _reduced(self, peer_id: str, event: OrderReduced) -> None:
        order = self._own(peer_id, event.id)
        _require(not order.cancelled, "a cancelled order is not reduced")
        _require(order.reserved <= event.remaining, "a reduction leaves what fills have reserved")
        _require(0 < event.remaining < order.remaining, "a reduced order is smaller, and still there")
        order.remaining = event.remaining
        self._changed(order)

    def _opened(self, peer_id: str, entry: Entry, event: FillOpened) -> None:
        taker = self._own(peer_id, event.taker)
        _require(event.fill_id == f"{peer_id}-{entry.sequence}", "a fill's id names its entry")
        _require(0 < event.quantity <= taker.available, "a fill reserves what is available")
        _require(owner_of(event.maker) != peer_id, "a fill asks another peer")
        _require(not taker.post_only, "a post-only order does not take")
        _require(bool(event.hold) == (taker.time_in_force == "FOK"), "to fill or kill is to ask others to hold")
        taker.reserved += event.quantity
        self.fills[event.fill_id] = event
        key = (event.fill_id, event.maker)
        decided = key in self.grants or key in self.holds
        if owner_of(event.maker) == self.me and not decided:
            self.asked[event.fill_id] = event
        if peer_id == self.me and not decided:
            self._waiting.setdefault(owner_of(event.maker), {})[event.fill_id] = event
            if event.hold:
                self._holding.setdefault(taker.id, {})[event.fill_id] = event
            maker = self.orders.get(event.maker)
            # The order of a fenced peer may lie beyond its fence: then it never was.
            if maker is not None:
                maker.claimed += event.quantity
                self._claims[key] = (maker, event.quantity)
                self._offer(maker)
        self._changed(taker)

    def _held(self, peer_id: str, entry: Entry, event: FillHeld) -> None:
        _require(owner_of(event.maker) == peer_id, "a maker's owner holds")
        key = (event.fill_id, event.maker)
        _require(key not in self.grants and key not in self.holds, "a fill is answered once")
        if event.held:
            maker = self._own(peer_id, event.maker)
            _require(event.held <= maker.available and not maker.immediate, "a hold is of what is available")
            _require(event.price == maker.price, "a trade is at the maker's price")
            self.holds[key] = Hold(event.taker, event.held, event.price, entry.time)
            maker.reserved += event.held
            self._changed(maker)
        else:
            self.grants[key] = Grant(0, event.price, entry.time, entry.sequence)
        self._reveal(key)
        self._notice(key)

    def _granted(self, peer_id: str, entry: Entry, event: FillGranted) -> None:
        _require(owner_of(event.maker) == peer_id, "a maker's owner decides")
        key = (event.fill_id, event.maker)
        _require(key not in self.grants, "a fill is decided once")
        hold = self.holds.get(key)
        maker = self._granting(peer_id, event, hold) if event.granted or hold else None
        time = hold.time if hold else entry.time
        prevented, decremented = event.prevented, event.decremented or 0
        self.grants[key] = Grant(event.granted, event.price, time, entry.sequence, prevented, decremented)
        if maker is not None and hold is not None:
            del self.holds[key]
            self.ended.pop(event.fill_id, None)
            maker.reserved -= hold.quantity
            maker.remaining = event.remaining + event.granted
        if maker is not None and event.granted:
            trade = self._trade(event.fill_id, maker, event, event.granted, time)
            self._take(maker, event.granted, trade)
        elif maker is not None:
            self._changed(maker)
        self._reveal(key)
        self._notice(key)

    def _granting(self, peer_id: str, event: FillGranted, hold: Hold | None) -> Order:
        maker = self._own(peer_id, event.maker)
        if hold is None:
            _require(event.granted <= maker.available and not maker.immediate, "a grant is of what is available")
            freed = 0
        else:
            _require(event.granted in (0, hold.quantity), "what was held is granted whole or not at all")
            # Of a cancelled order, what was held and is not granted is cancelled now.
            freed = hold.quantity - event.granted if maker.cancelled else 0
        _require(event.remaining == maker.remaining - event.granted - freed, "what remains adds up")
        _require(event.price == maker.price, "a trade is at the maker's price")
        return maker

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
        if fill.hold:
            self._released(event)
        taker.reserved -= fill.quantity
        # Of a cancelled order, what a fill reserved and did not get is cancelled now.
        taker.remaining -= left
        if event.granted:
            trade = self._trade(event.fill_id, taker, event, event.granted, event.time)
            self._take(taker, event.granted, trade)
        else:
            self._changed(taker)

    def _released(self, event: FillClosed) -> None:
        key = (event.fill_id, event.maker)
        self._holding.get(event.taker, {}).pop(event.fill_id, None)
        if key not in self.holds:
            # Closed before it was answered: whoever is asked has nothing to answer any more, and holds nothing.
            self._reveal(key)
        elif owner_of(event.maker) == self.me:
            self.ended[event.fill_id] = event

    def _traded(self, peer_id: str, entry: Entry, event: OrdersTraded) -> None:
        taker, maker = self._own(peer_id, event.taker), self._own(peer_id, event.maker)
        _require(
            taker.crosses(maker) and maker.key < taker.key,
            "a later order takes an earlier one that it crosses",
        )
        _require(not taker.post_only and not maker.immediate, "a post-only order does not take, an immediate one does")
        _require(not taker.prevents(maker), "what is to be prevented does not trade")
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
        if order.is_filled:
            self.filled.setdefault(order.item, []).append((order.key, order.id))
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


def _require(holds: bool, claim: str) -> None:
    if not holds:
        raise Contradiction(f"against the rule that {claim}")
