"""Checkers of orders' terms: each must reject a run that breaks its promise, and must not reject one that only may."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.history import History
from testbed.order_terms import never_rests, no_self_trade, only_makes, whole_or_nothing
from tests.testbed.world import Placed, World

NOTHING = History()
CHECKERS = (never_rests, whole_or_nothing, only_makes, no_self_trade)
IOC: dict[str, Any] = {"timeInForce": "IOC"}
FOK: dict[str, Any] = {"timeInForce": "FOK"}


def traded(maker: dict[str, Any], taker: dict[str, Any], quantity: str = "4") -> tuple[World, Placed, Placed]:
    """A bid of 4 at peer-1 that an ask of 4 at peer-2 takes a quantity of; both with terms."""
    world = World()
    bid = world.place("peer-1", "buy", "4", "100", **maker)
    ask = world.place("peer-2", "sell", "4", "100", **taker)
    left = str(4 - int(quantity))
    world.fill(ask, bid, quantity, taker_left=left, maker_left=left)
    return world, bid, ask


def test_orders_that_keep_to_their_terms_break_nothing() -> None:
    for maker, taker in (
        ({}, IOC),
        ({}, FOK),
        ({"postOnly": True}, {}),
        ({"clientId": "anna", "selfTradePrevention": "CANCEL_BOTH"}, {"clientId": "bert"}),
        ({"clientId": "anna", "selfTradePrevention": "CANCEL_BOTH"}, {"clientId": "anna"}),
    ):
        evidence = traded(maker, taker)[0].evidence()
        assert [checker(NOTHING, evidence).kind for checker in CHECKERS] == ["valid"] * 4, (maker, taker)


@pytest.mark.parametrize("terms", [IOC, FOK])
def test_an_immediate_order_that_somebody_took_has_rested(terms: dict[str, Any]) -> None:
    verdict = never_rests(NOTHING, traded(terms, {})[0].evidence())
    assert verdict.kind == "violated"
    assert verdict.sentence.startswith("peer-2-1 took from peer-1-1, which is ")


def test_what_is_left_of_an_immediate_order_at_rest_is_found() -> None:
    world, _, _ = traded({}, IOC, "3")
    assert "1 of it still rests" in never_rests(NOTHING, world.evidence()).sentence


def test_it_may_be_on_its_way_or_its_owner_gone_with_its_end() -> None:
    world, _, _ = traded({}, IOC, "3")
    assert never_rests(NOTHING, world.evidence(quiet=False)).kind == "valid"
    assert never_rests(NOTHING, world.evidence(living=("peer-1", "peer-3"))).kind == "valid"


def test_an_immediate_order_whose_rest_expired_has_kept_its_word() -> None:
    world, _, ask = traded({}, IOC, "3")
    world.write("peer-2", "ORDER_CANCELLED", {"id": ask.id, "remaining": "0", "reason": "expired"})
    assert never_rests(NOTHING, world.evidence()).kind == "valid"


def test_a_part_of_what_was_to_be_filled_or_killed_is_too_much() -> None:
    world, _, ask = traded({}, FOK, "3")
    world.write("peer-2", "ORDER_CANCELLED", {"id": ask.id, "remaining": "0", "reason": "expired"})
    verdict = whole_or_nothing(NOTHING, world.evidence())
    assert (verdict.kind, verdict.sentence) == (
        "violated",
        "peer-2-1 is to be filled or killed, and 3 of 4 traded",
    )


def test_the_other_part_may_be_on_its_way_or_gone_with_its_owner() -> None:
    world, _, _ = traded({}, FOK, "3")
    assert whole_or_nothing(NOTHING, world.evidence(quiet=False)).kind == "unknown"
    assert whole_or_nothing(NOTHING, world.evidence(living=("peer-1", "peer-3"))).kind == "unknown"


def test_a_post_only_order_that_took_or_asks_to_is_found() -> None:
    assert only_makes(NOTHING, traded({}, {"postOnly": True})[0].evidence()).kind == "violated"
    world = World()
    bid = world.place("peer-1", "buy", "4", "100")
    world.open(world.place("peer-2", "sell", "4", "100", postOnly=True), bid, "4")
    assert "asks to take" in only_makes(NOTHING, world.evidence(quiet=False)).sentence


def test_a_client_that_met_itself_against_its_word_is_found() -> None:
    careful = {"clientId": "anna", "selfTradePrevention": "CANCEL_OLDEST"}
    verdict = no_self_trade(NOTHING, traded({"clientId": "anna"}, careful)[0].evidence())
    assert verdict.kind == "violated"
    assert "both are anna's" in verdict.sentence


def test_a_self_trade_within_a_peer_is_found_as_well() -> None:
    world = World()
    bid = world.place("peer-1", "buy", "4", "100", clientId="anna")
    ask = world.place("peer-1", "sell", "4", "100", clientId="anna", selfTradePrevention="DECREMENT")
    world.trade(ask, bid, "4", "0", "0")
    assert no_self_trade(NOTHING, world.evidence()).kind == "violated"
