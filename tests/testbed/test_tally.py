"""A run in numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from testbed.history import History
from testbed.tally import tally
from tests.testbed.world import World


def test_fills_are_counted_and_those_apart_that_fell_into_a_fault() -> None:
    world = World()
    bid = world.place("peer-1", "buy", "10", "100")
    for fault in ("kill", "restart", "pause", "resume"):
        world.say(fault, "ok", {"peer": "peer-3"})
        ask = world.place("peer-2", "sell", "1", "100")
        world.fill(ask, bid, "1", taker_left="0", maker_left="9")
    # The world's one clock counts microseconds in ledgers, and seconds in the history.
    events = [replace(event, time_s=event.time_s / 1e6) for event in world.history.events]
    found = tally(History(events=events), world.evidence(), began_s=0.0)
    assert (found.accepted, found.fills, found.fills_under_fault) == (5, 4, 2)
    assert found.faults == Counter({"kill": 1, "pause": 1})


def test_what_was_refused_or_traded_within_a_peer_is_no_fill_across_peers() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "1", "100"), world.place("peer-2", "sell", "2", "100")
    own = world.place("peer-1", "sell", "1", "100")
    world.trade(own, bid, "1", "0", "0")
    world.fill(ask, bid, "0", taker_left="2", maker_left="0")
    found = tally(world.history, world.evidence(), 0.0)
    assert (found.fills, found.refused, found.within) == (0, 1, 1)


def test_the_ledgers_tell_what_became_of_the_unanswered() -> None:
    world = World()
    order = world.place("peer-1", "buy", "1", "100", clientId="client", clientOrderId="order-1")
    world.submit(order, "order-1", "info", "no reply in time")
    world.submit(order, "order-2", "info", "no reply in time")
    world.say("cancel", "info", {"peer": "peer-1", "id": order.id})
    found = tally(world.history, world.evidence(), 0.0)
    assert found.resolved == Counter(
        {
            "submit without an answer, had happened": 1,
            "submit without an answer, had not happened": 1,
            "cancel without an answer, had not happened": 1,
        }
    )


def test_what_became_of_the_unanswered_is_told_by_the_peer_that_was_asked() -> None:
    world = World()
    order = world.place("peer-1", "buy", "1", "100", clientId="client", clientOrderId="order-1")
    world.write("peer-1", "ORDER_CANCELLED", {"id": order.id, "remaining": "0"})
    label = {"clientId": "client", "clientOrderId": "order-1"}
    world.say("submit", "info", {"peer": "peer-2", "order": label}, {"error": "no reply in time"})
    world.say("cancel", "info", {"peer": "peer-2", "id": order.id}, {"error": "no reply in time"})
    found = tally(world.history, world.evidence(), 0.0)
    assert set(found.resolved) == {
        "submit without an answer, had not happened",
        "cancel without an answer, had not happened",
    }


def test_good_weather_and_a_right_clock_are_no_faults() -> None:
    world = World()
    calm = {"loss": 0.0, "duplication": 0.0, "soonest_s": 0.0002, "latest_s": 0.002}
    for weather in ({**calm, "loss": 0.3}, calm):
        world.say("weather", "ok", weather)
    for ahead_s in (3.0, 0.0):
        world.say("skew", "ok", {"peer": "peer-1", "ahead_s": ahead_s})
    for what in ("cut", "mend"):
        world.say(what, "ok", {"sender": "peer-1", "receiver": "peer-2"})
    world.say("kill", "ok", {"peer": "grape-1"})
    found = tally(world.history, world.evidence(), 0.0)
    assert found.faults == Counter({"weather": 1, "skew": 1, "cut": 1, "kill of a Grape": 1})
    assert found.rows()["faults: cut"] == 1
