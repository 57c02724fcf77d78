"""Fences: where the ledger of a peer that is lost for good ends, as the ledgers of the others say. Pure.

The rule: this is a fold, and it is the same in whatever order ledgers arrive, but for two fences that contradict each
other: then the own one counts, else the one that was read first. A voter takes nothing more of the lost ledger once it
has said how far it holds it, so what it said is final; and when all voters have said so, all know the longest.
"""

from __future__ import annotations

from collections.abc import Iterator

from peer.events import EvictionEvent, EvictionJoined, EvictionProposed, PeerFenced
from peer.schema import Head


class Fences:
    """All evictions, by the evicted: who proposed which voters, how far each voter holds the ledger, who has fenced."""

    def __init__(self, me: str) -> None:
        self.proposals: dict[str, dict[str, EvictionProposed]] = {}
        self.joined: dict[str, dict[str, Head]] = {}
        self.fenced: dict[str, dict[str, Head]] = {}
        self._me = me

    def follows(self, peer_id: str, event: EvictionEvent) -> bool:
        """Tell whether a peer may write this: of itself nothing, and of another each word once but proposals."""
        known = {EvictionJoined: self.joined, PeerFenced: self.fenced}.get(type(event), {})
        return event.peer_id != peer_id and peer_id not in known.get(event.peer_id, {})

    def apply(self, peer_id: str, event: EvictionEvent) -> None:
        """Fold one event of a peer's ledger."""
        match event:
            case EvictionProposed():
                self.proposals.setdefault(event.peer_id, {})[peer_id] = event
            case EvictionJoined():
                self.joined.setdefault(event.peer_id, {})[peer_id] = Head(event.sequence, event.hash)
            case PeerFenced():
                self.fenced.setdefault(event.peer_id, {})[peer_id] = Head(event.sequence, event.hash)

    def words_of(self, peer_id: str) -> list[EvictionEvent]:
        """Return all that a peer has said, in an order that is the same for whoever has read it."""
        said: list[EvictionEvent] = [by[peer_id] for by in self.proposals.values() if peer_id in by]
        for evicted, heads in self.joined.items():
            if head := heads.get(peer_id):
                said.append(EvictionJoined(peer_id=evicted, sequence=head.sequence, hash=head.hash))
        for evicted, heads in self.fenced.items():
            if head := heads.get(peer_id):
                said.append(PeerFenced(peer_id=evicted, sequence=head.sequence, hash=head.hash))
        return sorted(said, key=lambda event: (event.type, event.peer_id))

    def leaving(self) -> Iterator[str]:
        """Yield every peer that is being evicted, or has been."""
        return iter({**self.proposals, **self.fenced})

    def is_leaving(self, peer_id: str) -> bool:
        """Tell whether a peer is being evicted, or has been."""
        return peer_id in self.proposals or peer_id in self.fenced

    def is_barred(self, peer_id: str) -> bool:
        """Tell whether this peer has nothing more to do with another: it has joined the eviction, or read a fence."""
        return peer_id in self.fenced or self._me in self.joined.get(peer_id, {})

    def is_voter(self, peer_id: str) -> bool:
        """Tell whether this peer is asked how far it holds a ledger."""
        return any(self._me in proposal.voters for proposal in self.proposals.get(peer_id, {}).values())

    def is_done(self, peer_id: str) -> bool:
        """Tell whether this peer has written a fence of another."""
        return self._me in self.fenced.get(peer_id, {})

    def fence(self, peer_id: str) -> Head | None:
        """Return where a peer's ledger has been fenced."""
        fences = self.fenced.get(peer_id)
        return (fences.get(self._me) or next(iter(fences.values()))) if fences else None

    def end(self, peer_id: str) -> Head | None:
        """Return where a peer's ledger ends: at its fence, or where that will be since all voters have joined."""
        if fence := self.fence(peer_id):
            return fence
        heads = self.joined.get(peer_id, {})
        for voters in self._electorates(peer_id):
            said = [heads[voter] for voter in voters if voter in heads]
            if said and not self._missing(peer_id, voters):
                return max(said)
        return None

    def limit(self, peer_id: str) -> int | None:
        """Return the last entry that our copy of a ledger may still take, None if nothing limits it."""
        end = self.end(peer_id) or self.joined.get(peer_id, {}).get(self._me)
        return end.sequence if end else None

    def waiting_for(self, peer_id: str) -> list[str]:
        """Return the voters that have yet to say how far they hold a ledger, where the fewest are missing."""
        if self.end(peer_id) is not None:
            return []
        return min((self._missing(peer_id, voters) for voters in self._electorates(peer_id)), key=len, default=[])

    def _missing(self, peer_id: str, voters: list[str]) -> list[str]:
        # A voter that has itself been fenced will say nothing more, and we have read all that it ever said.
        heads = self.joined.get(peer_id, {})
        return [voter for voter in voters if voter not in heads and not self.is_done(voter)]

    def _electorates(self, peer_id: str) -> list[list[str]]:
        """Return who has to join: of all unforced proposals together, and of each forced one by itself.

        Two peers that propose at the same time are each other's voters, so both wait for both electorates.
        """
        proposals = sorted(self.proposals.get(peer_id, {}).items())
        unforced = {voter: None for _, proposal in proposals if not proposal.forced for voter in proposal.voters}
        forced = [sorted(proposal.voters) for _, proposal in proposals if proposal.forced]
        return [sorted(unforced), *forced] if unforced else forced
