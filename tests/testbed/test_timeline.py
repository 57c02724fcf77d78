"""What happened when, and to which orders."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from testbed.accounts import Copy
from testbed.history import History
from testbed.script import Weather
from testbed.timeline import MAX_TEXT, arrows, bands, entry_rows, index, message_rows, operation_rows
from tests.testbed.world import IDS, World

LANES = {"peer-1": 0, "peer-2": 1, "peer-3": 2}


def traded() -> World:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    world.fill(ask, bid, "4", taker_left="0", maker_left="6")
    return world


def fault(history: History, what: str, time_s: float, **asked: Any) -> None:
    number = history.invoke("testbed", what, asked, time_s)
    history.end(number, "testbed", what, "ok", None, time_s + 0.5)


def message(*said: dict[str, Any], fate: str = "arrived") -> dict[str, Any]:
    ends = {"sender": "peer-1", "receiver": "peer-2", "sent_s": 1.0, "ended_s": 1.5, "fate": fate}
    return {**ends, "envelope": {"messages": list(said)}}


def test_every_entry_says_whom_it_concerns() -> None:
    found = index(traded().evidence())
    rows = entry_rows(found, LANES, 0.0, [])
    assert [(lane, sequence, type_, about) for lane, sequence, _, type_, about, _, _ in rows] == [
        (0, 1, "ORDER_PLACED", (0,)),
        (1, 1, "ORDER_PLACED", (1,)),
        (1, 2, "FILL_OPENED", (1, 0)),
        (0, 2, "FILL_GRANTED", (1, 0)),
        (1, 3, "FILL_CLOSED", (1, 0)),
    ]
    assert "peer-1-1" in rows[0][5]
    assert IDS["peer-1"] not in rows[0][5]


def test_an_entry_stands_at_its_owners_clock_unless_its_commit_was_seen() -> None:
    found = index(traded().evidence())
    owner = IDS["peer-1"]
    commits = [
        {"peer": peer, "owner": owner, "sequence": 1, "time_s": time_s}
        for peer, time_s in (("peer-1", 3.0), ("peer-2", 3.1), ("peer-2", 9.0))
    ]
    first, second, *_ = entry_rows(found, LANES, -1.0, commits)
    assert (first[2], first[6]) == (3.0, {1: 3.1})
    assert (second[2], second[6]) == (1.000002, {})


def test_arrows_lead_from_what_was_known_to_what_came_of_it() -> None:
    assert arrows(index(traded().evidence())) == [["known", 0, 2], ["asked", 2, 3], ["told", 3, 4]]


def test_a_second_decision_of_a_fill_is_an_arrow_too() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    fill = world.open(ask, bid, "4")
    world.grant(fill, ask, bid, "4", "6")
    world.grant(fill, ask, bid, "4", "2")
    assert [row for row in arrows(index(world.evidence())) if row[0] == "asked"] == [["asked", 2, 3], ["asked", 2, 4]]


def test_what_cannot_be_read_does_not_hide_the_rest() -> None:
    world = traded()
    world.write("peer-3", "GIFT", {"id": 7})
    evidence = world.evidence()
    for copies in evidence.ledgers.values():
        (gift,) = copies[IDS["peer-3"]].texts
        copies[IDS["peer-3"]] = Copy(IDS["peer-3"], ("{no entry", "[]", gift), (7, 8, 9))
    types = [row[3] for row in entry_rows(index(evidence), LANES, 0.0, [])]
    assert len(types) == 6
    assert types[-1] == "GIFT"


def test_a_submission_that_was_never_answered_is_tied_to_its_order_by_its_label() -> None:
    world = World()
    order = world.place("peer-1", "buy", "1", "100", clientId="client", clientOrderId="order-1")
    world.submit(order, outcome="info", error="timeout")
    world.say("cancel", None, {"peer": "peer-1", "id": order.id})
    submitted, cancelled = operation_rows(index(world.evidence()), world.history, LANES)
    assert submitted[1:4] == ["client", "submit", 0]
    assert (submitted[6], submitted[7]) == ("info", (0,))
    assert (cancelled[5], cancelled[7]) == (None, (0,))


def test_a_message_concerns_the_orders_of_all_that_it_carries() -> None:
    world = traded()
    found = index(world.evidence())
    fill = f"{IDS['peer-2']}-2"
    said: list[tuple[dict[str, Any], tuple[int, ...]]] = [
        ({"type": "ORDER_SUBMITTED", "ledger": {"peerId": IDS["peer-2"], "first": 1, "entries": 1}}, (1,)),
        ({"type": "ORDER_FILLED", "fillId": fill}, (1, 0)),
        ({"type": "ORDER_MATCHED", "orderId": "?", "offers": [{"id": f"{IDS['peer-1']}-1"}]}, (0,)),
    ]
    for each, about in said:
        (row,) = message_rows(found, [message(each)], LANES)
        assert (row[5], row[6]) == (about, each["type"])
    (twice,) = message_rows(found, [message(said[1][0], said[1][0], fate="lost")], LANES)
    assert twice[:5] == [0, 1, 1.0, 1.5, "lost"]
    assert twice[6] == "2 × ORDER_FILLED"
    (refused,) = message_rows(found, [{**message(), "envelope": None}], LANES)
    assert refused[6] == "refused"


@pytest.mark.parametrize(
    ("hurt", "healed"),
    [
        (("kill", {"peer": "peer-1"}), ("restart", {"peer": "peer-1"})),
        (("crash", {"peer": "peer-1", "point": "torn"}), ("restart", {"peer": "peer-1"})),
        (("pause", {"peer": "peer-2"}), ("resume", {"peer": "peer-2"})),
        (("cut", {"sender": "peer-1", "receiver": "peer-2"}), ("mend", {"sender": "peer-1", "receiver": "peer-2"})),
        (("weather", asdict(Weather(latest_s=0.5))), ("weather", asdict(Weather()))),
        (("fill_disk", {"peer": "peer-1"}), ("restart", {"peer": "peer-1"})),
        (("skew", {"peer": "peer-1", "ahead_s": 2.0}), ("skew", {"peer": "peer-1", "ahead_s": 0.0})),
    ],
)
def test_a_fault_lasts_until_it_is_healed(hurt: tuple[str, Any], healed: tuple[str, Any]) -> None:
    history = History()
    fault(history, hurt[0], 1.0, **hurt[1])
    fault(history, "restart", 1.6, peer="peer-3")
    (open_,) = bands(history, list(LANES), [])
    assert (open_[0], open_[2], open_[3]) == (hurt[0], 1.0, None)
    fault(history, healed[0], 2.0, **healed[1])
    (closed,) = bands(history, list(LANES), [])
    assert closed[3] == 2.5
    assert closed[1] == ([name for name in hurt[1].values() if name in LANES] or list(LANES))


def test_a_late_peer_is_missing_until_it_is_started() -> None:
    history = History()
    fault(history, "start", 3.0, peer="peer-3")
    assert bands(history, list(LANES), ["peer-3"]) == [["late", ["peer-3"], 0.0, 3.5, "not yet started"]]


def test_a_very_long_text_is_cut_and_says_so() -> None:
    told = index(World().evidence()).told(json.dumps("x" * 2 * MAX_TEXT))
    assert len(told) < MAX_TEXT + 50
    assert f"{2 * MAX_TEXT + 2} characters" in told
