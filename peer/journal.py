"""Where a peer keeps its ledger and its copies: what a journal promises, and one that lives in memory. Pure.

The rule: `append` returns when the owner's entries would survive a power cut, or raises, and then the process must end.
Copies alone are not forced to the disk: they survive a kill, and what a power cut took, their owners tell again.
Entries keep the order in which they reached this peer: replayed in it, they give the same market again. A commit is
there whole or not at all, and only with all before it: so no base ever stands without the snapshot that follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple, Protocol

from peer.ledgers import Record
from peer.messages import Fork
from peer.schema import MAX_BATCH, MAX_BATCH_CHARACTERS, Head

# An entry, and where in the order of arrival it stands.
Kept = tuple[int, Record]


class Archived(NamedTuple):
    """An own order that has come to its end: its id, the names that its client gave, and its state as a text."""

    id: str
    client_id: str | None
    client_order_id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Aside:
    """What a commit puts aside: the heads up to which ledgers are forgotten, and own orders for the archive.

    `cuts` are the numbers after which ledgers are forgotten: what lies beyond a fence never counts again.
    """

    bases: dict[str, Head] = field(default_factory=dict)
    cuts: dict[str, int] = field(default_factory=dict)
    archive: Sequence[Archived] = ()


NONE_ASIDE = Aside()


class Journal(Protocol):
    """Where a peer keeps its ledger and its copies of the others'."""

    def bases(self) -> dict[str, Head]:
        """Return up to where each ledger has been forgotten."""

    def records(self) -> Iterator[Record]:
        """Yield every entry that has not been forgotten in the order of arrival."""

    def append(self, records: Iterable[Record], *, durable: bool, aside: Aside = NONE_ASIDE) -> None:
        """Keep entries, forget others; if `durable`, this and all before it is on the disk on return."""

    def read(self, peer_id: str, after: int, limit: int = MAX_BATCH) -> list[Kept]:
        """Return entries of a ledger after a number, or after its base if that is later.

        They are at most `limit` entries and MAX_BATCH_CHARACTERS, but one at least if there is one.
        """

    def keep_fork(self, fork: Fork) -> None:
        """Keep the proof of a fork, on the disk on return; the first one against a peer is enough."""

    def forks(self) -> list[Fork]:
        """Return all proofs of forks."""

    def find(self, order_id: str) -> str | None:
        """Return the state of an own order from the archive."""

    def find_submission(self, client_id: str | None, client_order_id: str) -> str | None:
        """Return the state of the own order that a client submitted under this name from the archive."""

    def close(self) -> None:
        """Let go of the disk."""


class MemoryJournal:
    """A journal that lives as long as the object: what a simulated disk holds.

    What is forgotten is not read again, but it stays in `written`, and in `commits`.
    """

    def __init__(self) -> None:
        self.commits: list[tuple[list[Record], Aside]] = []
        self.written: dict[int, Record] = {}
        self._position = 0
        self._ledgers: dict[str, list[Kept]] = {}
        self._bases: dict[str, Head] = {}
        self._archive: dict[str, Archived] = {}
        self._submissions: dict[tuple[str | None, str | None], Archived] = {}
        self._forks: dict[str, Fork] = {}

    def bases(self) -> dict[str, Head]:
        """Return up to where each ledger has been forgotten."""
        return dict(self._bases)

    def records(self) -> Iterator[Record]:
        """Yield every entry that has not been forgotten in the order of arrival."""
        return (record for record in self.written.values() if record.head.sequence > self._base(record.peer_id))

    def append(self, records: Iterable[Record], *, durable: bool, aside: Aside = NONE_ASIDE) -> None:
        """Keep entries, forget others."""
        kept_now = list(records)
        self.commits.append((kept_now, aside))
        for record in kept_now:
            self._position += 1
            self.written[self._position] = record
            self._ledgers.setdefault(record.peer_id, []).append((self._position, record))
        for peer_id, base in aside.bases.items():
            self._bases[peer_id] = base
            kept = self._ledgers.get(peer_id, [])
            self._ledgers[peer_id] = [one for one in kept if one[1].head.sequence > base.sequence]
        for peer_id, after in aside.cuts.items():
            self._cut(peer_id, after)
        for archived in aside.archive:
            self._archive[archived.id] = archived
            self._submissions[archived.client_id, archived.client_order_id] = archived

    def read(self, peer_id: str, after: int, limit: int = MAX_BATCH) -> list[Kept]:
        """Return entries of a ledger after a number, or after its base if that is later."""
        start = max(0, after - self._base(peer_id))
        return first_batch(self._ledgers.get(peer_id, [])[start : start + limit])

    def keep_fork(self, fork: Fork) -> None:
        """Keep the proof of a fork."""
        self._forks.setdefault(fork.peer_id, fork)

    def forks(self) -> list[Fork]:
        """Return all proofs of forks."""
        return list(self._forks.values())

    def find(self, order_id: str) -> str | None:
        """Return the state of an own order from the archive."""
        found = self._archive.get(order_id)
        return None if found is None else found.text

    def find_submission(self, client_id: str | None, client_order_id: str) -> str | None:
        """Return the state of the own order that a client submitted under this name from the archive."""
        found = self._submissions.get((client_id, client_order_id))
        return None if found is None else found.text

    def rewind(self, count: int) -> None:
        """Be as after the first so many commits."""
        commits, forks = self.commits[:count], self._forks
        MemoryJournal.__init__(self)
        self._forks = forks
        for records, aside in commits:
            MemoryJournal.append(self, records, durable=True, aside=aside)

    def close(self) -> None:
        """Keep everything: a simulated disk outlives its process."""

    def _cut(self, peer_id: str, after: int) -> None:
        if self._base(peer_id) >= after:
            # All that is left lies beyond, or follows on what is gone: the ledger is to be read anew.
            self._bases.pop(peer_id, None)
            after = 0
        gone = [
            position for position, one in self.written.items() if one.peer_id == peer_id and one.head.sequence > after
        ]
        for position in gone:
            del self.written[position]
        self._ledgers[peer_id] = [one for one in self._ledgers.get(peer_id, []) if one[1].head.sequence <= after]

    def _base(self, peer_id: str) -> int:
        return self._bases.get(peer_id, Head()).sequence


def first_batch(kept: list[Kept]) -> list[Kept]:
    """Return as many of these entries as one batch may hold."""
    sizes = accumulate(len(record.text) for _, record in kept)
    return kept[: max(1, sum(size <= MAX_BATCH_CHARACTERS for size in sizes))]
