"""Forks: a ledger that its owner has continued in two ways, and the proof that it has. Pure.

The rule: a vector is hearsay, so it only makes a peer ask. What counts is a batch with a valid signature that
contradicts our own copy, which its owner signed too: nobody but the owner can have made both. That is what a copied
data folder does which is run twice, or an old backup that is continued.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from peer.ledger import Verify, chained, is_sealed
from peer.messages import Fork, LedgerBatch
from peer.schema import Head

HashAt = Callable[[str, int], str | None]


class Forks:
    """What is known of forked ledgers. `proven` are shown for good; `found` waits for our own side to be put to it."""

    def __init__(self, hash_at: HashAt, verify: Verify) -> None:
        self.proven: dict[str, Fork] = {}
        self.found: dict[str, tuple[int, LedgerBatch]] = {}
        self._hash_at = hash_at
        self._verify = verify

    def __contains__(self, peer_id: str) -> bool:
        return peer_id in self.proven or peer_id in self.found

    def examine(self, batch: LedgerBatch) -> tuple[int, LedgerBatch] | None:
        """Return the first entry by which a signed batch contradicts our copy, and the batch; None if by none.

        A batch that does not say what comes before it is taken to continue our copy.
        """
        base = batch.base or self._hash_at(batch.peer_id, batch.first - 1)
        if base is None or self._hash_at(batch.peer_id, batch.first - 1) is None:
            return None
        heads = list(accumulate(batch.entries, chained, initial=Head(batch.first - 1, base)))
        differs = (head for head in heads if self._hash_at(batch.peer_id, head.sequence) not in (None, head.hash))
        first = next(differs, None)
        if first is None or not is_sealed(batch, heads[-1], self._verify):
            return None
        return first.sequence, batch.model_copy(update={"base": base})

    def contradicts(self, peer_id: str, head: Head) -> bool:
        """Tell whether somebody's head of a ledger is none that our copy has ever had, as far as that can be known."""
        ours = self._hash_at(peer_id, head.sequence)
        return ours is not None and ours != head.hash

    def hashes(self, peer_id: str) -> tuple[int, str, str]:
        """Return where a proven fork was seen, and the hashes there in our copy and in the other."""
        fork = self.proven[peer_id]
        return fork.sequence, _hash_in(fork.ours, fork.sequence), _hash_in(fork.theirs, fork.sequence)


def _hash_in(batch: LedgerBatch, sequence: int) -> str:
    head = Head(batch.first - 1, batch.base or Head().hash)
    for text in batch.entries:
        if head.sequence == sequence:
            break
        head = chained(head, text)
    return head.hash
