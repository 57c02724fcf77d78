"""Known bugs in how orders' terms are kept, planted like those of `testbed.simulation.mutants`."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import peer.market
from peer.book import Key
from peer.events import FillOpened, OrderPlaced
from peer.exchange import Exchange
from peer.fill_or_kill import FillOrKill
from peer.fills import Grant, Hold, TradeKey
from peer.node import Node, Output
from peer.order import Order, placed
from peer.trader import Trader
from testbed.simulation.guards import Patch
from testbed.simulation.mutants import mutant


@mutant
def _fills_what_it_can_of_all_or_nothing() -> list[Patch]:
    """Trades what was held for a fill-or-kill order, though it is not the whole."""

    def partly(whole: FillOrKill, taker: Order, fills: list[FillOpened], now: float) -> None:
        for fill in fills:
            hold = whole._market.holds.get((fill.fill_id, fill.maker))
            granted = Grant(hold.quantity, hold.price, hold.time, 0) if hold else Grant(0, fill.limit, 0, 0)
            whole._pen.close(fill, granted, now)
        for maker in [maker for maker in whole._makers(taker) if maker.peer_id == whole._market.me]:
            if taker.available and not taker.prevents(maker):
                whole._pen.trade(taker, maker, min(taker.available, maker.available), now)
        if taker.remaining:
            whole._pen.cancel(taker, "expired", now)

    return [(FillOrKill, "_decide", partly)]


@mutant
def _lets_immediate_orders_rest() -> list[Patch]:
    """Takes an order that is immediate or to be cancelled for one that rests."""

    def lasting(event: OrderPlaced, key: Key) -> Order:
        order = placed(event, key)
        order.immediate = order.immediate and not (order.time_in_force == "IOC" and order.has_limit)
        return order

    return [(peer.market, "placed", lasting)]


@mutant
def _takes_with_post_only_orders() -> list[Patch]:
    """Lets post-only orders take like all others."""

    def greedy(event: OrderPlaced, key: Key) -> Order:
        order = placed(event, key)
        order.post_only = False
        return order

    return [(peer.market, "placed", greedy), (Trader, "would_take", lambda *_, **__: False)]


@mutant
def _lets_self_trades_through() -> list[Patch]:
    """Lets a client trade with itself, whatever its orders say."""
    return [(Order, "prevents", lambda order, maker: False)]


@mutant
def _lets_go_of_what_it_holds_after_a_restart() -> list[Patch]:
    """Takes what it holds for others' fills for free again when it was restarted."""
    resume = Exchange.resume

    def forgetful(exchange: Exchange, now: float) -> None:
        for key, hold in list(exchange.market.own_holds()):
            _let_go(exchange, key, hold, now)
        resume(exchange, now)

    return [(Exchange, "resume", forgetful)]


@mutant
def _lets_go_of_what_it_holds_on_a_timer() -> list[Patch]:
    """Holds nothing for longer than a fifth of a second."""
    receive = Node.receive
    since: WeakKeyDictionary[Node, dict[TradeKey, float]] = WeakKeyDictionary()

    def hasty(node: Node, inbound: Any, now: float) -> Output:
        began = since.setdefault(node, {})
        for key, hold in list(node.exchange.market.own_holds()):
            if now - began.setdefault(key, now) > 0.2:
                _let_go(node.exchange, key, hold, now)
        return receive(node, inbound, now)

    return [(Node, "receive", hasty)]


def _let_go(exchange: Exchange, key: TradeKey, hold: Hold, now: float) -> None:
    exchange.trader._pen.conclude(*key, 0, now)


@mutant
def _reduces_nothing() -> list[Patch]:
    """Acknowledges a reduction, and goes on with the whole order."""
    return [(Trader, "reduce", lambda *_: None)]
