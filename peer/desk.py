"""The client's door: orders, changes of orders and questions, answered or refused with a code. Pure.

The rule: an answer shows what has been written by then; `peer.node` lets it out when that is on the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peer import views
from peer.amounts import format_lots
from peer.archive import Archive
from peer.codes import Code, Refusal
from peer.exchange import Exchange
from peer.order import Order
from peer.requests import (
    CancelOrder,
    EvictPeer,
    GetFork,
    GetOrder,
    GetOrderbook,
    GetStatus,
    GetTrades,
    NewOrder,
    ReduceOrder,
    ReplaceOrder,
    SubmitOrder,
)

MAX_OPEN_ORDERS = 200_000

Reply = dict[str, Any] | Refusal | None
Command = SubmitOrder | CancelOrder | ReduceOrder | ReplaceOrder | EvictPeer
Question = GetOrder | GetOrderbook | GetTrades | GetStatus | GetFork


class Desk:
    """Serves the clients of one peer."""

    def __init__(self, exchange: Exchange, archive: Archive) -> None:
        self._exchange = exchange
        self._archive = archive

    def serve(self, request: Command | Question, now: float) -> Callable[[], Reply]:
        """Do what is asked; what is returned makes the answer, once what was written is on the disk."""
        reply: Reply
        match request:
            case _ if self._exchange.is_leaving and isinstance(request, Command):
                reply = Refusal(Code.FENCED, "this peer has been evicted by the others")
            case EvictPeer():
                reply = self._evict(request, now)
            case SubmitOrder():
                reply = self._submit(request, now)
            case CancelOrder():
                reply = self._cancel(request, now)
            case ReduceOrder():
                reply = self._reduce(request, now)
            case ReplaceOrder():
                reply = self._replace(request, now)
            case _:
                return lambda: self._show(request)
        return lambda: reply

    def _submit(self, request: SubmitOrder, now: float) -> Reply:
        order = self._known(request.order)
        if order is None:
            if self._exchange.market.open_orders(self._exchange.me) >= MAX_OPEN_ORDERS:
                return Refusal(Code.TOO_MANY_ORDERS, f"this peer holds {MAX_OPEN_ORDERS} open orders")
            if refusal := self._would_take(request.order):
                return refusal
            order = self._exchange.trader.submit(request.order, now)
        return {"type": "ORDER_ACCEPTED", "order": views.accepted(order)}

    def _cancel(self, request: CancelOrder, now: float) -> Reply:
        order = self._own(request.id)
        if isinstance(order, Refusal):
            return order
        if order.is_filled:
            return Refusal(Code.ORDER_FILLED, f"{order.id} has been filled completely")
        if order.remaining:
            self._exchange.trader.cancel(order, now)
        return {"type": "ORDER_CANCELLED", "order": views.order(self._exchange.market, order)}

    def _reduce(self, request: ReduceOrder, now: float) -> Reply:
        order = self._own(request.id)
        if isinstance(order, Refusal):
            return order
        if order.remaining > request.quantity:
            # What is to be filled whole or not at all is spoken for whole, whatever of it fills have reserved by now.
            spoken_for = order.remaining if order.time_in_force == "FOK" or order.cancelled else order.reserved
            if request.quantity < spoken_for:
                return Refusal(Code.RESERVED, f"fills have reserved {format_lots(spoken_for)} of {order.id}")
            self._exchange.trader.reduce(order, request.quantity, now)
        return {"type": "ORDER_REDUCED", "order": views.order(self._exchange.market, order)}

    def _replace(self, request: ReplaceOrder, now: float) -> Reply:
        old = self._own(request.id)
        if isinstance(old, Refusal):
            return old
        new = self._known(request.order)
        if new is None:
            if refusal := _cannot_be_replaced(old) or self._would_take(request.order, besides=old):
                return refusal
            new = self._exchange.trader.submit(request.order, now, replaces=old)
        elif new.replaces != old.id:
            return Refusal(Code.ORDER_ID_USED, f"{new.id} has this client order id, and does not replace {old.id}")
        replaced = views.order(self._exchange.market, old)
        return {"type": "ORDER_REPLACED", "order": views.accepted(new), "replaced": replaced}

    def _would_take(self, order: NewOrder, besides: Order | None = None) -> Refusal | None:
        if order.post_only and self._exchange.trader.would_take(order, besides):
            return Refusal(Code.WOULD_TAKE, "the book holds an order that this post-only one would take")
        return None

    def _own(self, id: str) -> Order | Refusal:
        order = self._find(id)
        if order is None:
            return _unknown_order(id)
        if order.peer_id != self._exchange.me:
            return Refusal(Code.NOT_OWNER, f"{order.id} is an order of peer {order.peer_id}")
        return order

    def _evict(self, request: EvictPeer, now: float) -> Reply:
        evictions, peer_id = self._exchange.evictions, request.peer_id
        if refusal := evictions.refusal(peer_id, force=request.force):
            return refusal
        evictions.propose(peer_id, now, force=request.force)
        return {"type": "EVICTION", **views.eviction(self._exchange, peer_id)}

    def _show(self, request: Question) -> Reply:
        market = self._exchange.market
        match request:
            case GetOrder(id=id):
                order = self._find(id)
                return _unknown_order(id) if order is None else {"type": "ORDER", "order": views.order(market, order)}
            case GetOrderbook(item=item, limit=limit):
                return views.orderbook(market, item, limit)
            case GetTrades(item=item, limit=limit):
                return views.trades(market, item, limit)
            case GetStatus():
                return views.peer_status(self._exchange)
            case GetFork(peer_id=peer_id):
                fork = self._exchange.forks.proven.get(peer_id)
                return _no_fork(peer_id) if fork is None else fork.json_object()

    def _known(self, order: NewOrder) -> Order | None:
        return self._exchange.trader.find(order) or self._archive.submitted(order)

    def _find(self, id: str) -> Order | None:
        return self._exchange.market.orders.get(id) or self._archive.order(id)


def _no_fork(peer_id: str) -> Refusal:
    return Refusal(Code.UNKNOWN_FORK, f"no proof against {peer_id}")


def _cannot_be_replaced(order: Order) -> Refusal | None:
    if order.is_filled:
        return Refusal(Code.ORDER_FILLED, f"{order.id} has been filled completely")
    if order.cancelled:
        return Refusal(Code.ORDER_CANCELLED, f"{order.id} has been cancelled")
    if order.reserved or order.time_in_force == "FOK":
        return Refusal(Code.RESERVED, f"fills have reserved {format_lots(order.reserved)} of {order.id}")
    return None


def _unknown_order(id: str) -> Refusal:
    return Refusal(Code.UNKNOWN_ORDER, f"no order {id}")
