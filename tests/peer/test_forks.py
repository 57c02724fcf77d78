"""Forks: two signed ways to go on are proof, hearsay is none; nobody trades with their owner again, all others do."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest

from peer.forks import Forks
from peer.identity import verify
from peer.ledger import chained
from peer.ledgers import RECENT_HASHES, Amnesia
from peer.messages import Ledger, LedgerBatch
from peer.node import Answered, Tick
from peer.schema import Head
from tests.peer.actors import Author, Peer, acquainted, answer_under_way, filled, talk

AGREED = 3


def twins(agreed: int = AGREED, more: int = 2) -> tuple[Author, Author]:
    """One author twice: the two ledgers agree up to an entry, and then each goes its own way."""
    one, two = Author(2), Author(2)
    for author, price in ((one, 10), (two, 11)):
        for _ in range(agreed):
            author.place("sell", 10, 1)
        for _ in range(more):
            author.place("sell", price, 1)
    return one, two


def based(author: Author, first: int) -> LedgerBatch:
    """The author's entries from a number on, with the hash before them."""
    base = [*accumulate(author.texts, chained, initial=Head())][first - 1].hash
    return author.batch(first).model_copy(update={"base": base})


def convicted(peer: Peer, author: Author) -> dict[str, Any]:
    """The proof that a peer shows against an author, after checking it as anybody could."""
    proof: dict[str, Any] = peer.ask({"type": "GET_FORK", "peerId": author.id})
    assert proof["peerId"] == author.id
    hashes = []
    for side in ("ours", "theirs"):
        batch = proof[side]
        heads = [*accumulate(batch["entries"], chained, initial=Head(batch["first"] - 1, batch["base"]))]
        signed = f"grapevine ledger {author.id} {heads[-1].sequence} {heads[-1].hash}"
        assert verify(batch["publicKey"], signed.encode(), batch["signature"])
        hashes += [head.hash for head in heads if head.sequence == proof["sequence"]]
    ours, theirs = hashes
    assert ours != theirs
    shown = {"peerId": author.id, "sequence": proof["sequence"], "ours": ours, "theirs": theirs}
    assert peer.status()["forks"] == [shown]
    return proof


def test_a_batch_that_overlaps_our_copy_with_other_entries_is_proof() -> None:
    peer, (one, two) = Peer(1), twins()
    one.tell(peer)
    two.tell(peer)
    assert convicted(peer, one)["sequence"] == AGREED + 1


def test_a_batch_that_does_not_fit_our_end_is_proof() -> None:
    peer, (one, two) = Peer(1), twins()
    one.tell(peer)
    two.place("sell", 12, 1)
    peer.hear(two.envelope(peer, Ledger(ledger=based(two, AGREED + 3)), vector={}))
    assert convicted(peer, one)["sequence"] == AGREED + 2


@pytest.mark.parametrize("later", [0, RECENT_HASHES])
def test_a_vector_that_contradicts_our_copy_makes_us_ask_and_the_answer_is_proof(later: int) -> None:
    peer, witness, (one, two) = Peer(1), Author(3), twins()
    one.tell(peer)
    for _ in range(later):
        one.place("sell", 10, 1)
    one.tell(peer, first=AGREED + 3)
    peer.hear(witness.envelope(peer, vector={two.id: list(two.head())}))
    answer_under_way(peer, witness)
    peer.now += 2.0
    peer.receive(Tick())
    (ask,) = peer.sent(witness.id, "GET_LEDGER")
    assert ask == {"type": "GET_LEDGER", "peerId": two.id, "after": AGREED + 1}
    assert "is not ours" in peer.contact(witness.id)["refused"]
    peer.hear(witness.envelope(peer, Ledger(ledger=based(two, AGREED + 2))))
    assert convicted(peer, one)["sequence"] == AGREED + 1


def test_what_is_only_said_or_wrongly_signed_convicts_nobody() -> None:
    peer, witness, (one, two) = Peer(1), Author(3), twins()
    maker = one.place("sell", 10, 5)
    one.tell(peer)
    peer.hear(witness.envelope(peer, vector={one.id: [2, "ab" * 32]}))
    for forged in ({"signature": "00" * 64}, {"public_key": witness.identity.public_key}, {"base": "ab" * 32}):
        batch = based(two, AGREED + 1).model_copy(update=forged)
        peer.hear(witness.envelope(peer, Ledger(ledger=batch)))
    altered = two.batch().model_copy(update={"entries": [text.replace("11", "12") for text in two.texts]})
    peer.hear(witness.envelope(peer, Ledger(ledger=altered)))
    assert peer.status()["forks"] == []
    assert "halted" not in peer.order(maker)
    assert peer.ask({"type": "GET_FORK", "peerId": one.id}).startswith("ERR_UNKNOWN_FORK")


def test_with_the_owner_of_a_forked_ledger_nobody_trades_again_and_all_others_do() -> None:
    one, other = acquainted(1, 4)
    author, twin = twins()
    maker = author.place("buy", 20, 5)
    for peer in (one, other):
        author.tell(peer)
        twin.tell(peer)
        assert peer.order(maker)["halted"] is True
    ids = one.submit("sell", "15", "1"), other.submit("buy", "15", "1")
    assert one.events("FILL_OPENED") == []
    talk(one, other)
    assert filled(other, *ids) == [("1", "0"), ("1", "0")]
    author.place("sell", 10, 1)
    length = other.status()["vector"][author.id]
    author.tell(other)
    assert other.status()["vector"][author.id] == length
    assert "forked" in other.contact(author.id)["refused"]


def test_a_proof_outlives_the_process() -> None:
    peer, (one, two) = Peer(1), twins()
    maker = one.place("sell", 20, 1)
    one.tell(peer)
    two.tell(peer)
    again = peer.restarted()
    assert convicted(again, one) == convicted(peer, one)
    assert again.order(maker)["halted"] is True


def test_who_hears_of_its_own_ledger_continued_elsewhere_ends() -> None:
    peer, twin, witness = Peer(1), Author(1), Author(3)
    peer.submit("buy", "10", "1")
    twin.place("buy", 11, 1)
    with pytest.raises(Amnesia, match="exists twice"):
        peer.hear(witness.envelope(peer, Ledger(ledger=twin.batch())))


def test_two_processes_under_one_key_are_found_out_by_whoever_hears_both_and_end() -> None:
    first, second, witness = Peer(1), Peer(1), Peer(4)
    maker = first.submit("sell", "10", "1")
    for price in ("11", "12"):
        second.submit("sell", price, "1")
    for peer in (first, second, witness):
        peer.node.exchange.discover(witness.id if peer is not witness else first.id)
    talk(first, witness)
    with pytest.raises(Amnesia):
        talk(second, witness, now=witness.now + 2.0)
        talk(second, witness, now=witness.now + 2.0)
    assert [fork["peerId"] for fork in witness.status()["forks"]] == [first.id]
    assert witness.order(maker)["halted"] is True


def test_a_batch_that_leaves_a_gap_proves_nothing() -> None:
    one, two = twins()
    hashes = {head.sequence: head.hash for head in accumulate(one.texts[:2], chained, initial=Head())}
    forks = Forks(lambda peer_id, sequence: hashes.get(sequence), verify)
    assert forks.examine(based(two, AGREED + 1)) is None


def suspecting(*ledgers: Author) -> tuple[Peer, Author]:
    """A peer that holds these ledgers, and one whose vector names other hashes for all of them."""
    peer, liar = Peer(1), Author(2)
    for author in ledgers:
        author.place("buy", 10, 1)
        author.tell(peer)
    peer.hear(liar.envelope(peer, vector={author.id: [1, "aa" * 32] for author in ledgers}))
    return peer, liar


def test_a_suspicion_ends_with_a_vector_that_says_as_we_do() -> None:
    author = Author(3)
    peer, liar = suspecting(author)
    assert peer.node.exchange.contacts[liar.id].suspected == {author.id: 1}
    peer.hear(liar.envelope(peer, vector={author.id: list(author.head())}))
    assert peer.node.exchange.contacts[liar.id].suspected == {}


def test_suspicions_that_nobody_answers_do_not_keep_a_peer_from_what_it_lacks() -> None:
    first, second, lacking = Author(3), Author(4), Author(5)
    peer, liar = suspecting(first, second)
    lacking.place("buy", 10, 1)
    vector = {first.id: [1, "aa" * 32], second.id: [1, "aa" * 32], lacking.id: list(lacking.head())}
    asked = []
    for _ in range(3):
        peer.now += 1.0
        peer.receive(Tick(), Answered(liar.id, liar.envelope(peer, vector=vector)), Tick())
        asked += [message["peerId"] for message in peer.sent(liar.id, "GET_LEDGER")]
    assert lacking.id in asked
    assert {first.id, second.id} & set(asked)
