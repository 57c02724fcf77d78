"""Evicting a peer that is lost for good: what this peer writes about it, and when. Pure.

The rule: level-triggered like all trading. Whatever the ledgers say, `settle` writes what is due: a voter says how far
it holds the lost ledger; who holds all of it up to where it ends writes a fence; and only then, for the decision might
have stood there, are the fills closed that wait for the lost peer. So nobody needs to remember anything but ledgers,
and whoever dies in the midst of it goes on after a restart.
"""

from __future__ import annotations

from collections.abc import Mapping

from peer.codes import Code, Refusal
from peer.contacts import Contact
from peer.events import EvictionJoined, EvictionProposed, PeerFenced
from peer.forks import Forks
from peer.ledgers import Ledgers
from peer.market import Market
from peer.trader import Trader


class Evictions:
    """Writes this peer's part in evictions. `now` is seconds since the epoch."""

    def __init__(
        self,
        me: str,
        market: Market,
        ledgers: Ledgers,
        trader: Trader,
        forks: Forks,
        contacts: Mapping[str, Contact],
    ) -> None:
        self._me = me
        self._market = market
        self._fences = market.fences
        self._ledgers = ledgers
        self._trader = trader
        self._forks = forks
        self._contacts = contacts

    def refusal(self, peer_id: str, *, force: bool) -> Refusal | None:
        """Say why a peer cannot be evicted from here, if it cannot."""
        if peer_id == self._me:
            return Refusal(Code.NOT_EVICTABLE, "a peer does not evict itself: ask another one")
        if self._fences.is_leaving(peer_id) and not force:
            # Only to see how far it is; it may be that nobody holds an entry of that peer.
            return None
        if not (self._fences.is_leaving(peer_id) or peer_id in self._contacts or peer_id in self._ledgers.heads):
            return Refusal(Code.UNKNOWN_PEER, f"nobody here has heard of {peer_id}")
        if peer_id in self._forks:
            return Refusal(Code.NOT_EVICTABLE, f"the ledger of {peer_id} is forked, so nobody can say where it ends")
        silent = [other for other in self._others(peer_id) if not self._is_living(other)]
        if silent and not force:
            return Refusal(Code.PEERS_SILENT, f"{', '.join(silent)} cannot be asked what they hold of its ledger")
        return None

    def propose(self, peer_id: str, now: float, *, force: bool) -> None:
        """Ask all living peers how far they hold a ledger, unless that has been done; if forced, ask them anew."""
        if self._fences.fence(peer_id) is None and (force or not self._fences.is_leaving(peer_id)):
            voters = [self._me, *(other for other in self._others(peer_id) if self._is_living(other))]
            self._ledgers.write(EvictionProposed(peer_id=peer_id, voters=tuple(sorted(voters)), forced=force), now)
        self.settle(now)

    def settle(self, now: float) -> None:
        """Write all that is due."""
        for peer_id in list(self._fences.leaving()):
            if peer_id != self._me:
                self._settle(peer_id, now)

    def overruns(self) -> list[tuple[str, int]]:
        """Return the ledgers of which this peer holds more than there is, and the last entries that count."""
        return [
            (peer_id, end.sequence)
            for peer_id in self._fences.leaving()
            if peer_id != self._me
            and (end := self._fences.end(peer_id)) is not None
            and self._ledgers.head_of(peer_id).sequence > end.sequence
        ]

    def _settle(self, peer_id: str, now: float) -> None:
        fences, head = self._fences, self._ledgers.head_of(peer_id)
        if not fences.is_barred(peer_id) and fences.is_voter(peer_id):
            self._ledgers.write(EvictionJoined(peer_id=peer_id, sequence=head.sequence, hash=head.hash), now)
        if fences.is_barred(peer_id):
            self._market.shun(peer_id)
        if head == fences.end(peer_id) and not fences.is_done(peer_id):
            self._ledgers.write(PeerFenced(peer_id=peer_id, sequence=head.sequence, hash=head.hash), now)
        if fences.is_done(peer_id):
            self._trader.give_up(peer_id, now)

    def _others(self, peer_id: str) -> list[str]:
        strangers = {other for other, contact in self._contacts.items() if contact.stranger}
        known = {*self._contacts, *self._ledgers.heads} - strangers - {self._me, peer_id}
        return sorted(other for other in known if self._fences.fence(other) is None)

    def _is_living(self, peer_id: str) -> bool:
        contact = self._contacts.get(peer_id)
        return contact is not None and contact.reachable
