"""Peers that are silent, late, lying, forgetful or of a wild clock: what the others do about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from peer.contacts import HEARTBEAT_S, SILENT_AFTER_FAILURES
from peer.ledgers import MAX_SKEW_US, Amnesia
from peer.messages import GetLedger, Ledger, LedgerBatch
from peer.node import Answered, Tick
from peer.schema import MAX_BATCH, MAX_PEERS
from tests.peer.actors import (
    NOW_US,
    SOON_S,
    Author,
    Peer,
    acquainted,
    answer_under_way,
    filled,
    identity,
    opened,
    sealed,
    talk,
)


def test_the_orders_of_a_silent_peer_are_halted_and_not_asked_until_it_is_heard_again() -> None:
    one, two = acquainted(1, 2)
    maker = one.submit("sell", "10", "5")
    talk(one, two)
    for _ in range(SILENT_AFTER_FAILURES):
        two.now += 10 * HEARTBEAT_S
        talk(two)
    assert two.contact(one.id)["state"] == "silent"
    assert two.order(maker)["halted"] is True
    taker = two.submit("buy", "10", "5")
    assert two.events("FILL_OPENED") == []
    talk(two, one, now=two.now + 10 * HEARTBEAT_S)
    assert "halted" not in two.order(maker)
    assert filled(two, maker, taker) == filled(one, maker, taker) == [("5", "0"), ("5", "0")]


def test_a_late_joiner_is_told_everything_however_much_it_is() -> None:
    veteran = Peer(1)
    for _ in range(MAX_BATCH + 300):
        veteran.submit("buy", "10", "1")
    newcomer = Peer(2)
    newcomer.node.exchange.discover(veteran.id)
    talk(newcomer, veteran)
    assert newcomer.status()["digest"] == veteran.status()["digest"]


def test_a_ledger_whose_owner_is_gone_is_told_by_whoever_has_it() -> None:
    gone, witness = acquainted(1, 2)
    id = gone.submit("buy", "10", "5")
    talk(gone, witness)
    newcomer = Peer(3)
    newcomer.node.exchange.discover(witness.id)
    talk(newcomer, witness)
    talk(newcomer, witness, now=newcomer.now + 2 * HEARTBEAT_S)
    assert newcomer.order(id)["halted"] is True


def test_what_is_more_than_a_batch_is_told_without_waiting_for_a_heartbeat_each_time() -> None:
    gone, witness = acquainted(1, 2)
    for _ in range(2 * MAX_BATCH + 1):
        gone.submit("buy", "10", "1")
    talk(gone, witness)
    newcomer = Peer(3)
    newcomer.node.exchange.discover(witness.id)
    talk(newcomer, witness)
    talk(newcomer, witness, now=newcomer.now + 2 * HEARTBEAT_S)
    assert newcomer.status()["vector"] == witness.status()["vector"]


def test_a_gap_is_asked_for_and_filled() -> None:
    peer, author = Peer(1), Author(2)
    ids = [author.place("buy", 10, 1) for _ in range(3)]
    author.tell(peer, first=3)
    assert peer.ask({"type": "GET_ORDER", "id": ids[2]}).startswith("ERR_UNKNOWN_ORDER")
    answer_under_way(peer, author)
    peer.now += 2 * HEARTBEAT_S
    peer.receive(Tick())
    answer_under_way(peer, author)
    peer.now += 2 * HEARTBEAT_S
    peer.receive(Tick())
    assert peer.sent(author.id, "GET_LEDGER") == [{"type": "GET_LEDGER", "peerId": author.id, "after": 0}]
    peer.hear(author.envelope(peer, Ledger(ledger=author.batch())))
    assert [peer.order(id)["quantity"] for id in ids] == ["1", "1", "1"]


def test_a_peer_that_is_asked_for_a_ledger_it_has_not_answers_none() -> None:
    peer, author = Peer(1), Author(2)
    answer = author.tell(peer, GetLedger(peer_id=identity(7).peer_id))
    assert answer["messages"] == [{"type": "LEDGER"}]


def test_a_forged_ledger_is_shown_as_refused_and_trading_goes_on() -> None:
    peer, author = Peer(1), Author(2)
    author.place("sell", 10, 1)
    forged = author.batch().model_copy(update={"signature": "00" * 64})
    peer.hear(author.envelope(peer, Ledger(ledger=forged)))
    assert "signature" in peer.contact(author.id)["refused"]
    ids = peer.submit("sell", "10", "1"), peer.submit("buy", "10", "1")
    assert filled(peer, *ids) == [("1", "0"), ("1", "0")]


def _altered(author: Author) -> LedgerBatch:
    texts = [text.replace('"quantity":"1"', '"quantity":"9"') for text in author.texts]
    return author.batch().model_copy(update={"entries": texts})


def _reordered(author: Author) -> LedgerBatch:
    return author.batch().model_copy(update={"entries": author.texts[::-1]})


def _forged(author: Author) -> LedgerBatch:
    return author.batch().model_copy(update={"public_key": identity(9).public_key})


def _forked(author: Author) -> LedgerBatch:
    twin = Author(2)
    twin.place("sell", 11, 1)
    return twin.batch()


@pytest.mark.parametrize("how", [_altered, _reordered, _forged, _forked])
def test_a_ledger_that_its_owner_did_not_write_or_wrote_twice_is_refused_and_shown(
    how: Callable[[Author], LedgerBatch],
) -> None:
    peer, author, relay = Peer(1), Author(2), Author(3)
    author.place("sell", 10, 1)
    if how is _forked:
        author.tell(peer)
    author.place("sell", 10, 2)
    before = peer.status()["vector"]
    peer.hear(relay.envelope(peer, Ledger(ledger=how(author))))
    shown = [contact["refused"] for contact in peer.status()["peers"] if "refused" in contact]
    assert any(author.id in why or "its ledger exists twice" in why for why in shown), shown
    assert peer.status()["vector"] == before


def test_entries_from_the_future_are_held_back_and_their_peer_is_shown_as_skewed() -> None:
    peer, author = Peer(1), Author(2)
    id = author.place("sell", 10, 1, time=NOW_US + MAX_SKEW_US + 1_000_000)
    author.tell(peer)
    assert peer.contact(author.id)["skewed"] is True
    assert peer.ask({"type": "GET_ORDER", "id": id}).startswith("ERR_UNKNOWN_ORDER")
    assert peer.status()["clock"] < NOW_US + MAX_SKEW_US
    peer.now += 2.0
    author.tell(peer)
    assert "skewed" not in peer.contact(author.id)
    assert peer.order(id)["quantity"] == "1"


def test_a_peer_that_has_lost_its_disk_does_not_go_on_under_its_name() -> None:
    one, two = acquainted(1, 2)
    one.submit("buy", "10", "1")
    talk(one, two)
    blank = Peer(1, now=one.now + 10)
    blank.node.exchange.discover(two.id)
    with pytest.raises(Amnesia):
        talk(blank, two)


def test_an_envelope_for_another_peer_is_refused_unread() -> None:
    peer, author = Peer(1), Author(2)
    author.place("sell", 10, 1)
    said = opened(author.envelope(peer, Ledger(ledger=author.batch())))
    envelope = sealed(author.id, identity(3).peer_id, said)
    assert peer.ask(envelope) == f"ERR_WRONG_PEER: here answers {peer.id}"
    assert peer.status()["vector"] == {}


def test_the_number_of_ledgers_is_bounded_so_that_every_envelope_can_be_read() -> None:
    peer, relay = Peer(1), Author(2)
    peer.submit("buy", "1", "1")
    for number in range(3, 3 + MAX_PEERS):
        stranger = Author(number % 256)
        stranger.identity = type(stranger.identity).from_seed(number.to_bytes(32, "big"))
        stranger.id = stranger.identity.peer_id
        stranger.place("buy", 1, 1)
        peer.hear(relay.envelope(peer, Ledger(ledger=stranger.batch())))
    answer = relay.tell(peer)
    assert len(answer["vector"]) <= MAX_PEERS
    assert peer.id in answer["vector"]


def test_at_rest_nothing_is_said_but_heartbeats() -> None:
    one, two = acquainted(1, 2)
    one.submit("buy", "10", "1")
    talk(one, two)
    assert talk(one, two, now=one.now + 0.5) == []
    assert talk(one, two, now=one.now + 10 * HEARTBEAT_S) == []


def test_an_offer_that_the_own_book_does_not_know_makes_a_peer_catch_up_without_waiting() -> None:
    peer, author = Peer(1), Author(2)
    taker = peer.submit("buy", "10", "1")
    maker = author.place("sell", 10, 1)
    offer = {"id": maker, "price": "10", "available": "1"}
    peer.hear(author.envelope(peer, vector={}))
    answer_under_way(peer, author)
    matched = {"type": "ORDER_MATCHED", "orderId": taker, "offers": [offer]}
    peer.hear(author.envelope(peer, matched))
    peer.now += SOON_S
    peer.receive(Tick())
    assert peer.sent(author.id, "GET_LEDGER") == [{"type": "GET_LEDGER", "peerId": author.id, "after": 0}]


@pytest.mark.parametrize("kind", ["ORDER_FILLED", "ORDER_MATCHED"])
def test_a_peer_that_speaks_of_entries_it_never_shows_is_called_once_more_and_then_at_heartbeats(kind: str) -> None:
    peer, author = Peer(1), Author(2)
    unseen = f"{author.id}-99"
    said: dict[str, Any] = {"type": "ORDER_FILLED", "fillId": unseen, "granted": "1", "price": "1", "time": 1}
    said["sequence"] = 99
    if kind == "ORDER_MATCHED":
        said = {"type": kind, "orderId": unseen, "offers": [{"id": unseen, "price": "1", "available": "1"}]}
    peer.hear(author.envelope(peer, said))
    calls = 0
    for _ in range(100):
        calls += len(peer.outbox)
        peer.outbox.clear()
        peer.now += 0.001
        peer.receive(Answered(author.id, author.envelope(peer, said)))
    assert calls <= 3


def test_a_peer_that_refuses_our_ledger_is_told_again_at_heartbeats_only() -> None:
    peer, other = Peer(1), Author(2)
    peer.hear(other.envelope(peer, vector={}))
    answer_under_way(peer, other)
    peer.submit("buy", "10", "1")
    told = 0
    for _ in range(300):
        peer.now += 0.01
        peer.receive(Tick())
        told += len(peer.sent(other.id, "ORDER_SUBMITTED"))
        answer_under_way(peer, other)
        peer.outbox.clear()
    assert 2 <= told <= 5
