"""Journals, in memory and on disk: what goes in comes out, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peer.journal import Journal, MemoryJournal
from peer.messages import Fork
from peer.schema import MAX_BATCH
from peer.sqlite_journal import SqliteJournal
from tests.peer.actors import Author, ledger


@pytest.fixture(params=["memory", "disk"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    make: Callable[[], Journal] = MemoryJournal
    if request.param == "disk":
        make = lambda: SqliteJournal(tmp_path / "ledgers.sqlite")  # noqa: E731
    journal = make()
    yield journal
    journal.close()


def test_records_come_back_in_the_order_of_arrival(journal: Journal) -> None:
    one, two = ledger(1, 3, {3}), ledger(2, 2, {2})
    arrival = [one[0], two[0], one[1], one[2], two[1]]
    journal.append(arrival[:2], durable=False)
    journal.append(arrival[2:], durable=True)
    assert list(journal.records()) == arrival


def test_the_first_proof_against_a_peer_is_kept(journal: Journal) -> None:
    author = Author(2)
    author.place("sell", 10, 1)
    proofs = [Fork(peer_id=author.id, sequence=n, ours=author.batch(), theirs=author.batch()) for n in (1, 2)]
    for proof in proofs:
        journal.keep_fork(proof)
    assert journal.forks() == proofs[:1]


def test_an_entry_is_read_with_its_place_in_the_order_of_arrival(journal: Journal) -> None:
    one, two = ledger(1, 3, {3}), ledger(2, 1, {1})
    journal.append([*one[:2], *two, *one[2:]], durable=True)
    assert journal.read(one[0].peer_id, 0) == [(1, one[0]), (2, one[1]), (4, one[2])]
    assert journal.read(two[0].peer_id, 0) == [(3, two[0])]


@pytest.mark.parametrize("after", [0, 1, 3, 4, 99])
def test_entries_are_read_after_the_asked_number(journal: Journal, after: int) -> None:
    kept = ledger(1, 4, {3})
    journal.append(kept, durable=True)
    assert [record for _, record in journal.read(kept[0].peer_id, after)] == kept[after:]


def test_of_an_unknown_ledger_there_is_nothing(journal: Journal) -> None:
    assert journal.read("a" * 24, 0) == []


def test_no_more_is_read_at_once_than_a_message_may_hold(journal: Journal) -> None:
    kept = ledger(1, MAX_BATCH + 50, {MAX_BATCH + 50})
    journal.append(kept, durable=True)
    assert [record for _, record in journal.read(kept[0].peer_id, 10)] == kept[10 : 10 + MAX_BATCH]
