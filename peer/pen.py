"""Writes this peer's own events. Pure.

The rule: whoever decides says what is to happen; the amounts that then remain are worked out here.
"""

from __future__ import annotations

from peer.events import (
    FillClosed,
    FillGranted,
    FillHeld,
    FillOpened,
    OrderCancelled,
    OrderPlaced,
    OrderReduced,
    OrdersTraded,
    Reason,
)
from peer.fills import Grant
from peer.ledgers import Ledgers
from peer.market import Market
from peer.order import Order
from peer.requests import NewOrder


class Pen:
    """One event for each call, into this peer's ledger; `now` is seconds since the epoch, quantities are lots."""

    def __init__(self, market: Market, ledgers: Ledgers) -> None:
        self._market = market
        self._ledgers = ledgers

    def place(self, order: NewOrder, replaces: str | None, now: float) -> Order:
        """Write a new order, and return it."""
        id = self._ledgers.next_id()
        placed = OrderPlaced(
            id=id,
            item=order.item,
            side=order.type,
            price=order.price,
            quantity=order.quantity,
            time_in_force=order.lasts,
            post_only=order.post_only or None,
            self_trade_prevention=order.self_trade_prevention,
            client_id=order.client_id,
            client_order_id=order.client_order_id,
            replaces=replaces,
        )
        self._ledgers.write(placed, now)
        return self._market.orders[id]

    def cancel(self, order: Order, reason: Reason | None, now: float) -> None:
        """Cancel what no fill has reserved; what fills reserved and do not get is cancelled when they close."""
        self._ledgers.write(OrderCancelled(id=order.id, remaining=order.reserved, reason=reason), now)

    def reduce(self, order: Order, remaining: int, now: float) -> None:
        """Leave so much of an order."""
        self._ledgers.write(OrderReduced(id=order.id, remaining=remaining), now)

    def decrement(self, order: Order, by: int, now: float) -> None:
        """Take this much of an order out of its client's own way."""
        if order.remaining > by:
            self.reduce(order, order.remaining - by, now)
        else:
            self.cancel(order, "self_trade", now)

    def open(self, taker: Order, maker: Order, quantity: int, now: float) -> None:
        """Reserve a part of the taker, and ask another peer's maker for it."""
        opened = FillOpened(
            fill_id=self._ledgers.next_id(),
            taker=taker.id,
            maker=maker.id,
            quantity=quantity,
            limit=taker.price,
            hold=True if taker.time_in_force == "FOK" else None,
        )
        self._ledgers.write(opened, now)

    def hold(self, fill: FillOpened, quantity: int, price: int, now: float) -> None:
        """Answer a fill that asks to hold: this much of the maker is reserved for it, 0 is a no."""
        held = FillHeld(fill_id=fill.fill_id, taker=fill.taker, maker=fill.maker, held=quantity, price=price)
        self._ledgers.write(held, now)

    def close(self, fill: FillOpened, grant: Grant, now: float) -> None:
        """Note the decision of a fill of this peer's taker."""
        taker = self._market.orders[fill.taker]
        released = fill.quantity - grant.granted if taker.cancelled else 0
        closed = FillClosed(
            fill_id=fill.fill_id,
            taker=fill.taker,
            maker=fill.maker,
            granted=grant.granted,
            price=grant.price,
            time=grant.time,
            remaining=taker.remaining - grant.granted - released,
        )
        self._ledgers.write(closed, now)

    def conclude(self, fill_id: str, maker_id: str, quantity: int, now: float) -> None:
        """Grant so much of what this peer holds for a fill, and hold it no more."""
        maker, hold = self._market.orders[maker_id], self._market.holds[fill_id, maker_id]
        released = hold.quantity - quantity if maker.cancelled else 0
        granted = FillGranted(
            fill_id=fill_id,
            taker=hold.taker,
            maker=maker_id,
            granted=quantity,
            price=hold.price,
            remaining=maker.remaining - quantity - released,
        )
        self._ledgers.write(granted, now)

    def trade(self, taker: Order, maker: Order, quantity: int, now: float) -> None:
        """Trade two orders of this peer."""
        traded = OrdersTraded(
            id=self._ledgers.next_id(),
            taker=taker.id,
            maker=maker.id,
            quantity=quantity,
            price=maker.price,
            taker_remaining=taker.remaining - quantity,
            maker_remaining=maker.remaining - quantity,
        )
        self._ledgers.write(traded, now)
