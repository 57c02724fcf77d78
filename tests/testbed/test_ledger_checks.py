"""Checkers of ledgers: each must reject a run that breaks its promise, and must not reject one that only may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.evidence import Evidence
from testbed.history import History
from testbed.ledger_checks import agreed_trades, chained, conservation, converged, limits_kept, no_overfill, uncrossed
from tests.testbed.world import IDS, Placed, World

NOTHING = History()


def crossing(world: World, bought: str = "10", sold: str = "4") -> tuple[Placed, Placed]:
    """Place a resting bid at peer-1, and then an ask at peer-2 that takes it."""
    return world.place("peer-1", "buy", bought, "100"), world.place("peer-2", "sell", sold, "99")


def fair_run() -> World:
    world = World()
    bid, ask = crossing(world)
    world.fill(ask, bid, "4", taker_left="0", maker_left="6")
    return world


def test_a_fair_run_breaks_nothing() -> None:
    evidence = fair_run().evidence()
    for checker in (no_overfill, agreed_trades, conservation, converged, uncrossed, limits_kept, chained):
        assert checker(NOTHING, evidence).kind == "valid", checker.__name__


def test_a_maker_filled_twice_over_is_overfilled() -> None:
    world = World()
    bid, ask = crossing(world, "4", "9")
    world.fill(ask, bid, "4", taker_left="5", maker_left="0")
    world.fill(ask, bid, "4", taker_left="1", maker_left="0")
    verdict = no_overfill(NOTHING, world.evidence())
    assert verdict.kind == "violated"
    assert verdict.evidence == ("peer-1-1: 8 filled and 0 reserved of 4, by entry 3",)


def test_a_taker_that_reserves_more_than_it_has_is_overfilled() -> None:
    world = World()
    bid, ask = crossing(world)
    world.open(ask, bid, "3")
    world.open(ask, bid, "3")
    assert "peer-2-1: 0 filled and 6 reserved of 4, by entry 3" in no_overfill(NOTHING, world.evidence()).evidence


def test_an_overfill_that_only_one_copy_shows_is_found() -> None:
    world = World()
    crossing(world)
    evidence = world.evidence()
    overfilled = fair_run()
    bid, ask = crossing(overfilled, "1", "1")
    overfilled.open(ask, bid, "2")
    evidence.ledgers["peer-3"].update(overfilled.evidence().ledgers["peer-2"])
    assert no_overfill(NOTHING, evidence).kind == "violated"


def test_a_trade_that_the_taker_never_wrote_down_is_one_sided() -> None:
    world = World()
    bid, ask = crossing(world)
    world.grant(world.open(ask, bid, "4"), ask, bid, "4", "6")
    verdict = agreed_trades(NOTHING, world.evidence())
    assert verdict.kind == "violated"
    assert verdict.sentence == "peer-2-2: peer-2-1 took 4 at 100 from peer-1-1: the taker's ledger does not say so"


def test_a_trade_that_the_maker_never_decided_is_one_sided() -> None:
    world = World()
    bid, ask = crossing(world)
    world.close(world.open(ask, bid, "4"), ask, bid, "4", "0")
    assert "the maker's ledger does not say so" in agreed_trades(NOTHING, world.evidence()).sentence


def test_a_trade_must_be_what_the_taker_asked_for() -> None:
    for elsewhere, asked in ((True, "4"), (False, "3")):
        world = World()
        other, (bid, ask) = world.place("peer-1", "buy", "10", "100"), crossing(world)
        fill = world.open(ask, other if elsewhere else bid, asked)
        world.grant(fill, ask, bid, "4", "6")
        world.close(fill, ask, bid, "4", "0")
        assert "the taker's ledger asked for" in agreed_trades(NOTHING, world.evidence()).sentence


def test_a_trade_that_the_taker_never_asked_for_is_one_sided() -> None:
    world = World()
    bid, ask = crossing(world)
    world.grant(f"{IDS['peer-2']}-7", ask, bid, "0", "10")
    assert "the taker's ledger never asked for it" in agreed_trades(NOTHING, world.evidence()).sentence
    assert agreed_trades(NOTHING, world.evidence(living=("peer-1", "peer-3"))).kind == "valid"


def test_a_fill_that_nobody_ever_ended_is_no_rest() -> None:
    world = World()
    bid, ask = crossing(world)
    world.open(ask, bid, "4")
    assert "still waits for the decision" in agreed_trades(NOTHING, world.evidence()).sentence
    assert agreed_trades(NOTHING, world.evidence(living=("peer-2", "peer-3"))).kind == "valid"


def test_both_sides_must_tell_the_same_quantity_and_price() -> None:
    for wrong in ({"granted": "3"}, {"price": "99"}):
        world = World()
        bid, ask = crossing(world)
        fill = world.open(ask, bid, "4")
        world.grant(fill, ask, bid, "4", "6")
        world.close(fill, ask, bid, **{"granted": "4", "remaining": "0", **wrong})
        assert "the taker's ledger says" in agreed_trades(NOTHING, world.evidence()).sentence


def test_a_peer_that_hides_or_doubles_or_makes_up_a_trade_is_caught() -> None:
    evidence = fair_run().evidence()
    (trade,) = evidence.trades["peer-1"]["X"]
    for shown, why in (
        ([], "does not show"),
        ([trade, trade], "twice"),
        ([trade, {**trade, "id": "z-9"}], "no ledger"),
    ):
        wrong = replace(evidence, trades={**evidence.trades, "peer-3": {"X": shown}})
        assert why in agreed_trades(NOTHING, wrong).sentence


def test_the_side_of_a_peer_that_is_gone_cannot_be_missed() -> None:
    world = World()
    bid, ask = crossing(world)
    world.grant(world.open(ask, bid, "4"), ask, bid, "4", "6")
    assert agreed_trades(NOTHING, world.evidence(living=("peer-1", "peer-3"))).kind == "valid"


def test_a_quantity_that_vanishes_breaks_conservation() -> None:
    world = World()
    bid, ask = crossing(world)
    world.fill(ask, bid, "4", taker_left="0", maker_left="5")
    verdict = conservation(NOTHING, world.evidence())
    assert verdict.sentence == "peer-1-1: 10 submitted, but 4 filled, 5 left, 0 cancelled"


def test_more_sold_than_bought_breaks_conservation() -> None:
    world = World()
    bid, ask = crossing(world)
    fill = world.open(ask, bid, "4")
    world.grant(fill, ask, bid, "3", "7")
    world.close(fill, ask, bid, "4", "0")
    assert "X: 3 bought, but 4 sold" in conservation(NOTHING, world.evidence()).evidence


def test_a_copy_that_differs_or_lags_has_not_converged() -> None:
    evidence = fair_run().evidence()
    owner = IDS["peer-1"]
    own = evidence.ledgers["peer-3"][owner]
    altered = replace(own, texts=(own.texts[0].replace("10", "11"), *own.texts[1:]))
    lagging = replace(own, texts=own.texts[:1], positions=own.positions[:1])
    for copy, why in ((altered, "differs at entry 1"), (lagging, "has 1 of 2 entries")):
        ledgers = {**evidence.ledgers, "peer-3": {**evidence.ledgers["peer-3"], owner: copy}}
        verdict = converged(NOTHING, replace(evidence, ledgers=ledgers))
        assert verdict.sentence == f"peer-3's copy of peer-1's ledger {why}"


def test_books_that_are_the_same_everywhere_and_no_ledger_gives_have_not_converged() -> None:
    for word in ("price", "quantity", "filledQuantity", "reservedQuantity"):
        evidence = fair_run().evidence()
        for book in evidence.books.values():
            book["X"]["buyOrders"][0][word] = "3"
        assert "peer-1's book of X shows peer-1-1" in converged(NOTHING, evidence).sentence
    evidence = fair_run().evidence()
    for book in evidence.books.values():
        book["X"]["buyOrders"] = []
    verdict = converged(NOTHING, evidence)
    assert verdict.sentence == (
        "peer-1's book of X shows no order where the ledgers give peer-1-1 (6 at 100, 4 filled, 0 reserved)"
    )


def test_different_books_or_digests_have_not_converged() -> None:
    evidence = fair_run().evidence()
    evidence.books["peer-2"]["X"]["buyOrders"].append({"id": "a-1"})
    assert converged(NOTHING, evidence).sentence == "peer-2's books differ from peer-1's"
    evidence = fair_run().evidence()
    evidence.statuses["peer-3"]["digest"] = "e"
    assert converged(NOTHING, evidence).sentence == "peer-3's digest differs from peer-1's"


def test_two_orders_that_could_still_trade_leave_the_book_crossed() -> None:
    world = World()
    crossing(world)
    assert uncrossed(NOTHING, world.evidence()).sentence == "peer-1-1 buys X at 100, peer-2-1 sells at 99"


def test_orders_of_the_dead_cancelled_or_reserved_cross_nobody() -> None:
    world = World()
    crossing(world)
    assert uncrossed(NOTHING, world.evidence(living=("peer-1", "peer-3"))).kind == "valid"
    world = World()
    bid, ask = crossing(world)
    world.open(ask, bid, "4")
    assert uncrossed(NOTHING, world.evidence()).kind == "valid"
    world = World()
    bid, _ = crossing(world)
    world.write("peer-1", "ORDER_CANCELLED", {"id": bid.id, "remaining": "0"})
    assert uncrossed(NOTHING, world.evidence()).kind == "valid"


def test_a_fill_beyond_a_limit_is_found() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "4", "98"), world.place("peer-2", "sell", "4", "99")
    world.fill(ask, bid, "4", taker_left="0", maker_left="0")
    assert "the orders do not cross" in limits_kept(NOTHING, world.evidence()).sentence


def test_a_fill_at_another_price_than_the_makers_is_found() -> None:
    world = World()
    bid, ask = crossing(world)
    fill = world.open(ask, bid, "4")
    world.grant(fill, ask, bid, "4", "6", price="99")
    assert "the maker's price is 100" in limits_kept(NOTHING, world.evidence()).sentence


def test_an_earlier_order_that_takes_a_later_one_is_found() -> None:
    world = World()
    bid, ask = crossing(world)
    fill = world.open(bid, ask, "4")
    world.grant(fill, bid, ask, "4", "0")
    assert "the maker is the later order" in limits_kept(NOTHING, world.evidence()).sentence


def test_an_earlier_order_that_only_asks_a_later_one_is_found_though_it_was_refused() -> None:
    world = World()
    bid, ask = crossing(world)
    fill = world.open(bid, ask, "4")
    world.grant(fill, bid, ask, "0", "4")
    world.close(fill, bid, ask, "0", "10")
    assert limits_kept(NOTHING, world.evidence()).sentence == "peer-1-2: peer-1-1 asked the later order peer-2-1"


def test_an_entry_that_was_changed_afterwards_breaks_the_chain() -> None:
    evidence = fair_run().evidence()
    own = evidence.ledgers["peer-2"][IDS["peer-1"]]
    altered = replace(own, texts=(own.texts[0].replace('"10"', '"11"'), *own.texts[1:]))
    evidence.ledgers["peer-2"][IDS["peer-1"]] = altered
    assert "does not hash to the head it states at entry 2" in chained(NOTHING, evidence).sentence


def test_a_missing_entry_breaks_the_chain() -> None:
    evidence = fair_run().evidence()
    own = evidence.ledgers["peer-2"][IDS["peer-1"]]
    evidence.ledgers["peer-2"][IDS["peer-1"]] = replace(own, texts=own.texts[1:], positions=own.positions[1:])
    assert "not numbered from 1 without a gap" in chained(NOTHING, evidence).sentence


def test_what_only_holds_at_rest_is_unknown_without_rest() -> None:
    world = World()
    bid, ask = crossing(world)
    world.grant(world.open(ask, bid, "4"), ask, bid, "4", "6")
    evidence: Evidence = world.evidence(quiet=False)
    for checker in (agreed_trades, conservation, converged, uncrossed):
        assert checker(NOTHING, evidence).kind == "unknown", checker.__name__
    for checker in (no_overfill, limits_kept, chained):
        assert checker(NOTHING, evidence).kind == "valid", checker.__name__


def test_of_many_trades_only_the_latest_have_to_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testbed.ledger_checks.MOST_SHOWN", 1)
    world = fair_run()
    bid, ask = crossing(world, "1", "1")
    world.fill(ask, bid, "1", taker_left="0", maker_left="0")
    evidence = world.evidence()
    first, last = evidence.trades["peer-1"]["X"]
    for shown, kind in (([last], "valid"), ([first], "violated"), ([first, last], "violated")):
        shown_by_all = {peer: {"X": shown} for peer in evidence.trades}
        assert agreed_trades(NOTHING, replace(evidence, trades=shown_by_all)).kind == kind
