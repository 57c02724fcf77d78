"""The picture of the market: what the books offer of what there is."""

from __future__ import annotations

import pytest

from tests.peer.test_market import A, B, Play, _resting, finished, living


@pytest.mark.parametrize("seed", range(6))
def test_at_rest_every_peer_offers_what_is_available_and_claims_nothing(seed: int) -> None:
    for node in living(finished(seed)):
        for order in node.exchange.market.orders.values():
            assert (order.open, order.claimed) == (0 if order.void else order.available, 0)


def test_the_orders_of_a_peer_out_of_reach_are_halted_and_come_back() -> None:
    play = Play(me=A)
    play.market.set_reachable(B, reachable=True)
    order = play.market.orders[_resting(play)]
    assert list(play.market.books["ACME"].ranked(is_buy=False)) == [order]
    play.market.set_reachable(B, reachable=False)
    assert play.market.is_away(order.peer_id)
    assert list(play.market.books["ACME"].ranked(is_buy=False)) == []
    assert list(play.market.resting("ACME")) == [order]
    play.market.set_reachable(B, reachable=True)
    assert list(play.market.books["ACME"].ranked(is_buy=False)) == [order]
