"""A whole peer but for its sockets: nothing leaves before it is on disk, and a next life goes on where one ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

import pytest

from peer.identity import verify
from peer.journal import NONE_ASIDE, Aside, MemoryJournal
from peer.ledger import chained, continuation
from peer.ledgers import Record
from peer.messages import LedgerBatch
from peer.node import Answered, Asked, Failed, Tick
from peer.schema import MAX_BATCH, Head
from tests.peer.actors import (
    ITEM,
    NOW_US,
    Author,
    Peer,
    answer_under_way,
    identity,
    new_order,
)


class DiskFull(Exception):
    """What a journal raises when it can keep no more."""


class Commits(MemoryJournal):
    """A journal that tells what each commit held, and may be full."""

    def __init__(self, room: int = 10**6) -> None:
        super().__init__()
        self.forced: list[bool] = []
        self.room = room

    def append(self, records: Iterable[Record], *, durable: bool, aside: Aside = NONE_ASIDE) -> None:
        """Keep entries, and remember that they came together."""
        if len(self.commits) == self.room:
            raise DiskFull
        self.forced.append(durable)
        super().append(records, durable=durable, aside=aside)

    def first(self, count: int) -> MemoryJournal:
        """The disk of a process that was killed after its first so many commits."""
        disk = MemoryJournal()
        for records, aside in self.commits[:count]:
            disk.append(records, durable=True, aside=aside)
        return disk


def test_all_that_waits_is_one_commit() -> None:
    journal = Commits()
    peer = Peer(1, journal)
    replies = peer.receive(*(Asked(new_order("buy", "10", "1")) for _ in range(50)))
    assert len(replies) == 50
    assert [len(records) for records, _ in journal.commits] == [50]
    assert journal.forced == [True]


def test_reading_and_waiting_commit_nothing() -> None:
    journal = Commits()
    peer = Peer(1, journal)
    peer.status()
    peer.receive(Tick())
    assert journal.commits == []


def test_every_inbound_has_its_reply_in_its_place() -> None:
    order = new_order("buy", "10", "1")
    replies = Peer(1).receive(Asked(order), Tick(), Asked({"type": "GET_STATUS"}), Asked(None), Failed("x" * 24))
    kinds = [reply["type"] if isinstance(reply, dict) else reply and str(reply)[:15] for reply in replies]
    assert kinds == ["ORDER_ACCEPTED", None, "STATUS", "ERR_BAD_REQUEST", None]


def test_copies_of_other_ledgers_are_not_forced_to_the_disk() -> None:
    journal, author = Commits(), Author(2)
    author.place("buy", 10, 1)
    author.tell(Peer(1, journal))
    assert journal.forced == [False]


def test_a_commit_with_own_entries_is_forced_to_the_disk() -> None:
    journal, author = Commits(), Author(2)
    peer = Peer(1, journal)
    author.place("sell", 10, 1)
    author.tell(peer)
    peer.submit("buy", "10", "1")
    assert journal.forced == [False, True]


@pytest.mark.parametrize(
    "inbound",
    [
        lambda peer, author: Asked(new_order("buy", "10", "1")),
        lambda peer, author: Asked(author.envelope(peer, {"type": "ORDER_SUBMITTED", "ledger": author.batch()})),
        lambda peer, author: Answered(author.id, author.envelope(peer, {"type": "LEDGER", "ledger": author.batch()})),
    ],
    ids=["an order", "a ledger that is told", "a ledger that is answered"],
)
def test_what_the_disk_refuses_is_neither_answered_nor_sent(inbound: Callable[[Peer, Author], Any]) -> None:
    author = Author(2)
    author.place("sell", 10, 1)
    peer = Peer(1, Commits(room=0))
    author_without_news = author.envelope(peer, vector={})
    peer.hear(author_without_news)
    peer.outbox.clear()
    with pytest.raises(DiskFull):
        peer.receive(_plain(inbound(peer, author)))
    assert peer.outbox == []


def _plain(inbound: Any) -> Any:
    for message in inbound.payload.get("messages", []):
        message["ledger"] = message["ledger"].json_object()
    return inbound


def test_what_is_sent_and_answered_is_on_the_disk() -> None:
    journal, author = Commits(), Author(2)
    peer = Peer(1, journal)
    peer.hear(author.envelope(peer))
    answer_under_way(peer, author)
    peer.now += 1.0
    id = peer.submit("buy", "10", "1")
    (told,) = peer.sent(author.id, "ORDER_SUBMITTED")
    assert told["ledger"]["entries"] == [record.text for record in journal.records()]
    assert id in str(told)


def test_a_long_commit_is_told_in_batches_that_each_end_at_a_signature() -> None:
    peer = Peer(1)
    peer.receive(*(Asked(new_order("buy", "10", "1")) for _ in range(3 * MAX_BATCH)))
    head = Head()
    while found := peer.ask({"type": "GET_LEDGER", "peerId": peer.id, "after": head.sequence}).get("ledger"):
        news = continuation(head, LedgerBatch.model_validate(found), verify)
        assert 0 < len(news.entries) <= MAX_BATCH
        head = news.heads[-1]
    assert head.sequence == 3 * MAX_BATCH


def test_a_relayed_ledger_is_signed_by_its_owner_from_any_entry_on() -> None:
    peer, author = Peer(1), Author(2)
    for _ in range(4):
        author.place("buy", 10, 1)
    author.tell(peer)
    heads = list(accumulate(author.texts, chained, initial=Head()))
    for after in range(4):
        found = peer.ask({"type": "GET_LEDGER", "peerId": author.id, "after": after})
        batch = LedgerBatch.model_validate(found["ledger"])
        assert (batch.first, batch.entries) == (after + 1, author.texts[after:])
        assert continuation(heads[after], batch, verify).heads[-1] == author.head()
        assert len(found["positions"]) == 4 - after


def test_positions_tell_in_which_order_the_ledgers_arrived() -> None:
    peer, author = Peer(1), Author(2)
    peer.submit("buy", "1", "1")
    author.place("buy", 2, 1)
    author.tell(peer)
    peer.submit("buy", "1", "1")
    own, copy = (peer.ask({"type": "GET_LEDGER", "peerId": id})["positions"] for id in (peer.id, author.id))
    assert (own, copy) == ([1, 3], [2])


def busy_peer() -> tuple[Peer, Commits]:
    """A peer after orders, trades, cancels, fills asked and decided, each in a commit of its own."""
    journal, author = Commits(), Author(2)
    peer = Peer(1, journal)
    author.place("sell", 10, 3)
    author.tell(peer)
    answer_under_way(peer, author)
    taker = peer.submit("buy", "10", "5")
    peer.now += 0.01
    peer.receive(Tick())
    peer.submit("sell", "12", "2", clientOrderId="7")
    peer.submit("buy", "12", "1")
    (ask,) = peer.sent(author.id, "FILL_ORDER")
    peer.ask({"type": "CANCEL_ORDER", "id": taker})
    author.grant(ask["fillId"], taker, ask["maker"], 2, price=10, remaining=1)
    author.tell(peer, first=2)
    maker = peer.submit("sell", "9", "4")
    other = author.place("buy", 9, 4, time=NOW_US + 10**6)
    author.open_fill(other, maker, 4, 9, time=NOW_US + 10**6 + 1)
    author.tell(peer, first=3)
    peer.submit("buy", "1", "1")
    return peer, journal


def shown(peer: Peer) -> dict[str, Any]:
    status = peer.status()
    book = peer.ask({"type": "GET_ORDERBOOK", "item": ITEM})
    own = [order for side in ("buyOrders", "sellOrders", "filledOrders") for order in book[side]]
    for order in own:
        order.pop("halted", None)
    return {
        "vector": status["vector"],
        "digest": status["digest"],
        "inDoubt": status["inDoubt"],
        "orders": own,
        "trades": peer.ask({"type": "GET_TRADES"}),
    }


def test_a_restarted_peer_is_the_peer_that_it_was() -> None:
    peer, _ = busy_peer()
    kinds = {event["type"] for event in peer.events()}
    assert kinds >= {"ORDER_PLACED", "ORDER_CANCELLED", "FILL_OPENED", "FILL_CLOSED", "FILL_GRANTED", "ORDERS_TRADED"}
    assert shown(peer.restarted()) == shown(peer)


def test_killed_after_any_commit_a_peer_comes_back_to_what_that_commit_held() -> None:
    _, journal = busy_peer()
    for count in range(len(journal.commits) + 1):
        disk = journal.first(count)
        back = Peer(1, disk)
        assert list(disk.records()) == [record for records, _ in journal.commits[:count] for record in records]
        assert shown(back.restarted()) == shown(back)


def test_a_decision_that_the_last_life_owed_is_made_at_the_next_start() -> None:
    author, peer = Author(2), Peer(1)
    maker = peer.submit("sell", "10", "5")
    author.open_fill(author.place("buy", 10, 5, time=NOW_US + 9), maker, 5, 10, time=NOW_US + 10)
    witness = Commits()
    author.tell(Peer(3, witness))
    disk = MemoryJournal()
    disk.append([*peer.journal.records(), *witness.records()], durable=True)
    back = Peer(1, disk)
    assert [event["granted"] for event in back.events("FILL_GRANTED")] == ["5"]
    assert back.restarted().events() == back.events()


@pytest.mark.parametrize(
    "answer",
    [None, [], "ERR", {}, {"type": "STATUS"}, {"type": "ENVELOPE"}, {"sender": identity(3).peer_id}, {"to": "x" * 24}],
    ids=str,
)
def test_an_answer_that_is_none_counts_as_a_failure(answer: Any) -> None:
    peer, author = Peer(1), Author(2)
    peer.hear(author.envelope(peer))
    proper = author.envelope(peer)
    bad = {**proper, **answer} if isinstance(answer, dict) and "type" not in answer and answer else answer
    for _ in range(3):
        peer.now += 10.0
        peer.receive(Tick())
        peer.receive(Answered(author.id, bad))
    assert peer.contact(author.id)["state"] == "silent"
    peer.now += 10.0
    peer.receive(Tick())
    peer.receive(Answered(author.id, proper))
    assert peer.contact(author.id)["state"] == "reachable"


@pytest.mark.parametrize("hash", ["00", "00" * 64])
@pytest.mark.parametrize("sequence", [-(10**30), -1, 0, 1, 5, 10**16, 10**30])
def test_whatever_a_vector_claims_the_peer_lives_on(sequence: int, hash: str) -> None:
    peer, author = Peer(1), Author(2)
    peer.submit("buy", "10", "1")
    envelope = author.envelope(peer, vector={peer.id: [sequence, hash], identity(5).peer_id: [sequence, hash]})
    for _ in range(3):
        peer.ask(envelope)
        peer.now += 10.0
        peer.receive(Tick())
        peer.receive(Answered(author.id, envelope))
    assert peer.submit("buy", "10", "1")
