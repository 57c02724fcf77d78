"""An order as a peer knows it, its own or another's. Pure."""

from __future__ import annotations

from typing import Any

from peer.amounts import MAX_LOTS
from peer.book import Key, Quote
from peer.events import OrderPlaced, Reason
from peer.schema import Prevention, TimeInForce

# The latest trades of an order that are kept at hand, shown and carried by snapshots.
SHOWN_TRADES = 100


class Order(Quote):
    """An order as the fold of its owner's ledger, and how much of it may trade now.

    Quantities and prices are lots. `placed` is the event that made it. `remaining` is what has neither traded nor been
    cancelled, `reserved` what of it open fills and holds have; `claimed` is what this peer has asked for and not yet
    seen answered in the maker's ledger: it lives beside the copy, never in it. `void` is an order whose owner has been
    fenced: it is gone for good, whatever remained. `open` is what of it the book offers, at first nothing. An
    `immediate` order only takes and never rests in a book; one without a limit has a price that crosses everything.
    """

    __slots__ = (
        "cancelled",
        "claimed",
        "client_id",
        "client_order_id",
        "filled",
        "has_limit",
        "id",
        "immediate",
        "item",
        "original",
        "peer_id",
        "placed",
        "post_only",
        "prevention",
        "reason",
        "remaining",
        "replaces",
        "reserved",
        "time_in_force",
        "trades",
        "void",
    )

    def __init__(self, id: str, item: str, is_buy: bool, price: int, quantity: int, key: Key) -> None:
        super().__init__(is_buy, price, 0, key)
        self.id = id
        self.item = item
        self.peer_id = key[1]
        self.original = self.remaining = quantity
        self.filled = self.reserved = self.claimed = 0
        self.cancelled = self.void = False
        self.client_id: str | None = None
        self.client_order_id: str | None = None
        self.time_in_force: TimeInForce = "GTC"
        self.has_limit = True
        self.immediate = False
        self.post_only = False
        self.prevention: Prevention | None = None
        self.replaces: str | None = None
        self.reason: Reason | None = None
        self.placed: OrderPlaced | None = None
        # Many orders never trade, and a list for each of them is half of what an order costs to make.
        self.trades: list[Any] | tuple[()] = ()

    @property
    def available(self) -> int:
        """What the owner may still trade of it."""
        return 0 if self.cancelled else self.remaining - self.reserved

    @property
    def is_filled(self) -> bool:
        """Whether all of it has traded that was not taken back."""
        return not self.remaining and (not self.cancelled or self.filled == self.original)

    def prevents(self, maker: Order) -> bool:
        """Tell whether this order, as the taker, must not trade with one of the same client."""
        return self.prevention is not None and self.client_id is not None and self.client_id == maker.client_id

    def may_fill(self, taker: Order) -> bool:
        """Tell whether this order, as the maker, may trade with a later one."""
        return self.crosses(taker) and self.key < taker.key and not self.immediate and not taker.post_only

    def crosses(self, other: Order) -> bool:
        """Tell whether the two could trade: opposite sides of one item, prices that meet."""
        if self.is_buy == other.is_buy or self.item != other.item:
            return False
        return self.price >= other.price if self.is_buy else self.price <= other.price

    def __repr__(self) -> str:
        side = "buy" if self.is_buy else "sell"
        return f"<{self.id} {side} {self.item} {self.open}/{self.remaining}/{self.original} @ {self.price}>"


def placed(event: OrderPlaced, key: Key) -> Order:
    """Make the order that an entry has placed; without a limit its price is one that every other price is within."""
    is_buy = event.side == "buy"
    price = event.price if event.price is not None else MAX_LOTS if is_buy else 1
    order = Order(event.id, event.item, is_buy, price, event.quantity, key)
    order.placed = event
    order.client_id, order.client_order_id = event.client_id, event.client_order_id
    order.time_in_force, order.immediate = event.time_in_force, event.time_in_force != "GTC"
    order.has_limit, order.post_only = event.price is not None, event.post_only is True
    order.prevention, order.replaces = event.self_trade_prevention, event.replaces
    return order
