"""Checkers of what clients were told: a broken word is rejected, a doubtful one is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from testbed.promises import answered, durable, exactly_once, expected
from testbed.script import Outcome
from tests.testbed.world import IDS, Placed, World

LOST = Placed(f"{IDS['peer-1']}-9", "peer-1", "X", "buy", "100", "10")


def labelled(world: World, label: str = "order-1", peer: str = "peer-1") -> Placed:
    return world.place(peer, "buy", "10", "100", clientId="client", clientOrderId=label)


def labelled_as(label: str) -> dict[str, str]:
    return {"clientId": "client", "clientOrderId": label}


def test_an_acknowledged_order_that_no_ledger_has_is_lost() -> None:
    world = World()
    world.submit(LOST)
    verdict = durable(world.history, world.evidence())
    assert (verdict.kind, verdict.sentence) == ("violated", "the order peer-1-9 was acknowledged, but no ledger has it")


def test_an_order_that_was_never_acknowledged_may_be_missing() -> None:
    outcomes: list[Outcome] = ["fail", "info"]
    for outcome in outcomes:
        world = World()
        world.submit(LOST, outcome=outcome, error="the connection was lost")
        assert durable(world.history, world.evidence()).kind == "valid"


def test_what_a_peer_took_with_it_is_unknown() -> None:
    world = World()
    world.submit(LOST)
    verdict = durable(world.history, world.evidence(living=("peer-2", "peer-3")))
    assert (verdict.kind, "peer-1 is gone" in verdict.sentence) == ("unknown", True)


def test_an_acknowledged_order_must_be_kept_as_it_was() -> None:
    world = World()
    order = labelled(world)
    world.submit(replace(order, price="101"))
    assert "was acknowledged as ('X', 'buy', Decimal('101')" in durable(world.history, world.evidence()).sentence


def test_an_acknowledged_order_must_be_kept_under_its_label() -> None:
    world = World()
    world.submit(labelled(world, "order-1"), "order-2")
    verdict = durable(world.history, world.evidence())
    assert verdict.sentence == "client order-2 was acknowledged as peer-1-1, its ledger says client order-1"


def test_a_peer_must_not_acknowledge_what_is_asked_of_an_order_of_another() -> None:
    for what in ("submit", "cancel", "reduce", "replace"):
        world = World()
        order = labelled(world)
        world.submit(order)
        asked = {"peer": "peer-2", "id": order.id, "quantity": "10", "order": labelled_as("order-1")}
        world.say(what, "ok", asked, order.shown(quantity="10"))
        verdict = durable(world.history, world.evidence())
        assert f"peer-2 acknowledged a {what} of peer-1-1, which is not its own" in verdict.evidence


def test_an_acknowledged_cancel_must_be_kept() -> None:
    world = World()
    order = world.place("peer-1", "buy", "10", "100")
    world.say("cancel", "ok", {"peer": "peer-1", "id": order.id}, order.shown())
    assert durable(world.history, world.evidence()).kind == "violated"
    world.write("peer-1", "ORDER_CANCELLED", {"id": order.id, "remaining": "0"})
    assert durable(world.history, world.evidence()).kind == "valid"


def test_a_fill_that_a_client_saw_must_be_kept() -> None:
    bid, ask = LOST.id, f"{IDS['peer-2']}-1"
    fill = f"{IDS['peer-2']}-2"
    trade = {"id": fill, "makerOrderId": bid, "takerOrderId": ask}
    matched = LOST.shown(matchedOrders=[{"id": fill, "orderId": ask}])
    answers: list[tuple[str, Any]] = [
        ("trades", [trade]),
        ("show", matched),
        ("book", {"buyOrders": [matched], "sellOrders": []}),
        ("expect_order", {"peer-3": matched}),
    ]
    for what, answer in answers:
        world = World()
        world.say(what, "ok", {"peer": "peer-1", "id": bid}, answer)
        verdict = durable(world.history, world.evidence())
        assert verdict.sentence == "the fill peer-2-2 was shown to a client, but no ledger has it", what
        assert durable(world.history, world.evidence(living=("peer-2",))).kind == "unknown"


def test_a_peer_that_comes_back_as_another_has_lost_everything() -> None:
    world = World()
    world.say("restart", "fail", {"peer": "peer-1"}, {"error": "peer-1 was a and came back as b"})
    assert durable(world.history, world.evidence()).sentence == "peer-1 was a and came back as b"


def test_one_client_order_id_must_not_make_two_orders() -> None:
    world = World()
    labelled(world)
    labelled(world)
    verdict = exactly_once(world.history, world.evidence())
    assert verdict.sentence == "peer-1 placed client's order order-1 2 times"


def test_two_peers_may_be_given_the_same_client_order_id() -> None:
    world = World()
    world.submit(labelled(world))
    world.submit(labelled(world, peer="peer-2"))
    assert exactly_once(world.history, world.evidence()).kind == "valid"


def test_one_client_order_id_must_not_get_two_answers() -> None:
    world = World()
    world.submit(labelled(world, "order-1"), "order-1")
    world.submit(labelled(world, "order-2"), "order-1")
    assert (
        "answered client order-1 with peer-1-1 and then peer-1-2"
        in exactly_once(world.history, world.evidence()).sentence
    )


def test_an_order_must_be_asked_for_as_it_is() -> None:
    world = World()
    labelled(world)
    assert exactly_once(world.history, world.evidence()).sentence == (
        "nobody has asked for peer-1-1 as its ledger has it"
    )
    outcomes: list[Outcome] = ["ok", "info"]
    for outcome in outcomes:
        world = World()
        world.submit(replace(labelled(world), quantity="11"), outcome=outcome)
        assert exactly_once(world.history, world.evidence()).kind == "violated"
        world = World()
        world.submit(labelled(world), outcome=outcome)
        assert exactly_once(world.history, world.evidence()).kind == "valid"


def test_a_cancel_must_be_asked_for_unless_its_owner_says_why() -> None:
    world = World()
    order = labelled(world)
    world.submit(order)
    world.write("peer-1", "ORDER_CANCELLED", {"id": order.id, "remaining": "0", "reason": "expired"})
    assert exactly_once(world.history, world.evidence()).kind == "valid"
    world = World()
    order = labelled(world)
    world.submit(order)
    world.write("peer-1", "ORDER_CANCELLED", {"id": order.id, "remaining": "0"})
    assert exactly_once(world.history, world.evidence()).sentence == "nobody has asked to cancel peer-1-1"
    world.say("cancel", None, {"peer": "peer-1", "id": order.id})
    assert exactly_once(world.history, world.evidence()).kind == "valid"


def test_a_change_that_was_asked_of_the_wrong_peer_was_asked_of_nobody() -> None:
    for what, event in (("cancel", "ORDER_CANCELLED"), ("reduce", "ORDER_REDUCED")):
        world = World()
        order = labelled(world)
        world.submit(order)
        world.write("peer-1", event, {"id": order.id, "remaining": "0"})
        world.say(what, "info", {"peer": "peer-2", "id": order.id, "quantity": "1"}, {"error": "no reply in time"})
        assert exactly_once(world.history, world.evidence()).sentence == f"nobody has asked to {what} peer-1-1"
        world.say(what, "info", {"peer": "peer-1", "id": order.id, "quantity": "1"}, {"error": "no reply in time"})
        assert exactly_once(world.history, world.evidence()).kind == "valid"


def test_a_fill_must_be_decided_once() -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    fill = world.open(ask, bid, "2")
    world.grant(fill, ask, bid, "2", "8")
    world.grant(fill, ask, bid, "2", "6")
    assert exactly_once(world.history, world.evidence()).sentence == "fill peer-2-2 was granted 2 times"


def test_a_refused_order_must_not_be_placed() -> None:
    world = World()
    world.submit(labelled(world), outcome="fail", error="ERR_BUSY: later")
    assert "which it had refused" in exactly_once(world.history, world.evidence()).sentence


def test_what_one_peer_refused_must_not_be_placed_there_though_another_has_accepted_it() -> None:
    world = World()
    refused = labelled(world)
    world.submit(refused, outcome="fail", error="ERR_BUSY: later")
    world.submit(labelled(world, peer="peer-2"))
    sentence = exactly_once(world.history, world.evidence()).sentence
    assert sentence == "peer-1 placed client order-1, which it had refused: ERR_BUSY: later"


def test_a_doubtful_order_may_be_placed() -> None:
    world = World()
    order = labelled(world)
    world.submit(order, outcome="info", error="the connection was lost")
    world.submit(order, outcome="fail", error="no connection")
    assert exactly_once(world.history, world.evidence()).kind == "valid"


def test_a_living_peer_must_answer() -> None:
    wrong: list[tuple[Outcome, str]] = [("info", "timeout"), ("fail", "no connection"), ("info", "ERR_INTERNAL: a bug")]
    for outcome, error in wrong:
        world = World()
        world.say("show", outcome, {"peer": "peer-1", "id": "a-1"}, {"error": error})
        assert answered(world.history, world.evidence()).sentence == f"peer-1 did not answer show #1: {error}"


def test_a_refusal_is_an_answer() -> None:
    world = World()
    world.say("show", "fail", {"peer": "peer-1", "id": "a-1"}, {"error": "ERR_UNKNOWN_ORDER: no"})
    assert answered(world.history, world.evidence()).kind == "valid"


def test_a_peer_that_is_down_for_a_part_of_a_request_owes_no_answer() -> None:
    world = World()
    number = world.history.invoke("client", "show", {"peer": "peer-1"}, 0.5)
    world.say("kill", "ok", {"peer": "peer-1"})
    world.history.end(number, "client", "show", "info", {"error": "lost"}, 1.2)
    world.say("restart", "ok", {"peer": "peer-1"})
    assert answered(world.history, world.evidence()).kind == "valid"
    world.say("show", "info", {"peer": "peer-1"}, {"error": "lost"})
    assert answered(world.history, world.evidence()).kind == "violated"


def test_an_order_that_is_not_as_expected_is_found_on_the_peer_that_shows_it() -> None:
    world = World()
    order = world.place("peer-1", "buy", "10", "100")
    asked = {"id": order.id, "filled": "4.0", "remaining": None, "status": None}
    right, wrong = order.shown(filledQuantity="4"), order.shown(filledQuantity="3")
    world.say("expect_order", "ok", asked, {"peer-1": right, "peer-2": wrong})
    verdict = expected(world.history, world.evidence())
    assert verdict.evidence == ("peer-2 shows peer-1-1 with 3 filled, expected 4.0",)


def test_a_status_that_is_not_as_expected_is_found() -> None:
    world = World()
    order = world.place("peer-1", "buy", "10", "100")
    world.say("expect_order", "ok", {"id": order.id, "status": "filled"}, {"peer-3": order.shown()})
    assert "peer-3 shows peer-1-1 as open, expected filled" in expected(world.history, world.evidence()).evidence


def test_trades_may_come_in_any_order_and_books_may_not() -> None:
    world = World()
    levels = [["1", "101"], ["2", "100"]]
    turned = [{"quantity": "2", "price": "100"}, {"quantity": "1", "price": "101.0"}]
    world.say("expect_trades", "ok", {"item": "X", "trades": levels}, {"peer-1": turned})
    assert expected(world.history, world.evidence()).kind == "valid"
    book = {"buyOrders": turned, "sellOrders": []}
    world.say("expect_book", "ok", {"item": "X", "buys": levels, "sells": []}, {"peer-1": book})
    verdict = expected(world.history, world.evidence())
    assert verdict.sentence == "peer-1 shows buy orders 2 at 100, 1 at 101, expected 1 at 101, 2 at 100"


def test_an_expectation_of_an_order_in_doubt_is_in_doubt() -> None:
    doubts: list[tuple[Outcome | None, str]] = [("info", "unknown"), ("fail", "violated"), (None, "unknown")]
    for outcome, kind in doubts:
        world = World()
        world.say("expect_order", outcome, {"id": None}, {"error": "the order has no id"} if outcome else None)
        assert expected(world.history, world.evidence()).kind == kind


def reduced(left: str, shown: str = "3") -> World:
    """An order of 10, said to be reduced to 3, and written to be reduced to what is left."""
    world = World()
    order = world.place("peer-1", "buy", "10", "100")
    world.write("peer-1", "ORDER_REDUCED", {"id": order.id, "remaining": left})
    world.say("reduce", "ok", {"peer": "peer-1", "id": order.id, "quantity": "3"}, order.shown(quantity=shown))
    return world


def test_an_acknowledged_reduction_stays_or_is_missed() -> None:
    assert durable(reduced("3").history, reduced("3").evidence()).kind == "valid"
    lost = durable(reduced("9").history, reduced("9").evidence())
    denied = durable(reduced("9").history, reduced("9", shown="9").evidence())
    assert denied.kind == "violated"
    assert (lost.kind, lost.sentence) == ("violated", "peer-1-1 was reduced to 3 in all, but no ledger has it")


def replaced(cancelled: bool, **terms: Any) -> World:
    """An order that was said to be replaced by another one."""
    world = World()
    old = world.place("peer-1", "buy", "10", "100")
    if cancelled:
        world.write("peer-1", "ORDER_CANCELLED", {"id": old.id, "remaining": "0", "reason": "replaced"})
    label: dict[str, Any] = {"clientId": "client", "clientOrderId": "order-2"}
    new = world.place("peer-1", "buy", "4", "100", **label, **terms)
    asked = {"peer": "peer-1", "id": old.id, "order": label}
    world.say("replace", "ok", asked, new.shown())
    return world


def test_an_acknowledged_replacement_cancels_the_one_and_places_the_other() -> None:
    old = replaced(True).evidence().lines()[0].event["id"]
    whole = replaced(True, replaces=old)
    assert durable(whole.history, whole.evidence()).kind == "valid"
    both = replaced(False, replaces=old)
    assert "which was not cancelled" in durable(both.history, both.evidence()).sentence
    alien = replaced(True)
    assert "its ledger does not say so" in durable(alien.history, alien.evidence()).sentence


def test_a_market_order_is_acknowledged_without_a_price() -> None:
    world = World()
    label = {"clientId": "c", "clientOrderId": "1"}
    terms = {"item": "X", "side": "buy", "quantity": "1", "timeInForce": "IOC"}
    id_ = world.write("peer-1", "ORDER_PLACED", {"id": ..., **terms, **label})
    stamp = [world.time, IDS["peer-1"]]
    shown = {"id": id_, "item": "X", "type": "buy", "originalQuantity": "1", "matchedOrders": [], "stamp": stamp}
    order = {"item": "X", "type": "buy", "quantity": "1", **label}
    world.say("submit", "ok", {"peer": "peer-1", "order": order}, shown)
    assert durable(world.history, world.evidence()).kind == "valid"
    assert exactly_once(world.history, world.evidence()).kind == "valid"


def test_a_reduction_that_nobody_asked_for_is_found_and_one_to_prevent_a_self_trade_is_not() -> None:
    def of(client: str, prevention: dict[str, Any]) -> str:
        world = World()
        order = world.place("peer-1", "buy", "10", "100", clientId="anna", clientOrderId="1")
        terms = {"item": "X", "type": "buy", "quantity": "10", "price": "100"}
        world.say("submit", None, {"peer": "peer-1", "order": {**terms, "clientId": "anna", "clientOrderId": "1"}})
        other: dict[str, Any] = {"clientId": client, "clientOrderId": "2", **prevention}
        world.place("peer-2", "sell", "4", "100", **other)
        terms = {"item": "X", "type": "sell", "quantity": "4", "price": "100"}
        world.say("submit", None, {"peer": "peer-2", "order": {**terms, **other}})
        world.write("peer-1", "ORDER_REDUCED", {"id": order.id, "remaining": "6"})
        return exactly_once(world.history, world.evidence()).kind

    assert of("anna", {"selfTradePrevention": "DECREMENT"}) == "valid"
    assert of("bert", {"selfTradePrevention": "DECREMENT"}) == "violated"
    assert of("anna", {}) == "violated"
