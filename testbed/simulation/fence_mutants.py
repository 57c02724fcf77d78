"""Known bugs in how peers evict one that is lost for good; see `testbed.simulation.mutants`."""

from __future__ import annotations

from peer.events import EvictionProposed
from peer.evictions import Evictions
from peer.fills import Grant
from peer.ledgers import Ledgers
from testbed.simulation.guards import Patch
from testbed.simulation.mutants import MUTANTS, mutant

__all__ = ["MUTANTS"]


@mutant
def _evicts_without_asking_the_others() -> list[Patch]:
    """Fences a lost peer where its own copy ends, and asks nobody who may have read more."""

    def alone(evictions: Evictions, peer_id: str, now: float, *, force: bool) -> None:
        if not evictions._fences.is_leaving(peer_id):
            proposal = EvictionProposed(peer_id=peer_id, voters=(evictions._me,), forced=False)
            evictions._ledgers.write(proposal, now)
        evictions.settle(now)

    return [(Evictions, "propose", alone)]


@mutant
def _closes_fills_before_the_fence_is_reached() -> list[Patch]:
    """Gives up its fills towards a peer that is being evicted, though others may have read what was decided."""
    settle = Evictions._settle

    def hasty(evictions: Evictions, peer_id: str, now: float) -> None:
        settle(evictions, peer_id, now)
        for fill in list(evictions._market.waiting_for(peer_id)):
            evictions._trader.close(fill, Grant(0, fill.limit, 1, 0), now)

    return [(Evictions, "_settle", hasty)]


@mutant
def _takes_entries_beyond_the_fence() -> list[Patch]:
    """Goes on reading the ledger of a fenced peer that has come back."""
    return [
        (Ledgers, "_keep_to_the_fence", lambda ledgers, peer_id, news: None),
        (Evictions, "overruns", lambda evictions: []),
    ]
