"""Granting wishes: what scripts are sent, and what the history says of it."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.driver import Driver
from testbed.history import History
from testbed.observer import NoQuiet, Observer
from testbed.script import (
    Again,
    Answer,
    BadScript,
    Book,
    Buy,
    Cancel,
    Cut,
    Evict,
    Expect,
    ExpectBook,
    ExpectTrades,
    FillDisk,
    FreeDisk,
    Kill,
    Mend,
    Pause,
    Quiet,
    Restart,
    Script,
    Sell,
    Show,
    Skew,
    Start,
    Stop,
    Together,
    Trades,
    UntilTrades,
    Wait,
    Weather,
    Wish,
)
from tests.testbed.little import LittleCluster

BID = Buy("peer-1", "2", "X", at="100")


async def grant(driver: Driver, *wishes: Wish) -> list[Any]:
    """Play a script that makes these wishes one after the other, and return what it was sent."""

    def script() -> Script:
        answers = []
        for wish in wishes:
            answers.append((yield wish))
        return answers

    answers: list[Any] = await driver.play(script())
    return answers


async def test_an_evicted_peer_is_waited_for_no_more_also_when_it_is_back(
    driver: Driver, observer: Observer, history: History
) -> None:
    evicted, refused = await grant(driver, Evict("peer-2", at="peer-1"), Evict("peer-1", at="peer-1"))
    assert (evicted.outcome, evicted.value["state"], refused.outcome) == ("ok", "fenced", "fail")
    assert [operation.asked["peerId"] for operation in history.operations()] == ["peer-2", "peer-1"]
    assert "peer-2" not in observer.living
    assert "peer-1" in observer.living
    await observer.up("peer-2")
    assert "peer-2" not in observer.living


async def test_a_submission_is_answered_with_the_order_and_recorded(driver: Driver, history: History) -> None:
    (bid,) = await grant(driver, BID)
    (operation,) = history.operations()
    assert (bid.outcome, bid.order_id) == ("ok", "peer-1-1")
    assert (operation.what, operation.outcome, operation.peer) == ("submit", "ok", "peer-1")
    assert operation.asked["order"]["clientId"] == "client"
    assert operation.answer["id"] == "peer-1-1"


async def test_every_submission_has_a_label_of_its_own_and_again_repeats_it(driver: Driver, history: History) -> None:
    first, _ = await grant(driver, BID, BID)
    await grant(driver, Again(first))
    labels = [operation.asked["order"]["clientOrderId"] for operation in history.operations()]
    assert labels == ["order-1", "order-2", "order-1"]


async def test_a_refusal_surely_had_no_effect(driver: Driver, history: History) -> None:
    (bid,) = await grant(driver, BID)
    (refused,) = await grant(driver, Cancel(bid))
    assert (refused.outcome, refused.why, refused.order_id) == ("fail", "ERR_UNKNOWN_ORDER: there is none", None)
    assert history.operations()[-1].error == "ERR_UNKNOWN_ORDER: there is none"


async def test_an_answer_that_makes_no_sense_is_unknown(driver: Driver, little: LittleCluster) -> None:
    little.talks_nonsense = True
    (bid,) = await grant(driver, BID)
    assert (bid.outcome, bid.why) == ("info", "the answer makes no sense: {'type': 'WHAT'}")


async def test_reading_needs_no_owner(driver: Driver) -> None:
    (bid,) = await grant(driver, BID)
    shown, trades, book = await grant(driver, Show("peer-2", bid), Trades("peer-2", "X"), Book("peer-2", "X"))
    assert (shown.value["id"], trades.value, len(book.value["buyOrders"])) == ("peer-1-1", [], 1)


async def test_trades_are_asked_for_whole_or_up_to_the_latest_so_many(driver: Driver, history: History) -> None:
    await grant(driver, Trades("peer-2", "X"), Trades("peer-2", "X", latest=3))
    assert [operation.asked["limit"] for operation in history.operations()] == [10_000, 3]


async def test_together_gives_each_part_its_own_process_and_keeps_their_order(driver: Driver, history: History) -> None:
    def inner() -> Script:
        yield BID
        return "done"

    ((ask, done),) = await grant(driver, Together(Sell("peer-2", "1", "X", at="100"), inner()))
    assert (ask.order_id, done) == ("peer-2-1", "done")
    assert {operation.process for operation in history.operations()} == {"client.1", "client.2"}


async def test_a_killed_peer_does_not_answer_until_it_is_back(driver: Driver, history: History) -> None:
    _, lost, _, found = await grant(driver, Kill("peer-1"), BID, Restart("peer-1"), BID)
    assert (lost.order_id, found.outcome) == (None, "ok")
    assert [operation.what for operation in history.operations()] == ["kill", "submit", "restart", "submit"]


async def test_a_late_peer_is_started_by_its_script(driver: Driver) -> None:
    _, bid = await grant(driver, Start("peer-3"), Buy("peer-3", "1", "X", at="1"))
    assert bid.order_id == "peer-3-1"


async def test_what_was_left_frozen_is_healed(driver: Driver, history: History) -> None:
    await grant(driver, Pause("peer-2"))
    await driver.heal()
    assert [operation.what for operation in history.operations()] == ["pause", "resume"]
    assert history.hurt()["peer-2"][0][1] < float("inf")


async def test_all_that_was_hurt_is_healed_in_the_end_and_nothing_else(
    driver: Driver, little: LittleCluster, history: History
) -> None:
    wishes = (
        *(Cut("peer-1", "peer-2"), Cut("peer-1", "peer-2"), Cut("peer-2", "peer-1"), Mend("peer-2", "peer-1")),
        *(Weather(loss=0.5), Weather(loss=0.2), Skew("peer-1", 5.0), Skew("peer-2", 5.0), Skew("peer-2", 0.0)),
        FillDisk("peer-2"),
    )
    await grant(driver, *wishes)
    await driver.heal()
    healed = little.torments[len(wishes) :]
    mend = Mend("peer-1", "peer-2")
    assert healed == [mend, mend, Weather(), Skew("peer-1", 0.0), FreeDisk("peer-2")]
    await driver.heal()
    assert little.torments == [*wishes, *healed]
    assert [operation.what for operation in history.operations()][-2:] == ["skew", "free_disk"]


async def test_a_peer_whose_disk_is_full_counts_as_down_until_its_restart(
    driver: Driver, observer: Observer, history: History
) -> None:
    await grant(driver, FillDisk("peer-1"), FreeDisk("peer-1"))
    assert list(observer.living) == ["peer-2"]
    await grant(driver, Restart("peer-1"))
    assert "peer-1" in observer.living
    assert history.hurt()["peer-1"][0][1] < float("inf")


async def test_a_peer_that_is_asked_to_end_must_end_well(
    driver: Driver, little: LittleCluster, history: History
) -> None:
    await grant(driver, Stop("peer-1"), Restart("peer-1"))
    little.exit_code = 137
    await grant(driver, Stop("peer-1"))
    well, _, badly = history.operations()
    assert (well.what, well.outcome) == ("stop", "ok")
    assert (badly.outcome, badly.error) == ("fail", "peer-1 was asked to end, and ended with exit code 137")


async def test_time_passes_as_long_as_it_is_wished(driver: Driver, history: History) -> None:
    await grant(driver, Wait(0.0))
    assert history.operations() == []


@pytest.mark.parametrize("wish", [Restart("peer-1"), Start("peer-1"), Pause("peer-3"), Kill("peer-3"), Stop("peer-3")])
async def test_a_fault_that_cannot_be_is_the_scripts_mistake(driver: Driver, wish: Wish) -> None:
    with pytest.raises(BadScript):
        await grant(driver, wish)


async def test_a_peer_that_comes_back_as_another_is_recorded(
    driver: Driver, little: LittleCluster, history: History
) -> None:
    await grant(driver, Kill("peer-1"))
    little.ids["peer-1"] = "stranger"
    await grant(driver, Restart("peer-1"))
    assert history.operations()[-1].error == "peer-1 was peer-1 and came back as stranger"


async def test_expectations_are_asked_of_every_living_peer_and_judged_by_nobody_here(
    driver: Driver, history: History
) -> None:
    (bid,) = await grant(driver, BID)
    wishes = Expect(bid, filled="7"), ExpectTrades("X", [("1", "2")]), ExpectBook("X", buys=[("2", "100")])
    await grant(driver, *wishes)
    *_, order, trades, book = history.operations()
    assert order.asked == {"id": "peer-1-1", "filled": "7", "remaining": None, "status": None}
    assert set(order.answer) == set(trades.answer) == set(book.answer) == {"peer-1", "peer-2"}
    assert (trades.asked["trades"], book.asked["sells"]) == ([("1", "2")], [])


async def test_nothing_is_looked_at_before_it_is_quiet(driver: Driver, little: LittleCluster, history: History) -> None:
    (bid,) = await grant(driver, BID)
    little.in_doubt = ["a fill"]
    with pytest.raises(NoQuiet):
        await grant(driver, Expect(bid, filled="0"))
    assert [(operation.what, operation.outcome) for operation in history.operations()][-1] == ("quiet", "info")


async def test_an_expectation_of_an_order_that_was_refused_fails(driver: Driver, history: History) -> None:
    refused = Answer("peer-1", {}, "fail", why="ERR_INVALID_PRICE: no")
    await grant(driver, Expect(refused, filled="1"))
    assert (history.operations()[-1].what, history.operations()[-1].outcome) == ("expect_order", "fail")


async def test_waiting_for_trades_ends_when_they_are_seen(
    driver: Driver, little: LittleCluster, history: History
) -> None:
    little.trades = [{"id": "a-1"}]
    await grant(driver, UntilTrades("peer-2", "X", count=1), Quiet())
    with pytest.raises(NoQuiet, match="peer-2 sees 2 trades of X"):
        await grant(driver, Together(UntilTrades("peer-2", "X", count=2), BID))
    assert [operation.outcome for operation in history.operations() if operation.what == "until_trades"] == [
        "ok",
        "info",
    ]
