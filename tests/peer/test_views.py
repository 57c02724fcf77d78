"""What clients are shown, field by field."""

from __future__ import annotations

from typing import Any

import pytest

from peer.market import Market
from peer.order import Order
from peer.views import status
from tests.peer.actors import ITEM, NOW_US, Peer, acquainted, asking, new_order, talk


def book(peer: Peer, **more: Any) -> dict[str, Any]:
    shown: dict[str, Any] = peer.ask({"type": "GET_ORDERBOOK", "item": ITEM, **more})
    return shown


def ids(orders: list[dict[str, Any]]) -> list[str]:
    return [order["id"] for order in orders]


def test_an_accepted_order_is_shown_whole() -> None:
    peer = Peer(1)
    assert peer.ask(new_order("buy", "10.50", "2", clientId="c", clientOrderId="7")) == {
        "type": "ORDER_ACCEPTED",
        "order": {
            "id": f"{peer.id}-1",
            "item": ITEM,
            "type": "buy",
            "price": "10.5",
            "quantity": "2",
            "originalQuantity": "2",
            "filledQuantity": "0",
            "reservedQuantity": "0",
            "matchedOrders": [],
            "status": "open",
            "peerId": peer.id,
            "stamp": [NOW_US, peer.id],
            "timeInForce": "GTC",
            "clientId": "c",
            "clientOrderId": "7",
        },
    }


def test_an_order_shows_with_whom_it_traded_and_what_remains() -> None:
    peer = Peer(1)
    maker, taker = peer.submit("sell", "10", "5"), peer.submit("buy", "11", "2")
    shown = peer.order(maker)
    assert (shown["originalQuantity"], shown["filledQuantity"], shown["quantity"]) == ("5", "2", "3")
    (matched,) = shown["matchedOrders"]
    assert matched == {
        "id": f"{peer.id}-3",
        "orderId": taker,
        "peerId": peer.id,
        "price": "10",
        "quantity": "2",
    }
    assert peer.order(taker)["matchedOrders"] == [{**matched, "orderId": maker}]


@pytest.mark.parametrize(
    ("filled", "remaining", "reserved", "cancelled", "word"),
    [
        (0, 5, 0, False, "open"),
        (0, 5, 3, False, "open"),
        (2, 3, 0, False, "partially_filled"),
        (2, 3, 3, False, "reserved"),
        (5, 0, 0, False, "filled"),
        (5, 0, 0, True, "filled"),
        (2, 0, 0, True, "cancelled"),
        (0, 3, 3, True, "cancelling"),
    ],
)
def test_one_word_tells_how_an_order_stands(
    filled: int, remaining: int, reserved: int, cancelled: bool, word: str
) -> None:
    order = Order("a-1", ITEM, True, 10, 5, (1, "a"))
    order.filled, order.remaining, order.reserved, order.cancelled = filled, remaining, reserved, cancelled
    assert status(Market("me"), order) == word


def test_a_book_shows_the_best_prices_first_and_what_was_filled_apart() -> None:
    peer = Peer(1)
    low, high, high_later = (peer.submit("buy", price, "1") for price in ("9", "10", "10"))
    dear, cheap = (peer.submit("sell", price, "1") for price in ("13", "12"))
    gone = peer.submit("sell", "11", "1"), peer.submit("buy", "11", "1")
    shown = book(peer)
    assert ids(shown["buyOrders"]) == [high, high_later, low]
    assert ids(shown["sellOrders"]) == [cheap, dear]
    assert ids(shown["filledOrders"]) == list(gone)


def test_a_book_shows_what_waits_for_a_decision_too() -> None:
    peer, _, maker, taker, _ = asking()
    shown = book(peer)
    assert ids(shown["buyOrders"]) == [taker]
    assert ids(shown["sellOrders"]) == [maker]
    assert shown["buyOrders"][0]["status"] == "reserved"


def test_a_book_of_an_item_that_nobody_named_is_empty() -> None:
    assert book(Peer(1), item="NONE") == {
        "type": "ORDERBOOK",
        "item": "NONE",
        "buyOrders": [],
        "sellOrders": [],
        "filledOrders": [],
    }


def test_each_list_is_cut_to_the_limit() -> None:
    peer = Peer(1)
    best = [peer.submit("buy", price, "1") for price in ("10", "9", "8")][:2]
    assert ids(book(peer, limit=2)["buyOrders"]) == best


def test_every_peer_shows_each_trade_once_and_the_same() -> None:
    one, two = acquainted(1, 2)
    maker = one.submit("sell", "10", "5")
    talk(one, two)
    taker = two.submit("buy", "11", "2")
    talk(one, two)
    first, second = (peer.ask({"type": "GET_TRADES"})["trades"] for peer in (one, two))
    assert first == second
    (trade,) = first
    assert trade == {
        "id": trade["id"],
        "item": ITEM,
        "price": "10",
        "quantity": "2",
        "makerOrderId": maker,
        "takerOrderId": taker,
        "makerPeerId": one.id,
        "takerPeerId": two.id,
        "time": trade["time"],
    }
    assert NOW_US <= trade["time"] < NOW_US + 10**6


def test_trades_are_the_latest_oldest_first_of_one_item_or_all() -> None:
    peer = Peer(1)
    for number, item in enumerate((ITEM, "GRPE", ITEM, ITEM), start=1):
        peer.submit("sell", str(number), "1", item=item)
        peer.submit("buy", str(number), "1", item=item)
    prices = [
        [trade["price"] for trade in peer.ask({"type": "GET_TRADES", **which})["trades"]]
        for which in ({}, {"item": ITEM}, {"limit": 2}, {"item": ITEM, "limit": 1}, {"item": "NONE"})
    ]
    assert prices == [["1", "2", "3", "4"], ["1", "3", "4"], ["3", "4"], ["4"], []]


def test_a_status_tells_who_is_reached_and_how_far_all_have_read() -> None:
    one, two = acquainted(1, 2)
    one.submit("buy", "10", "1")
    talk(one, two)
    first, second = one.status(), two.status()
    assert (first["peerId"], first["type"]) == (one.id, "STATUS")
    assert first["peers"] == [{"peerId": two.id, "state": "reachable", "sequence": 1}]
    assert first["vector"] == second["vector"]
    assert first["vector"][one.id][0] == 1
    assert first["digest"] == second["digest"] != Peer(3).status()["digest"]


def test_what_is_in_doubt_is_named() -> None:
    peer, _, maker, taker, ask = asking()
    assert peer.status()["inDoubt"] == [{"fillId": ask["fillId"], "taker": taker, "maker": maker, "quantity": "5"}]
