"""Requests: what a client may say, and that everything else is refused by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.codes import Refusal
from peer.requests import CancelOrder, GetOrderbook, GetTrades, SubmitOrder, read_request
from tests.peer.actors import identity, new_order

ME = identity(1).peer_id
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "order", "id", "item", "vector"]) | st.text(max_size=5), inner)
    ),
    max_leaves=12,
)


def test_an_order_may_have_its_amounts_as_text_or_as_numbers() -> None:
    for price, quantity in (("10.5", "2"), (Decimal("10.5"), 2)):
        request = read_request(new_order("buy", price, quantity))
        assert isinstance(request, SubmitOrder)
        assert (request.order.price, request.order.quantity) == (1_050_000_000, 200_000_000)


def test_what_may_be_left_out_has_a_default() -> None:
    assert read_request({"type": "GET_ORDERBOOK", "item": "ACME"}) == GetOrderbook(item="ACME", limit=1000)
    assert read_request({"type": "GET_TRADES"}) == GetTrades(item=None, limit=100)
    assert read_request({"type": "CANCEL_ORDER", "id": "x"}) == CancelOrder(id="x")


@pytest.mark.parametrize(
    ("payload", "refusal"),
    [
        (None, "ERR_BAD_REQUEST: the payload must be an object with a `type`"),
        ([], "ERR_BAD_REQUEST"),
        ("GET_STATUS", "ERR_BAD_REQUEST"),
        ({}, "ERR_UNKNOWN_TYPE: `type` must name a request"),
        ({"type": "BUY"}, "ERR_UNKNOWN_TYPE"),
        ({"type": ["GET_STATUS"]}, "ERR_UNKNOWN_TYPE"),
        ({"type": "ORDER_FILLED"}, "ERR_UNKNOWN_TYPE"),
        ({"type": "SUBMIT_ORDER"}, "ERR_MISSING_FIELD: `order` is missing"),
        ({"type": "SUBMIT_ORDER", "order": {}}, "ERR_MISSING_FIELD: `order.item` is missing"),
        ({"type": "SUBMIT_ORDER", "order": 5}, "ERR_INVALID_FIELD: `order`"),
        ({"type": "GET_STATUS", "verbose": True}, "ERR_UNKNOWN_FIELD: `verbose` is not a field of this request"),
        ({"type": "GET_ORDER", "id": "x", "GET_ORDER": 1}, "ERR_UNKNOWN_FIELD: `GET_ORDER`"),
        (new_order("buy", "10", "1", colour="red"), "ERR_UNKNOWN_FIELD: `order.colour`"),
        (new_order("hold", "10", "1"), "ERR_INVALID_FIELD: `order.type`"),
        (new_order("buy", "-1", "1"), "ERR_INVALID_PRICE: `order.price` must be greater than zero"),
        (new_order("buy", "0.123456789", "1"), "ERR_INVALID_PRICE: `order.price` must be a decimal with at most 8"),
        (new_order("buy", None, "1"), "ERR_INVALID_PRICE: `order.price` must be a decimal"),
        (new_order("buy", 1.5, "1"), "ERR_INVALID_PRICE"),
        (new_order("buy", "1", True), "ERR_INVALID_QUANTITY"),
        (new_order("buy", "1", 10**400), "ERR_INVALID_QUANTITY: `order.quantity` must have at most 12 digits"),
        (new_order("buy", "1", Decimal("1E+999999")), "ERR_INVALID_QUANTITY"),
        (new_order("buy", "1", "0"), "ERR_INVALID_QUANTITY: `order.quantity` must be greater than zero"),
        (new_order("buy", "1", "1", item=""), "ERR_INVALID_FIELD: `order.item`"),
        (new_order("buy", "1", "1", item="A\n"), "ERR_INVALID_FIELD: `order.item`"),
        (new_order("buy", "1", "1", item="A" * 65), "ERR_INVALID_FIELD: `order.item`"),
        (new_order("buy", "1", "1", timeInForce="DAY"), "ERR_INVALID_FIELD: `order.timeInForce`"),
        (new_order("buy", "1", "1", clientOrderId=""), "ERR_INVALID_FIELD: `order.clientOrderId`"),
        (new_order("buy", "1", "1", clientOrderId="x" * 129), "ERR_INVALID_FIELD: `order.clientOrderId`"),
        (new_order("buy", "1", "1", clientId=7), "ERR_INVALID_FIELD: `order.clientId`"),
        (new_order("buy", "1", "1", clientId="\ud800"), "ERR_INVALID_FIELD: `order.clientId`"),
        ({"type": "GET_ORDERBOOK", "item": "ACME", "limit": 0}, "ERR_INVALID_FIELD: `limit`"),
        ({"type": "GET_TRADES", "limit": 10**30}, "ERR_INVALID_FIELD: `limit`"),
        ({"type": "GET_LEDGER", "peerId": "../x"}, "ERR_INVALID_FIELD: `peerId`"),
        ({"type": "GET_LEDGER", "peerId": ME, "after": -1}, "ERR_INVALID_FIELD: `after`"),
    ],
)
def test_a_bad_payload_is_refused_with_a_code_and_a_sentence(payload: object, refusal: str) -> None:
    found = read_request(payload)
    assert isinstance(found, Refusal)
    assert str(found).startswith(refusal)
    assert found.sentence
    assert len(str(found)) < 500


@given(JSON)
def test_any_json_is_a_request_or_a_refusal(payload: object) -> None:
    found = read_request(payload)
    assert str(found) if isinstance(found, Refusal) else found


@given(st.sampled_from([new_order("buy", "1", "1"), {"type": "GET_LEDGER", "peerId": ME}]), st.data())
def test_a_request_with_one_field_of_any_json_is_a_request_or_a_refusal(
    payload: dict[str, Any], data: st.DataObject
) -> None:
    mutant = {**payload, data.draw(st.sampled_from([*payload, "more"])): data.draw(JSON)}
    found = read_request(mutant)
    assert str(found) if isinstance(found, Refusal) else found
