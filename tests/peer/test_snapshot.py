"""Snapshots: what is left of a ledger, held against it by who has read it, and enough for who has not."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peer.events import (
    EvictionJoined,
    EvictionProposed,
    FillClosed,
    GrantState,
    OrderCancelled,
    OrderState,
    PeerFenced,
    Snapshot,
    read_entry,
)
from peer.fills import Trade
from peer.identity import verify
from peer.ledgers import Ledgers
from peer.market import Contradiction, Market
from peer.order import SHOWN_TRADES
from peer.snapshot import MAX_PART, Snapshots, order_of, state_of
from tests.peer.actors import NOW, NOW_US, UNIT, Author, an_order, identity

ME = identity(9)


class Reader:
    """A peer that only reads."""

    def __init__(self, number: int = 9) -> None:
        mine = identity(number)
        self.market = Market(mine.peer_id)
        self.ledgers = Ledgers(mine.peer_id, mine.public_key, self.market, verify)

    def read(self, author: Author, first: int | None = None, *, gone: bool = False) -> None:
        """Read what an author has written since, or from a number on."""
        known = self.ledgers.head_of(author.id).sequence
        start = known + 1 if first is None else first
        if author.texts[start - 1 :]:
            self.ledgers.copy(author.batch(start, gone=gone), NOW)

    def open(self, author: Author) -> list[OrderState]:
        """What is open of an author's, as this reader knows it."""
        return [state_of(order) for order in self.market.orders_of(author.id)]


def summed_up(author: Author, *others: Author) -> list[Snapshot]:
    """What a true owner would write now, having read these others."""
    reader = Reader()
    for one in (*others, author):
        reader.read(one)
    return reader.ledgers.snapshots.parts(author.id)


def busy() -> tuple[Author, Author]:
    """Two authors: B sold 3 of 5 to A, whose second fill waits; A has another order, and one that is cancelled."""
    a, b = Author(1), Author(2)
    maker = b.place("sell", 10, 5)
    taker = a.place("buy", 10, 5)
    first = a.open_fill(taker, maker, 3, 10)
    b.grant(first.fill_id, taker, maker, 3, price=10, remaining=2)
    terms: dict[str, Any] = {"taker": taker, "maker": maker, "price": 10 * UNIT, "time": NOW_US - 9_998}
    a.write(FillClosed(fill_id=first.fill_id, granted=3 * UNIT, remaining=2 * UNIT, **terms))
    second = a.open_fill(taker, maker, 2, 10)
    b.grant(second.fill_id, taker, maker, 1, price=10, remaining=1)
    a.place("buy", 7, 1)
    a.write(OrderCancelled(id=a.place("buy", 8, 1), remaining=0))
    return a, b


def write_all(author: Author, parts: list[Snapshot]) -> int:
    """Let an author write a snapshot; the number of its first entry."""
    first = len(author.texts) + 1
    for part in parts:
        author.write(part)
    return first


def test_a_snapshot_holds_what_is_open_and_what_may_still_be_asked_for() -> None:
    a, b = busy()
    (mine,) = summed_up(a, b)
    assert [(state.filled, state.remaining, state.reserved) for state in mine.orders] == [
        (3 * UNIT, 2 * UNIT, 2 * UNIT),
        (0, UNIT, 0),
    ]
    assert [fill.quantity for fill in mine.fills] == [2 * UNIT]
    assert [trade.quantity for trade in mine.orders[0].trades] == [3 * UNIT]
    (theirs,) = summed_up(b, a)
    assert [grant.granted for grant in theirs.grants] == [UNIT]


def test_a_decision_stays_until_its_owner_has_read_that_the_fill_is_closed() -> None:
    a, b = busy()
    lagging = Author(1)
    lagging.texts = a.texts[:2]
    (early,) = summed_up(b, lagging)
    assert [grant.granted for grant in early.grants] == [3 * UNIT, UNIT]


def test_who_has_read_the_ledger_and_who_starts_over_know_the_same() -> None:
    a, b = busy()
    of_a, of_b = summed_up(a, b), summed_up(b, a)
    first_of = {a.id: write_all(a, of_a), b.id: write_all(b, of_b)}
    a.place("buy", 6, 1)
    whole, late = Reader(), Reader()
    for author in (a, b):
        whole.read(author)
        late.read(author, first_of[author.id], gone=True)
        assert late.open(author) == whole.open(author)
    assert late.market.digest.hex() == whole.market.digest.hex()
    assert (late.market.fills, late.market.grants) == (whole.market.fills, whole.market.grants)
    assert late.ledgers.heads == whole.ledgers.heads
    assert sorted(late.ledgers.bases) == sorted([a.id, b.id])


def test_a_copy_that_starts_over_lets_go_of_what_the_snapshot_no_longer_tells_of() -> None:
    a, late = Author(1), Reader()
    late.market.set_reachable(a.id, reachable=True)
    kept, gone = a.place("buy", 10, 5), a.place("buy", 5, 1)
    late.read(a)
    a.write(OrderCancelled(id=gone, remaining=0))
    late.read(a, write_all(a, summed_up(a)), gone=True)
    assert [state.placed.id for state in late.open(a)] == [kept]
    assert gone not in late.market.orders
    assert [order.id for order in late.market.books["ACME"].ranked(True)] == [kept]


def test_a_gap_is_not_jumped_over_without_a_snapshot() -> None:
    (a, _), late = busy(), Reader()
    late.read(a, 3, gone=True)
    late.read(a, 3)
    assert late.ledgers.heads == {}


STRANGE = GrantState(fill_id=f"{'b' * 24}-1", maker=f"{'c' * 24}-1", granted=1, price=1, time=1, sequence=1)
LIES: dict[str, Callable[[Snapshot], Snapshot]] = {
    "an order is left out": lambda part: replace(part, orders=part.orders[1:]),
    "an order is told twice": lambda part: replace(part, orders=[part.orders[0], part.orders[0]]),
    "more remains": lambda part: replace(part, orders=[replace(part.orders[0], remaining=5 * UNIT), *part.orders[1:]]),
    "a fill is left out": lambda part: replace(part, fills=[]),
    "a fill is invented": lambda part: replace(part, fills=[*part.fills, replace(part.fills[0], quantity=1)]),
    "a trade is left out": lambda part: replace(part, orders=[replace(part.orders[0], trades=[]), *part.orders[1:]]),
    "a decision is invented": lambda part: replace(
        part,
        grants=[GrantState(fill_id=f"{'b' * 24}-1", maker=f"{'c' * 24}-1", granted=1, price=1, time=1, sequence=1)],
    ),
    "a part is skipped": lambda part: replace(part, part=2, parts=2),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_snapshot_that_is_not_what_its_ledger_comes_to_is_refused(lie: str) -> None:
    a, b = busy()
    (true,) = summed_up(a, b)
    before = len(a.texts)
    a.write(LIES[lie](true))
    reader = Reader()
    reader.read(b)
    with pytest.raises(Contradiction):
        reader.read(a)
    assert reader.ledgers.head_of(a.id).sequence == before


def test_a_decision_that_this_peer_waits_for_must_not_be_left_out() -> None:
    a, b = busy()
    (true,) = summed_up(b, a)
    b.write(replace(true, grants=[]))
    taker = Reader(1)
    for text in a.texts:
        taker.market.apply(a.id, read_entry(text))
    with pytest.raises(Contradiction, match="until its fill is closed"):
        taker.read(b)


BROKEN: dict[str, Callable[[Snapshot], Snapshot]] = {
    "an order of another": lambda part: replace(
        part, orders=[replace(part.orders[0], placed=replace(part.orders[0].placed, id=f"{'b' * 24}-1"))]
    ),
    "more than was ordered": lambda part: replace(part, orders=[replace(part.orders[0], remaining=6 * UNIT)]),
    "more reserved than remains": lambda part: replace(part, orders=[replace(part.orders[0], reserved=3 * UNIT)]),
    "a fill without its order": lambda part: replace(part, orders=[]),
    "a decision of another": lambda part: replace(
        part,
        grants=[GrantState(fill_id=f"{'b' * 24}-1", maker=f"{'c' * 24}-1", granted=1, price=1, time=1, sequence=1)],
    ),
}


@pytest.mark.parametrize("how", BROKEN)
def test_nobody_starts_over_from_what_cannot_be(how: str) -> None:
    a, b = busy()
    (true,) = summed_up(a, b)
    first = write_all(a, [BROKEN[how](true)])
    late = Reader()
    with pytest.raises(Contradiction):
        late.read(a, first, gone=True)
    assert (late.market.orders, late.ledgers.heads, late.ledgers.bases) == ({}, {}, {})


def test_nothing_may_stand_between_the_parts_of_a_snapshot() -> None:
    a = Author(1)
    for price in range(1, MAX_PART + 2):
        a.place("buy", price, 1)
    first, second = summed_up(a)
    assert (len(first.orders), len(second.orders)) == (MAX_PART, 1)
    a.write(first)
    a.place("buy", 1, 1)
    with pytest.raises(Contradiction, match="follow one another"):
        Reader().read(a)


def test_a_copy_that_ends_within_a_snapshot_goes_on_with_the_next_batch() -> None:
    a = Author(1)
    for price in range(1, 2 * MAX_PART + 2):
        a.place("buy", price, 1)
    parts = summed_up(a)
    assert len(parts) == 3
    a.write(parts[0])
    late, first = Reader(), len(a.texts)
    late.read(a, first, gone=True)
    assert late.ledgers.snapshots.is_amid(a.id)
    a.write(parts[1])
    a.write(parts[2])
    late.read(a)
    whole = Reader()
    whole.read(a)
    assert not late.ledgers.snapshots.is_amid(a.id)
    assert late.market.digest.hex() == whole.market.digest.hex()


def test_what_an_owner_has_said_of_evictions_is_never_forgotten() -> None:
    a, b = busy()
    lost = "z" * 24
    a.write(EvictionProposed(peer_id=lost, voters=(a.id, b.id), forced=False))
    a.write(EvictionJoined(peer_id=lost, sequence=7, hash="aa" * 32))
    a.write(PeerFenced(peer_id=lost, sequence=7, hash="aa" * 32))
    (true,) = summed_up(a, b)
    assert len(true.evictions) == 3
    first = write_all(a, [true])
    whole, late = Reader(), Reader()
    whole.read(a)
    late.read(a, first, gone=True)
    assert late.market.fences.words_of(a.id) == whole.market.fences.words_of(a.id) == true.evictions
    for lie in ([], true.evictions[1:], [*true.evictions, EvictionJoined(peer_id=lost, sequence=8, hash="aa" * 32)]):
        a.texts[first - 1 :] = []
        a.write(replace(true, evictions=lie))
        with pytest.raises(Contradiction):
            Reader().read(a)


def test_behind_a_fence_a_snapshot_brings_no_order_back() -> None:
    (a, b), other = busy(), Author(3)
    other.write(PeerFenced(peer_id=a.id, sequence=20, hash="aa" * 32))
    first = write_all(a, summed_up(a, b))
    whole, late = Reader(), Reader()
    for reader in (whole, late):
        reader.read(other)
    whole.read(a)
    late.read(a, first, gone=True)
    assert list(whole.market.resting("ACME")) == list(late.market.resting("ACME")) == []
    assert whole.market.digest.hex() == late.market.digest.hex()


def test_what_the_other_side_says_of_a_trade_is_not_held_against_a_true_snapshot() -> None:
    a, b = busy()
    (true,) = summed_up(b, a)
    write_all(b, [true])
    liar = Author(1)
    for text in a.texts:
        liar.texts.append(text.replace('"price":"10","time"', '"price":"9","time"'))
    assert liar.texts != a.texts
    reader = Reader()
    reader.read(liar)
    reader.read(b)
    assert reader.ledgers.head_of(b.id) == b.head()


def test_an_order_comes_back_from_its_state_as_it_was() -> None:
    order = an_order("sell", 10, 9, peer="a" * 24, time=7)
    order.filled, order.remaining, order.reserved, order.cancelled = 4, 3, 3, True
    again = order_of("a" * 24, state_of(order))
    assert state_of(again) == state_of(order)
    assert (again.key, again.original, again.available) == (order.key, 9, 0)


def test_of_very_many_trades_a_snapshot_tells_the_latest() -> None:
    order = an_order("sell", 10, 10**6)
    order.trades = [Trade(str(n), order.item, 1, 1, order.id, "b-1", n) for n in range(500)]
    told = state_of(order).trades
    assert (len(told), told[-1].time) == (SHOWN_TRADES, 499)


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_wherever_readers_start_over_they_end_with_the_same_market(seed: int) -> None:
    dice = random.Random(seed)
    a, b = Author(1), Author(2)
    writer = Reader()
    snapshots: dict[str, list[int]] = {a.id: [], b.id: []}
    for _ in range(30):
        author, other = dice.sample([a, b], 2)
        match dice.randrange(5):
            case 0:
                writer.read(other)
                writer.read(author)
                parts = writer.ledgers.snapshots.parts(author.id)
                snapshots[author.id].append(write_all(author, parts))
            case 1 if writer.market.orders_of(author.id):
                order = dice.choice(writer.market.orders_of(author.id))
                if not order.cancelled:
                    author.write(OrderCancelled(id=order.id, remaining=order.reserved))
            case _:
                author.place(dice.choice(["buy", "sell"]), dice.randint(1, 3), dice.randint(1, 3))
        writer.read(author)
    for _ in range(3):
        reader = Reader()
        for author in dice.sample([a, b], 2):
            jumps = [None, *snapshots[author.id]]
            first = dice.choice(jumps)
            if first is not None:
                reader.read(author, first, gone=True)
            elif author.texts:
                reader.read(author)
        assert reader.market.digest.hex() == writer.market.digest.hex()
        assert {id: state_of(order) for id, order in reader.market.orders.items() if order.remaining} == {
            id: state_of(order) for id, order in writer.market.orders.items() if order.remaining
        }


def test_an_empty_ledger_has_an_empty_snapshot() -> None:
    market = Market(ME.peer_id)
    assert Snapshots(market, {}).parts(ME.peer_id) == [Snapshot(part=1, parts=1)]
