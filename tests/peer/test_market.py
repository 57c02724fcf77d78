"""The market: the fold of all ledgers, the same in whatever order they are read; and what no ledger may say."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.events import Entry, Event, FillClosed, FillGranted, FillOpened, OrderCancelled, OrdersTraded, read_entry
from peer.ledger import write_entry
from peer.market import Contradiction, Market
from peer.node import Node
from peer.views import orderbook, trades
from testbed import runner
from testbed.accounts import Accounts, Copy, Trade
from testbed.history import History
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.swarm import ITEMS, draw
from testbed.simulation.world import World
from tests.peer.actors import UNIT, Author, identity

A, B = identity(1).peer_id, identity(2).peer_id
ONLOOKER = identity(9).peer_id


@cache
def finished(seed: int) -> World:
    """Simulate a drawn run up to its rest."""
    cluster = SimulationCluster(seed)
    evidence, _ = virtual_time.run(cluster.world.agenda, runner.play(draw(seed).scenario(), cluster, History()))
    assert evidence.quiet
    return cluster.world


def living(world: World) -> list[Node]:
    """The peers that take part in the end: those neither lost nor evicted."""
    nodes = (peer.node for peer in world.peers.values())
    return [node for node in nodes if node is not None and not node.exchange.is_leaving]


def ledgers(world: World) -> dict[str, list[Entry]]:
    """All ledgers as a living peer holds them: that of an evicted one ends at its fence."""
    me, found = living(world)[0].exchange.me, defaultdict[str, list[Entry]](list)
    for record in next(peer.disk for peer in world.peers.values() if peer.peer_id == me).records():
        found[record.peer_id].append(read_entry(record.text))
    return found


def interleaved(of: dict[str, list[Entry]], dice: random.Random) -> Iterator[tuple[str, Entry]]:
    left = {peer_id: deque(entries) for peer_id, entries in of.items() if entries}
    while left:
        peer_id = dice.choice(sorted(left))
        # Runs of one ledger, as catching up brings them.
        for _ in range(dice.choice([1, 1, 5, 50])):
            if left[peer_id]:
                yield peer_id, left[peer_id].popleft()
        if not left[peer_id]:
            del left[peer_id]


def latest_filled(market: Market, item: str) -> list[str]:
    return [order["id"] for order in orderbook(market, item, 5)["filledOrders"]]


@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_any_interleaving_of_the_ledgers_folds_to_the_same_market(seed: int, dice: random.Random) -> None:
    world = finished(seed)
    market = Market(ONLOOKER)
    for peer_id, entry in interleaved(ledgers(world), dice):
        market.apply(peer_id, entry)
    for node in living(world):
        assert node.exchange.market.digest.hex() == market.digest.hex()
        assert node.exchange.market.trades == market.trades
        for item in ITEMS:
            assert trades(node.exchange.market, item, 10_000) == trades(market, item, 10_000)
            assert latest_filled(node.exchange.market, item) == latest_filled(market, item)


@given(st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_market_is_what_a_plain_reading_of_the_ledgers_gives_at_every_moment(
    seed: int, dice: random.Random
) -> None:
    of = ledgers(finished(seed))
    told = list(interleaved(of, dice))
    market, accounts = Market(ONLOOKER), Accounts()
    for peer_id, entry in told[: dice.randint(0, len(told))]:
        market.apply(peer_id, entry)
        text = write_entry(entry.sequence, entry.time, entry.event)[1]
        accounts.read(Copy(peer_id, (text,), (0,)).lines())
    orders = {
        id: (order.filled, order.reserved, order.remaining, order.cancelled) for id, order in market.orders.items()
    }
    assert orders == {
        id: (_lots(read.filled), _lots(read.reserved), _lots(read.remaining), read.is_cancelled)
        for id, read in accounts.orders.items()
    }
    closed = {id: trade for id, trade in accounts.closed.items() if trade.quantity}
    read = sorted(_plain(trade) for trade in (closed | accounts.trades()).values())
    assert sorted((t.id, t.maker, t.taker, t.quantity, t.price, t.time) for t in market.trades.values()) == read


def _lots(amount: Decimal) -> int:
    return int(amount * UNIT)


def _plain(trade: Trade) -> tuple[str, str, str, int, int, int]:
    return trade.id, trade.maker, trade.taker, _lots(trade.quantity), _lots(trade.price), trade.time


class Play:
    """A market that two authors write into."""

    def __init__(self, me: str = ONLOOKER) -> None:
        self.market = Market(me)
        self.a, self.b = Author(1), Author(2)
        self.read = {A: 0, B: 0}

    def fold(self, author: Author, event: Event | None = None) -> None:
        """Fold what an author has written since, this event last."""
        if event is not None:
            author.write(event)
        while self.read[author.id] < len(author.texts):
            text = author.texts[self.read[author.id]]
            self.read[author.id] += 1
            self.market.apply(author.id, read_entry(text))

    def crossed(self) -> tuple[str, str, FillOpened]:
        """A maker of B's, a later taker of A's, and the fill that A has opened: 5 of 5, at 10."""
        maker = self.b.place("sell", 10, 5)
        self.fold(self.b)
        taker = self.a.place("buy", 10, 5)
        fill = self.a.open_fill(taker, maker, 5, 10)
        self.fold(self.a)
        return maker, taker, fill


def granted(fill: FillOpened, lots: int, remaining: int, price: int = 10 * UNIT) -> FillGranted:
    return FillGranted(
        fill_id=fill.fill_id, taker=fill.taker, maker=fill.maker, granted=lots, price=price, remaining=remaining
    )


def closed(fill: FillOpened, lots: int, remaining: int) -> FillClosed:
    return FillClosed(
        fill_id=fill.fill_id,
        taker=fill.taker,
        maker=fill.maker,
        granted=lots,
        price=10 * UNIT,
        time=1,
        remaining=remaining,
    )


def test_a_fill_trades_the_maker_when_granted_and_the_taker_when_closed() -> None:
    play = Play()
    maker_id, taker_id, fill = play.crossed()
    maker, taker = play.market.orders[maker_id], play.market.orders[taker_id]
    assert (taker.reserved, taker.available, taker.remaining) == (5 * UNIT, 0, 5 * UNIT)
    play.fold(play.b, granted(fill, 3 * UNIT, 2 * UNIT))
    assert (maker.filled, maker.remaining, taker.filled) == (3 * UNIT, 2 * UNIT, 0)
    play.fold(play.a, closed(fill, 3 * UNIT, 2 * UNIT))
    assert (taker.filled, taker.reserved, taker.available) == (3 * UNIT, 0, 2 * UNIT)
    (trade,) = play.market.trades.values()
    assert (trade.id, trade.quantity, trade.price) == (fill.fill_id, 3 * UNIT, 10 * UNIT)


def test_what_is_cancelled_while_reserved_is_left_to_the_fill() -> None:
    play = Play()
    _, taker_id, fill = play.crossed()
    taker = play.market.orders[taker_id]
    play.fold(play.a, OrderCancelled(id=taker_id, remaining=5 * UNIT))
    assert (taker.remaining, taker.available) == (5 * UNIT, 0)
    play.fold(play.b, granted(fill, 2 * UNIT, 3 * UNIT))
    play.fold(play.a, closed(fill, 2 * UNIT, 0))
    assert (taker.filled, taker.remaining, taker.reserved) == (2 * UNIT, 0, 0)


def test_a_decision_may_be_read_before_the_fill_it_decides() -> None:
    late, usual = Play(), Play()
    for play in (late, usual):
        maker = play.b.place("sell", 10, 5)
        taker = play.a.place("buy", 10, 5)
        fill = play.a.open_fill(taker, maker, 5, 10)
        play.b.write(granted(fill, 5 * UNIT, 0))
        for author in (play.b, play.a) if play is late else (play.a, play.b):
            play.fold(author)
    assert late.market.trades == usual.market.trades
    assert late.market.digest.hex() == usual.market.digest.hex()


def test_another_ledger_cannot_decide_a_fill() -> None:
    play, stranger = Play(me=A), Author(3)
    maker_id, _, fill = play.crossed()
    lure = stranger.place("sell", 10, 5)
    play.market.apply(stranger.id, read_entry(stranger.texts[0]))
    stranger.grant(fill.fill_id, fill.taker, lure, 5, price=10, remaining=0)
    try:
        play.market.apply(stranger.id, read_entry(stranger.texts[1]))
    except Contradiction:
        pass
    assert play.market.answered == {}
    play.fold(play.b, granted(fill, 5 * UNIT, 0))
    assert list(play.market.answered) == [fill.fill_id]
    assert play.market.orders[maker_id].filled == 5 * UNIT


@pytest.mark.parametrize(
    "event",
    [
        OrderCancelled(id=f"{A}-9", remaining=0),
        FillOpened(fill_id=f"{A}-1", taker=f"{A}-9", maker=f"{B}-1", quantity=UNIT, limit=UNIT),
    ],
)
def test_an_owner_cannot_cancel_or_fill_what_is_not_there(event: Event) -> None:
    play = Play()
    with pytest.raises(Contradiction, match="not an order of this ledger"):
        play.fold(play.a, event)


def test_an_owner_cannot_touch_the_orders_of_another() -> None:
    play = Play()
    maker, _, _ = play.crossed()
    with pytest.raises(Contradiction, match="not an order of this ledger"):
        play.fold(play.a, OrderCancelled(id=maker, remaining=0))


@pytest.mark.parametrize(
    ("lots", "remaining", "price"),
    [(6 * UNIT, 0, 10), (5 * UNIT, 1, 10), (5 * UNIT, 0, 11), (4 * UNIT, 5 * UNIT, 10)],
)
def test_a_grant_is_of_what_is_available_at_the_makers_price(lots: int, remaining: int, price: int) -> None:
    play = Play()
    _, _, fill = play.crossed()
    with pytest.raises(Contradiction):
        play.fold(play.b, granted(fill, lots, remaining, price * UNIT))


def test_a_fill_is_decided_once() -> None:
    play = Play()
    _, _, fill = play.crossed()
    play.fold(play.b, granted(fill, 0, 5 * UNIT))
    with pytest.raises(Contradiction, match="once"):
        play.fold(play.b, granted(fill, 5 * UNIT, 0))


def test_a_fill_closes_between_the_two_orders_that_it_was_opened_between() -> None:
    play = Play()
    _, _, fill = play.crossed()
    elsewhere = replace(closed(fill, 5 * UNIT, 0), maker=f"{ONLOOKER}-1")
    with pytest.raises(Contradiction, match="between the same two orders"):
        play.fold(play.a, elsewhere)


def test_a_fill_is_closed_once_and_for_no_more_than_was_asked() -> None:
    play = Play()
    _, _, fill = play.crossed()
    with pytest.raises(Contradiction, match="at most what was asked"):
        play.fold(play.a, closed(fill, 6 * UNIT, 0))
    play = Play()
    _, _, fill = play.crossed()
    play.fold(play.a, closed(fill, 0, 5 * UNIT))
    with pytest.raises(Contradiction, match="was open"):
        play.fold(play.a, closed(fill, 0, 5 * UNIT))


def test_no_more_can_be_reserved_than_is_available() -> None:
    play = Play()
    maker, taker, _ = play.crossed()
    play.a.open_fill(taker, maker, 1, 10)
    with pytest.raises(Contradiction, match="reserves what is available"):
        play.fold(play.a)


def test_a_fill_asks_another_peer() -> None:
    play = Play()
    maker, taker = play.a.place("sell", 10, 5), play.a.place("buy", 10, 5)
    play.a.open_fill(taker, maker, 5, 10)
    with pytest.raises(Contradiction, match="another peer"):
        play.fold(play.a)


@pytest.mark.parametrize("swapped", [False, True])
def test_within_one_peer_the_later_order_takes(swapped: bool) -> None:
    play = Play()
    maker, taker = play.a.place("sell", 10, 5), play.a.place("buy", 10, 5)
    if swapped:
        maker, taker = taker, maker
    traded = OrdersTraded(
        id=play.a.next_id(),
        taker=taker,
        maker=maker,
        quantity=5 * UNIT,
        price=10 * UNIT,
        taker_remaining=0,
        maker_remaining=0,
    )
    if swapped:
        with pytest.raises(Contradiction, match="later order takes"):
            play.fold(play.a, traded)
    else:
        play.fold(play.a, traded)
        assert [trade.quantity for trade in play.market.trades.values()] == [5 * UNIT]


def test_an_order_and_a_fill_are_named_after_their_entry() -> None:
    play = Play()
    play.a.texts.append("")
    play.a.place("buy", 10, 1)
    play.a.texts = [play.a.texts[1].replace('"sequence":2', '"sequence":1')]
    with pytest.raises(Contradiction, match="names its entry"):
        play.fold(play.a)


@pytest.mark.parametrize(("price", "quantity"), [(0, 1), (1, 0)])
def test_an_order_has_a_price_and_a_quantity(price: int, quantity: int) -> None:
    play = Play()
    play.a.place("buy", price, quantity)
    with pytest.raises(Contradiction, match="a price and a quantity"):
        play.fold(play.a)


def test_an_order_is_cancelled_once_down_to_what_is_reserved() -> None:
    play = Play()
    _, taker, _ = play.crossed()
    play.fold(play.a, OrderCancelled(id=taker, remaining=5 * UNIT))
    with pytest.raises(Contradiction, match="once"):
        play.fold(play.a, OrderCancelled(id=taker, remaining=5 * UNIT))


def _resting(play: Play) -> str:
    id = play.b.place("sell", 10, 5)
    play.fold(play.b)
    return id
