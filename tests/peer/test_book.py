"""The book: price-time priority, proved against a plain list that is sorted each time it is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from peer.book import Book
from peer.order import Order

PRICES = st.integers(1, 5)
LOTS = st.integers(1, 5)


def order(side: str, price: int, quantity: int = 1, *, time: int = 1, peer: str = "a", item: str = "ACME") -> Order:
    made = Order(f"{peer}-{time}", item, side == "buy", price, quantity, (time, peer))
    made.open = quantity
    return made


def book_of(*orders: Order) -> Book[Order]:
    book = Book[Order]()
    for each in orders:
        book.add(each)
    return book


def take(book: Book[Order], pairs: Iterator[tuple[Order, int]], taker: Order) -> list[tuple[Order, int]]:
    """Do what the book asks of whoever receives its pairs."""
    taken = []
    for maker, quantity in pairs:
        taken.append((maker, quantity))
        for each in (maker, taker):
            each.open -= quantity
            if not each.open:
                book.drop(each)
    return taken


def match(book: Book[Order], taker: Order) -> list[tuple[Order, int]]:
    return take(book, book.match(taker), taker)


@pytest.mark.parametrize(("side", "other", "best", "worse"), [("buy", "sell", 9, 10), ("sell", "buy", 11, 10)])
def test_the_better_price_trades_first(side: str, other: str, best: int, worse: int) -> None:
    first, second = order(other, worse, time=1), order(other, best, time=2)
    assert match(book_of(first, second), order(side, 10, 2, time=3)) == [(second, 1), (first, 1)]


def test_at_one_price_the_earlier_stamp_trades_first() -> None:
    late, early = order("sell", 10, time=2), order("sell", 10, time=1)
    assert match(book_of(late, early), order("buy", 10, 2, time=3)) == [(early, 1), (late, 1)]


def test_at_one_time_the_peer_id_decides() -> None:
    b, a = order("sell", 10, peer="b"), order("sell", 10, peer="a")
    assert match(book_of(b, a), order("buy", 10, 2, time=2)) == [(a, 1), (b, 1)]


def test_a_taker_meets_no_price_beyond_its_limit() -> None:
    assert match(book_of(order("sell", 11)), order("buy", 10, time=2)) == []


def test_a_taker_meets_no_order_that_is_later_than_itself() -> None:
    later, earlier = order("sell", 9, time=3), order("sell", 10, time=1)
    assert match(book_of(later, earlier), order("buy", 10, 2, time=2)) == [(earlier, 1)]


def test_a_maker_that_is_larger_than_the_taker_stays_in_front() -> None:
    maker = order("sell", 10, 5)
    book = book_of(maker, order("sell", 10, 5, time=2))
    assert match(book, order("buy", 10, 2, time=3)) == [(maker, 2)]
    assert match(book, order("buy", 10, 2, time=4)) == [(maker, 2)]


def test_a_taker_that_is_larger_than_all_makers_keeps_the_rest() -> None:
    taker = order("buy", 10, 5, time=3)
    match(book_of(order("sell", 10), order("sell", 9, time=2)), taker)
    assert taker.open == 3


def test_an_order_that_comes_back_has_kept_its_place() -> None:
    first, second = order("sell", 10, time=1), order("sell", 10, time=2)
    book = book_of(first, second)
    first.open = 0
    book.drop(first)
    assert list(book.ranked(is_buy=False)) == [second]
    first.open = 1
    book.add(first)
    assert list(book.ranked(is_buy=False)) == [first, second]


def test_crossing_needs_opposite_sides_of_one_item_and_prices_that_meet() -> None:
    buy = order("buy", 10)
    assert buy.crosses(order("sell", 10))
    assert order("sell", 9).crosses(buy)
    assert not buy.crosses(order("sell", 11))
    assert not buy.crosses(order("buy", 10))
    assert not buy.crosses(order("sell", 10, item="GRPE"))


def test_orders_that_left_do_not_fill_the_memory() -> None:
    book = Book[Order]()
    keeper = order("sell", 500, time=1)
    book.add(keeper)
    for time in range(2, 5_000):
        passing = order("sell", 1_000 - time % 50, time=time)
        book.add(passing)
        passing.open = 0
        book.drop(passing)
    held = [order for level in book._asks.levels.values() for order in level]
    assert keeper in held
    assert len(held) < 200
    assert len(book._asks.heap) < 200


class BookAgainstList(RuleBasedStateMachine):
    """Any sequence of arrivals, departures, returns and matches leaves the book as the sorted list has it."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.book = Book[Order]()
        self.all: list[Order] = []

    def living(self, is_buy: bool) -> list[Order]:
        sign = -1 if is_buy else 1
        living = [order for order in self.all if order.is_buy == is_buy and order.open]
        return sorted(living, key=lambda order: (order.price * sign, order.key))

    @rule(target=orders, side=st.sampled_from(["buy", "sell"]), price=PRICES, quantity=LOTS, time=st.integers(1, 99))
    def arrive(self, side: str, price: int, quantity: int, time: int) -> Order:
        """An order of any stamp, since other peers' orders come later than they were placed."""
        found = order(side, price, quantity, time=time, peer=f"{len(self.all):05d}")
        self.all.append(found)
        self.book.add(found)
        return found

    @rule(side=st.sampled_from(["buy", "sell"]), price=PRICES, count=st.integers(40, 90))
    def come_and_go(self, side: str, price: int, count: int) -> None:
        """So many orders that tombstones outnumber the living."""
        passing = [self.arrive(side, price, 1, time) for time in range(count)]
        for each in passing:
            self.set_open(each, 0)

    @rule(order=orders, lots=st.integers(0, 5))
    def set_open(self, order: Order, lots: int) -> None:
        """A cancel, a reservation, a halt, a release: whatever changes what may trade."""
        before, order.open = order.open, lots
        if lots and not before:
            self.book.add(order)
        elif before and not lots:
            self.book.drop(order)

    @rule(taker=orders)
    def match(self, taker: Order) -> None:
        """The taker meets the earlier makers that it crosses, best first, until one side is used up."""
        expected, left = [], taker.open
        for maker in self.living(not taker.is_buy):
            if left and taker.crosses(maker) and maker.key < taker.key:
                expected.append((maker, min(left, maker.open)))
                left -= min(left, maker.open)
        assert take(self.book, self.book.match(taker), taker) == expected
        assert taker.open == left

    @rule(order=consumes(orders))
    def leave(self, order: Order) -> None:
        """For good."""
        self.set_open(order, 0)

    @invariant()
    def both_sides_are_sorted(self) -> None:
        for is_buy in (True, False):
            assert list(self.book.ranked(is_buy)) == self.living(is_buy)

    @invariant()
    def nobody_is_missing_among_the_takers(self) -> None:
        orders = self.living(True) + self.living(False)
        due = [taker for taker in orders if any(taker.crosses(maker) and maker.key < taker.key for maker in orders)]
        peers = {taker.peer_id for taker in due}
        assert all([taker] == self.book.takers(taker.peer_id) for taker in due)
        for other in orders:
            if other.peer_id not in peers:
                assert all(any(each.crosses(rest) for rest in orders) for each in self.book.takers(other.peer_id))


TestBookAgainstList = BookAgainstList.TestCase
TestBookAgainstList.settings = settings(max_examples=60, stateful_step_count=30)
