"""A journal on disk: one SQLite file, one commit for everything that is waiting.

See `peer.journal` for what it promises.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from peer.journal import Kept
from peer.ledgers import Record
from peer.messages import Fork
from peer.schema import MAX_BATCH, Head

RECENT = 4 * MAX_BATCH

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    position INTEGER PRIMARY KEY,
    peer_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    signature TEXT,
    UNIQUE (peer_id, sequence)
) STRICT;
CREATE TABLE IF NOT EXISTS peers (peer_id TEXT PRIMARY KEY, public_key TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forks (peer_id TEXT PRIMARY KEY, proof TEXT NOT NULL) STRICT;
"""


class SqliteJournal:
    """A journal in one SQLite file, which one process at a time may hold; `:memory:` is not durable."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        self._keys: dict[str, str] = {}
        self._position = 0
        self._recent: dict[str, deque[Kept]] = {}
        try:
            self._open()
        except sqlite3.Error:
            self._db.close()
            raise

    def _open(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)
        self._keys.update(self._db.execute("SELECT peer_id, public_key FROM peers"))
        (self._position,) = self._db.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()

    def records(self) -> Iterator[Record]:
        """Yield every entry in the order of arrival."""
        rows = self._db.execute("SELECT peer_id, sequence, hash, text, signature FROM entries ORDER BY position")
        for peer_id, sequence, hash, text, signature in rows:
            yield Record(peer_id, self._keys[peer_id], Head(sequence, hash), text, signature)

    def append(self, records: Iterable[Record], *, durable: bool) -> None:
        """Keep entries in one transaction; if `durable`, they and all before them are on the disk on return.

        Raises:
            sqlite3.Error: the disk is full or broken; nothing of this has been kept.
        """
        rows = list(enumerate(records, self._position + 1))
        # In WAL mode NORMAL may lose the last commits on a power cut, FULL does not (SQLite, "PRAGMA synchronous").
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        for _, record in rows:
            if record.peer_id not in self._keys:
                self._keys[record.peer_id] = record.public_key
                self._db.execute("INSERT INTO peers VALUES (?, ?)", (record.peer_id, record.public_key))
        self._db.executemany(
            "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)",
            ((n, record.peer_id, *record.head, record.text, record.signature) for n, record in rows),
        )
        self._db.execute("COMMIT")
        self._position += len(rows)
        for kept in rows:
            self._recent.setdefault(kept[1].peer_id, deque(maxlen=RECENT)).append(kept)

    def cut(self, peer_id: str, after: int) -> None:
        """Forget the entries of a ledger after a number, which lie beyond a fence: they never count again.

        Raises:
            sqlite3.Error: the disk is broken.
        """
        self._db.execute("DELETE FROM entries WHERE peer_id = ? AND sequence > ?", (peer_id, after))
        self._recent.pop(peer_id, None)

    def keep_fork(self, fork: Fork) -> None:
        """Keep the proof of a fork, on the disk on return; the first one against a peer is enough.

        Raises:
            sqlite3.Error: the disk is full or broken.
        """
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("INSERT OR IGNORE INTO forks VALUES (?, ?)", (fork.peer_id, fork.model_dump_json()))

    def forks(self) -> list[Fork]:
        """Return all proofs of forks."""
        return [Fork.model_validate_json(proof) for (proof,) in self._db.execute("SELECT proof FROM forks")]

    def read(self, peer_id: str, after: int, limit: int = MAX_BATCH) -> list[Kept]:
        """Return at most `limit` entries of a ledger after a number."""
        recent = self._recent.get(peer_id)
        if recent and recent[0][1].head.sequence <= after + 1:
            start = after + 1 - recent[0][1].head.sequence
            return list(islice(recent, start, start + limit))
        rows = self._db.execute(
            "SELECT position, sequence, hash, text, signature FROM entries"
            " WHERE peer_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (peer_id, after, limit),
        )
        return [
            (position, Record(peer_id, self._keys[peer_id], Head(sequence, hash), text, signature))
            for position, sequence, hash, text, signature in rows
        ]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
