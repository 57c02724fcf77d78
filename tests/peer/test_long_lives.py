"""Whole peers that sum up and forget: who joins late, who was away, who restarts, and who asks once more."""

from __future__ import annotations

import pytest

from peer.journal import MemoryJournal
from peer.picture import Past
from tests.peer.actors import NOW_US, Author, Peer, acquainted, decided, filled, fills, introduce, talk

SHORT = Past(snapshot_every=12, settled_orders=2)


def trade_on(seller: Peer, buyer: Peer, times: int = 12) -> None:
    """Let two peers trade for so long that their ledgers are summed up and cut short."""
    for _ in range(times):
        seller.submit("sell", "10", "1")
        talk(seller, buyer)
        buyer.submit("buy", "10", "1")
        talk(seller, buyer)


def forgotten(peer: Peer, owner: Peer) -> int:
    """How many entries of a ledger a peer has forgotten."""
    base = peer.journal.bases().get(owner.id)
    return base.sequence if base is not None else 0


def test_a_latecomer_is_told_what_is_left_and_no_more() -> None:
    one, two = acquainted(1, 2, past=SHORT)
    rests = one.submit("sell", "15", "3")
    trade_on(one, two)
    assert forgotten(one, one) > 0
    assert forgotten(two, one) > 0
    late = Peer(3, now=one.now, past=SHORT)
    introduce(one, two, late)
    assert late.status()["digest"] == one.status()["digest"]
    assert late.status()["vector"] == one.status()["vector"]
    assert (forgotten(late, one), forgotten(late, two)) == (forgotten(one, one), forgotten(two, two))
    taken = late.submit("buy", "15", "1")
    talk(one, two, late)
    assert filled(two, rests, taken) == [("1", "2"), ("1", "0")]


def test_a_peer_that_was_away_starts_the_ledgers_over_that_it_cannot_follow_any_more() -> None:
    one, two, away = acquainted(1, 2, 3, past=SHORT)
    gone, stays = one.submit("sell", "14", "1"), one.submit("sell", "15", "3")
    talk(one, two, away)
    known = away.status()["vector"]
    one.ask({"type": "CANCEL_ORDER", "id": gone})
    trade_on(one, two)
    assert forgotten(one, one) > known[one.id][0]
    away.now = one.now + 5
    introduce(one, two, away)
    assert away.status()["digest"] == two.status()["digest"]
    assert away.order(stays) == two.order(stays)
    assert away.ask({"type": "GET_ORDER", "id": gone}).startswith("ERR_UNKNOWN_ORDER")
    assert away.restarted().status()["digest"] == away.status()["digest"]


def test_a_decision_outlives_the_entry_that_held_it_and_is_never_made_again() -> None:
    peer, author = Peer(1, past=SHORT), Author(2)
    maker = peer.submit("sell", "9", "7")
    first, ask = decided(peer, author, maker, time=NOW_US + 1_000)
    for _ in range(20):
        peer.submit("sell", "5", "1")
        peer.submit("buy", "5", "1")
    assert forgotten(peer, peer) > 3
    for each in (peer, peer.restarted()):
        assert fills(author.tell(each, ask, first=10**6)) == first
        assert filled(each, maker) == [("5", "2")]
        assert each.node.exchange.market.asked == {}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_fill_in_doubt_is_settled_by_a_snapshot_that_tells_of_its_decision(restarted: bool) -> None:
    taker, maker = acquainted(1, 2, past=SHORT)
    sold = maker.submit("sell", "10", "1")
    talk(taker, maker)
    bought = taker.submit("buy", "10", "1")
    talk(maker, taker, now=taker.now)
    other = Peer(3, now=maker.now, past=SHORT)
    introduce(maker, other)
    trade_on(maker, other)
    if restarted:
        taker = taker.restarted(after_s=5)
    introduce(taker, maker, other)
    assert filled(taker, bought) == [("1", "0")]
    assert taker.status()["inDoubt"] == []
    assert [event["granted"] for event in maker.events("FILL_GRANTED") if event["maker"] == sold] in ([], ["1"])


def test_after_a_kill_at_any_commit_a_peer_knows_what_it_had_written() -> None:
    one, two = acquainted(1, 2, past=SHORT)
    one.submit("sell", "15", "3")
    trade_on(one, two)
    journal = one.journal
    assert isinstance(journal, MemoryJournal)
    commits = len(journal.commits)
    digests = []
    for count in range(commits + 1):
        disk = MemoryJournal()
        for records, aside in journal.commits[:count]:
            disk.append(records, durable=True, aside=aside)
        again = Peer(1, disk, one.now, SHORT)
        digests.append(again.status()["digest"])
        bases = disk.bases()
        assert all(again.node.exchange.ledgers.head_of(owner).sequence > base.sequence for owner, base in bases.items())
    assert digests[-1] == one.status()["digest"]
    assert forgotten(one, one) > 0


def test_what_is_kept_in_memory_does_not_grow_with_the_history() -> None:
    one, two = acquainted(1, 2, past=SHORT)
    trade_on(one, two, 20)
    sizes = [_size(one), _size(two)]
    trade_on(one, two, 60)
    assert max(_size(one), _size(two)) <= max(sizes) + SHORT.snapshot_every * 2


def _size(peer: Peer) -> int:
    market = peer.node.exchange.market
    return (
        len(market.orders)
        + len(market.grants)
        + len(market.fills)
        + len(market.by_client)
        + len(market.digest._counted)
    )
