"""A disk that outlives its peer, and what can befall it: a kill around a commit, a write that fails, a power cut.

The rule: a transaction is on it whole or not at all, as SQLite promises; nothing in the peer knows of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from peer.journal import MemoryJournal
from peer.ledgers import Record
from testbed.script import Point


class Killed(BaseException):
    """The process ended here; no code of the peer may catch it."""


class Disk(MemoryJournal):
    """A journal in memory; `doom` is where its peer will end when it commits next, `full` whether there is no room.

    `noted` is told what it keeps.
    """

    def __init__(self, dice: Random) -> None:
        super().__init__()
        self.doom: Point | None = None
        self.full = False
        self.noted: Callable[[list[Record]], None] = lambda records: None
        self._dice = dice
        self._ends: list[int] = [0]
        self._forced = 0

    @property
    def refuses(self) -> bool:
        """Whether the next commit fails, so that the peer is to end by its own rule."""
        return self.full or self.doom == "failed write"

    def append(self, records: Iterable[Record], *, durable: bool) -> None:
        """Keep entries, or do what the doom says.

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
        super().append(kept, durable=durable)
        self.noted(kept)
        self._ends.append(self._ends[-1] + len(kept))
        if durable:
            self._forced = len(self._ends) - 1
        if doom is not None:
            raise Killed

    def cut_power(self) -> int:
        """Lose any number of the last transactions that were not forced; return how many entries are gone."""
        kept = self._dice.randint(self._forced, len(self._ends) - 1)
        lost = self._ends[-1] - self._ends[kept]
        self.lose(lost)
        return lost

    def cut(self, peer_id: str, after: int) -> None:
        """Forget the entries of a ledger after a number, for good."""
        super().cut(peer_id, after)
        self._ends = [0, len(list(self.records()))]
        self._forced = 1

    def lose(self, count: int) -> None:
        """Be without the last entries."""
        kept, forks = list(self.records())[: self._ends[-1] - count], self.forks()
        super().__init__()
        super().append(kept, durable=True)
        for fork in forks:
            self.keep_fork(fork)
        self._ends = [0, len(kept)]
        self._forced = 1
