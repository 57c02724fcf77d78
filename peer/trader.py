"""What this peer trades: its own orders, and the decisions that others ask it for. Pure.

The rule: everything is level-triggered. Whatever changes the picture of the market, `settle` brings this peer's own
ledger up to it: it decides the fills that it is asked for, closes those whose decision it knows, and takes with its
own later orders what they cross. So retries, restarts, late joiners and healed partitions are one mechanism.
"""

from __future__ import annotations

from collections.abc import Callable

from peer.events import FillGranted, FillOpened
from peer.fill_or_kill import FillOrKill
from peer.fills import Grant
from peer.ledgers import Ledgers
from peer.market import Market
from peer.order import Order
from peer.pen import Pen
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
        self._pen = Pen(market, ledgers)
        self._whole = FillOrKill(market, self._pen, dispute)

    def find(self, order: NewOrder) -> Order | None:
        """Return the order that the same client submitted under the same client order id, if there is one."""
        if order.client_order_id is None:
            return None
        return self._market.by_client.get((order.client_id, order.client_order_id))

    def would_take(self, order: NewOrder, besides: Order | None = None) -> bool:
        """Tell whether a new order would trade at once, if one order were not there."""
        book = self._market.books.get(order.item)
        makers = book.ranked(order.type == "sell", order.price) if book is not None else ()
        return any(maker is not besides for maker in makers)

    def submit(self, order: NewOrder, now: float, replaces: Order | None = None) -> Order:
        """Accept an order that is not known yet, in place of another one if it is to be so, and trade it."""
        if replaces is not None:
            self._pen.cancel(replaces, "replaced", now)
        placed = self._pen.place(order, replaces.id if replaces is not None else None, now)
        # The newest of all orders: it takes whatever it crosses, and the sweep after it finds nothing left.
        if placed.time_in_force == "FOK":
            self._whole.begin(placed, now)
        else:
            self._take(placed, now)
        self.settle(now)
        return placed

    def cancel(self, order: Order, now: float) -> None:
        """Cancel what no fill has reserved; what fills reserved and do not get is cancelled when they close."""
        assert order.peer_id == self._me and order.remaining, order
        if not order.cancelled:
            self._pen.cancel(order, None, now)
            self.settle(now)

    def reduce(self, order: Order, remaining: int, now: float) -> None:
        """Leave so much of an order, less than there is and no less than fills have reserved."""
        self._pen.reduce(order, remaining, now)
        self.settle(now)

    def resume(self, now: float) -> None:
        """Take up what the last life left undone; what it was to take at once, it is too late to take."""
        for order in self._market.immediate():
            if order.time_in_force == "FOK":
                self._whole.kill(order, now)
            elif not order.cancelled:
                self._pen.cancel(order, "expired", now)
        self.settle(now)

    def settle(self, now: float) -> None:
        """Write all that the picture of the market asks this peer to write."""
        market = self._market
        while market.asked or market.answered or market.ended or market.stirred or market.restless:
            for fill in list(market.asked.values()):
                self._decide(fill, now)
            for fill in list(market.answered.values()):
                del market.answered[fill.fill_id]
                self.close(fill, market.grants[fill.fill_id, fill.maker], now)
            for closed in list(market.ended.values()):
                del market.ended[closed.fill_id]
                self._whole.release(closed, now)
            for item in list(market.stirred):
                del market.stirred[item]
                for taker in market.books[item].takers(self._me) if item in market.books else ():
                    self._take(taker, now)
                market.restless.update((order.id, order) for order in market.immediate() if order.item == item)
            for order in list(market.restless.values()):
                del market.restless[order.id]
                self._hasten(order, now)

    def _hasten(self, order: Order, now: float) -> None:
        if order.time_in_force == "FOK":
            self._whole.advance(order, now)
            return
        self._take(order, now)
        if order.remaining and not order.reserved:
            # Nothing crosses, and no decision is due that could leave something to take with.
            self._pen.cancel(order, "expired", now)

    def _decide(self, fill: FillOpened, now: float) -> None:
        if fill.hold:
            self._whole.hold(fill, now)
            return
        maker, taker = self._market.orders.get(fill.maker), self._market.orders[fill.taker]
        granted, price, prevented, decremented = 0, fill.limit, None, None
        if maker is not None and maker.may_fill(taker) and not self._market.fences.is_barred(taker.peer_id):
            granted, price = min(fill.quantity, maker.available), maker.price
            if granted and taker.prevents(maker):
                prevented, decremented = taker.prevention, granted if taker.prevention == "DECREMENT" else None
                # Before the decision: whoever reads that one must not find the maker still there, and ask again.
                self._make_way(maker, taker, granted, now)
                granted = 0
        self._ledgers.write(
            FillGranted(
                fill_id=fill.fill_id,
                taker=fill.taker,
                maker=fill.maker,
                granted=granted,
                price=price,
                remaining=maker.remaining - granted if maker is not None else 0,
                prevented=prevented,
                decremented=decremented,
            ),
            now,
        )

    def give_up(self, peer_id: str, now: float) -> None:
        """End all fills with a peer that has been evicted: what it has not decided, it never will."""
        for fill in list(self._market.waiting_for(peer_id)):
            # Those that hold are killed as a whole, by `settle`.
            if not fill.hold:
                self.close(fill, Grant(0, fill.limit, self._ledgers.clock, 0), now)
        self._whole.let_go(peer_id, now)

    def close(self, fill: FillOpened, grant: Grant, now: float) -> None:
        """Write down the decision of an own fill."""
        taker, maker = self._market.orders[fill.taker], self._market.orders.get(fill.maker)
        as_asked = max(grant.granted, grant.decremented) <= fill.quantity
        # A maker that is settled may be gone from this picture: then the limit is all that is known of its price.
        worse = grant.price > fill.limit if taker.is_buy else grant.price < fill.limit
        if not as_asked or (grant.granted and (worse or (maker is not None and grant.price != maker.price))):
            # No decision of what was asked: the fill stays in doubt, for people to settle with the maker's owner.
            self._dispute(owner_of(fill.maker), f"{fill.fill_id}: not as asked")
            return
        self._pen.close(fill, grant, now)
        if grant.prevented and not grant.granted and not taker.cancelled:
            self._give_way(taker, grant.decremented, now)

    def _take(self, taker: Order, now: float) -> None:
        book = self._market.books.get(taker.item)
        for maker, quantity in book.match(taker) if book is not None else ():
            if taker.post_only:
                self._pen.cancel(taker, "post_only", now)
            elif maker.peer_id != self._me:
                self._pen.open(taker, maker, quantity, now)
            elif taker.prevents(maker):
                self._make_way(maker, taker, quantity, now)
                self._give_way(taker, quantity, now)
            else:
                self._pen.trade(taker, maker, quantity, now)

    def _make_way(self, maker: Order, taker: Order, quantity: int, now: float) -> None:
        """Do to a maker what its own client's taker wants to be done before the two trade."""
        if taker.prevention == "DECREMENT":
            self._pen.decrement(maker, quantity, now)
        elif taker.prevention != "CANCEL_NEWEST":
            self._pen.cancel(maker, "self_trade", now)

    def _give_way(self, taker: Order, quantity: int, now: float) -> None:
        """Do to a taker what it wants to be done to itself then."""
        if taker.prevention == "DECREMENT":
            self._pen.decrement(taker, quantity, now)
        elif taker.prevention != "CANCEL_OLDEST":
            self._pen.cancel(taker, "self_trade", now)
