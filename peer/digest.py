"""A digest of everything open in all books, equal on two peers exactly when their books are. Pure.

Each open order contributes a 128-bit hash; the digest is their XOR, so it can be kept up to date order by order. Work
is put off until somebody asks: an order that changed ten times is hashed once.
"""

from __future__ import annotations

from hashlib import blake2b

from peer.order import Order


class Digest:
    """The XOR of the hashes of all orders of which something remains."""

    def __init__(self) -> None:
        self._value = 0
        self._counted: dict[str, int] = {}
        self._touched: dict[str, Order] = {}

    def touch(self, order: Order) -> None:
        """Note that an order changed."""
        self._touched[order.id] = order

    def hex(self) -> str:
        """Return the digest as 32 hex digits."""
        for order in self._touched.values():
            self._value ^= self._counted.pop(order.id, 0)
            if order.remaining and not order.void:
                self._counted[order.id] = hashed = _hash(order)
                self._value ^= hashed
        self._touched.clear()
        return f"{self._value:032x}"


def _hash(order: Order) -> int:
    state = f"{order.id} {order.remaining} {order.reserved} {order.filled} {order.cancelled}"
    return int.from_bytes(blake2b(state.encode(), digest_size=16).digest())
