"""Orders with terms of their own: at once, at any price, without taking, not with oneself; reduced and replaced."""

from __future__ import annotations

from typing import Any

import pytest

from peer.events import FillGranted, OrderCancelled
from peer.messages import FillOrder
from peer.node import Failed
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
    new_order,
    talk,
)

IOC: dict[str, Any] = {"timeInForce": "IOC"}
BOTH_ENDS = pytest.mark.parametrize(
    ("mode", "maker_left", "taker_left"),
    [
        ("CANCEL_NEWEST", ("5", "open"), ("0", "cancelled")),
        ("CANCEL_OLDEST", ("0", "cancelled"), ("3", "open")),
        ("CANCEL_BOTH", ("0", "cancelled"), ("0", "cancelled")),
        ("DECREMENT", ("2", "open"), ("0", "cancelled")),
    ],
)


def stands(peer: Peer, *ids: str) -> list[tuple[str, str]]:
    """What is left of orders, and how they stand."""
    return [(order["quantity"], order["status"]) for order in map(peer.order, ids)]


def anna(mode: str | None = None, **terms: Any) -> dict[str, Any]:
    """The terms of an order of Anna's, with an instruction not to meet herself."""
    return {"clientId": "anna", **({"selfTradePrevention": mode} if mode else {}), **terms}


def test_an_immediate_order_takes_what_crosses_and_the_rest_expires() -> None:
    peer = Peer(1)
    maker = peer.submit("sell", "10", "3")
    taker = peer.submit("buy", "11", "5", **IOC)
    assert stands(peer, maker, taker) == [("0", "filled"), ("0", "expired")]
    assert peer.order(taker)["reason"] == "expired"
    assert peer.ask({"type": "GET_ORDERBOOK", "item": ITEM})["buyOrders"] == []


def test_its_submission_is_answered_as_it_was_accepted_and_repeated() -> None:
    peer = Peer(1)
    order = new_order("buy", "11", "5", clientOrderId="7", **IOC)
    first = peer.ask(order)
    assert (first["order"]["status"], first["order"]["quantity"]) == ("open", "5")
    assert peer.ask(order) == first
    assert peer.restarted().ask(order) == first


def test_an_immediate_order_that_waits_for_a_decision_is_nobodys_maker() -> None:
    author, peer = Author(2), Peer(1)
    author.place("sell", 10, 2)
    author.tell(peer)
    taker = peer.submit("buy", "10", "5", **IOC)
    later = peer.submit("sell", "9", "3")
    assert stands(peer, taker, later) == [("5", "open"), ("3", "open")]
    asked = decided(peer, author, taker, side="sell", time=NOW_US + 1_000)[0]
    assert [granted for granted, _ in asked] == ["0"]


def test_an_immediate_order_takes_on_after_a_fill_that_gave_less() -> None:
    author, peer = Author(2), Peer(1)
    maker = author.place("sell", 10, 5)
    author.tell(peer)
    taker = peer.submit("buy", "11", "5", **IOC)
    other = Author(3)
    next_maker = other.place("sell", 11, 9)
    other.tell(peer)
    (fill,) = peer.events("FILL_OPENED")
    author.grant(fill["fillId"], taker, maker, 2, price=10, remaining=3)
    author.write(_cancelled(maker))
    author.tell(peer)
    assert [event["maker"] for event in peer.events("FILL_OPENED")] == [maker, next_maker]
    assert stands(peer, taker) == [("3", "reserved")]


def _cancelled(id: str) -> Any:
    return OrderCancelled(id=id, remaining=0)


def test_after_a_restart_it_takes_nothing_more_and_its_fills_in_doubt_are_settled() -> None:
    author, before = Author(2), Peer(1)
    maker = author.place("sell", 10, 2)
    author.tell(before)
    taker = before.submit("buy", "10", "5", **IOC)
    peer = before.restarted()
    assert stands(peer, taker) == [("2", "cancelling")]
    (fill,) = peer.events("FILL_OPENED")
    author.grant(fill["fillId"], taker, maker, 2, price=10, remaining=0)
    author.tell(peer)
    assert filled(peer, taker) == [("2", "0")]
    assert stands(peer, taker) == [("0", "expired")]


def test_a_market_order_takes_at_any_price_and_shows_none() -> None:
    peer = Peer(1)
    makers = peer.submit("buy", "0.00000001", "1"), peer.submit("buy", "999999999999", "1")
    payload = new_order("sell", "1", "5")
    del payload["order"]["price"]
    taker = peer.ask(payload)["order"]
    assert "price" not in taker
    assert taker["timeInForce"] == "IOC"
    assert filled(peer, *makers, taker["id"]) == [("1", "0"), ("1", "0"), ("2", "0")]
    assert stands(peer, taker["id"]) == [("0", "expired")]


def test_a_market_order_is_filled_by_another_peer_at_the_makers_price() -> None:
    one, two = acquainted(1, 2)
    maker = one.submit("sell", "10", "5")
    talk(one, two)
    payload = new_order("buy", "1", "3")
    del payload["order"]["price"]
    taker = two.ask(payload)["order"]["id"]
    talk(one, two)
    assert filled(one, maker, taker) == filled(two, maker, taker) == [("3", "2"), ("3", "0")]
    assert [event["price"] for event in two.events("FILL_CLOSED")] == ["10"]


@pytest.mark.parametrize(
    "terms",
    [
        {"price": None, "timeInForce": "GTC"},
        {"price": None, "postOnly": True},
        {"postOnly": True, "timeInForce": "IOC"},
        {"selfTradePrevention": "CANCEL_NEWEST"},
        {"selfTradePrevention": "DECREMENT", "timeInForce": "FOK", "clientId": "anna"},
    ],
)
def test_terms_that_contradict_each_other_are_refused(terms: dict[str, Any]) -> None:
    payload = new_order("buy", "10", "1")
    payload["order"] |= terms
    if payload["order"]["price"] is None:
        del payload["order"]["price"]
    assert Peer(1).ask(payload).startswith("ERR_CONTRADICTORY_TERMS: ")


def test_a_post_only_order_that_would_take_is_refused_and_nothing_is_written() -> None:
    peer = Peer(1)
    peer.submit("sell", "10", "5")
    assert peer.ask(new_order("buy", "10", "1", postOnly=True)).startswith("ERR_WOULD_TAKE: ")
    assert len(peer.events()) == 1
    assert peer.order(peer.submit("buy", "9", "1", postOnly=True))["postOnly"] is True


def test_a_post_only_order_makes_like_any_other() -> None:
    peer = Peer(1)
    maker = peer.submit("sell", "10", "5", postOnly=True)
    taker = peer.submit("buy", "10", "3")
    assert filled(peer, maker, taker) == [("3", "2"), ("3", "0")]


def test_a_post_only_order_is_cancelled_when_an_earlier_order_that_it_crosses_becomes_known() -> None:
    peer, author = Peer(1), Author(2)
    taker = peer.submit("buy", "10", "3", postOnly=True)
    author.place("sell", 10, 5, time=NOW_US - 1_000)
    author.tell(peer)
    assert (peer.order(taker)["status"], peer.order(taker)["reason"]) == ("cancelled", "post_only")
    assert peer.events("FILL_OPENED") == []


@BOTH_ENDS
def test_a_client_does_not_trade_with_itself_within_a_peer(
    mode: str, maker_left: tuple[str, str], taker_left: tuple[str, str]
) -> None:
    peer = Peer(1)
    maker = peer.submit("sell", "10", "5", **anna())
    taker = peer.submit("buy", "10", "3", **anna(mode))
    assert stands(peer, maker, taker) == [maker_left, taker_left]
    assert peer.events("ORDERS_TRADED") == []


@BOTH_ENDS
def test_nor_across_peers_where_the_makers_owner_decides(
    mode: str, maker_left: tuple[str, str], taker_left: tuple[str, str]
) -> None:
    makers, takers = acquainted(1, 2)
    maker = makers.submit("sell", "10", "5", **anna())
    talk(makers, takers)
    taker = takers.submit("buy", "10", "3", **anna(mode))
    talk(makers, takers)
    for peer in (makers, takers):
        assert stands(peer, maker, taker) == [maker_left, taker_left]
        assert peer.ask({"type": "GET_TRADES"})["trades"] == []
    assert [event["prevented"] for event in makers.events("FILL_GRANTED")] == [mode]
    assert len(takers.events("FILL_OPENED")) == 1


def test_prevention_concerns_the_own_client_only_and_the_takers_word_counts() -> None:
    peer = Peer(1)
    peer.submit("sell", "10", "5", **anna("CANCEL_NEWEST"))
    others = peer.submit("buy", "10", "1", clientId="bert", selfTradePrevention="CANCEL_NEWEST")
    careless = peer.submit("buy", "10", "1", **anna())
    assert stands(peer, others, careless) == [("0", "filled"), ("0", "filled")]


def test_after_the_oldest_was_cancelled_the_newest_goes_on() -> None:
    peer = Peer(1)
    peer.submit("sell", "10", "5", **anna())
    other = peer.submit("sell", "11", "5")
    taker = peer.submit("buy", "11", "3", **anna("CANCEL_OLDEST"))
    assert filled(peer, other, taker) == [("3", "2"), ("3", "0")]


def test_what_was_prevented_is_closed_and_cancelled_once_across_a_restart() -> None:
    before, author, maker, taker, ask = asking_anna()
    author.write(_prevented(ask, maker, taker))
    author.tell(before)
    peer = before.restarted()
    author.tell(peer)
    assert [event["granted"] for event in peer.events("FILL_CLOSED")] == ["0"]
    assert [event["reason"] for event in peer.events("ORDER_CANCELLED")] == ["self_trade"]


def asking_anna() -> tuple[Peer, Author, str, str, str]:
    """A peer whose order of Anna's asks an author's order of hers: peer, author, maker, taker, fill."""
    author, peer = Author(2), Peer(1)
    maker = author.place("sell", 10, 5, client_id="anna")
    author.tell(peer)
    taker = peer.submit("buy", "10", "5", **anna("CANCEL_NEWEST"))
    return peer, author, maker, taker, peer.events("FILL_OPENED")[0]["fillId"]


def _prevented(fill: str, maker: str, taker: str) -> Any:
    return FillGranted(
        fill_id=fill, taker=taker, maker=maker, granted=0, price=0, remaining=0, prevented="CANCEL_NEWEST"
    )


def test_a_reduced_order_keeps_its_place_and_a_repeated_reduction_changes_nothing() -> None:
    peer = Peer(1)
    first, second = peer.submit("sell", "10", "5"), peer.submit("sell", "10", "5")
    reduce = {"type": "REDUCE_ORDER", "id": first, "quantity": "2"}
    answer = peer.ask(reduce)
    assert (answer["type"], answer["order"]["quantity"]) == ("ORDER_REDUCED", "2")
    assert peer.ask(reduce) == answer
    assert len(peer.events("ORDER_REDUCED")) == 1
    taker = peer.submit("buy", "10", "3")
    assert filled(peer, first, second, taker) == [("2", "0"), ("1", "4"), ("3", "0")]
    assert peer.order(first)["status"] == "filled"
    assert peer.restarted().ask(reduce)["order"]["status"] == "filled"


def test_a_reduction_leaves_what_fills_have_reserved() -> None:
    peer, _, _, taker, _ = asking(quantity="8")
    refusal = peer.ask({"type": "REDUCE_ORDER", "id": taker, "quantity": "4"})
    assert refusal == f"ERR_RESERVED: fills have reserved 5 of {taker}"
    assert stands(peer, taker) == [("8", "open")]
    assert peer.ask({"type": "REDUCE_ORDER", "id": taker, "quantity": "5"})["order"]["status"] == "reserved"


def test_nothing_of_an_order_is_left_by_cancelling_not_by_reducing() -> None:
    peer = Peer(1)
    id = peer.submit("sell", "10", "5")
    refusal = peer.ask({"type": "REDUCE_ORDER", "id": id, "quantity": "0"})
    assert refusal.startswith("ERR_INVALID_QUANTITY: ")
    assert "cancel it" in refusal
    assert peer.ask({"type": "REDUCE_ORDER", "id": "nothing", "quantity": "1"}).startswith("ERR_UNKNOWN_ORDER")


def replacing(id: str, price: str = "10", **terms: Any) -> dict[str, Any]:
    """The payload that replaces an order by one of 4."""
    return {"type": "REPLACE_ORDER", "id": id, "order": new_order("sell", price, "4", **terms)["order"]}


def test_a_replaced_order_is_cancelled_and_the_new_one_stands_behind() -> None:
    peer = Peer(1)
    first, second = peer.submit("sell", "10", "5"), peer.submit("sell", "10", "5")
    answer = peer.ask(replacing(first, clientOrderId="7"))
    third = answer["order"]["id"]
    assert (answer["type"], answer["replaced"]["reason"]) == ("ORDER_REPLACED", "replaced")
    assert answer["order"]["replaces"] == first
    assert [event["type"] for event in peer.events()][2:] == ["ORDER_CANCELLED", "ORDER_PLACED"]
    peer.submit("buy", "10", "6")
    assert filled(peer, first, second, third) == [("0", "0"), ("5", "0"), ("1", "3")]
    assert peer.restarted().ask(replacing(first, clientOrderId="7")) == answer


def test_what_cannot_be_replaced_stays_and_nothing_is_placed() -> None:
    peer, _, _, waiting, _ = asking()
    done, gone, other = (peer.submit("sell", "12", "1", clientOrderId=f"{n}") for n in range(3))
    peer.submit("buy", "12", "1")
    peer.ask({"type": "CANCEL_ORDER", "id": gone})
    before = len(peer.events())
    for id, terms, code in (
        (waiting, {}, "ERR_RESERVED"),
        (done, {}, "ERR_ORDER_FILLED"),
        (gone, {}, "ERR_ORDER_CANCELLED"),
        (other, {"clientOrderId": "0"}, "ERR_ORDER_ID_USED"),
        ("nothing", {}, "ERR_UNKNOWN_ORDER"),
    ):
        assert peer.ask(replacing(id, **terms)).startswith(code), id
    assert len(peer.events()) == before


def test_a_post_only_order_may_replace_the_one_that_it_would_take() -> None:
    peer = Peer(1)
    bid = peer.submit("buy", "10", "5")
    assert peer.ask(replacing(bid, "10", postOnly=True))["order"]["status"] == "open"
    other = peer.submit("sell", "12", "5")
    peer.submit("buy", "9", "5")
    assert peer.ask(replacing(other, "9", postOnly=True)).startswith("ERR_WOULD_TAKE")
    assert stands(peer, other) == [("5", "open")]


def test_an_order_is_in_doubt_while_a_fill_of_it_waits_for_one_who_is_out_of_reach() -> None:
    peer, author, _, taker, _ = asking()
    assert stands(peer, taker) == [("5", "reserved")]
    for _ in range(3):
        peer.receive(Failed(author.id))
    assert stands(peer, taker) == [("5", "in_doubt")]
    author.tell(peer)
    assert stands(peer, taker) == [("5", "reserved")]


def test_an_immediate_order_of_another_peer_is_granted_nothing_of_an_immediate_one() -> None:
    peer, author = Peer(1), Author(2)
    other = Author(3)
    other.place("sell", 10, 2)
    other.tell(peer)
    waiting = peer.submit("buy", "10", "5", **IOC)
    taker = author.place("sell", 10, 3, time=NOW_US + 1_000, time_in_force="IOC")
    fill = author.open_fill(taker, waiting, 3, 10, time=NOW_US + 1_001)
    ask = FillOrder(fill_id=fill.fill_id, maker=waiting, taker=taker, quantity=fill.quantity, limit=fill.limit)
    assert fills(author.tell(peer, ask)) == [("0", "10")]
