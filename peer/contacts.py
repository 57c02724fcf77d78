"""What this peer knows of reaching each other peer, and when it has something to say to it. Pure.

The rule: at most one envelope is under way to a peer, and news alone waits until a few milliseconds after the last one.
What has piled up by then goes out as one, so that load makes envelopes larger instead of more; at low load nothing
waits. A peer lacks what its own last word says it lacks: whatever was noted as told to it gives way to that word.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from peer.schema import NOTHING, Head

HEARTBEAT_S = 1.0
SILENT_AFTER_FAILURES = 3
FIRST_HOLD_S = 0.1
RELAY_AFTER_S = 0.5
NEWS_EVERY_S = 0.01
FILLS_EVERY_S = 0.002
STRANGER_EVERY_S = 30.0


@dataclass(slots=True)
class Contact:
    """One other peer. `vector` is how far its copies reach by its own last word, None before the first.

    `compared` are those of its heads that were held against our copies; `suspected` the ledgers, and the numbers of
    entries, that it has another way than we do, if its word is true.
    """

    peer_id: str
    vector: dict[str, Head] | None = None
    reachable: bool = False
    under_way: bool = False
    failures: int = 0
    called_at: float = 0.0
    heartbeat_at: float = 0.0
    hold_until: float = 0.0
    news_from: int | None = None
    hurried_at: Head | None = None
    skewed: bool = False
    stranger: bool = False
    refused: str | None = None
    asked: dict[str, None] = field(default_factory=dict)
    compared: dict[str, Head] = field(default_factory=dict)
    suspected: dict[str, int] = field(default_factory=dict)

    def has(self, peer_id: str) -> int:
        """Return how many entries of a ledger it has."""
        return self.vector.get(peer_id, NOTHING).sequence if self.vector else 0

    def heard(self, vector: dict[str, Head]) -> None:
        """Take its word: it lives, and this is how far it has read."""
        self.vector = dict(vector)
        if self.stranger:
            self.stranger, self.refused = False, None
        self.reachable = True
        self.failures = 0
        self.hold_until = 0.0

    def told(self, peer_id: str, sequence: int) -> None:
        """Note that it is being sent a ledger up to this entry, until it says otherwise."""
        if self.vector is not None:
            self.vector[peer_id] = Head(sequence)

    def answered(self) -> None:
        """Note that the envelope under way has been answered."""
        self.under_way = False

    def failed(self, now: float) -> None:
        """Note that the envelope under way got no answer; after a few of these the peer counts as silent."""
        self.under_way = False
        self.failures += 1
        self.asked.clear()
        self.news_from = None
        self.hold_until = now + min(HEARTBEAT_S, FIRST_HOLD_S * 2**self.failures)
        if self.failures >= SILENT_AFTER_FAILURES:
            self.reachable = False

    def turned_away(self, now: float, why: str) -> None:
        """Note that it belongs to another network: it is tried again now and then, lest it was given our key since."""
        self.stranger, self.refused = True, why
        self.reachable = False
        self.hold_until = now + STRANGER_EVERY_S

    def discovered(self) -> None:
        """Note that it has been found at an address: a silent peer is called at once."""
        if not self.reachable and not self.stranger:
            self.heartbeat_at = self.hold_until = 0.0

    def hurry(self) -> None:
        """Call it as soon as news would, however little there is to say; what it promises may never come."""
        self.heartbeat_at = min(self.heartbeat_at, self.called_at + NEWS_EVERY_S)

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to say something even if there is nothing to say."""
        return now >= self.heartbeat_at

    def next_call(self, *, news: bool, fills: bool) -> float:
        """Return when an envelope may leave for it, given what there is to say; never while one is under way."""
        if self.under_way:
            return inf
        at = self.heartbeat_at
        if self.reachable and fills:
            at = min(at, self.called_at + FILLS_EVERY_S)
        elif self.reachable and news:
            at = min(at, self.called_at + NEWS_EVERY_S)
        return max(at, self.hold_until)

    def called(self, now: float) -> None:
        """Note that an envelope leaves; on a heartbeat, unanswered fills will be asked anew."""
        if self.is_due(now):
            self.asked.clear()
        self.under_way = True
        self.called_at = now
        self.heartbeat_at = now + HEARTBEAT_S
