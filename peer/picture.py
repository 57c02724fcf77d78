"""The picture of the market: orders, books, fills, holds, decisions and trades, as far as one peer knows of them. Pure.

The rule: what hangs together is changed together: what remains of an order, what its book offers of it, and what waits
for this peer to write something. Which changes are right is for `peer.market` to say.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from peer.book import Book
from peer.digest import Digest
from peer.events import EvictionEvent, FillClosed, FillOpened, PeerFenced
from peer.fences import Fences
from peer.fills import Grant, Hold, Trade, TradeKey
from peer.order import Order
from peer.schema import owner_of

SNAPSHOT_EVERY = 20_000


@dataclass(frozen=True, slots=True)
class Past:
    """How much of the past a peer keeps at hand: so many settled orders and trades, the latest.

    A ledger is summed up in a snapshot when it has grown by `snapshot_every` entries.
    """

    snapshot_every: int = SNAPSHOT_EVERY
    settled_orders: int = 1_000
    trades: int = 10_000


class Picture:
    """What one peer knows.

    What waits for this peer to write something: the fills `asked` of it and those `answered` to it, the fills that it
    holds and that have `ended`, items that are `stirred`, and its immediate orders that are `restless`. Own orders
    that are `settled` wait to be archived.
    """

    def __init__(self, me: str, past: Past | None = None) -> None:
        self.me = me
        self.past = past or Past()
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
        # How fills that asked to hold have been closed with something, for the makers' owners to grant it.
        self.closings: dict[TradeKey, FillClosed] = {}
        self.asked: dict[str, FillOpened] = {}
        self.answered: dict[str, FillOpened] = {}
        self.ended: dict[str, FillClosed] = {}
        self.restless: dict[str, Order] = {}
        self.settled: list[Order] = []
        self.digest = Digest()
        self.fences = Fences(me)
        self.stirred: dict[str, None] = {}
        self._immediate: dict[str, Order] = {}
        self._holding: dict[str, dict[str, FillOpened]] = {}
        self._waiting: dict[str, dict[str, FillOpened]] = {}
        # By the makers' ids: what is claimed of an order stays so while the copy of its ledger starts over.
        self._claims: dict[TradeKey, int] = {}
        self._claimed: dict[str, int] = {}
        self._live: dict[str, dict[str, Order]] = {}
        self._over: dict[str, list[Order]] = {}
        self._retired: deque[Order] = deque()
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

    def orders_of(self, peer_id: str) -> list[Order]:
        """Return a peer's orders of which something remains, in the order of its ledger."""
        return list(self._live.get(peer_id, {}).values())

    def fills_of(self, peer_id: str) -> list[FillOpened]:
        """Return the fills that a peer's ledger has opened and not closed, in its order."""
        return [fill for fill in self.fills.values() if owner_of(fill.taker) == peer_id]

    def holds_of(self, peer_id: str) -> list[tuple[TradeKey, Hold]]:
        """Return what a peer's ledger holds for fills that their takers' owners have yet to decide, in its order."""
        return [(key, hold) for key, hold in self.holds.items() if owner_of(key[1]) == peer_id]

    def grants_of(self, peer_id: str) -> list[tuple[TradeKey, Grant]]:
        """Return the decisions of a peer that are still known, in the order of its ledger."""
        return [(key, grant) for key, grant in self.grants.items() if owner_of(key[1]) == peer_id]

    def closings_of(self, peer_id: str) -> list[tuple[TradeKey, FillClosed]]:
        """Return how a peer has closed fills that had asked to hold, as far as still known, in its ledger's order."""
        return [(key, closed) for key, closed in self.closings.items() if owner_of(closed.taker) == peer_id]

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

    def know_order(self, order: Order) -> None:
        """Take up an order of which something remains, as an entry or a snapshot of its owner tells of it."""
        self.orders[order.id] = order
        self._live.setdefault(order.peer_id, {})[order.id] = order
        if not order.immediate:
            self._resting.setdefault(order.item, {})[order.id] = order
        elif order.peer_id == self.me:
            self._immediate[order.id] = order
        if order.client_order_id is not None and order.peer_id == self.me:
            self.by_client[order.client_id, order.client_order_id] = order
        order.claimed = self._claimed.get(order.id, 0)
        order.void = order.peer_id in self.fences.fenced
        self._changed(order)

    def know_fill(self, fill: FillOpened) -> None:
        """Take up a fill that its taker's ledger has opened."""
        self.fills[fill.fill_id] = fill
        key = (fill.fill_id, fill.maker)
        answered = key in self.grants or key in self.holds
        if owner_of(fill.maker) == self.me and not answered:
            self.asked[fill.fill_id] = fill
        if owner_of(fill.taker) != self.me:
            return
        if fill.hold:
            self._holding.setdefault(fill.taker, {})[fill.fill_id] = fill
        if answered:
            self._notice(key)
            return
        self._waiting.setdefault(owner_of(fill.maker), {})[fill.fill_id] = fill
        self._claims[key] = fill.quantity
        self._claim(fill.maker, fill.quantity)

    def forget_fill(self, fill: FillOpened) -> None:
        """Let go of a fill that its taker's ledger has closed."""
        del self.fills[fill.fill_id]
        self.answered.pop(fill.fill_id, None)
        self._holding.get(fill.taker, {}).pop(fill.fill_id, None)
        self._reveal((fill.fill_id, fill.maker))

    def know_hold(self, key: TradeKey, hold: Hold) -> None:
        """Take up what a maker's ledger holds for a fill."""
        self.holds[key] = hold
        self._reveal(key)
        self._notice(key)

    def know_grant(self, key: TradeKey, grant: Grant) -> None:
        """Take up a decision that the maker's ledger holds."""
        self.grants[key] = grant
        self._reveal(key)
        self._notice(key)

    def forget_answer(self, key: TradeKey) -> None:
        """Let go of a decision or a hold that its maker's ledger no longer tells of."""
        self.grants.pop(key, None)
        self.holds.pop(key, None)
        fill = self.fills.get(key[0])
        if fill is not None and fill.maker == key[1]:
            self.answered.pop(fill.fill_id, None)
            self.know_fill(fill)

    def know_closing(self, closed: FillClosed) -> None:
        """Take up how a fill that had asked to hold was closed; if it is held here, that is to be done now."""
        key = (closed.fill_id, closed.maker)
        if closed.granted:
            self.closings[key] = closed
        if key in self.holds and owner_of(closed.maker) == self.me:
            self.ended[closed.fill_id] = closed

    def know_trade(self, trade: Trade) -> None:
        """Take up a trade; of very many, only the latest are kept."""
        key = (trade.id, trade.maker)
        self.trades[key] = trade
        self.trade_times.setdefault(trade.item, []).append((trade.time, key))
        if len(self.trades) > 2 * self.past.trades:
            self._forget_trades()

    def know_eviction(self, peer_id: str, event: EvictionEvent) -> None:
        """Take up what a peer says of the end of another; behind a fence all orders are void."""
        self.fences.apply(peer_id, event)
        if isinstance(event, PeerFenced):
            for order in self.orders_of(event.peer_id):
                order.void = True
                self._changed(order)

    def forget_settled(self, peer_id: str) -> None:
        """Let go of a peer's orders that have come to their end, but for the latest of all peers'."""
        self._retired.extend(self._over.pop(peer_id, ()))
        gone = [self._retired.popleft() for _ in range(len(self._retired) - self.past.settled_orders)]
        for order in gone:
            self._forget_order(order)
        self._forget_items(gone)
        # The digest must not hold on to them until somebody asks for it.
        self.digest.hex()

    def forget_orders(self, peer_id: str) -> None:
        """Let go of all that remains of a peer's orders: its ledger tells of them anew."""
        self.forget_settled(peer_id)
        orders = self.orders_of(peer_id)
        for order in orders:
            order.remaining = order.reserved = 0
            del self._live[peer_id][order.id]
            self._resting.get(order.item, {}).pop(order.id, None)
            self.digest.touch(order)
            self._offer(order)
            self._forget_order(order)
        self._forget_items(orders)

    def _forget_items(self, gone: list[Order]) -> None:
        for item in {order.item: None for order in gone}:
            filled = [pair for pair in self.filled.pop(item, ()) if pair[1] in self.orders]
            if filled:
                self.filled[item] = filled
            if not self._resting.get(item):
                # All that its book still has are tombstones, and of items there is no end.
                self._resting.pop(item, None)
                self.books.pop(item, None)

    def _forget_order(self, order: Order) -> None:
        if self.orders.get(order.id) is order:
            del self.orders[order.id]
        name = (order.client_id, order.client_order_id or "")
        if self.by_client.get(name) is order:
            del self.by_client[name]

    def _forget_trades(self) -> None:
        latest = sorted((trade.time, key) for key, trade in self.trades.items())[-self.past.trades :]
        self.trades = {key: self.trades[key] for _, key in latest}
        known = {item: [pair for pair in times if pair[1] in self.trades] for item, times in self.trade_times.items()}
        self.trade_times = {item: times for item, times in known.items() if times}

    def _claim(self, maker_id: str, quantity: int) -> None:
        claimed = self._claimed.pop(maker_id, 0) + quantity
        if claimed:
            self._claimed[maker_id] = claimed
        maker = self.orders.get(maker_id)
        # A maker that is settled may be gone, and one beyond a fence never was.
        if maker is not None:
            maker.claimed = claimed
            self._offer(maker)

    def _reveal(self, key: TradeKey) -> None:
        # The maker's ledger shows now what this peer has asked of it; nobody need ask any more.
        fill_id, maker_id = key
        self.asked.pop(fill_id, None)
        self._waiting.get(owner_of(maker_id), {}).pop(fill_id, None)
        if claimed := self._claims.pop(key, 0):
            self._claim(maker_id, -claimed)

    def _notice(self, key: TradeKey) -> None:
        fill = self.fills.get(key[0])
        if fill is None or fill.maker != key[1] or owner_of(fill.taker) != self.me:
            return
        if fill.hold:
            self.restless[fill.taker] = self.orders[fill.taker]
        else:
            self.answered[fill.fill_id] = fill

    def _changed(self, order: Order) -> None:
        _sound(order)
        self.digest.touch(order)
        if not order.remaining or order.void:
            self._resting.get(order.item, {}).pop(order.id, None)
        if not order.remaining and self._live[order.peer_id].pop(order.id, None) is not None:
            self._over.setdefault(order.peer_id, []).append(order)
            if order.peer_id == self.me:
                self.settled.append(order)
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


def _sound(order: Order) -> None:
    assert 0 <= order.reserved <= order.remaining <= order.original - order.filled, order
