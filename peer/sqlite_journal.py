"""A journal on disk: one SQLite file, one commit for everything that is waiting.

See `peer.journal` for what it promises.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from peer.journal import NONE_ASIDE, Aside, Kept, first_batch
from peer.ledgers import Record
from peer.messages import Fork
from peer.schema import MAX_BATCH, Head

RECENT = 4 * MAX_BATCH
# At each commit this many forgotten entries leave the file, and twice as many as it adds: a little now and then.
CLEARED_AT_ONCE = 64

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
CREATE TABLE IF NOT EXISTS bases (
    peer_id TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS archive (
    id TEXT PRIMARY KEY,
    client_id TEXT,
    client_order_id TEXT,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS submissions ON archive (client_order_id, client_id) WHERE client_order_id IS NOT NULL;
"""


class SqliteJournal:
    """A journal in one SQLite file, which one process at a time may hold; `:memory:` is not durable."""

    def __init__(self, path: Path | str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=1.0)
        self._keys: dict[str, str] = {}
        self._position = 0
        self._recent: dict[str, deque[Kept]] = {}
        self._bases: dict[str, Head] = {}
        # Ledgers of which forgotten entries may still be in the file.
        self._littered: dict[str, None] = {}
        try:
            self._open()
        except sqlite3.Error:
            self._db.close()
            raise

    def _open(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # After a failed sync the log reads as if it were on the disk, and may not be; the file is, once that is synced.
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._db.executescript(_SCHEMA)
        self._keys.update(self._db.execute("SELECT peer_id, public_key FROM peers"))
        rows = self._db.execute("SELECT peer_id, sequence, hash FROM bases")
        self._bases.update((peer_id, Head(sequence, hash)) for peer_id, sequence, hash in rows)
        self._littered.update(dict.fromkeys(self._bases))
        (self._position,) = self._db.execute("SELECT coalesce(max(position), 0) FROM entries").fetchone()

    def bases(self) -> dict[str, Head]:
        """Return up to where each ledger has been forgotten."""
        return self._bases

    def records(self) -> Iterator[Record]:
        """Yield every entry that has not been forgotten in the order of arrival."""
        rows = self._db.execute("SELECT peer_id, sequence, hash, text, signature FROM entries ORDER BY position")
        for peer_id, sequence, hash, text, signature in rows:
            if sequence > self._base(peer_id):
                yield Record(peer_id, self._keys[peer_id], Head(sequence, hash), text, signature)

    def append(self, records: Iterable[Record], *, durable: bool, aside: Aside = NONE_ASIDE) -> None:
        """Keep entries and put others aside in one transaction; if `durable`, it and all before it is on the disk.

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
        self._put_aside(aside)
        self._clear_away(len(rows))
        self._db.execute("COMMIT")
        self._position += len(rows)
        for kept in rows:
            self._recent.setdefault(kept[1].peer_id, deque(maxlen=RECENT)).append(kept)
        for peer_id in aside.bases:
            # What follows on a gap must not be found behind what was before it.
            recent = self._recent.get(peer_id)
            while recent and recent[0][1].head.sequence <= self._base(peer_id):
                recent.popleft()
        for peer_id in aside.cuts:
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
        after = max(after, self._base(peer_id))
        recent = self._recent.get(peer_id)
        if recent and recent[0][1].head.sequence <= after + 1:
            start = after + 1 - recent[0][1].head.sequence
            return first_batch(list(islice(recent, start, start + limit)))
        rows = self._db.execute(
            "SELECT position, sequence, hash, text, signature FROM entries"
            " WHERE peer_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            (peer_id, after, limit),
        )
        return first_batch(
            [
                (position, Record(peer_id, self._keys[peer_id], Head(sequence, hash), text, signature))
                for position, sequence, hash, text, signature in rows
            ]
        )

    def find(self, order_id: str) -> str | None:
        """Return the state of an own order from the archive."""
        return self._found("SELECT state FROM archive WHERE id = ?", order_id)

    def find_submission(self, client_id: str | None, client_order_id: str) -> str | None:
        """Return the state of the own order that a client submitted under this name from the archive."""
        return self._found(
            "SELECT state FROM archive WHERE client_order_id = ? AND client_id IS ?", client_order_id, client_id
        )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _put_aside(self, aside: Aside) -> None:
        for peer_id, base in aside.bases.items():
            self._db.execute("INSERT OR REPLACE INTO bases VALUES (?, ?, ?)", (peer_id, *base))
            self._bases[peer_id] = base
            self._littered[peer_id] = None
        for peer_id, after in aside.cuts.items():
            self._cut(peer_id, after)
        self._db.executemany("INSERT OR REPLACE INTO archive VALUES (?, ?, ?, ?)", aside.archive)

    def _cut(self, peer_id: str, after: int) -> None:
        if self._base(peer_id) >= after:
            # All that is left lies beyond, or follows on what is gone: the ledger is to be read anew.
            self._db.execute("DELETE FROM bases WHERE peer_id = ?", (peer_id,))
            self._bases.pop(peer_id, None)
            after = 0
        self._db.execute("DELETE FROM entries WHERE peer_id = ? AND sequence > ?", (peer_id, after))

    def _clear_away(self, added: int) -> None:
        left = CLEARED_AT_ONCE + 2 * added
        for peer_id in list(self._littered):
            found = self._db.execute(
                "DELETE FROM entries WHERE position IN"
                " (SELECT position FROM entries WHERE peer_id = ? AND sequence <= ? ORDER BY sequence LIMIT ?)",
                (peer_id, self._base(peer_id), left),
            )
            left -= found.rowcount
            if not left:
                break
            del self._littered[peer_id]

    def _base(self, peer_id: str) -> int:
        return self._bases.get(peer_id, Head()).sequence

    def _found(self, question: str, *names: str | None) -> str | None:
        row: tuple[str] | None = self._db.execute(question, names).fetchone()
        return None if row is None else row[0]
