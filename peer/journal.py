"""Where a peer keeps its ledger and its copies: what a journal promises, and one that lives in memory. Pure.

The rule: `append` returns when the owner's entries would survive a power cut, or raises, and then the process must end.
Copies alone are not forced to the disk: they survive a kill, and what a power cut took, their owners tell again.
Entries keep the order in which they reached this peer: replayed in it, they give the same market again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from peer.ledgers import Record
from peer.messages import Fork
from peer.schema import MAX_BATCH

# An entry, and where in the order of arrival it stands.
Kept = tuple[int, Record]


class Journal(Protocol):
    """Where a peer keeps its ledger and its copies of the others'."""

    def records(self) -> Iterator[Record]:
        """Yield every entry in the order of arrival."""

    def append(self, records: Iterable[Record], *, durable: bool) -> None:
        """Keep entries; if `durable`, they and all before them are on the disk on return."""

    def read(self, peer_id: str, after: int, limit: int = MAX_BATCH) -> list[Kept]:
        """Return at most `limit` entries of a ledger after a number."""

    def cut(self, peer_id: str, after: int) -> None:
        """Forget the entries of a ledger after a number, which lie beyond a fence: they never count again."""

    def keep_fork(self, fork: Fork) -> None:
        """Keep the proof of a fork, on the disk on return; the first one against a peer is enough."""

    def forks(self) -> list[Fork]:
        """Return all proofs of forks."""

    def close(self) -> None:
        """Let go of the disk."""


class MemoryJournal:
    """A journal that lives as long as the object: what a simulated disk holds."""

    def __init__(self) -> None:
        self._records: dict[int, Record] = {}
        self._position = 0
        self._ledgers: dict[str, list[Kept]] = {}
        self._forks: dict[str, Fork] = {}

    def records(self) -> Iterator[Record]:
        """Yield every entry in the order of arrival."""
        return iter(self._records.values())

    def append(self, records: Iterable[Record], *, durable: bool) -> None:
        """Keep entries."""
        for record in records:
            self._position += 1
            self._records[self._position] = record
            self._ledgers.setdefault(record.peer_id, []).append((self._position, record))

    def read(self, peer_id: str, after: int, limit: int = MAX_BATCH) -> list[Kept]:
        """Return at most `limit` entries of a ledger after a number."""
        return self._ledgers.get(peer_id, [])[after : after + limit]

    def cut(self, peer_id: str, after: int) -> None:
        """Forget the entries of a ledger after a number."""
        for position, _ in self._ledgers.get(peer_id, [])[after:]:
            del self._records[position]
        del self._ledgers.get(peer_id, [])[after:]

    def keep_fork(self, fork: Fork) -> None:
        """Keep the proof of a fork."""
        self._forks.setdefault(fork.peer_id, fork)

    def forks(self) -> list[Fork]:
        """Return all proofs of forks."""
        return list(self._forks.values())

    def close(self) -> None:
        """Keep everything: a simulated disk outlives its process."""
