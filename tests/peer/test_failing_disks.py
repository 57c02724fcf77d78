"""A disk fails in the middle of a write: the peer ends there, and its next life knows all that the last one told."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from peer.node import Failed
from peer.picture import Past
from peer.sqlite_journal import SqliteJournal
from tests.peer.actors import Peer, introduce, talk
from tests.peer.disks import Commit, Failing

SHORT = Past(snapshot_every=12, settled_orders=2)
ROUNDS = 20


def writes_a_snapshot(commit: Commit) -> bool:
    """Whether it sums up a ledger."""
    return any('"SNAPSHOT"' in record.text for record in commit[0])


def forgets(commit: Commit) -> bool:
    """Whether it cuts a ledger short."""
    return bool(commit[1].bases)


@pytest.mark.parametrize("fails", [writes_a_snapshot, forgets])
@pytest.mark.parametrize("frames", [0, 0.5, 2.5])
def test_a_peer_ends_at_a_torn_commit_and_its_next_life_knows_all_that_was_told(
    tmp_path: Path, fails: Callable[[Commit], bool], frames: float
) -> None:
    path = tmp_path / "ledgers.sqlite"
    one, two = Peer(1, Failing(path, fails, frames), past=SHORT), Peer(2, past=SHORT)
    introduce(one, two)
    accepted = [one.submit("sell", "15", "3")]
    with pytest.raises(sqlite3.OperationalError):
        _trade_on(one, two, accepted)
    one.journal.close()

    again = Peer(1, SqliteJournal(path), one.now + 5, SHORT)
    assert all(again.order(id)["id"] == id for id in accepted)
    told = two.node.exchange.ledgers.head_of(one.id)
    assert again.node.exchange.ledgers.hash_at(one.id, told.sequence) == told.hash
    two.now = again.now
    two.receive(Failed(one.id))
    introduce(again, two)
    _trade_on(again, two, accepted)
    assert again.journal.bases()[one.id] == two.journal.bases()[one.id]
    assert again.status()["digest"] == two.status()["digest"]
    again.journal.close()


def _trade_on(seller: Peer, buyer: Peer, accepted: list[str]) -> None:
    for _ in range(ROUNDS):
        accepted.append(seller.submit("sell", "10", "1"))
        talk(seller, buyer)
        buyer.submit("buy", "10", "1")
        talk(seller, buyer)
