"""Where a peer keeps its ledger and its copies: what a journal promises, and one that lives in memory. Pure.

The rule: `append` returns when the owner's entries would survive a power cut, or raises, and then the process must end.
Copies alone are not forced to the disk: they survive a kill, and what a power cut took, their owners tell again.
Entries keep the order in which they reached this peer: replayed in it, they give the same market again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from peer.ledgers import Record
from peer.messages import MAX_BATCH, LedgerBatch

Row = tuple[int, int, str, str | None]


class Journal(Protocol):
    """Where a peer keeps its ledger and its copies of the others'."""

    def records(self) -> Iterator[Record]:
        """Yield every entry in the order of arrival."""

    def append(self, records: Iterable[Record], *, durable: bool) -> None:
        """Keep entries; if `durable`, they and all before them are on the disk on return."""

    def read(self, peer_id: str, after: int) -> tuple[LedgerBatch, list[int]] | None:
        """Return entries after a number, up to a signed one, and the position of each; None if there are none."""

    def close(self) -> None:
        """Let go of the disk."""


class MemoryJournal:
    """A journal that lives as long as the object: what a simulated disk holds."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._rows: dict[str, list[Row]] = {}
        self._keys: dict[str, str] = {}

    def records(self) -> Iterator[Record]:
        """Yield every entry in the order of arrival."""
        return iter(self._records)

    def append(self, records: Iterable[Record], *, durable: bool) -> None:
        """Keep entries."""
        for record in records:
            self._records.append(record)
            row = (len(self._records), record.head.sequence, record.text, record.signature)
            self._rows.setdefault(record.peer_id, []).append(row)
            self._keys[record.peer_id] = record.public_key

    def read(self, peer_id: str, after: int) -> tuple[LedgerBatch, list[int]] | None:
        """Return entries after a number, up to a signed one, and the position of each; None if there are none."""
        rows = self._rows.get(peer_id, [])[after : after + MAX_BATCH]
        return batch_of(peer_id, self._keys.get(peer_id, ""), rows)

    def close(self) -> None:
        """Keep everything: a simulated disk outlives its process."""


def batch_of(peer_id: str, public_key: str, rows: list[Row]) -> tuple[LedgerBatch, list[int]] | None:
    """Make a batch of the rows up to the last signed one; None if there is none."""
    while rows and rows[-1][3] is None:
        rows = rows[:-1]
    if not rows:
        return None
    positions, sequences, texts, signatures = (list(column) for column in zip(*rows, strict=True))
    batch = LedgerBatch.model_construct(
        peer_id=peer_id, public_key=public_key, first=sequences[0], entries=texts, signature=signatures[-1]
    )
    return batch, positions
