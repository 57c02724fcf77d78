"""Writing events: whatever a peer writes of amounts adds up to what it had."""

from __future__ import annotations

from peer.ledgers import Ledgers
from peer.market import Market
from peer.order import Order
from peer.pen import Pen
from peer.requests import NewOrder
from tests.peer.actors import ITEM, NOW, UNIT, identity


def pen_of_a_seller(quantity: int) -> tuple[Pen, Order]:
    """A pen, and an order of so many units that it has written."""
    me = identity(1)
    market = Market(me.peer_id)
    pen = Pen(market, Ledgers(me.peer_id, me.public_key, market, lambda *_: True))
    new = NewOrder(item=ITEM, type="sell", price=10, quantity=quantity)
    return pen, pen.place(new, None, NOW)


def test_a_decrement_leaves_the_rest_or_cancels_what_would_be_nothing() -> None:
    pen, order = pen_of_a_seller(5)
    pen.decrement(order, 2 * UNIT, NOW)
    assert (order.remaining, order.cancelled) == (3 * UNIT, False)
    pen.decrement(order, 3 * UNIT, NOW)
    assert (order.remaining, order.reason) == (0, "self_trade")


def test_a_cancel_leaves_what_is_reserved() -> None:
    pen, order = pen_of_a_seller(5)
    order.reserved = 2 * UNIT
    pen.cancel(order, None, NOW)
    assert (order.remaining, order.available) == (2 * UNIT, 0)
