"""What this peer trades: its own orders, and the decisions that others ask it for. Pure.

The rule: everything is level-triggered. Whatever changes the picture of the market, `settle` brings this peer's own
ledger up to it: it decides the fills that it is asked for, closes those whose decision it knows, and takes with its
own later orders what they cross. So retries, restarts, late joiners and healed partitions are one mechanism.
"""

from __future__ import annotations

from collections.abc import Callable

from peer.events import FillClosed, FillGranted, FillOpened, OrderCancelled, OrderPlaced, OrdersTraded
from peer.ledgers import Ledgers
from peer.market import Grant, Market
from peer.order import Order
from peer.requests import NewOrder
from peer.schema import owner_of


class Trader:
    """Writes this peer's ledger. `dispute` is told whose decision was none of what had been asked, and which.

    `now` is seconds since the epoch.
    """

    def __init__(self, me: str, market: Market, ledgers: Ledgers, dispute: Callable[[str, str], None]) -> None:
        self._me = me
        self._market = market
        self._ledgers = ledgers
        self._dispute = dispute

    def find(self, order: NewOrder) -> Order | None:
        """Return the order that the same client submitted under the same client order id, if there is one."""
        if order.client_order_id is None:
            return None
        return self._market.by_client.get((order.client_id, order.client_order_id))

    def submit(self, order: NewOrder, now: float) -> Order:
        """Accept an order that is not known yet, and trade it."""
        id = self._ledgers.next_id()
        placed = OrderPlaced(
            id=id,
            item=order.item,
            side=order.type,
            price=order.price,
            quantity=order.quantity,
            time_in_force=order.time_in_force,
            client_id=order.client_id,
            client_order_id=order.client_order_id,
        )
        self._ledgers.write(placed, now)
        # The newest of all orders: it takes whatever it crosses, and the sweep after it finds nothing left.
        self._take(self._market.orders[id], now)
        self.settle(now)
        return self._market.orders[id]

    def cancel(self, order: Order, now: float) -> None:
        """Cancel what no fill has reserved; what fills reserved and do not get is cancelled when they close."""
        assert order.peer_id == self._me and order.remaining, order
        if not order.cancelled:
            self._ledgers.write(OrderCancelled(id=order.id, remaining=order.reserved), now)

    def settle(self, now: float) -> None:
        """Write all that the picture of the market asks this peer to write."""
        market = self._market
        while market.asked or market.answered or market.stirred:
            for fill in list(market.asked.values()):
                self._decide(fill, now)
            for fill in list(market.answered.values()):
                del market.answered[fill.fill_id]
                self.close(fill, market.grants[fill.fill_id, fill.maker], now)
            for item in list(market.stirred):
                del market.stirred[item]
                for taker in market.books[item].takers(self._me) if item in market.books else ():
                    self._take(taker, now)

    def _decide(self, fill: FillOpened, now: float) -> None:
        maker, taker = self._market.orders.get(fill.maker), self._market.orders[fill.taker]
        granted, price = 0, fill.limit
        # With a peer whose ledger ends, nothing new is agreed.
        ends = self._market.fences.is_barred(taker.peer_id)
        if maker is not None and maker.crosses(taker) and maker.key < taker.key and not ends:
            granted, price = min(fill.quantity, maker.available), maker.price
        self._ledgers.write(
            FillGranted(
                fill_id=fill.fill_id,
                taker=fill.taker,
                maker=fill.maker,
                granted=granted,
                price=price,
                remaining=maker.remaining - granted if maker is not None else 0,
            ),
            now,
        )

    def close(self, fill: FillOpened, grant: Grant, now: float) -> None:
        """Write down the decision of an own fill."""
        taker, maker = self._market.orders[fill.taker], self._market.orders.get(fill.maker)
        if grant.granted and (grant.granted > fill.quantity or maker is None or grant.price != maker.price):
            # No decision of what was asked: the fill stays in doubt, for people to settle with the maker's owner.
            self._dispute(owner_of(fill.maker), f"{fill.fill_id}: not as asked")
            return
        released = fill.quantity - grant.granted if taker.cancelled else 0
        self._ledgers.write(
            FillClosed(
                fill_id=fill.fill_id,
                taker=fill.taker,
                maker=fill.maker,
                granted=grant.granted,
                price=grant.price,
                time=grant.time,
                remaining=taker.remaining - grant.granted - released,
            ),
            now,
        )

    def _take(self, taker: Order, now: float) -> None:
        book = self._market.books.get(taker.item)
        for maker, quantity in book.match(taker) if book is not None else ():
            if maker.peer_id == self._me:
                self._trade(taker, maker, quantity, now)
            else:
                opened = FillOpened(
                    fill_id=self._ledgers.next_id(),
                    taker=taker.id,
                    maker=maker.id,
                    quantity=quantity,
                    limit=taker.price,
                )
                self._ledgers.write(opened, now)

    def _trade(self, taker: Order, maker: Order, quantity: int, now: float) -> None:
        self._ledgers.write(
            OrdersTraded(
                id=self._ledgers.next_id(),
                taker=taker.id,
                maker=maker.id,
                quantity=quantity,
                price=maker.price,
                taker_remaining=taker.remaining - quantity,
                maker_remaining=maker.remaining - quantity,
            ),
            now,
        )
