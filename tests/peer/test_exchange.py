"""What peers tell each other, what is asked again, and what an answer is worth."""

from __future__ import annotations

from peer.contacts import HEARTBEAT_S
from peer.messages import FillOrder, Ledger
from peer.node import Failed, Tick
from tests.peer.actors import (
    NOW_US,
    SOON_S,
    UNIT,
    Author,
    Peer,
    acquainted,
    answered,
    asking,
    decided,
    filled,
    fills,
    order_filled,
    talk,
)


def test_what_one_peer_accepts_all_see() -> None:
    peers = acquainted(1, 2, 3)
    id = peers[0].submit("buy", "10", "5")
    talk(*peers)
    assert len({str(peer.order(id)) for peer in peers}) == 1
    assert len({peer.status()["digest"] for peer in peers}) == 1


def test_an_owner_answers_a_newcomer_with_its_own_earlier_orders_that_cross() -> None:
    peer, author = Peer(1), Author(2)
    best, next_best, beyond = (peer.submit("sell", price, "2") for price in ("9", "10", "12"))
    newcomer = author.place("buy", 10, 3, time=NOW_US + 1_000)
    (matched,) = (m for m in author.tell(peer)["messages"] if m["type"] == "ORDER_MATCHED")
    assert matched["orderId"] == newcomer
    assert [(offer["id"], offer["available"]) for offer in matched["offers"]] == [(best, "2"), (next_best, "2")]
    assert beyond not in str(matched)
    assert peer.events("FILL_OPENED") == []


def test_an_unanswered_fill_is_asked_again_under_the_same_id_and_never_released() -> None:
    peer, author, _, taker, ask = asking()
    for _ in range(5):
        peer.outbox.clear()
        peer.receive(Failed(author.id))
        peer.now += 10 * HEARTBEAT_S
        author.tell(peer, first=10**6)
        peer.receive(Tick())
        assert [message["fillId"] for message in peer.sent(author.id, "FILL_ORDER")] == [ask["fillId"]]
    assert peer.order(taker)["reservedQuantity"] == "5"


def test_a_fill_that_was_asked_before_a_restart_is_asked_again_after_it() -> None:
    before, author, _, _, ask = asking()
    peer = before.restarted(after_s=1.0)
    author.tell(peer, first=10**6)
    peer.now += 0.01
    peer.receive(Tick())
    assert peer.sent(author.id, "FILL_ORDER") == [ask]


def test_a_repeated_fill_order_is_answered_by_the_written_decision() -> None:
    peer, author = Peer(1), Author(2)
    maker = peer.submit("sell", "9", "7")
    first, ask = decided(peer, author, maker, time=NOW_US + 1_000)
    for each in (peer, peer.restarted()):
        assert fills(author.tell(each, ask)) == first
        assert len(each.events("FILL_GRANTED")) == 1
        assert filled(each, maker) == [("5", "2")]


def test_a_fill_order_without_its_ledger_is_not_decided() -> None:
    peer, author = Peer(1), Author(2)
    maker = peer.submit("sell", "10", "5")
    fill = FillOrder(fill_id=f"{author.id}-2", maker=maker, taker=f"{author.id}-1", quantity=5 * UNIT, limit=10 * UNIT)
    assert fills(author.tell(peer, fill)) == []
    assert peer.events("FILL_GRANTED") == []


def test_a_decision_that_comes_by_ledger_through_a_third_peer_closes_the_fill() -> None:
    peer, author, maker, taker, ask = asking()
    author.grant(ask["fillId"], taker, maker, 5, price=10, remaining=0)
    third = Author(3)
    peer.hear(third.envelope(peer, Ledger(ledger=author.batch())))
    assert filled(peer, maker, taker) == [("5", "0"), ("5", "0")]
    assert peer.status()["inDoubt"] == []


def test_an_answer_counts_by_the_signed_entry_that_it_speaks_of() -> None:
    peer, author, _, _, ask = asking()
    author.grant(ask["fillId"], ask["taker"], ask["maker"], 5, price=10, remaining=0)
    peer.hear(author.envelope(peer, order_filled(ask, "5")))
    assert peer.events("FILL_CLOSED") == []
    peer.receive(answered(peer, author))
    peer.now += SOON_S
    peer.receive(Tick())
    (pull,) = peer.sent(author.id, "GET_LEDGER")
    assert (pull["peerId"], pull["after"]) == (author.id, 1)
