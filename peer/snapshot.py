"""Snapshots: all that is left of a ledger, written into that ledger, so that what came before may be forgotten. Pure.

The rule: a snapshot says nothing new. Whoever has read the ledger up to it holds it against its own picture; whoever
has not, because those entries are gone, starts over from it; both know the same of that owner afterwards.

The watermark: an owner leaves a decision out only when it has read, in the taker's ledger, that the fill is closed. So
whoever may still ask for a decision finds it, and a fill whose decision is gone can never be asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from peer.events import (
    EvictionEvent,
    EvictionJoined,
    EvictionProposed,
    FillClosed,
    FillOpened,
    GrantState,
    HoldState,
    OrderState,
    PeerFenced,
    Snapshot,
    TradeState,
)
from peer.fills import Grant, Hold, Trade, TradeKey
from peer.market import Contradiction, Market
from peer.order import SHOWN_TRADES, Order, placed
from peer.schema import Head, owner_of, sequence_of

# How many orders, trades, fills and decisions one part holds: an entry stays well below 100 kB.
MAX_PART = 200

Item: TypeAlias = OrderState | FillOpened | HoldState | GrantState | FillClosed | EvictionEvent


@dataclass(slots=True)
class _Reading:
    """A snapshot as far as it has been read: how many parts, and what they told of.

    `told` names what must not be left out, `needed` the decisions and closings that somebody may still ask for.
    """

    starts_over: bool
    done: int = 0
    told: dict[Any, None] = field(default_factory=dict)
    needed: dict[TradeKey, None] = field(default_factory=dict)


class Snapshots:
    """Writes snapshots of this peer's ledger and reads everybody's. `heads` is how far each ledger has been read."""

    def __init__(self, market: Market, heads: Mapping[str, Head]) -> None:
        self._market = market
        self._heads = heads
        self._reading: dict[str, _Reading] = {}

    def is_amid(self, peer_id: str) -> bool:
        """Tell whether a snapshot of this ledger has begun and not ended."""
        return peer_id in self._reading

    def parts(self, peer_id: str) -> list[Snapshot]:
        """Return the snapshot of a ledger as it stands."""
        runs = list(_runs(self._left(peer_id))) or [[]]
        return [
            Snapshot(
                part=number,
                parts=len(runs),
                orders=[item for item in run if isinstance(item, OrderState)],
                fills=[item for item in run if isinstance(item, FillOpened)],
                holds=[item for item in run if isinstance(item, HoldState)],
                grants=[item for item in run if isinstance(item, GrantState)],
                closings=[item for item in run if isinstance(item, FillClosed)],
                evictions=[item for item in run if isinstance(item, EvictionProposed | EvictionJoined | PeerFenced)],
            )
            for number, run in enumerate(runs, 1)
        ]

    def read(self, peer_id: str, part: Snapshot, *, starts_over: bool = False) -> bool:
        """Take in the next part of a snapshot, and tell whether it is whole now.

        A first part `starts_over` if the entries before it have not all been read.

        Raises:
            Contradiction: it is not what its ledger comes to, or cannot be; nothing has changed.
        """
        reading = None if starts_over else self._reading.get(peer_id)
        reading = reading or _Reading(starts_over)
        _require(part.part == reading.done + 1 <= part.parts, "the parts of a snapshot follow one another")
        told = list(_told(part))
        fresh = len(dict.fromkeys(told)) == len(told) and reading.told.keys().isdisjoint(told)
        _require(fresh, "a snapshot tells of everything once")
        if reading.starts_over:
            self._check_anew(peer_id, part)
        else:
            self._compare(peer_id, part)
        needed = reading.needed | dict.fromkeys((grant.fill_id, grant.maker) for grant in part.grants)
        needed |= dict.fromkeys((closed.fill_id, closed.maker) for closed in part.closings)
        if not reading.starts_over and part.part == part.parts:
            self._compare_all(peer_id, len(reading.told) + len(told), needed)
        self._reading[peer_id] = reading
        reading.done += 1
        reading.told |= dict.fromkeys(told)
        reading.needed = needed
        if reading.starts_over:
            self._adopt(peer_id, part)
        if part.part < part.parts:
            return False
        del self._reading[peer_id]
        self._forget(peer_id, reading)
        return True

    def end_holds(self) -> None:
        """Note which fills that this peer holds have been closed by entries that it has never read."""
        market = self._market
        for key, hold in market.holds_of(market.me):
            if self._is_closed(key[0]):
                # Whoever closes with something says so until that is granted, so nothing said means nothing.
                nothing = FillClosed(
                    fill_id=key[0],
                    taker=hold.taker,
                    maker=key[1],
                    granted=0,
                    price=hold.price,
                    time=hold.time,
                    remaining=0,
                )
                market.ended[key[0]] = market.closings.get(key, nothing)

    def _left(self, peer_id: str) -> Iterator[Item]:
        market = self._market
        yield from map(state_of, market.orders_of(peer_id))
        yield from market.fills_of(peer_id)
        for (fill_id, maker), hold in market.holds_of(peer_id):
            yield HoldState(fill_id=fill_id, maker=maker, **hold._asdict())
        for (fill_id, maker), grant in market.grants_of(peer_id):
            if not self._is_closed(fill_id):
                yield GrantState(fill_id=fill_id, maker=maker, **grant._asdict())
        for key, closed in market.closings_of(peer_id):
            if key in market.holds or self.is_amid(owner_of(closed.maker)):
                yield closed
        yield from market.fences.words_of(peer_id)

    def _is_closed(self, fill_id: str) -> bool:
        taker = owner_of(fill_id)
        has_read = sequence_of(fill_id) <= self._heads.get(taker, Head()).sequence and not self.is_amid(taker)
        return has_read and fill_id not in self._market.fills

    def _compare(self, peer_id: str, part: Snapshot) -> None:
        market = self._market
        for state in part.orders:
            order = market.orders.get(state.placed.id)
            if order is None or order.peer_id != peer_id or not order.remaining or state_of(order) != state:
                raise Contradiction(f"{state.placed.id} is not as the snapshot says")
        for fill in part.fills:
            known = market.fills.get(fill.fill_id) == fill and owner_of(fill.taker) == peer_id
            _require(known, "a snapshot tells of open fills")
        for hold in part.holds:
            known = market.holds.get((hold.fill_id, hold.maker)) == _hold(hold) and owner_of(hold.maker) == peer_id
            _require(known, "a snapshot tells of what is held")
        for grant in part.grants:
            known = (
                market.grants.get((grant.fill_id, grant.maker)) == _grant(grant) and owner_of(grant.maker) == peer_id
            )
            _require(known, "a snapshot tells of decisions as they were made")
        for closed in part.closings:
            known = market.closings.get((closed.fill_id, closed.maker)) == closed and owner_of(closed.taker) == peer_id
            _require(known, "a snapshot tells of closings as they were")
        said = market.fences.words_of(peer_id)
        _require(all(event in said for event in part.evictions), "a snapshot repeats what its owner said of evictions")

    def _compare_all(self, peer_id: str, told: int, needed: Mapping[TradeKey, None]) -> None:
        market = self._market
        left = market.open_orders(peer_id) + len(market.fills_of(peer_id)) + len(market.holds_of(peer_id))
        left += len(market.fences.words_of(peer_id))
        _require(told == left, "a snapshot leaves out nothing that is open")
        for key, _ in market.grants_of(peer_id):
            fill = market.fills.get(key[0])
            waits = fill is not None and fill.maker == key[1] and owner_of(fill.taker) == market.me
            _require(not waits or key in needed, "a decision stands until its fill is closed")
        for key, closed in market.closings_of(peer_id):
            waits = key in market.holds and owner_of(closed.maker) == market.me
            _require(not waits or key in needed, "a closing stands until what was held is granted")

    def _check_anew(self, peer_id: str, part: Snapshot) -> None:
        told = dict.fromkeys(state.placed.id for state in part.orders)
        for state in part.orders:
            order = state.placed
            _require(owner_of(order.id) == peer_id, "a snapshot tells of its owner's orders")
            is_open = order.price != 0 and 0 < state.remaining <= order.quantity - state.filled
            _require(is_open and state.reserved <= state.remaining, "a snapshot tells of open orders")
        for fill in part.fills:
            _require(owner_of(fill.fill_id) == peer_id and owner_of(fill.maker) != peer_id, "a fill asks another peer")
            _require(fill.taker in told or self._reserves(peer_id, fill.taker), "a fill reserves of an open order")
        for hold in part.holds:
            _require(hold.maker in told or self._reserves(peer_id, hold.maker), "a hold reserves of an open order")
        for grant in part.grants:
            _require(owner_of(grant.maker) == peer_id, "a maker's owner decides")
        for closed in part.closings:
            _require(owner_of(closed.taker) == peer_id, "a taker's owner closes")
        for event in part.evictions:
            _require(event.peer_id != peer_id, "a peer does not evict itself")

    def _reserves(self, peer_id: str, order_id: str) -> bool:
        order = self._market.orders.get(order_id)
        return order is not None and order.peer_id == peer_id and order.reserved > 0

    def _adopt(self, peer_id: str, part: Snapshot) -> None:
        market = self._market
        if part.part == 1:
            self._clear(peer_id)
        for state in part.orders:
            order = order_of(peer_id, state)
            for trade in order.trades:
                if (trade.id, trade.maker) not in market.trades:
                    market.know_trade(trade)
            market.know_order(order)
        for fill in part.fills:
            market.know_fill(fill)
        for hold in part.holds:
            market.know_hold((hold.fill_id, hold.maker), _hold(hold))
        for grant in part.grants:
            market.know_grant((grant.fill_id, grant.maker), _grant(grant))
        for closed in part.closings:
            market.know_closing(closed)
        for event in part.evictions:
            # Words are never taken back, so what was read of them before stays.
            if market.fences.follows(peer_id, event):
                market.know_eviction(peer_id, event)

    def _clear(self, peer_id: str) -> None:
        market = self._market
        market.forget_orders(peer_id)
        for fill in market.fills_of(peer_id):
            market.forget_fill(fill)
        for key, _ in [*market.grants_of(peer_id), *market.holds_of(peer_id)]:
            market.forget_answer(key)
        for key, _ in market.closings_of(peer_id):
            del market.closings[key]

    def _forget(self, peer_id: str, reading: _Reading) -> None:
        market = self._market
        for key, _ in market.grants_of(peer_id):
            if key not in reading.needed:
                market.forget_answer(key)
        for key, _ in market.closings_of(peer_id):
            if key not in reading.needed:
                del market.closings[key]
        for order in market.orders_of(peer_id):
            if len(order.trades) > SHOWN_TRADES:
                order.trades = list(order.trades[-SHOWN_TRADES:])
        market.forget_settled(peer_id)


def state_of(order: Order) -> OrderState:
    """Return an order as snapshots and the archive keep it."""
    assert order.placed is not None, order
    return OrderState(
        placed=order.placed,
        time=order.key[0],
        filled=order.filled,
        remaining=order.remaining,
        reserved=order.reserved,
        cancelled=order.cancelled,
        reason=order.reason,
        trades=[
            TradeState(id=t.id, maker=t.maker, taker=t.taker, quantity=t.quantity, price=t.price, time=t.time)
            for t in order.trades[-SHOWN_TRADES:]
        ],
    )


def order_of(peer_id: str, state: OrderState) -> Order:
    """Return an order as it stood when this was kept."""
    order = placed(state.placed, (state.time, peer_id))
    order.filled, order.remaining, order.reserved = state.filled, state.remaining, state.reserved
    order.cancelled, order.reason = state.cancelled, state.reason
    if state.trades:
        order.trades = [Trade(t.id, order.item, t.price, t.quantity, t.maker, t.taker, t.time) for t in state.trades]
    return order


def _told(part: Snapshot) -> Iterator[Any]:
    """Name what a part tells of, of all that no snapshot may leave out."""
    yield from (state.placed.id for state in part.orders)
    yield from (fill.fill_id for fill in part.fills)
    yield from ((hold.fill_id, hold.maker) for hold in part.holds)
    yield from ((event.type, event.peer_id) for event in part.evictions)


def _runs(items: Iterator[Item]) -> Iterator[list[Item]]:
    run, weight = list[Item](), 0
    for item in items:
        weighs = 1 + len(item.trades) if isinstance(item, OrderState) else 1
        if run and weight + weighs > MAX_PART:
            yield run
            run, weight = [], 0
        run.append(item)
        weight += weighs
    if run:
        yield run


def _hold(state: HoldState) -> Hold:
    return Hold(state.taker, state.quantity, state.price, state.time)


def _grant(state: GrantState) -> Grant:
    return Grant(state.granted, state.price, state.time, state.sequence, state.prevented, state.decremented)


def _require(holds: bool, claim: str) -> None:
    if not holds:
        raise Contradiction(f"against the rule that {claim}")
