"""The archive: an order that has left the memory is known all the same, and never accepted a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

from peer.journal import Journal, MemoryJournal
from peer.picture import Past
from peer.sqlite_journal import SqliteJournal
from tests.peer.actors import Author, Peer, new_order

SHORT = Past(snapshot_every=10, settled_orders=0, trades=5)


@pytest.fixture(params=["memory", "disk"])
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Peer:
    journal: Journal = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "ledgers.sqlite")
    request.addfinalizer(journal.close)
    return Peer(1, journal, past=SHORT)


def live_on(peer: Peer) -> None:
    """Trade for so long that all before is summed up and forgotten."""
    for _ in range(15):
        peer.submit("sell", "50", "1")
        peer.submit("buy", "50", "1")


@pytest.mark.parametrize("restarted", [False, True])
def test_an_order_that_was_forgotten_is_shown_and_accepted_as_it_was(peer: Peer, restarted: bool) -> None:
    order = new_order("sell", "10", "2", clientId="ann", clientOrderId="1")
    accepted = peer.ask(order)
    id = accepted["order"]["id"]
    peer.submit("buy", "10", "2")
    shown = peer.order(id)
    live_on(peer)
    if restarted:
        peer = peer.restarted()
    assert id not in peer.node.exchange.market.orders
    assert peer.order(id) == shown
    assert (shown["status"], len(shown["matchedOrders"])) == ("filled", 1)
    before = peer.status()["vector"]
    assert peer.ask(order) == accepted
    assert peer.status()["vector"] == before


def test_a_forgotten_order_can_be_cancelled_no_more_but_was_once(peer: Peer) -> None:
    sold, gone = peer.submit("sell", "10", "2"), peer.submit("sell", "60", "2")
    peer.submit("buy", "10", "2")
    cancelled = peer.ask({"type": "CANCEL_ORDER", "id": gone})
    live_on(peer)
    assert peer.ask({"type": "CANCEL_ORDER", "id": sold}).startswith("ERR_ORDER_FILLED")
    assert peer.ask({"type": "CANCEL_ORDER", "id": gone}) == cancelled


def test_the_forgotten_orders_of_others_are_unknown() -> None:
    author, peer = Author(2), Peer(1, past=SHORT)
    id = author.place("sell", 10, 1)
    author.tell(peer)
    assert peer.order(id)
    assert peer.ask({"type": "GET_ORDER", "id": f"{author.id}-9"}).startswith("ERR_UNKNOWN_ORDER")


def test_what_is_open_is_not_in_the_archive(peer: Peer) -> None:
    id = peer.submit("sell", "60", "2")
    live_on(peer)
    assert peer.journal.find(id) is None
    assert peer.order(id)["status"] == "open"
