"""An order: what of it is available, and whom it could trade with."""

from __future__ import annotations

import pytest

from peer.order import Order


def order(side: str, price: int, item: str = "ACME") -> Order:
    return Order("a-1", item, side == "buy", price, 10, (1, "a"))


def test_a_new_order_is_wholly_available_and_not_yet_in_a_book() -> None:
    made = order("buy", 10)
    assert (made.available, made.remaining, made.filled, made.open) == (10, 10, 0, 0)


def test_what_fills_have_reserved_is_not_available() -> None:
    made = order("buy", 10)
    made.reserved = 4
    assert made.available == 6


def test_of_a_cancelled_order_nothing_is_available() -> None:
    made = order("buy", 10)
    made.cancelled, made.remaining, made.reserved = True, 4, 4
    assert made.available == 0


@pytest.mark.parametrize(("buy", "sell", "crosses"), [(10, 10, True), (11, 10, True), (10, 11, False)])
def test_orders_cross_where_their_prices_meet(buy: int, sell: int, crosses: bool) -> None:
    assert order("buy", buy).crosses(order("sell", sell)) is crosses
    assert order("sell", sell).crosses(order("buy", buy)) is crosses


def test_orders_of_one_side_or_of_two_items_never_cross() -> None:
    assert not order("buy", 10).crosses(order("buy", 10))
    assert not order("buy", 10).crosses(order("sell", 10, item="OTHER"))
