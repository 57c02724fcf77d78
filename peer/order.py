"""An order as a peer knows it, its own or another's. Pure."""

from __future__ import annotations

from typing import Any

from peer.book import Key, Quote


class Order(Quote):
    """An order as the fold of its owner's ledger, and how much of it may trade now.

    Quantities and prices are lots. `remaining` is what has neither traded nor been cancelled, `reserved` what of it
    open fills hold; `claimed` is what this peer has asked for and not yet seen decided in the maker's ledger: it lives
    beside the copy, never in it. `void` is an order whose owner has been fenced: it is gone for good, whatever remained
    of it. `open` is what of it the book offers, at first nothing.
    """

    __slots__ = (
        "cancelled",
        "claimed",
        "client_id",
        "client_order_id",
        "filled",
        "id",
        "item",
        "original",
        "peer_id",
        "remaining",
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
        self.time_in_force = "GTC"
        # Many orders never trade, and a list for each of them is half of what an order costs to make.
        self.trades: list[Any] | tuple[()] = ()

    @property
    def available(self) -> int:
        """What the owner may still trade of it."""
        return 0 if self.cancelled else self.remaining - self.reserved

    def crosses(self, other: Order) -> bool:
        """Tell whether the two could trade: opposite sides of one item, prices that meet."""
        if self.is_buy == other.is_buy or self.item != other.item:
            return False
        return self.price >= other.price if self.is_buy else self.price <= other.price

    def __repr__(self) -> str:
        side = "buy" if self.is_buy else "sell"
        return f"<{self.id} {side} {self.item} {self.open}/{self.remaining}/{self.original} @ {self.price}>"
