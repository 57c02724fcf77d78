"""To fill or to kill: whole or not at all over several owners, whoever falls silent, restarts or lies."""

from __future__ import annotations

from typing import Any

from peer.events import FillOpened
from peer.node import Failed, Tick
from tests.peer.actors import ITEM, NOW_US, Author, Peer, acquainted, answer_under_way, filled, talk

LATER_US = NOW_US + 2_000
FOK: dict[str, Any] = {"timeInForce": "FOK"}


def offered(*quantities: int) -> tuple[Peer, list[Author], list[str]]:
    """A peer that sees one sell order at 10 of each of some authors: the peer, the authors, the makers."""
    peer, authors = Peer(1), [Author(number) for number in range(2, 2 + len(quantities))]
    makers = [author.place("sell", 10, quantity) for author, quantity in zip(authors, quantities, strict=True)]
    for author in authors:
        author.tell(peer)
        answer_under_way(peer, author)
    return peer, authors, makers


def held(quantity: str = "5") -> tuple[Peer, Author, str, FillOpened]:
    """A peer that holds a maker of its own, 5 at 10, for an author's order of so much: peer, author, maker, fill."""
    peer, author = Peer(1), Author(2)
    maker = peer.submit("sell", "10", "5")
    taker = author.place("buy", 10, int(quantity), time=NOW_US + 1_000, time_in_force="FOK")
    fill = author.open_fill(taker, maker, int(quantity), 10, time=NOW_US + 1_001, hold=True)
    author.tell(peer)
    return peer, author, maker, fill


def ends(peer: Peer) -> list[str]:
    """What the peer's own fills were closed with."""
    return [event["granted"] for event in peer.events("FILL_CLOSED")]


def test_it_is_filled_from_several_owners_or_its_own_all_in_one_commit() -> None:
    one, two, three = acquainted(1, 2, 3)
    makers = one.submit("sell", "10", "2"), two.submit("sell", "11", "3")
    talk(one, two, three)
    own = three.submit("sell", "12", "4")
    taker = three.submit("buy", "12", "8", **FOK)
    talk(one, two, three)
    for peer in (one, two, three):
        assert filled(peer, *makers, own, taker) == [("2", "0"), ("3", "0"), ("3", "1"), ("8", "0")]
        assert peer.status()["inDoubt"] == []
        assert len(peer.ask({"type": "GET_TRADES"})["trades"]) == 3
    assert [event["held"] for peer in (one, two) for event in peer.events("FILL_HELD")] == ["2", "3"]
    assert [event["granted"] for peer in (one, two) for event in peer.events("FILL_GRANTED")] == ["2", "3"]


def test_what_the_book_cannot_fill_is_killed_at_once_and_nobody_is_asked() -> None:
    peer, _, _ = offered(2, 2)
    taker = peer.submit("buy", "10", "5", **FOK)
    assert peer.order(taker)["status"] == "expired"
    assert [event["type"] for event in peer.events()] == ["ORDER_PLACED", "ORDER_CANCELLED"]


def test_it_is_killed_whole_if_one_owner_holds_less_than_it_showed() -> None:
    peer, (one, two), (first, second) = offered(2, 3)
    taker = peer.submit("buy", "10", "5", **FOK)
    fills = {event["maker"]: event["fillId"] for event in peer.events("FILL_OPENED")}
    one.hold(fills[first], taker, first, 2, price=10)
    one.tell(peer)
    assert ends(peer) == []
    two.hold(fills[second], taker, second, 1, price=10)
    two.tell(peer)
    assert ends(peer) == ["0", "0"]
    assert filled(peer, taker) == [("0", "0")]
    assert peer.order(taker)["status"] == "expired"


def test_an_own_maker_makes_up_for_what_another_owner_no_longer_has() -> None:
    peer, (author,), (maker,) = offered(3)
    own = peer.submit("sell", "11", "9")
    taker = peer.submit("buy", "11", "5", **FOK)
    (fill,) = peer.events("FILL_OPENED")
    author.hold(fill["fillId"], taker, maker, 1, price=10)
    author.tell(peer)
    assert ends(peer) == ["1"]
    assert filled(peer, own, taker) == [("4", "5"), ("5", "0")]


def test_it_gives_up_when_an_owner_falls_silent() -> None:
    peer, (one, two), (first, _) = offered(2, 3)
    taker = peer.submit("buy", "10", "5", **FOK)
    one.hold(peer.events("FILL_OPENED")[0]["fillId"], taker, first, 2, price=10)
    one.tell(peer)
    for _ in range(3):
        peer.receive(Failed(two.id))
    assert ends(peer) == ["0", "0"]
    assert peer.order(taker)["status"] == "expired"
    assert peer.status()["inDoubt"] == []


def test_it_gives_up_after_a_restart() -> None:
    before, (author,), (maker,) = offered(5)
    taker = before.submit("buy", "10", "5", **FOK)
    peer = before.restarted()
    assert ends(peer) == ["0"]
    author.hold(peer.events("FILL_OPENED")[0]["fillId"], taker, maker, 5, price=10)
    author.tell(peer)
    assert filled(peer, taker) == [("0", "0")]
    assert len(peer.events("ORDER_CANCELLED")) == 1


def test_its_client_may_cancel_it_until_it_is_decided() -> None:
    peer, (author,), (maker,) = offered(5)
    taker = peer.submit("buy", "10", "5", **FOK)
    shown = peer.ask({"type": "CANCEL_ORDER", "id": taker})["order"]
    assert (shown["status"], shown["quantity"]) == ("cancelled", "0")
    author.hold(peer.events("FILL_OPENED")[0]["fillId"], taker, maker, 5, price=10)
    author.tell(peer)
    assert ends(peer) == ["0"]


def test_while_it_waits_it_can_be_neither_reduced_nor_replaced() -> None:
    peer, _, _ = offered(3)
    peer.submit("sell", "10", "9")
    taker = peer.submit("buy", "10", "5", **FOK)
    new = {"item": ITEM, "type": "buy", "price": "10", "quantity": "1"}
    assert peer.ask({"type": "REDUCE_ORDER", "id": taker, "quantity": "4"}).startswith("ERR_RESERVED")
    assert peer.ask({"type": "REPLACE_ORDER", "id": taker, "order": new}).startswith("ERR_RESERVED")


def test_what_is_held_is_reserved_and_shown_until_the_taker_decides() -> None:
    peer, _, maker, fill = held("3")
    shown = peer.order(maker)
    assert (shown["quantity"], shown["reservedQuantity"], shown["filledQuantity"]) == ("5", "3", "0")
    assert [(doubt["fillId"], doubt["quantity"]) for doubt in peer.status()["inDoubt"]] == [(fill.fill_id, "3")]
    assert filled(peer, peer.submit("buy", "10", "5")) == [("2", "3")]


def test_neither_a_restart_nor_time_releases_what_is_held() -> None:
    before, author, maker, fill = held()
    peer = before.restarted(after_s=3_600.0)
    peer.receive(Tick())
    assert peer.order(maker)["status"] == "in_doubt"
    assert filled(peer, peer.submit("buy", "10", "5")) == [("0", "5")]
    author.close(fill, 5, price=10, remaining=0, at=LATER_US)
    author.tell(peer)
    assert filled(peer, maker) == [("5", "0")]


def test_the_takers_decision_is_done_once() -> None:
    for granted, end in ((5, ("5", "0")), (0, ("0", "5"))):
        peer, author, maker, fill = held()
        author.close(fill, granted, price=10, remaining=5 - granted, at=LATER_US)
        author.tell(peer)
        author.tell(peer)
        assert filled(peer, maker) == [end]
        assert [event["granted"] for event in peer.events("FILL_GRANTED")] == [str(granted)]
        assert peer.status()["inDoubt"] == []
        assert peer.restarted().order(maker)["filledQuantity"] == end[0]


def test_what_was_given_up_before_it_was_asked_is_never_held() -> None:
    peer, author = Peer(1), Author(2)
    maker = peer.submit("sell", "10", "5")
    taker = author.place("buy", 10, 5, time=NOW_US + 1_000, time_in_force="FOK")
    fill = author.open_fill(taker, maker, 5, 10, time=NOW_US + 1_001, hold=True)
    author.close(fill, 0, price=10, remaining=5, at=LATER_US)
    author.tell(peer)
    assert peer.events("FILL_HELD", "FILL_GRANTED") == []
    assert peer.order(maker)["reservedQuantity"] == "0"


def test_of_a_cancelled_maker_only_what_is_held_may_still_trade() -> None:
    for granted, end in ((3, ("3", "0")), (0, ("0", "0"))):
        peer, author, maker, fill = held("3")
        assert peer.ask({"type": "CANCEL_ORDER", "id": maker})["order"]["status"] == "cancelling"
        author.close(fill, granted, price=10, remaining=3 - granted, at=LATER_US)
        author.tell(peer)
        assert filled(peer, maker) == [end]
        assert peer.order(maker)["status"] == "cancelled"


def test_a_decision_of_another_quantity_than_is_held_changes_nothing_and_is_shown() -> None:
    peer, author, maker, fill = held()
    author.close(fill, 4, price=10, remaining=1, at=LATER_US)
    author.tell(peer)
    assert peer.order(maker)["reservedQuantity"] == "5"
    assert "not as held" in peer.contact(author.id)["refused"]
    assert peer.restarted().order(maker)["reservedQuantity"] == "5"


def test_it_is_killed_rather_than_trade_with_its_own_client() -> None:
    peer = Peer(1)
    peer.submit("sell", "10", "5", clientId="anna")
    peer.submit("sell", "11", "5")
    terms = {**FOK, "clientId": "anna", "selfTradePrevention": "CANCEL_NEWEST"}
    taker = peer.submit("buy", "11", "7", **terms)
    assert (peer.order(taker)["status"], peer.order(taker)["reason"]) == ("cancelled", "self_trade")
    assert peer.events("ORDERS_TRADED") == []
