"""All ledgers of a peer: what a copy takes in, what it holds back, and the clock that they drive."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from peer.events import OrderCancelled, OrderPlaced
from peer.identity import verify
from peer.ledger import BadLedger, chained, seal
from peer.ledgers import MAX_SKEW_US, Amnesia, CorruptJournal, FromTheFuture, Ledgers, Record
from peer.market import Contradiction, Market
from peer.messages import LedgerBatch
from peer.schema import Head
from tests.peer.actors import NOW, NOW_US, UNIT, Author, identity

ME = identity(1)


def ledgers() -> Ledgers:
    return Ledgers(ME.peer_id, ME.public_key, Market(ME.peer_id), verify)


def placed(mine: Ledgers) -> OrderPlaced:
    return OrderPlaced(id=mine.next_id(), item="ACME", side="buy", price=UNIT, quantity=UNIT)


def test_what_is_written_waits_for_the_disk_and_is_in_the_market() -> None:
    mine = ledgers()
    event = placed(mine)
    mine.write(event, NOW)
    assert [(record.peer_id, record.head, record.signature) for record in mine.unsaved] == [
        (ME.peer_id, mine.own, None)
    ]
    assert mine.own == chained(Head(), mine.unsaved[0].text)
    assert mine._market.orders[event.id].remaining == UNIT


def test_the_own_clock_never_stands_still_and_never_goes_back() -> None:
    mine, stamps = ledgers(), []
    for moment in (NOW, NOW, NOW - 5, NOW + 1):
        mine.write(placed(mine), moment)
        stamps.append(mine.clock)
    assert stamps == [NOW_US, NOW_US + 1, NOW_US + 2, NOW_US + 1_000_000]


def test_a_copy_grows_by_its_owners_entries_and_names_the_orders_they_placed() -> None:
    mine, author = ledgers(), Author(2)
    first = author.place("buy", 10, 1)
    author.write(OrderCancelled(id=first, remaining=0))
    second = author.place("sell", 11, 1)
    assert mine.copy(author.batch(), NOW) == [first, second]
    assert mine.head_of(author.id) == author.head()
    assert [record.signature is None for record in mine.unsaved] == [True, True, False]


def test_a_batch_that_is_known_already_changes_nothing() -> None:
    mine, author = ledgers(), Author(2)
    author.place("buy", 10, 1)
    mine.copy(author.batch(), NOW)
    assert mine.copy(author.batch(), NOW) == []
    assert len(mine.unsaved) == 1


def test_a_bad_signature_changes_nothing() -> None:
    mine, author = ledgers(), Author(2)
    author.place("buy", 10, 1)
    with pytest.raises(BadLedger):
        mine.copy(author.batch().model_copy(update={"signature": "00" * 64}), NOW)
    assert (mine.heads, mine.unsaved) == ({}, [])


def test_what_an_owner_wrote_before_it_broke_its_own_rules_still_stands() -> None:
    mine, author = ledgers(), Author(2)
    id = author.place("buy", 10, 1)
    author.write(OrderCancelled(id=id, remaining=UNIT))
    with pytest.raises(Contradiction, match="entry 2"):
        mine.copy(author.batch(), NOW)
    assert mine.head_of(author.id).sequence == 1
    assert mine._market.orders[id].remaining == UNIT


def test_an_entry_that_calls_itself_by_another_number_is_a_contradiction() -> None:
    mine, author, other = ledgers(), Author(2), Author(3)
    other.place("buy", 10, 1)
    author.place("buy", 10, 1)
    author.texts = [author.texts[0].replace('"sequence":1', '"sequence":2')]
    with pytest.raises(Contradiction, match="calls itself 2"):
        mine.copy(author.batch(), NOW)


def test_a_clock_that_goes_back_is_a_contradiction() -> None:
    mine, author = ledgers(), Author(2)
    author.place("buy", 10, 1, time=NOW_US)
    author.place("buy", 10, 1, time=NOW_US)
    with pytest.raises(Contradiction, match="clock"):
        mine.copy(author.batch(), NOW)


def test_entries_from_the_future_are_held_back_until_the_own_clock_gets_there() -> None:
    mine, author = ledgers(), Author(2)
    author.place("buy", 10, 1, time=NOW_US + MAX_SKEW_US + 1)
    with pytest.raises(FromTheFuture):
        mine.copy(author.batch(), NOW)
    assert (mine.heads, mine.clock) == ({}, 0)
    assert mine.copy(author.batch(), NOW + 1)


def test_one_wild_entry_among_tame_ones_does_not_drag_the_clock() -> None:
    mine, author = ledgers(), Author(2)
    author.place("buy", 10, 1, time=NOW_US + 10**12)
    author.place("buy", 10, 1, time=NOW_US)
    with pytest.raises((FromTheFuture, Contradiction)):
        mine.copy(author.batch(), NOW)
    assert mine.clock < NOW_US + MAX_SKEW_US


def test_another_clock_is_followed_within_the_bound_only() -> None:
    mine = ledgers()
    mine.advance_clock(NOW_US + MAX_SKEW_US, NOW)
    assert mine.clock == NOW_US + MAX_SKEW_US
    mine.advance_clock(NOW_US + MAX_SKEW_US + 1, NOW)
    assert mine.clock == NOW_US + MAX_SKEW_US


def test_an_own_order_is_stamped_later_than_all_that_was_read_before() -> None:
    mine, author = ledgers(), Author(2)
    author.place("buy", 10, 1, time=NOW_US + 1_000)
    mine.copy(author.batch(), NOW)
    mine.write(placed(mine), NOW)
    assert mine.clock == NOW_US + 1_001


def test_a_peer_whose_own_signed_entries_come_back_to_it_has_lost_its_memory() -> None:
    past_life = Author(1)
    past_life.place("buy", 10, 1)
    with pytest.raises(Amnesia, match="entry 1 "):
        ledgers().copy(past_life.batch(), NOW)


def test_an_own_ledger_that_is_not_longer_than_known_is_no_amnesia() -> None:
    past_life, mine = Author(1), ledgers()
    id = past_life.place("buy", 10, 1, time=NOW_US)
    mine.write(OrderPlaced(id=id, item="ACME", side="buy", price=10 * UNIT, quantity=UNIT), NOW)
    assert mine.own == past_life.head()
    assert mine.copy(past_life.batch(), NOW) == []


def test_restoring_what_was_kept_gives_the_same_ledgers_again() -> None:
    before, author, after = ledgers(), Author(2), ledgers()
    author.place("sell", 10, 1)
    before.copy(author.batch(), NOW)
    before.write(placed(before), NOW)
    for record in before.unsaved:
        after.restore(record)
    assert (after.heads, after.clock, after.unsaved) == (before.heads, before.clock, [])
    assert after._market.digest.hex() == before._market.digest.hex()


def test_a_disk_that_changed_an_entry_is_not_believed() -> None:
    author = Author(2)
    author.place("buy", 10, 1)
    changed = author.texts[0].replace('"quantity":"1"', '"quantity":"2"')
    with pytest.raises(CorruptJournal, match="entry 1"):
        ledgers().restore(Record(author.id, author.identity.public_key, author.head(), changed, None))


class CopiesAgainstLists(RuleBasedStateMachine):
    """Copies of two ledgers, told in pieces by anybody, in any order and again and again, against plain lists."""

    def __init__(self) -> None:
        super().__init__()
        self.mine = ledgers()
        self.authors = [Author(2), Author(3)]
        self.known: list[list[str]] = [[], []]

    @rule(who=st.integers(0, 1), count=st.integers(1, 4))
    def write(self, who: int, count: int) -> None:
        """An owner goes on with its ledger."""
        for _ in range(count):
            self.authors[who].place("buy", 10, 1)

    @rule(who=st.integers(0, 1), data=st.data())
    def tell(self, who: int, data: st.DataObject) -> None:
        """Some of a ledger arrives: the next, a part of it, what is known already, or what leaves a gap."""
        author, known = self.authors[who], self.known[who]
        if author.texts:
            first = data.draw(st.integers(1, len(author.texts)))
            last = data.draw(st.integers(first, len(author.texts)))
            follows = first <= len(known) + 1 <= last
            placed = self.mine.copy(self._batch(author, author.texts[:last], first), NOW)
            assert placed == ([f"{author.id}-{n}" for n in range(len(known) + 1, last + 1)] if follows else [])
            if follows:
                known[:] = author.texts[:last]

    @rule(who=st.integers(0, 1), data=st.data())
    def tell_otherwise(self, who: int, data: st.DataObject) -> None:
        """What is signed continues another past than the one that is known here."""
        author, known = self.authors[who], self.known[who]
        if known:
            at = data.draw(st.integers(0, len(known) - 1))
            past = [*known[:at], known[at].replace('"buy"', '"sell"'), *known[at + 1 :]]
            fork = [*past, known[-1].replace(f'"sequence":{len(known)}', f'"sequence":{len(known) + 1}')]
            with pytest.raises(BadLedger):
                self.mine.copy(self._batch(author, fork, data.draw(st.integers(at + 2, len(fork)))), NOW)

    @invariant()
    def the_copies_are_what_was_told_in_sequence(self) -> None:
        """Heads, market and what waits for the disk all say the same."""
        for author, known in zip(self.authors, self.known, strict=True):
            assert self.mine.head_of(author.id) == reduce(chained, known, Head())
            assert [r.text for r in self.mine.unsaved if r.peer_id == author.id] == known
        assert len(self.mine._market.orders) == sum(map(len, self.known))

    def _batch(self, author: Author, texts: list[str], first: int) -> LedgerBatch:
        return LedgerBatch(
            peer_id=author.id,
            public_key=author.identity.public_key,
            first=first,
            entries=texts[first - 1 :],
            signature=seal(author.identity, reduce(chained, texts, Head())),
        )


TestCopiesAgainstLists = CopiesAgainstLists.TestCase
