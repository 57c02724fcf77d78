"""The archive: own orders that have come to their end, for clients that ask for them long after. Pure.

The rule: whatever has left the memory, an order that was accepted is still known by its id and by its client's name for
it. An order enters the archive in the commit that ends it, and never changes again.
"""

from __future__ import annotations

from peer.events import read_state, write_state
from peer.journal import Archived, Journal
from peer.order import Order
from peer.requests import NewOrder
from peer.snapshot import order_of, state_of


class Archive:
    """Looks up one peer's own orders on its disk."""

    def __init__(self, me: str, journal: Journal) -> None:
        self._me = me
        self._journal = journal

    def order(self, order_id: str) -> Order | None:
        """Return an own order that has come to its end."""
        return self._read(self._journal.find(order_id))

    def submitted(self, order: NewOrder) -> Order | None:
        """Return the order that the same client submitted under the same client order id, if it has come to its end."""
        if order.client_order_id is None:
            return None
        return self._read(self._journal.find_submission(order.client_id, order.client_order_id))

    def _read(self, text: str | None) -> Order | None:
        return None if text is None else order_of(self._me, read_state(text))


def archived(order: Order) -> Archived:
    """Return an order as the archive keeps it."""
    return Archived(order.id, order.client_id, order.client_order_id, write_state(state_of(order)))
