"""The client's door: what is answered, and what is refused with which code."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.peer.actors import (
    Peer,
    acquainted,
    new_order,
    talk,
)


def test_a_peer_takes_as_many_open_orders_as_it_may_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peer.desk.MAX_OPEN_ORDERS", 2)
    peer = Peer(1)
    first = peer.submit("buy", "10", "1", clientOrderId="7")
    peer.submit("buy", "10", "1")
    assert peer.ask(new_order("buy", "10", "1")) == "ERR_TOO_MANY_ORDERS: this peer holds 2 open orders"
    assert peer.submit("buy", "10", "1", clientOrderId="7") == first
    peer.ask({"type": "CANCEL_ORDER", "id": first})
    assert peer.submit("buy", "10", "1")


def test_only_its_owner_cancels_an_order() -> None:
    one, two = acquainted(1, 2)
    id = one.submit("buy", "10", "1")
    talk(one, two)
    assert two.ask({"type": "CANCEL_ORDER", "id": id}) == f"ERR_NOT_OWNER: {id} is an order of peer {one.id}"
    assert two.order(id)["status"] == "open"


def test_what_is_filled_or_unknown_cannot_be_cancelled() -> None:
    peer = Peer(1)
    id = peer.submit("buy", "10", "1")
    peer.submit("sell", "10", "1")
    assert peer.ask({"type": "CANCEL_ORDER", "id": id}) == f"ERR_ORDER_FILLED: {id} has been filled completely"
    for kind in ("CANCEL_ORDER", "GET_ORDER"):
        assert peer.ask({"type": kind, "id": "nothing"}) == "ERR_UNKNOWN_ORDER: no order nothing"


def test_a_number_counts_as_exactly_as_a_text() -> None:
    peer = Peer(1)
    ids = peer.submit("sell", Decimal("0.1"), 3), peer.submit("buy", "0.10", "3.0")
    assert [peer.order(id)["filledQuantity"] for id in ids] == ["3", "3"]
