"""Trading, step by step: who takes, who decides, and what waits for whom."""

from __future__ import annotations

from typing import Any

import pytest

from peer.events import OrderCancelled
from tests.peer.actors import (
    ITEM,
    NOW_US,
    Author,
    Peer,
    acquainted,
    asking,
    decided,
    filled,
    fills,
    order_filled,
    question_of,
    talk,
)


def test_a_resting_order_fills_at_its_own_price() -> None:
    peer = Peer(1)
    maker, taker = peer.submit("sell", "10", "5"), peer.submit("buy", "12", "3")
    assert filled(peer, maker, taker) == [("3", "2"), ("3", "0")]
    assert [event["price"] for event in peer.events("ORDERS_TRADED")] == ["10"]


def test_one_event_trades_both_orders_of_one_peer() -> None:
    peer = Peer(1)
    peer.submit("sell", "10", "5")
    peer.submit("buy", "10", "5")
    assert [event["type"] for event in peer.events()] == ["ORDER_PLACED", "ORDER_PLACED", "ORDERS_TRADED"]


def test_the_best_price_trades_first_and_then_the_earliest_order() -> None:
    peer = Peer(1)
    dear, early, late = (peer.submit("sell", price, "1") for price in ("11", "10", "10"))
    peer.submit("buy", "11", "2")
    assert filled(peer, early, late, dear) == [("1", "0"), ("1", "0"), ("0", "1")]


def test_orders_of_different_items_never_meet() -> None:
    peer = Peer(1)
    ids = peer.submit("sell", "10", "1"), peer.submit("buy", "10", "1", item="GRPE")
    assert filled(peer, *ids) == [("0", "1"), ("0", "1")]


def test_the_same_clients_same_order_id_is_the_same_order() -> None:
    peer = Peer(1)
    first = peer.submit("buy", "10", "1", clientId="c", clientOrderId="7")
    assert peer.submit("buy", "10", "1", clientId="c", clientOrderId="7") == first
    assert peer.submit("buy", "10", "1", clientId="d", clientOrderId="7") != first
    assert peer.submit("buy", "10", "1", clientOrderId="7") != first
    assert peer.restarted().submit("buy", "10", "1", clientId="c", clientOrderId="7") == first


def test_without_an_id_of_the_client_every_submission_is_an_order() -> None:
    peer = Peer(1)
    assert peer.submit("buy", "10", "1") != peer.submit("buy", "10", "1")


def test_a_repeated_submission_is_answered_as_the_first_was() -> None:
    peer = Peer(1)
    new = {"item": ITEM, "type": "buy", "price": "10", "quantity": "2", "clientOrderId": "7"}
    first = peer.ask({"type": "SUBMIT_ORDER", "order": new})
    peer.submit("sell", "10", "2")
    assert peer.ask({"type": "SUBMIT_ORDER", "order": new}) == first


def test_the_later_order_takes_whoever_owns_it() -> None:
    for taker_is_first in (True, False):
        makers, takers = acquainted(1, 2)[:: -1 if taker_is_first else 1]
        maker = makers.submit("sell", "10", "5")
        talk(makers, takers)
        taker = takers.submit("buy", "11", "3")
        talk(makers, takers)
        for peer in (makers, takers):
            assert filled(peer, maker, taker) == [("3", "2"), ("3", "0")]
        assert [event["price"] for event in takers.events("FILL_CLOSED")] == ["10"]
        assert makers.events("FILL_OPENED") == []


def test_of_two_orders_that_cross_on_the_way_one_trade_comes() -> None:
    one, two = acquainted(1, 2)
    sell, buy = one.submit("sell", "10", "5"), two.submit("buy", "10", "5")
    talk(one, two)
    for peer in (one, two):
        assert filled(peer, sell, buy) == [("5", "0"), ("5", "0")]
        assert len(peer.ask({"type": "GET_TRADES"})["trades"]) == 1


def test_an_order_that_comes_late_but_was_placed_earlier_is_taken() -> None:
    peer, author = Peer(1), Author(2)
    taker = peer.submit("buy", "10", "3")
    maker = author.place("sell", 10, 5, time=NOW_US - 1_000)
    answer = author.tell(peer)
    assert [m for m in answer["messages"] if m["type"] == "ORDER_MATCHED"] == []
    assert [(event["maker"], event["taker"]) for event in peer.events("FILL_OPENED")] == [(maker, taker)]


def test_two_takers_of_one_maker_get_no_more_than_it_has() -> None:
    makers, one, two = acquainted(1, 2, 3)
    maker = makers.submit("sell", "10", "5")
    talk(makers, one, two)
    takers = one.submit("buy", "10", "4"), two.submit("buy", "10", "4")
    talk(makers, one, two)
    shown = filled(makers, maker, *takers)
    assert shown[0] == ("5", "0")
    assert sorted(shown[1:]) == [("1", "3"), ("4", "0")]
    assert shown == filled(one, maker, *takers) == filled(two, maker, *takers)


def test_a_taker_reserves_before_it_asks() -> None:
    peer, _, maker, taker, ask = asking()
    (opened,) = peer.events("FILL_OPENED")
    assert (opened["maker"], opened["taker"], opened["quantity"], opened["limit"]) == (maker, taker, "5", "10")
    assert opened["fillId"] == ask["fillId"]
    assert peer.order(taker)["reservedQuantity"] == "5"
    assert peer.order(taker)["status"] == "reserved"
    assert [fill["fillId"] for fill in peer.status()["inDoubt"]] == [ask["fillId"]]


def test_what_is_reserved_does_not_trade_with_anybody_else() -> None:
    peer, _, _, taker, _ = asking()
    other = peer.submit("sell", "10", "5")
    assert filled(peer, taker, other) == [("0", "5"), ("0", "5")]


def test_what_is_asked_for_is_not_asked_for_again_by_another_order() -> None:
    peer, _, maker, _, _ = asking(quantity="3")
    peer.submit("buy", "10", "9")
    assert [(event["maker"], event["quantity"]) for event in peer.events("FILL_OPENED")] == [(maker, "3"), (maker, "2")]


def test_the_makers_owner_grants_what_is_asked_at_the_makers_price() -> None:
    peer, author = Peer(1), Author(2)
    maker = peer.submit("sell", "9", "7")
    assert decided(peer, author, maker, time=NOW_US + 1_000)[0] == [("5", "9")]
    assert filled(peer, maker) == [("5", "2")]


def test_it_grants_no_more_than_is_available() -> None:
    peer, author = Peer(1), Author(2)
    maker = peer.submit("sell", "9", "2")
    assert decided(peer, author, maker, time=NOW_US + 1_000)[0] == [("2", "9")]


@pytest.mark.parametrize("case", ["cancelled", "later", "beyond the limit", "same side", "unknown", "spent"])
def test_it_grants_nothing_where_there_is_nothing_to_grant(case: str) -> None:
    peer, author = Peer(1), Author(2)
    maker = peer.submit("buy" if case == "same side" else "sell", "11" if case == "beyond the limit" else "9", "5")
    if case == "cancelled":
        peer.ask({"type": "CANCEL_ORDER", "id": maker})
    if case == "spent":
        peer.submit("buy", "9", "5")
    if case == "unknown":
        maker = f"{peer.id}-999"
    answer, _ = decided(peer, author, maker, time=NOW_US - 1_000 if case == "later" else NOW_US + 1_000)
    assert [granted for granted, _ in answer] == ["0"]
    assert [event["granted"] for event in peer.events("FILL_GRANTED")] == ["0"]


def test_a_maker_that_has_asked_elsewhere_grants_only_what_it_has_not_reserved() -> None:
    peer, _, _, taker, _ = asking(quantity="7")
    other = Author(3)
    seller = other.place("sell", 10, 7, time=NOW_US + 20_000)
    fill = other.open_fill(seller, taker, 7, 10, time=NOW_US + 20_001)
    assert fills(other.tell(peer, question_of(fill))) == [("2", "10")]


def decide(peer: Peer, author: Author, ask: dict[str, Any], granted: int, *, remaining: int) -> None:
    """Let the author write its decision of what the peer asks, at 10, and tell it."""
    author.grant(ask["fillId"], ask["taker"], ask["maker"], granted, price=10, remaining=remaining)
    author.tell(peer)


def test_a_decision_closes_the_fill_on_both_records() -> None:
    peer, author, _, taker, ask = asking()
    decide(peer, author, ask, 5, remaining=0)
    assert filled(peer, taker) == [("5", "0")]
    assert peer.status()["inDoubt"] == []
    assert [event["granted"] for event in peer.events("FILL_CLOSED")] == ["5"]


def test_a_repeated_decision_closes_it_once() -> None:
    peer, author, _, taker, ask = asking()
    decide(peer, author, ask, 5, remaining=0)
    author.tell(peer, order_filled(ask, "5"))
    author.tell(peer, order_filled(ask, "5"))
    assert len(peer.events("FILL_CLOSED")) == 1
    assert filled(peer, taker) == [("5", "0")]


@pytest.mark.parametrize(("granted", "price"), [(6, 10), (5, 11), (5, 9), (10**9, 10)])
def test_a_decision_that_cannot_be_true_changes_nothing_and_is_shown(granted: int, price: int) -> None:
    peer, author, _, taker, ask = asking()
    author.grant(ask["fillId"], ask["taker"], ask["maker"], granted, price=price, remaining=0)
    author.tell(peer)
    assert peer.events("FILL_CLOSED") == []
    assert filled(peer, taker) == [("0", "5")]
    assert author.id in peer.contact(author.id)["refused"]
    assert peer.restarted().order(taker)["reservedQuantity"] == "5"


def test_a_ledger_that_grants_more_than_was_asked_does_not_end_the_peer() -> None:
    peer, author, maker, taker, ask = asking(quantity="3")
    author.grant(ask["fillId"], taker, maker, 5, price=10, remaining=0)
    author.tell(peer)
    assert peer.events("FILL_CLOSED") == []
    assert peer.contact(author.id)["refused"]
    assert peer.restarted().submit("buy", "1", "1")


def test_a_maker_that_is_asked_for_all_it_shows_is_not_asked_again_before_it_has_decided() -> None:
    peer, author, _, _, ask = asking()
    peer.submit("buy", "10", "9")
    assert [event["fillId"] for event in peer.events("FILL_OPENED")] == [ask["fillId"]]
    decide(peer, author, ask, 2, remaining=3)
    assert [event["quantity"] for event in peer.events("FILL_OPENED")] == ["5", "3"]


def test_nor_after_a_restart_in_between() -> None:
    before, author, _, _, ask = asking()
    peer = before.restarted()
    author.tell(peer)
    peer.submit("buy", "10", "9")
    assert [event["fillId"] for event in peer.events("FILL_OPENED")] == [ask["fillId"]]


def test_the_remainder_of_a_refusal_goes_on_to_the_next_maker() -> None:
    peer, author, maker, taker, ask = asking()
    second = Author(3)
    next_maker = second.place("sell", 10, 5)
    second.tell(peer)
    author.write(OrderCancelled(id=maker, remaining=0))
    decide(peer, author, ask, 0, remaining=0)
    assert [event["maker"] for event in peer.events("FILL_OPENED")][1:] == [next_maker]
    assert peer.order(taker)["reservedQuantity"] == "5"


def test_the_remainder_rests_in_every_book() -> None:
    one, two = acquainted(1, 2)
    one.submit("sell", "10", "2")
    talk(one, two)
    taker = two.submit("buy", "10", "5")
    talk(one, two)
    for peer in (one, two):
        (rest,) = peer.ask({"type": "GET_ORDERBOOK", "item": ITEM})["buyOrders"]
        assert (rest["id"], rest["quantity"], rest["status"]) == (taker, "3", "partially_filled")


def test_a_cancelled_order_trades_no_more() -> None:
    peer = Peer(1)
    id = peer.submit("sell", "10", "5")
    assert peer.ask({"type": "CANCEL_ORDER", "id": id})["order"]["status"] == "cancelled"
    other = peer.submit("buy", "10", "5")
    assert filled(peer, id, other) == [("0", "0"), ("0", "5")]


def test_a_repeated_cancel_is_answered_again_and_written_once() -> None:
    peer = Peer(1)
    id = peer.submit("sell", "10", "5")
    first = peer.ask({"type": "CANCEL_ORDER", "id": id})
    assert peer.ask({"type": "CANCEL_ORDER", "id": id}) == first
    assert len(peer.events("ORDER_CANCELLED")) == 1


@pytest.mark.parametrize(("granted", "end"), [(0, ("0", "0")), (2, ("2", "0")), (3, ("3", "0"))])
def test_a_cancel_leaves_what_a_fill_has_reserved_to_its_decision(granted: int, end: tuple[str, str]) -> None:
    peer, author, _, taker, ask = asking(quantity="3")
    shown = peer.ask({"type": "CANCEL_ORDER", "id": taker})["order"]
    assert (shown["status"], shown["quantity"], shown["reservedQuantity"]) == ("cancelling", "3", "3")
    decide(peer, author, ask, granted, remaining=5 - granted)
    assert filled(peer, taker) == [end]
    assert peer.order(taker)["status"] == ("filled" if granted == 3 else "cancelled")


def test_a_cancel_of_a_partly_reserved_order_frees_the_rest_at_once() -> None:
    peer, _, _, taker, _ = asking(quantity="8")
    shown = peer.ask({"type": "CANCEL_ORDER", "id": taker})["order"]
    assert (shown["quantity"], shown["reservedQuantity"]) == ("5", "5")


def test_a_cancel_and_a_fill_that_race_agree_on_one_end() -> None:
    makers, takers = acquainted(1, 2)
    maker = makers.submit("sell", "10", "5")
    talk(makers, takers)
    taker = takers.submit("buy", "10", "5")
    makers.ask({"type": "CANCEL_ORDER", "id": maker})
    talk(makers, takers)
    for peer in (makers, takers):
        assert filled(peer, maker, taker) == [("0", "0"), ("0", "5")]
        assert peer.order(maker)["status"] == "cancelled"
