"""Fences: the same end of a lost ledger, in whatever order the ledgers that speak of it are read."""

from __future__ import annotations

from random import Random

import pytest

from peer.events import Event, EvictionEvent, EvictionJoined, EvictionProposed, PeerFenced, read_entry
from peer.fences import Fences
from peer.identity import verify
from peer.ledgers import Ledgers
from peer.market import Contradiction, Market
from peer.schema import Head
from tests.peer.actors import NOW, Author, identity

A, B, C, LOST = (identity(number).peer_id for number in (1, 2, 3, 9))
SHORT, LONG = Head(3, "03" * 32), Head(7, "07" * 32)


def proposal(*voters: str, forced: bool = False) -> EvictionProposed:
    return EvictionProposed(peer_id=LOST, voters=voters, forced=forced)


def joined(head: Head) -> EvictionJoined:
    return EvictionJoined(peer_id=LOST, sequence=head.sequence, hash=head.hash)


def fence(head: Head) -> PeerFenced:
    return PeerFenced(peer_id=LOST, sequence=head.sequence, hash=head.hash)


def folded(*events: tuple[str, EvictionEvent], me: str = A) -> Fences:
    fences = Fences(me)
    for peer_id, event in events:
        assert fences.follows(peer_id, event)
        fences.apply(peer_id, event)
    return fences


def test_a_lost_ledger_ends_where_the_voter_that_holds_most_of_it_does_once_all_have_joined() -> None:
    asked = ((A, proposal(A, B, C)), (A, joined(SHORT)), (B, joined(LONG)))
    waiting = folded(*asked)
    assert (waiting.end(LOST), waiting.waiting_for(LOST)) == (None, [C])
    assert waiting.limit(LOST) == SHORT.sequence
    done = folded(*asked, (C, joined(SHORT)))
    assert (done.end(LOST), done.waiting_for(LOST), done.limit(LOST)) == (LONG, [], LONG.sequence)


def test_what_nobody_evicts_ends_nowhere() -> None:
    fences = folded((A, proposal(A, B)))
    assert (fences.limit(B), fences.end(B), fences.is_leaving(B), fences.is_barred(B)) == (None, None, False, False)


def test_two_that_propose_at_once_wait_for_each_others_voters() -> None:
    events: list[tuple[str, EvictionEvent]] = [
        (A, proposal(A, B)),
        (B, proposal(A, B, C)),
        (A, joined(SHORT)),
        (B, joined(SHORT)),
    ]
    assert folded(*events).waiting_for(LOST) == [C]
    assert folded(*events, (C, joined(LONG))).end(LOST) == LONG


def test_a_forced_proposal_waits_for_its_own_voters_only() -> None:
    events: list[tuple[str, EvictionEvent]] = [
        (A, proposal(A, B, C)),
        (A, joined(SHORT)),
        (B, joined(SHORT)),
        (A, proposal(A, B, forced=True)),
    ]
    assert folded(*events).end(LOST) == SHORT


def test_a_voter_that_has_itself_been_fenced_is_waited_for_no_more() -> None:
    events: list[tuple[str, EvictionEvent]] = [(A, proposal(A, B)), (A, joined(SHORT))]
    end_of_b = PeerFenced(peer_id=B, sequence=0, hash="00" * 32)
    assert folded(*events).end(LOST) is None
    assert folded(*events, (C, end_of_b)).end(LOST) is None, "its last words may not have been read"
    assert folded(*events, (A, end_of_b)).end(LOST) == SHORT


def test_of_contradicting_fences_the_own_one_counts_and_else_the_first() -> None:
    events: list[tuple[str, EvictionEvent]] = [(B, fence(SHORT)), (C, fence(LONG))]
    assert folded(*events).fence(LOST) == SHORT
    assert folded(*reversed(events)).fence(LOST) == LONG
    assert folded(*events, me=C).fence(LOST) == LONG


@pytest.mark.parametrize(
    ("writer", "event"), [(LOST, joined(SHORT)), (LOST, proposal(A)), (A, joined(LONG)), (A, fence(LONG))]
)
def test_a_peer_speaks_of_others_and_of_each_once(writer: str, event: Event) -> None:
    market, author = Market(A), Author(1)
    ledgers = Ledgers(A, author.identity.public_key, market, verify)
    for said in (proposal(A), joined(SHORT), fence(SHORT)):
        ledgers.write(said, NOW)
    other = author if writer == A else Author(9)
    if writer == A:
        with pytest.raises(Contradiction, match="speaks once"):
            ledgers.write(event, NOW)
    else:
        other.write(event)
        with pytest.raises(Contradiction, match="speaks once"):
            ledgers.copy(other.batch(), NOW)


def test_any_order_of_arrival_of_the_ledgers_gives_the_same_market() -> None:
    lost, one, two = Author(9), Author(2), Author(3)
    maker, spare = lost.place("sell", 10, 5), lost.place("buy", 5, 2)
    taker = one.place("buy", 10, 3)
    fill = one.open_fill(taker, maker, 3, 10)
    lost.grant(fill.fill_id, taker, maker, 2, price=10, remaining=3)
    mine = two.place("sell", 5, 4)
    theirs = lost.open_fill(spare, mine, 1, 5)
    two.grant(theirs.fill_id, spare, mine, 1, price=5, remaining=3)
    end = lost.head()
    for author in (one, two):
        author.write(PeerFenced(peer_id=lost.id, sequence=end.sequence, hash=end.hash))
    seen, dice = set(), Random("order of arrival")
    entries = {author.id: [read_entry(text) for text in author.texts] for author in (lost, one, two)}
    arrival = [owner for owner, of in entries.items() for _ in of]
    for _ in range(300):
        # A piece at a time, in any order of pieces that keeps each ledger's own.
        dice.shuffle(arrival)
        market, left = Market(identity(1).peer_id), {owner: iter(of) for owner, of in entries.items()}
        market.set_reachable(two.id, reachable=True)
        for owner in arrival:
            market.apply(owner, next(left[owner]))
        shown = [(o.id, o.remaining, o.filled, o.reserved, o.open, o.void) for o in market.orders.values()]
        resting = sorted(order.id for order in market.resting("ACME"))
        seen.add((market.digest.hex(), tuple(sorted(shown)), tuple(resting)))
    ((_, orders, still_resting),) = seen
    assert {order[0] for order in orders if order[-1]} == {maker, spare}
    assert still_resting == tuple(sorted([mine, taker]))
