"""All ledgers as one peer holds them: its own, which it writes, and its copies of the others'. Pure.

The rule: a copy grows by its owner's signed entries, in sequence, and by nothing else. What has been added here and is
not yet on disk waits in `unsaved`; `bases` are the heads up to which ledgers may be forgotten with it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from peer.events import Entry, Event, OrderPlaced, Snapshot, read_entry
from peer.ledger import BadLedger, Continuation, Verify, chained, continuation, write_entry
from peer.market import Contradiction, Market
from peer.messages import LedgerBatch
from peer.schema import MAX_PEERS, NOTHING, Head
from peer.snapshot import Snapshots

MAX_SKEW_US = 5_000_000
RECENT_HASHES = 512
# With many open orders snapshots are large, and come the more rarely: they stay a small part of the ledger.
SNAPSHOT_SHARE = 4


class CorruptJournal(Exception):
    """The disk holds an entry that does not follow from the one before it."""


class Amnesia(Exception):
    """Others hold entries that this peer signed and has lost: it cannot go on under this identity."""


class FromTheFuture(Exception):
    """A batch stamped further ahead than clocks may differ: not now, but when our clock gets there."""


class Record(NamedTuple):
    """One entry of any ledger as the journal keeps it, and the head it leads to.

    Of copies, the last entry of each batch carries its owner's signature. Own entries carry none: their owner signs
    what it tells.
    """

    peer_id: str
    public_key: str
    head: Head
    text: str
    signature: str | None


class Ledgers:
    """Heads of all ledgers, and the hybrid logical clock (microseconds) that they drive. `now` is in seconds.

    `older` finds the hash of an entry that is no longer in memory, None if it is nowhere.
    """

    def __init__(
        self,
        me: str,
        public_key: str,
        market: Market,
        verify: Verify,
        older: Callable[[str, int], str | None] = lambda peer_id, sequence: None,
    ) -> None:
        self.heads: dict[str, Head] = {}
        self.clock = 0
        self.unsaved: list[Record] = []
        self.bases: dict[str, Head] = {}
        self.snapshots = Snapshots(market, self.heads)
        self._me = me
        self._public_key = public_key
        self._market = market
        self._verify = verify
        self._times: dict[str, int] = {}
        self._older = older
        self._recent: dict[str, deque[str]] = {}
        self._snapshot_at = 0
        # Up to where the disk has forgotten what is still to be restored; where a snapshot that is being read began;
        # where the last whole one began, and where it ended.
        self._floors: dict[str, Head] = {}
        self._begun: dict[str, Head] = {}
        self._outlived: dict[str, tuple[Head, int]] = {}

    @property
    def own(self) -> Head:
        """How far this peer's own ledger reaches."""
        return self.heads.get(self._me, NOTHING)

    def head_of(self, peer_id: str) -> Head:
        """Return how far a ledger reaches here."""
        return self.heads.get(peer_id, NOTHING)

    def hash_at(self, peer_id: str, sequence: int) -> str | None:
        """Return the hash of an entry of a ledger, None where that is not known here."""
        back = self.head_of(peer_id).sequence - sequence
        if back < 0 or not sequence:
            return None if back < 0 else Head().hash
        recent = self._recent[peer_id]
        return recent[-1 - back] if back < len(recent) else self._older(peer_id, sequence)

    def next_id(self) -> str:
        """Return the id of what the next own entry will make: no other entry ever has its number."""
        return f"{self._me}-{self.own.sequence + 1}"

    def restore_base(self, peer_id: str, base: Head) -> None:
        """Say up to where the disk has forgotten a ledger, before any entry is restored."""
        self._floors[peer_id] = base

    def restore(self, record: Record) -> None:
        """Fold one entry from disk, in the order in which it got there.

        Raises:
            CorruptJournal: it is not what was written.
        """
        before = self._floors.pop(record.peer_id, None) or self.head_of(record.peer_id)
        if chained(before, record.text) != record.head:
            raise CorruptJournal(f"entry {record.head.sequence} of {record.peer_id} is not what was written")
        self._fold(record.peer_id, read_entry(record.text), before, record.head)

    def write(self, event: Event, now: float) -> None:
        """Append an event to this peer's own ledger."""
        self.clock = max(self.clock + 1, int(now * 1e6))
        entry, text = write_entry(self.own.sequence + 1, self.clock, event)
        head = chained(self.own, text)
        self.unsaved.append(Record(self._me, self._public_key, head, text, None))
        self._fold(self._me, entry, self.own, head)

    def snapshot(self, now: float) -> None:
        """Sum up this peer's own ledger, if it has grown enough to make that worth while."""
        grown = self.own.sequence - self._snapshot_at
        market = self._market
        if grown >= max(market.past.snapshot_every, SNAPSHOT_SHARE * market.open_orders(self._me)):
            for part in self.snapshots.parts(self._me):
                self.write(part, now)

    def copy(self, batch: LedgerBatch, now: float) -> list[str]:
        """Append what of a batch is new to the copy of its ledger; return the orders that it placed.

        Raises:
            BadLedger, Contradiction: the owner cannot have written this, or broke its own rules.
            FromTheFuture: its clock is too far ahead of ours.
            Amnesia: it is our own ledger, and longer than we know.
        """
        news = continuation(self.head_of(batch.peer_id), batch, self._verify)
        if not news.entries:
            return []
        if batch.peer_id == self._me:
            raise Amnesia(
                f"entry {news.heads[-1].sequence} of this ledger exists, which ends here at {self.own.sequence}"
            )
        if batch.peer_id not in self.heads and len(self.heads) >= MAX_PEERS - 1:
            raise BadLedger(f"{MAX_PEERS - 1} ledgers are known, and no more are taken in")
        if max(entry.time for entry in news.entries) > int(now * 1e6) + MAX_SKEW_US:
            raise FromTheFuture(batch.peer_id)
        self._keep_to_the_fence(batch.peer_id, news)
        return self._append(batch, news)

    def advance_clock(self, clock: int, now: float) -> None:
        """Follow another peer's clock; beyond the bound not, lest one wild clock drags everybody's."""
        if clock <= int(now * 1e6) + MAX_SKEW_US:
            self.clock = max(self.clock, clock)

    def _keep_to_the_fence(self, peer_id: str, news: Continuation) -> None:
        limit, end = self._market.fences.limit(peer_id), self._market.fences.end(peer_id)
        if limit is not None and news.heads[-1].sequence > limit:
            raise BadLedger(f"entry {news.heads[-1].sequence} lies beyond {limit}, where this ledger ends")
        if end is not None and news.heads[-1].sequence == end.sequence and news.heads[-1] != end:
            raise BadLedger(f"entry {end.sequence} is not the one that this ledger ends with")

    def _append(self, batch: LedgerBatch, news: Continuation) -> list[str]:
        newcomers: list[str] = []
        before = news.base or self.head_of(batch.peer_id)
        for entry, text, head in zip(news.entries, news.texts, news.heads, strict=True):
            self._fold(batch.peer_id, entry, before, head)
            before = head
            signature = batch.signature if head is news.heads[-1] else None
            self.unsaved.append(Record(batch.peer_id, batch.public_key, head, text, signature))
            if isinstance(entry.event, OrderPlaced):
                newcomers.append(entry.event.id)
        return newcomers

    def _fold(self, peer_id: str, entry: Entry, before: Head, head: Head) -> None:
        if entry.sequence != head.sequence:
            raise Contradiction(f"entry {head.sequence} calls itself {entry.sequence}")
        if entry.time <= self._times.get(peer_id, 0):
            raise Contradiction(f"the clock of entry {head.sequence} went back")
        try:
            self._apply(peer_id, entry, before, head)
        except Contradiction as error:
            raise Contradiction(f"entry {head.sequence}: {error}") from error
        self.heads[peer_id] = head
        if isinstance(entry.event, Snapshot) and not self.snapshots.is_amid(peer_id):
            self.snapshots.end_holds()
        if peer_id not in self._recent:
            self._recent[peer_id] = deque(maxlen=RECENT_HASHES)
        self._recent[peer_id].append(head.hash)
        self._times[peer_id] = entry.time
        self.clock = max(self.clock, entry.time)

    def _apply(self, peer_id: str, entry: Entry, before: Head, head: Head) -> None:
        event = entry.event
        if isinstance(event, Snapshot):
            self._read_snapshot(peer_id, event, before, head)
        elif self.snapshots.is_amid(peer_id):
            raise Contradiction("against the rule that the parts of a snapshot follow one another")
        else:
            self._market.apply(peer_id, entry)
            self._outlive(peer_id, head)

    def _read_snapshot(self, peer_id: str, part: Snapshot, before: Head, head: Head) -> None:
        starts_over = before.sequence > self.head_of(peer_id).sequence
        whole = self.snapshots.read(peer_id, part, starts_over=starts_over)
        if starts_over:
            self._outlived.pop(peer_id, None)
            self._recent[peer_id] = deque([before.hash], maxlen=RECENT_HASHES)
            self.bases[peer_id] = before
        if part.part == 1:
            self._begun[peer_id] = before
        if whole:
            self._outlived[peer_id] = (self._begun.pop(peer_id), head.sequence)
            if peer_id == self._me:
                self._snapshot_at = head.sequence

    def _outlive(self, peer_id: str, head: Head) -> None:
        # Who is a little behind at a snapshot can still be told the entries before it, and check it against them.
        base, end = self._outlived.get(peer_id, (None, 0))
        if base is not None and head.sequence - end >= self._market.past.snapshot_every // 2:
            del self._outlived[peer_id]
            self.bases[peer_id] = base
