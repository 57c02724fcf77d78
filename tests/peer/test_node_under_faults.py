"""Whole peers under loss, repetition, delay and kills; and planted bugs, which the same runs must find.

The rule: a checker that no bug can make speak is worth nothing, so each bug below is planted in one place, from
outside, and must be found within the seeds that the true peer passes.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

from peer.book import Book
from peer.events import read_entry
from peer.exchange import Exchange
from peer.ledger import Continuation, chained, continuation
from peer.market import Grant
from peer.messages import Contents, FillOrder, LedgerBatch
from peer.order import Order
from peer.schema import Head
from tests.peer.invariants import Truth, violations
from tests.peer.network import Disk, Network, trade_under_faults

SEEDS = range(60)


@cache
def run(seed: int) -> Network:
    return trade_under_faults(seed)


def finds(claim: str) -> bool:
    """Whether a run within the seeds shows that this claim is broken."""
    return any(re.search(claim, wrong) for seed in SEEDS for wrong in violations(trade_under_faults(seed)))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_the_peers_come_to_rest_and_agree(seed: int) -> None:
    assert violations(run(seed)) == []


def test_the_runs_were_not_idle() -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        network = run(seed)
        seen += network.seen
        seen["read twice"] += sum(node.exchange.duplicates for node in network.nodes.values())
        seen["cancelled"] += len(network.cancelled)
        for fill in Truth(network).fills.values():
            assert fill.opened is not None
            assert fill.granted is not None
            seen["traded"] += fill.granted["granted"] != "0"
            seen["got less than asked"] += fill.granted["granted"] != fill.opened["quantity"]
    assert seen["traded"] > 5 * len(SEEDS)
    rare = ("lost", "read twice", "cancelled", "got less than asked", "killed at once", "killed by a power cut")
    for event in (*rare, "killed before a commit", "killed after a commit"):
        assert seen[event] >= len(SEEDS) // 3, event


def test_one_seed_is_one_run() -> None:
    assert [list(disk.records()) for disk in trade_under_faults(7).disks.values()] == [
        list(disk.records()) for disk in run(7).disks.values()
    ]


def test_an_order_that_is_not_reserved_while_it_asks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Order, "reserved", property(lambda order: 0, lambda order, lots: None))
    assert finds("no_overfill|ended by itself: [^:]*(remaining|AssertionError)")


def test_a_repeated_fill_order_that_fills_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hear = Exchange.hear

    def forgetful(exchange: Exchange, sender: str, said: Contents, now: float) -> Any:
        market = exchange.market
        for message in said.messages:
            if isinstance(message, FillOrder) and market.grants.pop((message.fill_id, message.maker), None) is not None:
                market.asked[message.fill_id] = market.fills[message.fill_id]
        return hear(exchange, sender, said, now)

    monkeypatch.setattr(Exchange, "hear", forgetful)
    assert finds("was granted twice|a fill is decided once")


def test_a_peer_that_answers_before_its_entries_are_on_disk_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    append = Disk.append
    monkeypatch.setattr(Disk, "append", lambda disk, records, *, durable: append(disk, records, durable=False))
    assert finds("durable|Amnesia")


def test_a_timeout_that_counts_as_a_refusal_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Exchange.failed

    def hasty(exchange: Exchange, peer_id: str, now: float, turned_away: str | None = None) -> None:
        failed(exchange, peer_id, now, turned_away)
        for fill in list(exchange.market.waiting_for(peer_id)):
            exchange.trader.close(fill, Grant(0, fill.limit, 1, 1), now)

    monkeypatch.setattr(Exchange, "failed", hasty)
    assert finds("agreed_trades")


def test_a_taker_that_asks_later_makers_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(book: Book[Order], taker: Order) -> Any:
        for maker in list(book.ranked(not taker.is_buy)):
            if taker.open and taker.crosses(maker):
                yield maker, min(taker.open, maker.open)

    monkeypatch.setattr(Book, "match", blind)
    assert finds("later_takes|a later order takes")


def test_a_copy_that_swallows_a_gap_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(head: Head, batch: LedgerBatch, verify: Any) -> Continuation:
        if batch.first <= head.sequence + 1:
            return continuation(head, batch, verify)
        heads = [Head(batch.first - 1)]
        for text in batch.entries:
            heads.append(chained(heads[-1], text))
        return Continuation([read_entry(text) for text in batch.entries], batch.entries, heads[1:])

    monkeypatch.setattr("peer.ledgers.continuation", careless)
    assert finds("is not an order of this ledger|is not what was written")
