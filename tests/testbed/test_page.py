"""What the page of a run is given."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testbed import page
from testbed.checkers import exit_code, judge
from testbed.page import Stored, page_of
from tests.testbed.world import IDS, NAMES, Placed, World


def stored(world: World, **other: Any) -> Stored:
    """A world as it would be stored, judged by the real checkers."""
    evidence = other.pop("evidence", None) or world.evidence()
    verdicts = judge(world.history, evidence)
    told = [{"name": v.name, "kind": v.kind, "sentence": v.sentence, "evidence": list(v.evidence)} for v in verdicts]
    about = {"name": "test", "title": "A test", "on": "simulation", "seed": 7, "command": "make replay SEED=7"}
    judgement = {"exit": exit_code(verdicts, evidence), "why": "", "verdicts": told}
    return Stored(
        {**about, "peers": list(NAMES), "late": [], "began_s": 0.0}, judgement, world.history, evidence, **other
    )


def ordered(world: World, peer: str, side: str, quantity: str, price: str) -> Placed:
    """Place an order that a client has submitted."""
    label = f"order-{world.time}"
    order = world.place(peer, side, quantity, price, clientId="client", clientOrderId=label)
    world.submit(order, label)
    return order


def overfilled() -> tuple[World, Placed]:
    """A world in which a fill is granted twice."""
    world = World()
    bid, ask = ordered(world, "peer-1", "buy", "10", "100"), ordered(world, "peer-2", "sell", "4", "99")
    world.grant(world.fill(ask, bid, "4", "0", "6"), ask, bid, "8", "0")
    return world, bid


def test_a_page_can_be_written_as_json_and_holds_all_that_happened() -> None:
    world = overfilled()[0]
    whole = json.loads(json.dumps(page_of(stored(world))))
    assert whole["about"]["command"] == "make replay SEED=7"
    assert whole["lanes"] == list(NAMES)
    assert [order[:8] for order in whole["orders"]] == [
        ["peer-1-1", "peer-1", "buy", "X", "100", "10", "12", "0"],
        ["peer-2-1", "peer-2", "sell", "X", "99", "4", "4", "0"],
    ]
    assert len(whole["entries"]) == 6


def test_a_violated_check_knows_the_orders_and_requests_that_it_speaks_of() -> None:
    world, bid = overfilled()
    world.say("submit", None, {"peer": bid.peer, "order": {"clientId": "client", "clientOrderId": "order-1"}})
    checks = {check["name"]: check for check in page_of(stored(world))["checks"]}
    assert checks["no_overfill"]["kind"] == "violated"
    assert checks["no_overfill"]["orders"] == [0]
    assert checks["exactly_once"]["orders"] == [1, 0]
    assert checks["answered"]["operations"] == [3]


def test_peers_that_show_the_same_book_share_a_column_and_a_difference_is_a_row() -> None:
    world = World()
    world.place("peer-1", "sell", "1", "101")
    world.place("peer-1", "sell", "2", "102")
    bid = world.place("peer-2", "buy", "3", "100")
    evidence = world.evidence()
    other = {**evidence.books["peer-3"]["X"], "buyOrders": [bid.shown(quantity="1", status="reserved", halted=True)]}
    evidence.books["peer-3"]["X"] = other
    (book,) = page_of(stored(world, evidence=evidence))["books"]
    assert book["peers"] == [["peer-1", "peer-2"], ["peer-3"]]
    assert book["rows"] == [
        ["sell", "peer-1-2", "102", ["2", "2"]],
        ["sell", "peer-1-1", "101", ["1", "1"]],
        ["buy", "peer-2-1", "100", ["3", "1 reserved, halted"]],
    ]


def test_of_a_long_book_the_differences_are_never_left_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "MAX_BOOK_ROWS", 2)
    world = World()
    for number in range(5):
        world.place("peer-1", "sell", "1", str(100 + number))
    evidence = world.evidence()
    shown = evidence.books["peer-2"]["X"]
    evidence.books["peer-2"]["X"] = {**shown, "sellOrders": shown["sellOrders"][:4]}
    (book,) = page_of(stored(world, evidence=evidence))["books"]
    assert ["sell", "peer-1-5", "104", ["1", None]] in book["rows"]
    assert (len(book["rows"]), book["left_off"]) == (2, 3)


def test_a_trade_tells_which_peers_do_not_show_it_once() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    world.fill(ask, bid, "4", "0", "6")
    evidence = world.evidence()
    evidence.trades["peer-3"]["X"] = []
    evidence.trades["peer-2"]["X"] *= 2
    (trade,) = page_of(stored(world, evidence=evidence))["trades"]
    assert trade["not_once"] == ["peer-2", "peer-3"]
    assert (trade["taker"], trade["maker"], trade["quantity"], trade["decided"]) == ("peer-2-1", "peer-1-1", "4", True)


def test_a_copy_that_parts_from_its_ledger_is_shown_beside_it() -> None:
    world = World()
    world.place("peer-1", "buy", "10", "100")
    world.journals["peer-3"][-1] = ("peer-1", world.ledgers["peer-1"][0].replace('"10"', '"11"'))
    (copy,) = page_of(stored(world))["copies"]
    assert (copy["holder"], copy["owner"], copy["sequence"]) == ("peer-3", "peer-1", 1)
    assert '"11"' in copy["here"]
    assert '"10"' in copy["there"]


def test_ledgers_that_make_no_sense_still_give_a_page() -> None:
    world = World()
    bid = world.place("peer-1", "buy", "10", "100")
    world.write("peer-1", "ORDER_CANCELLED", {"id": "nobody's", "remaining": "0"})
    shown = page_of(stored(world))
    assert shown["orders"][0][0] == "peer-1-1"
    assert bid.id not in json.dumps(shown["entries"])


@pytest.mark.parametrize(
    "line", ["Traceback (most recent call last):", '{"level": "critical"}', "ERROR Task exception was never retrieved"]
)
def test_panic_is_marked_in_logs_and_kept_however_long_they_are(line: str) -> None:
    lines = [line, *["all is well"] * (page.MAX_LOG_LINES + 5)]
    (log,) = page_of(stored(World(), logs={"peer-1": lines}))["logs"]
    assert log["lines"][0] == (line, True)
    assert [panic for _, panic in log["lines"]].count(True) == 1
    assert log["left_off"] == 5


def test_where_all_texts_are_too_much_those_of_violations_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    world = overfilled()[0]
    for _ in range(20):
        ordered(world, "peer-3", "buy", "1", "50")
    monkeypatch.setattr(page, "MAX_CHARACTERS", 1_500)
    rows = page_of(stored(world))["entries"]
    assert len(rows) == 26
    assert all(row[5] for row in rows[:6])
    assert rows[6][5] is None
    assert rows[-1][5] is not None


def test_a_grape_has_a_lane_only_where_it_was_hurt() -> None:
    world = World()
    number = world.history.invoke("testbed", "kill", {"peer": "grape-2"}, 1.0)
    world.history.end(number, "testbed", "kill", "ok", None, 1.5)
    shown = page_of(stored(world))
    assert shown["lanes"] == [*NAMES, "grape-2"]
    assert shown["bands"] == [["kill", ["grape-2"], 1.0, None, "kill grape-2"]]
    assert {peer["id"] for peer in shown["peers"]} == set(IDS.values())
