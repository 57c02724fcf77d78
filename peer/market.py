"""The market: the fold of all ledgers into orders, books, fills and trades. Pure.

The rule: only an entry changes anything here, and only what its ledger's owner owns; so any order of arrival between
ledgers folds to the same market. Own entries and copies go through the same door. Whether an owner is in reach, and
what this peer has asked for, only decides how much of an order the book offers (`Order.open`).
"""

from __future__ import annotations

from peer.events import (
    Entry,
    EvictionJoined,
    EvictionProposed,
    FillClosed,
    FillGranted,
    FillHeld,
    FillOpened,
    OrderCancelled,
    OrderPlaced,
    OrderReduced,
    OrdersTraded,
    PeerFenced,
)
from peer.fills import Grant, Hold, Trade
from peer.order import Order, placed
from peer.picture import Picture
from peer.schema import owner_of


class Contradiction(Exception):
    """An entry that cannot follow from the ledger before it: its owner is broken or lies."""


class Market(Picture):
    """The picture that the ledgers give, entry by entry; see the module's rule."""

    def apply(self, peer_id: str, entry: Entry) -> None:
        """Fold one entry of a peer's ledger.

        Raises:
            Contradiction: the entry cannot follow; nothing has changed.
        """
        event = entry.event
        match event:
            case OrderPlaced():
                self._placed(peer_id, entry, event)
            case FillOpened():
                self._opened(peer_id, entry, event)
            case FillHeld():
                self._held(peer_id, entry, event)
            case FillGranted():
                self._granted(peer_id, entry, event)
            case FillClosed():
                self._closed(peer_id, event)
            case OrdersTraded():
                self._traded(peer_id, entry, event)
            case OrderCancelled():
                self._cancelled(peer_id, event)
            case OrderReduced():
                self._reduced(peer_id, event)
            case EvictionProposed() | EvictionJoined() | PeerFenced():
                _require(self.fences.follows(peer_id, event), "a peer speaks once of another's end")
                self.know_eviction(peer_id, event)

    def _placed(self, peer_id: str, entry: Entry, event: OrderPlaced) -> None:
        _require(event.id == f"{peer_id}-{entry.sequence}", "an order's id names its entry")
        _require(event.quantity > 0 and event.price != 0, "an order has a price and a quantity")
        order = placed(event, (entry.time, peer_id))
        _require(order.immediate or order.has_limit, "an order without a limit does not rest")
        _require(not (order.immediate and order.post_only), "a post-only order rests")
        self.know_order(order)

    def _cancelled(self, peer_id: str, event: OrderCancelled) -> None:
        order = self._own(peer_id, event.id)
        _require(not order.cancelled, "an order is cancelled once")
        _require(event.remaining == order.reserved, "a cancel leaves what fills have reserved")
        order.cancelled = True
        order.reason = event.reason
        order.remaining = event.remaining
        self._changed(order)

    def _reduced(self, peer_id: str, event: OrderReduced) -> None:
        order = self._own(peer_id, event.id)
        _require(not order.cancelled, "a cancelled order is not reduced")
        _require(order.reserved <= event.remaining, "a reduction leaves what fills have reserved")
        _require(0 < event.remaining < order.remaining, "a reduced order is smaller, and still there")
        order.remaining = event.remaining
        self._changed(order)

    def _opened(self, peer_id: str, entry: Entry, event: FillOpened) -> None:
        taker = self._own(peer_id, event.taker)
        _require(event.fill_id == f"{peer_id}-{entry.sequence}", "a fill's id names its entry")
        _require(0 < event.quantity <= taker.available, "a fill reserves what is available")
        _require(owner_of(event.maker) != peer_id, "a fill asks another peer")
        _require(not taker.post_only, "a post-only order does not take")
        _require(bool(event.hold) == (taker.time_in_force == "FOK"), "to fill or kill is to ask others to hold")
        taker.reserved += event.quantity
        self.know_fill(event)
        self._changed(taker)

    def _held(self, peer_id: str, entry: Entry, event: FillHeld) -> None:
        _require(owner_of(event.maker) == peer_id, "a maker's owner holds")
        key = (event.fill_id, event.maker)
        _require(key not in self.grants and key not in self.holds, "a fill is answered once")
        if event.held:
            maker = self._own(peer_id, event.maker)
            _require(event.held <= maker.available and not maker.immediate, "a hold is of what is available")
            _require(event.price == maker.price, "a trade is at the maker's price")
            maker.reserved += event.held
            self._changed(maker)
            self.know_hold(key, Hold(event.taker, event.held, event.price, entry.time))
        else:
            self.know_grant(key, Grant(0, event.price, entry.time, entry.sequence))

    def _granted(self, peer_id: str, entry: Entry, event: FillGranted) -> None:
        _require(owner_of(event.maker) == peer_id, "a maker's owner decides")
        key = (event.fill_id, event.maker)
        _require(key not in self.grants, "a fill is decided once")
        hold = self.holds.get(key)
        maker = self._granting(peer_id, event, hold) if event.granted or hold else None
        time = hold.time if hold else entry.time
        prevented, decremented = event.prevented, event.decremented or 0
        if maker is not None and hold is not None:
            del self.holds[key]
            self.ended.pop(event.fill_id, None)
            maker.reserved -= hold.quantity
            maker.remaining = event.remaining + event.granted
        if maker is not None and event.granted:
            trade = self._trade(event.fill_id, maker, event, event.granted, time)
            self._take(maker, event.granted, trade)
        elif maker is not None:
            self._changed(maker)
        self.know_grant(key, Grant(event.granted, event.price, time, entry.sequence, prevented, decremented))

    def _granting(self, peer_id: str, event: FillGranted, hold: Hold | None) -> Order:
        maker = self._own(peer_id, event.maker)
        if hold is None:
            _require(event.granted <= maker.available and not maker.immediate, "a grant is of what is available")
            freed = 0
        else:
            _require(event.granted in (0, hold.quantity), "what was held is granted whole or not at all")
            # Of a cancelled order, what was held and is not granted is cancelled now.
            freed = hold.quantity - event.granted if maker.cancelled else 0
        _require(event.remaining == maker.remaining - event.granted - freed, "what remains adds up")
        _require(event.price == maker.price, "a trade is at the maker's price")
        return maker

    def _closed(self, peer_id: str, event: FillClosed) -> None:
        taker = self._own(peer_id, event.taker)
        fill = self.fills.get(event.fill_id)
        if fill is None or (fill.taker, fill.maker) != (event.taker, event.maker):
            raise Contradiction("a fill that closes was open, between the same two orders")
        _require(event.granted <= fill.quantity, "a fill grants at most what was asked")
        left = 0 if not taker.cancelled else fill.quantity - event.granted
        _require(event.remaining == taker.remaining - event.granted - left, "what remains adds up")
        self.forget_fill(fill)
        if fill.hold:
            self.know_closing(event)
        taker.reserved -= fill.quantity
        # Of a cancelled order, what a fill reserved and did not get is cancelled now.
        taker.remaining -= left
        if event.granted:
            trade = self._trade(event.fill_id, taker, event, event.granted, event.time)
            self._take(taker, event.granted, trade)
        else:
            self._changed(taker)

    def _traded(self, peer_id: str, entry: Entry, event: OrdersTraded) -> None:
        taker, maker = self._own(peer_id, event.taker), self._own(peer_id, event.maker)
        _require(
            taker.crosses(maker) and maker.key < taker.key,
            "a later order takes an earlier one that it crosses",
        )
        _require(not taker.post_only and not maker.immediate, "a post-only order does not take, an immediate one does")
        _require(not taker.prevents(maker), "what is to be prevented does not trade")
        _require(0 < event.quantity <= min(taker.available, maker.available), "a trade is of what is available")
        _require(event.price == maker.price, "a trade is at the maker's price")
        _require(event.taker_remaining == taker.remaining - event.quantity, "what remains adds up")
        _require(event.maker_remaining == maker.remaining - event.quantity, "what remains adds up")
        trade = self._trade(event.id, maker, event, event.quantity, entry.time)
        self._take(maker, event.quantity, trade)
        self._take(taker, event.quantity, trade)

    def _own(self, peer_id: str, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None or order.peer_id != peer_id:
            raise Contradiction(f"{order_id} is not an order of this ledger")
        return order

    def _trade(
        self, id: str, order: Order, event: FillGranted | FillClosed | OrdersTraded, quantity: int, time: int
    ) -> Trade:
        # Both sides' ledgers tell of a trade; whichever is read first makes it known. But what an order shows of it is
        # what its own owner says: nobody else may write into an order's account.
        trade = Trade(id, order.item, event.price, quantity, event.maker, event.taker, time)
        known = self.trades.get((id, event.maker))
        if known is None:
            self.know_trade(trade)
        return known if known == trade else trade

    def _take(self, order: Order, quantity: int, trade: Trade) -> None:
        order.remaining -= quantity
        order.filled += quantity
        if isinstance(order.trades, tuple):
            order.trades = [trade]
        else:
            order.trades.append(trade)
        if order.is_filled:
            self.filled.setdefault(order.item, []).append((order.key, order.id))
        self._changed(order)


def _require(holds: bool, claim: str) -> None:
    if not holds:
        raise Contradiction(f"against the rule that {claim}")
