"""Whole peers that sum up and forget: who joins late, who was away, who restarts, and who asks once more."""

from __future__ import annotations

from typing import Any

import pytest

from peer.events import FillClosed, FillOpened, OrderPlaced, OrderState, Snapshot
from peer.journal import MemoryJournal
from peer.messages import OrderSubmitted
from peer.picture import Past
from tests.peer.actors import NOW_US, UNIT, Author, Peer, acquainted, decided, filled, fills, introduce, talk

SHORT = Past(snapshot_every=12, settled_orders=2)
LEFT: dict[str, Any] = {"filled": 0, "remaining": 5 * UNIT, "reserved": 5 * UNIT}


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


def test_of_items_in_which_nothing_is_left_nothing_is_kept() -> None:
    past = Past(snapshot_every=12, settled_orders=2, trades=4)
    one, two = acquainted(1, 2, past=past)
    rests = one.submit("sell", "15", "3", item="LEFT")
    for number in range(40):
        one.submit("sell", "10", "1", item=f"I{number}")
        talk(one, two)
        two.submit("buy", "10", "1", item=f"I{number}")
        talk(one, two)
    for peer in (one, two):
        market = peer.node.exchange.market
        recent = past.snapshot_every + past.settled_orders
        for kept in (market.books, market.filled, market._resting):
            assert len(kept) <= recent
        assert len(market.trade_times) <= 2 * past.trades
        assert "LEFT" in market.books
    taken = two.submit("buy", "15", "3", item="LEFT")
    talk(one, two)
    assert filled(one, rests, taken) == [("3", "0"), ("3", "0")]


def _size(peer: Peer) -> int:
    market = peer.node.exchange.market
    return (
        len(market.orders)
        + len(market.grants)
        + len(market.fills)
        + len(market.by_client)
        + len(market.digest._counted)
    )


def held_for(closing: int | None) -> tuple[Peer, Author, str, str]:
    """A peer that holds 5 of a maker for an author's order, to be filled whole or not at all, who has closed with this
    (None: not at all) in entries that are gone: what the peer reads is the snapshot after them."""
    peer, author = Peer(1, past=SHORT), Author(2)
    maker = peer.submit("sell", "10", "7")
    terms: dict[str, Any] = {"item": "ACME", "side": "buy", "price": 10 * UNIT, "quantity": 5 * UNIT}
    taker = author.next_id()
    author.write(OrderPlaced(id=taker, time_in_force="FOK", **terms), NOW_US + 1_000)
    reserved: dict[str, Any] = {"taker": taker, "maker": maker, "quantity": 5 * UNIT, "limit": 10 * UNIT}
    fill = FillOpened(fill_id=author.next_id(), hold=True, **reserved)
    author.write(fill, NOW_US + 1_001)
    author.tell(peer)
    assert [event["held"] for event in peer.events("FILL_HELD")] == ["5"]
    hold = peer.node.exchange.market.holds[fill.fill_id, maker]
    state = OrderState(placed=OrderPlaced(id=taker, time_in_force="FOK", **terms), time=NOW_US + 1_000, **LEFT)
    snapshot = Snapshot(part=1, parts=1, orders=[state], fills=[fill])
    if closing is not None:
        told: dict[str, Any] = {
            "fill_id": fill.fill_id,
            "taker": taker,
            "maker": maker,
            "price": hold.price,
            "time": hold.time,
        }
        closed = FillClosed(granted=closing, remaining=5 * UNIT - closing, **told)
        author.write(closed, NOW_US + 1_002)
        snapshot = Snapshot(part=1, parts=1, closings=[closed] if closing else [])
    author.write(OrderPlaced(id=author.next_id(), **terms), NOW_US + 1_003)
    author.write(snapshot, NOW_US + 1_004)
    said = author.envelope(peer, OrderSubmitted(ledger=author.batch(len(author.texts), gone=True)))
    peer.hear(said)
    return peer, author, maker, fill.fill_id


@pytest.mark.parametrize(("closing", "left"), [(5 * UNIT, [("5", "2")]), (0, [("0", "7")])])
def test_what_is_held_is_settled_by_a_snapshot_that_tells_how_its_fill_was_closed(
    closing: int, left: list[tuple[str, str]]
) -> None:
    peer, _, maker, fill = held_for(closing)
    for each in (peer, peer.restarted()):
        assert filled(each, maker) == left
        granted = [(event["fillId"], event["granted"]) for event in each.events("FILL_GRANTED")]
        assert granted == [(fill, str(closing // UNIT))]
        assert each.status()["inDoubt"] == []


def test_what_is_held_for_a_fill_that_a_snapshot_tells_of_stays_held() -> None:
    peer, _, maker, _ = held_for(None)
    for each in (peer, peer.restarted()):
        assert each.order(maker)["reservedQuantity"] == "5"
        assert each.events("FILL_GRANTED") == []


def test_what_is_held_stays_held_when_its_owners_own_ledger_has_been_cut_short() -> None:
    peer, author, maker, fill = held_for(None)
    for _ in range(20):
        peer.submit("sell", "5", "1")
        peer.submit("buy", "5", "1")
    assert forgotten(peer, peer) > 3
    again = peer.restarted()
    assert again.order(maker)["reservedQuantity"] == "5"
    (taker,) = again.node.exchange.market.orders_of(author.id)
    hold = again.node.exchange.market.holds[fill, maker]
    told: dict[str, Any] = {"fill_id": fill, "taker": taker.id, "maker": maker, "price": hold.price, "time": hold.time}
    author.write(FillClosed(granted=5 * UNIT, remaining=0, **told), NOW_US + 1_005)
    author.tell(again, first=len(author.texts))
    assert filled(again, maker) == [("5", "2")]
