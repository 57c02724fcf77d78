"""The judge's own reading of ledgers."""

from __future__ import annotations

from decimal import Decimal

import pytest

from testbed.accounts import ZERO, Account, Line
from tests.testbed.world import World


def order(world: World, id_: str) -> Account:
    return world.evidence().accounts().orders[id_]


def test_a_fill_moves_both_orders() -> None:
    world = World()
    bid = world.place("peer-1", "buy", "10", "100")
    ask = world.place("peer-2", "sell", "4", "99")
    fill = world.fill(ask, bid, "4", taker_left="0", maker_left="6")
    assert [order(world, bid.id).filled, order(world, bid.id).available] == [4, 6]
    assert [order(world, ask.id).filled, order(world, ask.id).reserved] == [4, 0]
    assert world.evidence().accounts().trades()[fill].price == 100


def test_an_open_fill_reserves() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    world.open(ask, bid, "3")
    assert [order(world, ask.id).reserved, order(world, ask.id).available] == [3, 1]


def test_a_refused_fill_gives_back_what_was_reserved() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    fill = world.open(ask, bid, "4")
    world.grant(fill, ask, bid, "0", "10")
    world.close(fill, ask, bid, "0", "4")
    assert [order(world, ask.id).available, order(world, bid.id).available] == [4, 10]
    assert world.evidence().accounts().trades() == {}


def test_a_cancel_during_a_fill_cancels_also_what_the_fill_does_not_get() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "2", "100"), world.place("peer-2", "sell", "10", "99")
    fill = world.open(ask, bid, "3")
    world.write("peer-2", "ORDER_CANCELLED", {"id": ask.id, "remaining": "3"})
    assert [order(world, ask.id).cancelled, order(world, ask.id).available] == [7, 0]
    world.grant(fill, ask, bid, "2", "0")
    world.close(fill, ask, bid, "2", "0")
    seller = order(world, ask.id)
    assert [seller.cancelled, seller.filled, seller.remaining] == [8, 2, 0]


def test_a_trade_within_one_peer_moves_both_orders_at_once() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "1.5", "100"), world.place("peer-1", "sell", "1", "99")
    world.trade(ask, bid, "1", taker_left="0", maker_left="0.5")
    assert [order(world, bid.id).available, order(world, ask.id).available] == [Decimal("0.5"), 0]


def test_an_event_of_an_unknown_type_is_not_passed_over() -> None:
    accounts = World().evidence().accounts()
    with pytest.raises(ValueError, match="unknown type 'GIFT'"):
        accounts.apply(Line("a", 1, 1, {"type": "GIFT"}))


def test_what_is_held_counts_as_reserved_until_it_is_granted_or_released() -> None:
    for granted, left in (("3", "2"), ("0", "5")):
        world = World()
        bid, ask = world.place("peer-1", "buy", "5", "100"), world.place("peer-2", "sell", "3", "100")
        fill = world.open(ask, bid, "3")
        terms = {"fillId": fill, "taker": ask.id, "maker": bid.id, "price": "100"}
        world.write("peer-1", "FILL_HELD", {**terms, "held": "3"})
        assert world.evidence().accounts().orders[bid.id].available == 2
        world.grant(fill, ask, bid, granted, left)
        account = world.evidence().accounts().orders[bid.id]
        assert (account.reserved, account.filled, account.remaining) == (ZERO, Decimal(granted), Decimal(left))


def test_what_was_reduced_counts_as_cancelled_and_what_was_lost_does_not() -> None:
    world = World()
    bid = world.place("peer-1", "buy", "5", "100")
    world.write("peer-1", "ORDER_REDUCED", {"id": bid.id, "remaining": "3"})
    account = world.evidence().accounts().orders[bid.id]
    assert (account.cancelled, account.remaining) == (Decimal(2), Decimal(3))
    assert not account.is_cancelled
    ask = world.place("peer-1", "sell", "2", "100")
    world.trade(ask, bid, "2", "0", "0")
    account = world.evidence().accounts().orders[bid.id]
    assert account.filled + account.remaining + account.cancelled == 4


def test_an_order_without_a_limit_crosses_any_price() -> None:
    world = World()
    dear = world.place("peer-1", "sell", "5", "999999999999")
    terms = {"item": "X", "side": "buy", "quantity": "1", "timeInForce": "IOC"}
    market = world.write("peer-2", "ORDER_PLACED", {"id": ..., **terms})
    orders = world.evidence().accounts().orders
    assert orders[dear.id].crosses(orders[market])
    assert orders[market].is_immediate
    assert (orders[market].limit, orders[dear.id].limit) == ("market", "999999999999")
