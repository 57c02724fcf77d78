"""Evictions: a peer that is lost for good is fenced where its ledger ends, and everybody else comes to rest."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from peer.contacts import HEARTBEAT_S, SILENT_AFTER_FAILURES
from peer.node import Failed
from peer.sqlite_journal import SqliteJournal
from tests.peer.actors import Author, Peer, acquainted, filled, talk
from tests.peer.disks import Failing


def evict(at: Peer, peer_id: str, **more: Any) -> Any:
    """Ask one peer to evict another."""
    return at.ask({"type": "EVICT_PEER", "peerId": peer_id, **more})


def missed(*peers: Peer) -> None:
    """Let time pass until these peers have noticed who does not answer."""
    for _ in range(SILENT_AFTER_FAILURES + 1):
        talk(*peers, now=max(peer.now for peer in peers) + 2 * HEARTBEAT_S)


def settled(*peers: Peer) -> None:
    """Let time pass until these peers have asked each other for all that they lack."""
    for _ in range(4):
        talk(*peers, now=max(peer.now for peer in peers) + 2 * HEARTBEAT_S)


def unheard(peer: Peer) -> None:
    """Let nothing of what a peer has just said arrive."""
    said, peer.outbox = peer.outbox, []
    peer.receive(*(Failed(send.to) for send in said))


def eviction(peer: Peer, peer_id: str) -> dict[str, Any]:
    """An eviction as a peer shows it."""
    (found,) = [one for one in peer.status()["evictions"] if one["peerId"] == peer_id]
    return dict(found)


def lost_in_the_middle() -> tuple[Peer, Peer, Peer, str, str]:
    """Two peers that live, and one that died: it has decided the first one's fill, as only the second one knows.

    Returned: first, second, the lost one, the maker, the taker.
    """
    first, second, lost = acquainted(1, 2, 3)
    maker = lost.submit("sell", "10", "5")
    talk(first, second, lost)
    taker = first.submit("buy", "10", "3")
    unheard(first)
    talk(second, lost)
    lost.hear(second_hand(first, lost))
    talk(second, lost, now=second.now + HEARTBEAT_S)
    assert lost.events("FILL_GRANTED")
    first.now = second.now
    return first, second, lost, maker, taker


def second_hand(owner: Peer, reader: Peer) -> dict[str, Any]:
    """The owner's ledger, told by a stranger to both of them."""
    relay = Author(9)
    batch = owner.ask({"type": "GET_LEDGER", "peerId": owner.id})["ledger"]
    return relay.envelope(reader, {"type": "LEDGER", "ledger": batch})


def test_the_living_agree_where_a_lost_ledger_ends_and_nothing_stays_in_doubt() -> None:
    first, second, lost = acquainted(1, 2, 3)
    maker = lost.submit("sell", "10", "5")
    talk(first, second, lost)
    taker = first.submit("buy", "10", "3")
    missed(first, second)
    assert [fill["maker"] for fill in first.status()["inDoubt"]] == [maker]
    assert evict(second, lost.id)["state"] == "proposed"
    settled(first, second)
    assert evict(second, lost.id)["state"] == "fenced"
    assert {eviction(peer, lost.id)["sequence"] for peer in (first, second)} == {1}
    assert (first.status()["inDoubt"], filled(first, taker)) == ([], [("0", "3")])
    assert first.status()["digest"] == second.status()["digest"]
    assert [peer.order(maker)["status"] for peer in (first, second)] == ["void", "void"]
    assert second.ask({"type": "GET_ORDERBOOK", "item": "ACME"})["sellOrders"] == []
    assert second.contact(lost.id)["state"] == "fenced"


def test_a_decision_that_only_one_living_peer_has_read_stands() -> None:
    first, second, lost, maker, taker = lost_in_the_middle()
    assert [fill["maker"] for fill in first.status()["inDoubt"]] == [maker]
    assert second.status()["vector"][lost.id][0] > first.status()["vector"][lost.id][0]
    evict(first, lost.id)
    settled(first, second)
    assert filled(first, taker) == filled(second, taker) == [("3", "0")]
    assert filled(first, maker) == [("3", "2")]
    assert first.events("PEER_FENCED") == second.events("PEER_FENCED") != []


def test_a_fill_that_the_lost_peer_opened_is_decided_with_nothing_once_its_end_is_near() -> None:
    first, second, lost = acquainted(1, 2, 3)
    maker = first.submit("sell", "10", "5")
    talk(first, second, lost)
    taker = lost.submit("buy", "10", "5")
    talk(lost, second)
    # What the lost peer has asked reaches the maker's owner by way of the other one, but only after it has joined.
    evict(first, lost.id)
    assert (first.events("FILL_GRANTED"), len(first.events("EVICTION_JOINED"))) == ([], 1)
    settled(first, second)
    assert [event["granted"] for event in first.events("FILL_GRANTED")] == ["0"]
    assert first.status()["digest"] == second.status()["digest"]
    assert (first.order(maker)["quantity"], second.order(taker)["status"]) == ("5", "void")


def test_whose_voters_are_silent_is_refused_unless_forced() -> None:
    first, second, third, lost = acquainted(1, 2, 4, 3)
    for peer in (second, third, lost):
        peer.submit("buy", "5", "1")
    talk(first, second, third, lost)
    missed(first, second)
    answer = evict(first, lost.id)
    assert answer.startswith("ERR_PEERS_SILENT") and third.id in answer
    assert first.events("EVICTION_PROPOSED") == []
    assert evict(first, lost.id, force=True)["waitingFor"] == [second.id]
    settled(first, second)
    assert evict(first, lost.id)["state"] == "fenced"
    settled(first, second, third)
    assert eviction(third, lost.id) == eviction(first, lost.id)


@pytest.mark.parametrize("force", [False, True])
def test_how_far_it_is_is_told_also_by_who_has_met_the_lost_peer_in_no_life_since(force: bool) -> None:
    first, second, lost = acquainted(1, 2, 3)
    evict(first, lost.id, force=force)
    settled(first, second)
    again = first.restarted()
    assert lost.id not in again.status()["vector"]
    assert evict(again, lost.id, force=force)["state"] == "fenced"


def test_what_cannot_be_evicted_is_refused_with_its_reason() -> None:
    first, second = acquainted(1, 2)
    assert evict(first, first.id).startswith("ERR_NOT_EVICTABLE")
    assert evict(first, Author(9).id).startswith("ERR_UNKNOWN_PEER")
    one, two = Author(5), Author(5)
    for author, price in ((one, 10), (two, 11)):
        author.place("sell", price, 1)
        author.tell(first)
    assert evict(first, one.id).startswith("ERR_NOT_EVICTABLE")
    assert first.events() == []
    assert second.status()["evictions"] == []


@pytest.mark.parametrize("dies", ["first", "second", "both"])
def test_whoever_dies_meanwhile_goes_on_with_it_from_its_disk(dies: str) -> None:
    first, second, lost, _, taker = lost_in_the_middle()
    evict(first, lost.id)
    unheard(first)
    if dies != "second":
        first = first.restarted()
    if dies != "first":
        second = second.restarted()
    for peer, other in ((first, second), (second, first)):
        peer.node.exchange.discover(other.id)
    settled(first, second)
    assert evict(second, lost.id)["state"] == evict(first, lost.id)["state"] == "fenced"
    assert filled(first, taker) == [("3", "0")]
    again = second.restarted()
    assert again.status()["digest"] == first.status()["digest"]
    assert again.events() == second.events()


def test_a_late_joiner_reads_where_a_ledger_ends_and_says_so() -> None:
    first, second, lost, _, _ = lost_in_the_middle()
    evict(first, lost.id)
    settled(first, second)
    joiner = Peer(7, now=first.now)
    for peer in (first, second):
        joiner.node.exchange.discover(peer.id)
    settled(joiner, first, second)
    assert joiner.status()["vector"][lost.id] == first.status()["vector"][lost.id]
    assert joiner.events("PEER_FENCED") == first.events("PEER_FENCED")
    assert joiner.status()["digest"] == first.status()["digest"]


def returned() -> tuple[Peer, Peer, Peer, str]:
    """Two peers and a third that they have evicted, which has accepted an order since and is back; that order."""
    first, second, lost = acquainted(1, 2, 3)
    lost.submit("sell", "10", "5")
    talk(first, second, lost)
    missed(first, second)
    evict(first, lost.id)
    settled(first, second)
    beyond = lost.submit("sell", "9", "2")
    lost.outbox.clear()
    talk(lost, now=lost.now + 5.0)
    return first, second, lost, beyond


def test_a_peer_that_returns_is_told_that_it_is_fenced_and_trades_no_more() -> None:
    first, second, lost, beyond = returned()
    settled(lost, first, second)
    assert lost.status()["fenced"] == {"sequence": 1, "voided": 1}
    assert [json.loads(text)["event"]["id"] for text in lost.node.voided()] == [beyond]
    for payload in ({"type": "CANCEL_ORDER", "id": beyond}, {"type": "EVICT_PEER", "peerId": first.id}):
        assert lost.ask(payload).startswith("ERR_FENCED")
    order = {"item": "ACME", "type": "buy", "price": "1", "quantity": "1"}
    assert lost.ask({"type": "SUBMIT_ORDER", "order": order}).startswith("ERR_FENCED")


def test_what_lies_beyond_the_fence_is_refused_and_nobody_calls_the_fenced_peer() -> None:
    first, second, lost, beyond = returned()
    said = lost.hear(first_word(lost, second))
    assert said["messages"]
    second.hear(second_hand(lost, second))
    assert second.status()["vector"][lost.id][0] == 1
    assert "beyond" in second.contact(Author(9).id)["refused"]
    assert second.ask({"type": "GET_ORDER", "id": beyond}).startswith("ERR_UNKNOWN_ORDER")
    second.now += 10 * HEARTBEAT_S
    talk(second, first)
    assert not [send for send in second.outbox + first.outbox if send.to == lost.id]


def first_word(to: Peer, sender: Peer) -> dict[str, Any]:
    """An envelope without anything in it."""
    author = Author(sender.number)
    return author.envelope(to, vector={})


@pytest.mark.parametrize("disk_fails", [False, True])
def test_who_had_read_beyond_the_fence_before_it_could_know_is_without_it_afterwards(
    tmp_path: Path, disk_fails: bool
) -> None:
    first, second, lost, beyond = returned()
    path = tmp_path / "ledgers.sqlite"
    outsider = Peer(8, Failing(path, lambda commit: disk_fails and bool(commit[1].cuts), 0), now=lost.now)
    outsider.node.exchange.discover(lost.id)
    outsider.hear(second_hand(lost, outsider))
    outsider.hear(first_word(outsider, lost))
    mine = outsider.submit("buy", "9", "2")
    assert [event["maker"] for event in outsider.events("FILL_OPENED")] == [beyond]
    for peer in (first, second):
        outsider.node.exchange.discover(peer.id)
    if disk_fails:
        with pytest.raises(sqlite3.OperationalError):
            settled(outsider, first, second)
        outsider.journal.close()
        outsider = Peer(8, SqliteJournal(path), now=outsider.now)
        assert mine in str(outsider.events("ORDER_PLACED"))
        for peer in (first, second):
            peer.receive(Failed(outsider.id))
            outsider.node.exchange.discover(peer.id)
    settled(outsider, first, second)
    assert outsider.status()["vector"] == first.status()["vector"]
    assert outsider.status()["digest"] == first.status()["digest"]
    assert (outsider.status()["inDoubt"], filled(outsider, mine)) == ([], [("0", "2")])
    assert outsider.ask({"type": "GET_ORDER", "id": beyond}).startswith("ERR_UNKNOWN_ORDER")
    again = outsider.restarted()
    assert again.status()["digest"] == outsider.status()["digest"]
    again.journal.close()


def test_two_fences_that_contradict_each_other_are_shown() -> None:
    first, second, lost = acquainted(1, 2, 3)
    lost.submit("sell", "10", "5")
    talk(first, lost)
    missed(first)
    missed(second)
    for peer in (first, second):
        evict(peer, lost.id, force=True)
    settled(first, second)
    ends = [eviction(peer, lost.id) for peer in (first, second)]
    assert [end["sequence"] for end in ends] == [1, 0]
    assert list(ends[0]["contradictedBy"]) == [second.id]
    assert list(ends[1]["contradictedBy"]) == [first.id]
    assert first.status()["digest"] == second.status()["digest"]
