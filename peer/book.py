"""The order book of one item: price-time priority. Pure, and the hot loop.

The rule: a book holds what may trade now (`order.open` > 0), best price first and earliest stamp first within a price,
and a taker only ever meets makers that are *earlier* than itself: of two orders that cross, the later one takes.

A level is a deque of orders in stamp order. An order that leaves from the middle stays there as a tombstone
(`open` == 0) until it reaches the front or the tombstones outnumber the living.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

Key = tuple[int, str]


class Quote:
    """What a book knows of an order: a side, a price and a stamp, and `open`, the quantity that may trade now."""

    __slots__ = ("is_buy", "key", "open", "price", "queued")

    def __init__(self, is_buy: bool, price: int, quantity: int, key: Key) -> None:
        self.is_buy = is_buy
        self.price = price
        self.open = quantity
        self.key = key
        self.queued = False


Q = TypeVar("Q", bound=Quote)


class _Half(Generic[Q]):
    """One side of a book: levels by price, and a heap of their prices, best on top."""

    __slots__ = ("dead", "heap", "levels", "queued", "sign")

    def __init__(self, is_buy: bool) -> None:
        self.sign = -1 if is_buy else 1
        self.levels: dict[int, deque[Q]] = {}
        self.heap: list[int] = []
        self.queued = self.dead = 0

    def best(self) -> deque[Q] | None:
        """Return the best level that holds a living order, with that order in front."""
        heap, levels = self.heap, self.levels
        while heap:
            level = levels[heap[0] * self.sign]
            while level:
                if level[0].open:
                    return level
                level.popleft().queued = False
                self.queued -= 1
                self.dead -= 1
            del levels[heappop(heap) * self.sign]
        return None

    def ranked(self, limit: int | None = None) -> Iterator[Q]:
        """Yield the living orders, best price and earliest stamp first, up to a limit price."""
        sign = self.sign
        best = self.best()
        if best is None or (limit is not None and best[0].price * sign > limit * sign):
            return
        reached = [price for price in self.levels if limit is None or price * sign <= limit * sign]
        for price in sorted(reached, reverse=sign < 0):
            for order in tuple(self.levels.get(price, ())):
                if order.open:
                    yield order

    def clear_tombstones(self) -> None:
        """Drop all orders that may no longer trade."""
        # In place: whoever is matching holds on to the heap and to its level.
        for price, level in list(self.levels.items()):
            living = [order for order in level if order.open]
            for order in level:
                order.queued = order.open > 0
            level.clear()
            level.extend(living)
            if not living:
                del self.levels[price]
        self.heap[:] = [price * self.sign for price in self.levels]
        heapify(self.heap)
        self.queued -= self.dead
        self.dead = 0


class Book(Generic[Q]):
    """Orders of one item that may trade now."""

    def __init__(self) -> None:
        self._bids = _Half[Q](is_buy=True)
        self._asks = _Half[Q](is_buy=False)

    def add(self, order: Q) -> None:
        """Rest an order with `open` > 0 at its place in price-time order."""
        half = self._bids if order.is_buy else self._asks
        if order.queued:
            half.dead -= 1
            return
        order.queued = True
        half.queued += 1
        level = half.levels.get(order.price)
        if level is None:
            half.levels[order.price] = deque((order,))
            heappush(half.heap, order.price * half.sign)
        elif not level or level[-1].key < order.key:
            level.append(order)
        else:
            # Another peer's order may arrive after later ones.
            insort(level, order, key=lambda queued: queued.key)

    def drop(self, order: Q) -> None:
        """Note that a resting order's `open` has become 0: a tombstone, until those outnumber the living."""
        if order.queued:
            half = self._bids if order.is_buy else self._asks
            half.dead += 1
            if half.dead > 64 and half.dead * 2 > half.queued:
                half.clear_tombstones()

    def match(self, taker: Q) -> Iterator[tuple[Q, int]]:
        """Yield each maker that the taker meets and the quantity, best first, until nothing more crosses.

        Whoever receives a pair takes the quantity off both sides' `open` (and drops a maker that is used up) before
        asking for the next.
        """
        half = self._asks if taker.is_buy else self._bids
        if not half.heap or half.heap[0] > taker.price * half.sign:
            # Half of all orders rest without a trade: they are spared a generator.
            return iter(())
        return self._match(half, taker)

    def _match(self, half: _Half[Q], taker: Q) -> Iterator[tuple[Q, int]]:
        heap, levels, sign, key = half.heap, half.levels, half.sign, taker.key
        limit = taker.price * sign
        while heap and heap[0] <= limit:
            level = levels[heap[0] * sign]
            while level:
                maker = level[0]
                wanted, offered = taker.open, maker.open
                if not wanted:
                    return
                if not offered:
                    level.popleft().queued = False
                    half.queued -= 1
                    half.dead -= 1
                elif maker.key > key:
                    yield from self._match_around_later(half, taker)
                    return
                else:
                    yield maker, wanted if wanted < offered else offered
            half.best()

    def _match_around_later(self, half: _Half[Q], taker: Q) -> Iterator[tuple[Q, int]]:
        # A later order stands in front: it is its owner's to take us, so it is passed over, not waited for.
        for maker in half.ranked(taker.price):
            if not taker.open:
                return
            if maker.key < taker.key:
                yield maker, min(taker.open, maker.open)

    def takers(self, peer_id: str) -> list[Q]:
        """Return this peer's resting orders, best first, that may be the later of a pair that crosses."""
        bid, ask = self._bids.best(), self._asks.best()
        if bid is None or ask is None or bid[0].price < ask[0].price:
            return []
        crossing_bids = list(self._bids.ranked(ask[0].price))
        crossing_asks = list(self._asks.ranked(bid[0].price))
        first_bid = min(order.key for order in crossing_bids)
        first_ask = min(order.key for order in crossing_asks)
        return [order for order in crossing_bids if order.key[1] == peer_id and order.key > first_ask] + [
            order for order in crossing_asks if order.key[1] == peer_id and order.key > first_bid
        ]

    def ranked(self, is_buy: bool, limit: int | None = None) -> Iterator[Q]:
        """Yield one side's living orders, best price and earliest stamp first, up to a limit price."""
        return (self._bids if is_buy else self._asks).ranked(limit)
