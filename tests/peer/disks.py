"""A disk that fails in the middle of a write.

The operating system refuses to let the journal's log grow, so that a commit tears wherever SQLite has come to by then.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable
from pathlib import Path

from peer.journal import NONE_ASIDE, Aside
from peer.ledgers import Record
from peer.sqlite_journal import SqliteJournal

FRAME_BYTES = 4096 + 24

Commit = tuple[list[Record], Aside]


class Failing(SqliteJournal):
    """A journal whose disk fails at the first commit that is asked for, after so many more frames of the log."""

    def __init__(self, path: Path, fails: Callable[[Commit], bool], frames: float) -> None:
        self._log = path.with_name(f"{path.name}-wal")
        self._fails = fails
        self._frames = frames
        super().__init__(path)

    def append(self, records: Iterable[Record], *, durable: bool, aside: Aside = NONE_ASIDE) -> None:
        """Keep entries, or tear."""
        kept = list(records)
        if not self._fails((kept, aside)):
            super().append(kept, durable=durable, aside=aside)
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        room = self._log.stat().st_size + int(self._frames * FRAME_BYTES)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
        try:
            super().append(kept, durable=durable, aside=aside)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
