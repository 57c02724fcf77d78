"""Journals, in memory and on disk: what goes in comes out, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peer.journal import Archived, Aside, Journal, MemoryJournal
from peer.messages import Fork
from peer.schema import MAX_BATCH, MAX_BATCH_CHARACTERS
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


def test_what_lies_below_a_base_is_not_read_again(journal: Journal) -> None:
    one, two = ledger(1, 6, {6}), ledger(2, 2, {2})
    me = one[0].peer_id
    journal.append([*one[:4], *two], durable=True)
    journal.append(one[4:], durable=False, aside=Aside({me: one[2].head}))
    assert journal.bases() == {me: one[2].head}
    assert list(journal.records()) == [one[3], *two, *one[4:]]
    for after in (0, 2, 3):
        assert journal.read(me, after) == [(4, one[3]), (7, one[4]), (8, one[5])]
    assert journal.read(me, 5) == [(8, one[5])]
    assert journal.read(me, 6) == []


def test_a_copy_may_go_on_after_a_gap_even_within_one_commit(journal: Journal) -> None:
    one = ledger(1, 9, {9})
    me = one[0].peer_id
    journal.append([*one[:2], *one[6:]], durable=True, aside=Aside({me: one[5].head}))
    assert [record for _, record in journal.read(me, 0)] == one[6:]
    assert [record for _, record in journal.read(me, 7)] == one[7:]
    assert list(journal.records()) == one[6:]


def test_what_lies_beyond_a_cut_is_gone_and_may_be_read_anew(journal: Journal) -> None:
    kept, other = ledger(1, 4, {4}), ledger(2, 2, {2})
    journal.append([*kept, *other], durable=True)
    journal.append([], durable=True, aside=Aside(cuts={kept[0].peer_id: 2}))
    assert list(journal.records()) == [*kept[:2], *other]
    assert [record for _, record in journal.read(kept[0].peer_id, 0)] == kept[:2]
    journal.append(kept[2:], durable=False)
    assert [record for _, record in journal.read(kept[0].peer_id, 0)] == kept


def test_a_ledger_that_begins_beyond_a_cut_is_gone_whole(journal: Journal) -> None:
    kept, other = ledger(1, 4, {4}), ledger(2, 4, {4})
    bases = {kept[0].peer_id: kept[2].head, other[0].peer_id: other[1].head}
    journal.append([*kept, *other], durable=True, aside=Aside(bases))
    journal.append([], durable=True, aside=Aside(cuts={kept[0].peer_id: 2, other[0].peer_id: 3}))
    assert list(journal.records()) == other[2:3]
    assert journal.bases() == {other[0].peer_id: other[1].head}
    assert journal.read(kept[0].peer_id, 0) == []


def test_a_batch_holds_no_more_text_than_an_envelope_can_carry(journal: Journal) -> None:
    large = [record._replace(text=record.text + " " * (MAX_BATCH_CHARACTERS // 3)) for record in ledger(1, 5, {5})]
    journal.append(large, durable=True)
    me = large[0].peer_id
    assert [record for _, record in journal.read(me, 0)] == large[:2]
    huge = large[0]._replace(peer_id="b" * 24, text=" " * (2 * MAX_BATCH_CHARACTERS))
    journal.append([huge], durable=True)
    assert [record for _, record in journal.read("b" * 24, 0)] == [huge]


def test_the_archive_knows_an_order_by_its_id_and_by_its_clients_name_for_it(journal: Journal) -> None:
    rows = [
        Archived("a-1", "ann", "1", "first"),
        Archived("a-2", None, "1", "second"),
        Archived("a-3", None, None, "3rd"),
    ]
    journal.append(ledger(1, 1, {1}), durable=True, aside=Aside(archive=rows))
    assert [journal.find(id) for id in ("a-1", "a-3", "a-9")] == ["first", "3rd", None]
    assert journal.find_submission("ann", "1") == "first"
    assert journal.find_submission(None, "1") == "second"
    assert journal.find_submission("bob", "1") is None
