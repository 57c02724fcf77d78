"""The checker of price-time priority: what a taker may pass over, and what not."""

from __future__ import annotations

from dataclasses import replace

from testbed.priority import priority
from tests.testbed.world import IDS, Placed, World, from_its_snapshot, head


def passed_over(blind: tuple[str, ...] = (), better_price: str = "99") -> tuple[World, Placed, Placed]:
    """Let a buyer at peer-3 take the worse of two asks; return the world, the better ask and the buyer."""
    world = World()
    better = world.place("peer-1", "sell", "1", better_price, blind=blind)
    worse = world.place("peer-2", "sell", "1", "99.5")
    taker = world.place("peer-3", "buy", "2", "100")
    world.fill(taker, worse, "1", taker_left="1", maker_left="0")
    return world, better, taker


def test_the_best_price_comes_first() -> None:
    world, _, _ = passed_over()
    verdict = priority(world.history, world.evidence())
    assert verdict.sentence == "peer-3 took peer-2-1 for peer-3-1 and passed over peer-1-1 (1 at 99)"


def test_at_the_same_price_the_earlier_comes_first() -> None:
    world, _, _ = passed_over(better_price="99.5")
    assert priority(world.history, world.evidence()).kind == "violated"


def test_a_worse_price_comes_later() -> None:
    world, _, _ = passed_over(better_price="99.75")
    assert priority(world.history, world.evidence()).kind == "valid"


def test_an_order_that_had_not_arrived_may_be_passed_over() -> None:
    world, _, _ = passed_over(blind=("peer-3",))
    assert priority(world.history, world.evidence()).kind == "valid"


def test_an_order_of_a_peer_that_was_hurt_may_be_passed_over() -> None:
    world, _, _ = passed_over()
    world.say("pause", "ok", {"peer": "peer-1"})
    assert priority(world.history, world.evidence()).kind == "valid"


def test_an_order_that_is_used_up_or_cancelled_may_be_passed_over() -> None:
    world = World()
    better, worse = world.place("peer-1", "sell", "1", "99"), world.place("peer-2", "sell", "1", "99.5")
    world.write("peer-1", "ORDER_CANCELLED", {"id": better.id, "remaining": "0"})
    world.fill(world.place("peer-3", "buy", "2", "100"), worse, "1", taker_left="1", maker_left="0")
    assert priority(world.history, world.evidence()).kind == "valid"


def test_an_order_of_an_evicted_peer_may_be_passed_over_for_its_end_may_have_been_read_beyond_the_fence() -> None:
    world, _, _ = passed_over()
    texts = world.ledgers["peer-1"]
    world.write("peer-3", "PEER_FENCED", {"peerId": IDS["peer-1"], "sequence": len(texts), "hash": head(texts)})
    assert priority(world.history, world.evidence(living=("peer-2", "peer-3"))).kind == "valid"


def test_an_order_that_the_taker_has_a_claim_on_may_be_passed_over_until_the_decision_is_seen() -> None:
    world = World()
    better, worse = world.place("peer-1", "sell", "1", "99"), world.place("peer-2", "sell", "2", "99.5")
    taker = world.place("peer-3", "buy", "3", "100")
    claim = world.open(taker, better, "1")
    world.fill(taker, worse, "1", taker_left="2", maker_left="1")
    assert priority(world.history, world.evidence()).kind == "valid"
    world.grant(claim, taker, better, "0", "1")
    world.fill(taker, worse, "1", taker_left="1", maker_left="0")
    assert priority(world.history, world.evidence()).kind == "violated"


def test_a_claim_whose_opening_has_been_forgotten_is_told_of_by_the_snapshot_after_it() -> None:
    for repeats, kind in ((True, "valid"), (False, "violated")):
        world = World()
        better, worse = world.place("peer-1", "sell", "1", "99"), world.place("peer-2", "sell", "1", "99.5")
        claim = world.open(world.place("peer-3", "buy", "1", "100"), better, "1")
        opened = {"fillId": claim, "taker": f"{IDS['peer-3']}-1", "maker": better.id, "quantity": "1", "limit": "100"}
        world.sum_up("peer-3", fills=[opened] if repeats else [])
        world.fill(world.place("peer-3", "buy", "1", "100"), worse, "1", taker_left="0", maker_left="0")
        evidence = world.evidence()
        mine = evidence.ledgers["peer-3"]
        mine[IDS["peer-3"]] = from_its_snapshot(mine[IDS["peer-3"]])
        assert priority(world.history, evidence).kind == kind


def test_an_order_later_than_the_taker_is_nobody_to_be_taken() -> None:
    world = World()
    worse = world.place("peer-2", "sell", "1", "99.5")
    taker = world.place("peer-3", "buy", "2", "100")
    world.place("peer-1", "sell", "1", "99")
    world.fill(taker, worse, "1", taker_left="1", maker_left="0")
    assert priority(world.history, world.evidence()).kind == "valid"


def test_a_trade_within_one_peer_keeps_priority_too() -> None:
    world = World()
    world.place("peer-1", "sell", "1", "99")
    own = world.place("peer-3", "sell", "1", "99.5")
    taker = world.place("peer-3", "buy", "1", "100")
    world.trade(taker, own, "1", taker_left="0", maker_left="0")
    assert priority(world.history, world.evidence()).kind == "violated"


def test_what_was_taken_before_the_other_peer_was_hurt_is_judged_all_the_same() -> None:
    world, _, taker = passed_over()
    world.submit(taker)
    world.submit(world.place("peer-3", "buy", "1", "50"), "order-2")
    world.say("pause", "ok", {"peer": "peer-1"})
    assert priority(world.history, world.evidence()).kind == "violated"


def test_who_was_cut_off_from_another_peer_is_judged_all_the_same() -> None:
    world, _, _ = passed_over()
    world.say("cut", "ok", {"sender": "peer-2", "receiver": "peer-1"})
    assert priority(world.history, world.evidence()).kind == "violated"
    world.say("cut", "ok", {"sender": "peer-3", "receiver": "peer-1"})
    assert priority(world.history, world.evidence()).kind == "valid"


def test_an_order_of_a_peer_that_ended_by_itself_may_be_passed_over() -> None:
    world, _, _ = passed_over()
    evidence = world.evidence(living=("peer-2", "peer-3"))
    assert priority(world.history, evidence).kind == "violated"
    assert priority(world.history, replace(evidence, crashed=("peer-1 ended by itself",))).kind == "valid"


def test_of_an_order_that_the_taker_has_a_claim_on_the_rest_may_not_be_passed_over() -> None:
    world = World()
    better, worse = world.place("peer-1", "sell", "2", "99"), world.place("peer-2", "sell", "2", "99.5")
    taker = world.place("peer-3", "buy", "3", "100")
    world.open(taker, better, "1")
    world.fill(taker, worse, "1", taker_left="2", maker_left="1")
    assert priority(world.history, world.evidence()).kind == "violated"
