"""The picture of the market: what hangs together is changed together, and what is settled makes room."""

from __future__ import annotations

import pytest

from peer.events import FillOpened
from peer.fills import Grant, Trade
from peer.picture import Past, Picture
from tests.peer.actors import an_order
from tests.peer.test_market import A, B, Play, _resting, finished, living

ME, OTHER = "a" * 24, "b" * 24
MINE = FillOpened(fill_id=f"{ME}-9", taker=f"{ME}-1", maker=f"{OTHER}-1", quantity=3, limit=10)
THEIRS = FillOpened(fill_id=f"{OTHER}-9", taker=f"{OTHER}-2", maker=f"{ME}-2", quantity=3, limit=10)
DECIDED = Grant(granted=3, price=10, time=1, sequence=5)


def picture(past: Past | None = None) -> Picture:
    made = Picture(ME, past)
    made.set_reachable(OTHER, reachable=True)
    made.know_order(an_order("sell", 10, 5, peer=OTHER))
    return made


def key(fill: FillOpened) -> tuple[str, str]:
    return fill.fill_id, fill.maker


@pytest.mark.parametrize("decision_first", [False, True])
def test_a_fill_is_not_waited_for_once_its_decision_is_known_whichever_came_first(decision_first: bool) -> None:
    seen = picture()
    if decision_first:
        seen.know_grant(key(MINE), DECIDED)
    seen.know_fill(MINE)
    if not decision_first:
        assert list(seen.own_fills()) == [MINE]
        assert seen.orders[MINE.maker].open == 2
        seen.know_grant(key(MINE), DECIDED)
    assert (list(seen.own_fills()), list(seen.answered)) == ([], [MINE.fill_id])
    assert seen.orders[MINE.maker].open == 5


@pytest.mark.parametrize("decision_first", [False, True])
def test_what_this_peer_has_decided_it_is_not_asked_for(decision_first: bool) -> None:
    seen = picture()
    if decision_first:
        seen.know_grant(key(THEIRS), DECIDED)
    seen.know_fill(THEIRS)
    assert list(seen.asked) == ([] if decision_first else [THEIRS.fill_id])
    seen.know_grant(key(THEIRS), DECIDED)
    assert seen.asked == {}


def test_a_fill_that_is_closed_asks_for_nothing_more() -> None:
    seen = picture()
    for fill in (MINE, THEIRS):
        seen.know_fill(fill)
        seen.forget_fill(fill)
    assert (seen.fills, seen.asked, seen.answered, list(seen.own_fills())) == ({}, {}, {}, [])


def test_a_decision_that_is_gone_is_waited_for_again() -> None:
    seen = picture()
    seen.know_fill(MINE)
    seen.know_grant(key(MINE), DECIDED)
    seen.forget_answer(key(MINE))
    assert (list(seen.own_fills()), seen.answered) == ([MINE], {})


def test_what_was_asked_of_an_order_stays_asked_while_its_ledger_starts_over() -> None:
    seen = picture()
    seen.know_fill(MINE)
    seen.forget_orders(OTHER)
    assert MINE.maker not in seen.orders
    assert list(seen.resting("ACME")) == []
    seen.know_order(an_order("sell", 10, 5, peer=OTHER))
    assert seen.orders[MINE.maker].open == 2
    assert [order.id for order in seen.books["ACME"].ranked(False)] == [MINE.maker]


def test_only_the_latest_settled_orders_stay_known_and_none_before_its_ledger_is_summed_up() -> None:
    seen = picture(Past(settled_orders=2))
    for time in range(2, 6):
        order = an_order("sell", 10, 5, time=time, peer=OTHER)
        seen.know_order(order)
        order.remaining = 0
        seen._changed(order)
    assert len(seen.orders) == 5
    seen.forget_settled(OTHER)
    assert list(seen.orders) == [f"{OTHER}-1", f"{OTHER}-4", f"{OTHER}-5"]
    assert len(seen.digest._touched) == 0


def test_only_the_latest_trades_stay_known() -> None:
    seen = picture(Past(trades=10))
    for time in range(100):
        seen.know_trade(Trade(f"t-{time}", "ACME", 1, 1, "m", "t", time))
    assert 10 <= len(seen.trades) <= 20
    assert ("t-99", "m") in seen.trades
    assert [pair[1] for pair in seen.trade_times["ACME"]] == list(seen.trades)


def test_own_orders_that_end_wait_to_be_archived() -> None:
    seen = picture()
    for peer in (ME, OTHER):
        order = an_order("buy", 1, 5, time=7, peer=peer)
        seen.know_order(order)
        order.remaining = 0
        seen._changed(order)
    assert [order.id for order in seen.settled] == [f"{ME}-7"]


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
