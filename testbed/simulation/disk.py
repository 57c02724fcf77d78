"""A disk that outlives its peer, and what can befall it: a kill around a commit, a write that fails, a power cut.

The rule: a transaction is on it whole or not at all, as SQLite promises; nothing in the peer knows of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from random import Random

from peer.journal import NONE_ASIDE, Aside, Kept, MemoryJournal
from peer.ledgers import Record
from peer.schema import MAX_BATCH
from testbed.accounts import Copy
from testbed.script import Point


class Killed(BaseException):
    """The process ended here; no code of the peer may catch it."""


class Disk(MemoryJournal):
    """A journal in memory; `doom` is where its peer will end when it commits next, `full` whether there is no room.

    `noted` is told what it keeps; `max_batch` is how many entries it gives at once, and so its peer tells at once.
    """

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.doom: Point | None = None
        self.full = False
        self.max_batch = MAX_BATCH
        self.noted: Callable[[list[Record]], None] = lambda records: None
        self._dice = dice
        self._forced = 0

    @property
    def refuses(self) -> bool:
        """Whether the next commit fails, so that the peer is to end by its own rule."""
        return self.full or self.doom == "failed write"

    def append(self, records: Iterable[Record], *, durable: bool, aside: Aside = NONE_ASIDE) -> None:
        """Keep entries and put others aside, or do what the doom says.

        Raises:
            Killed: the process ends here.
            OSError: the disk refuses; nothing of this has been kept.
        """
        refuses, doom, self.doom = self.refuses, self.doom, None
        if refuses:
            raise OSError("the disk refuses to write")
        if doom == "before a commit" or (doom == "torn" and self._dice.random() < 0.5):
            raise Killed
        kept = list(records)
        super().append(kept, durable=durable, aside=aside)
        self.noted(kept)
        if durable:
            self._forced = len(self.commits)
        if doom is not None:
            raise Killed

    def read(self, peer_id: str, after: int, limit: int = MAX_BATCH) -> list[Kept]:
        """Return entries of a ledger after a number, as many as may be told at once."""
        return super().read(peer_id, after, min(limit, self.max_batch))

    def copies(self) -> dict[str, Copy]:
        """Return all that it ever held, also what its peer has forgotten."""
        bases = {(peer_id, base) for _, aside in self.commits for peer_id, base in aside.bases.items()}
        hashes = {(peer_id, base.sequence + 1): base.hash for peer_id, base in sorted(bases)}
        found: dict[str, list[tuple[int, Record]]] = {}
        for position, record in self.written.items():
            found.setdefault(record.peer_id, []).append((position, record))
        return {owner: _copy(owner, kept, hashes) for owner, kept in found.items()}

    def cut_power(self) -> int:
        """Lose any number of the last transactions that were not forced; return how many entries are gone."""
        before = len(self.written)
        self.rewind(self._dice.randint(self._forced, len(self.commits)))
        return before - len(self.written)


def _copy(owner: str, written: list[tuple[int, Record]], hashes: dict[tuple[str, int], str]) -> Copy:
    kept: list[tuple[int, Record]] = []
    for position, record in written:
        number = record.head.sequence
        # What a copy started over with, and had forgotten again by the same commit, has never been on the disk.
        if number == (kept[-1][1].head.sequence if kept else 0) + 1 or (owner, number) in hashes:
            kept.append((position, record))
    numbers = [record.head.sequence for _, record in kept]
    gaps = [number for before, number in pairwise([0, *numbers]) if number != before + 1]
    return Copy(
        owner,
        tuple(record.text for _, record in kept),
        tuple(position for position, _ in kept),
        {number: hashes[owner, number] for number in gaps},
    )
