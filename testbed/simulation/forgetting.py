"""Planted bugs in what a peer sums up and forgets; see `testbed.simulation.mutants`.

The rule: what is forgotten must never have been needed again, and each of these forgets one thing too many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from peer.archive import Archive
from peer.events import GrantState, Snapshot
from peer.snapshot import Snapshots
from testbed.simulation.fence_mutants import MUTANTS
from testbed.simulation.guards import Patch
from testbed.simulation.mutants import mutant

__all__ = ["MUTANTS"]


@mutant
def _drops_decisions_without_a_watermark() -> list[Patch]:
    """Sums up its ledger without the decisions that it may still be asked for."""
    left = Snapshots._left

    def careless(snapshots: Snapshots, peer_id: str) -> Iterator[Any]:
        return (item for item in left(snapshots, peer_id) if not isinstance(item, GrantState))

    return [(Snapshots, "_left", careless)]


@mutant
def _forgets_the_archive() -> list[Patch]:
    """Knows an order by its client's name for it only as long as it is in memory."""
    return [(Archive, "submitted", lambda archive, order: None)]


@mutant
def _leaves_an_order_out_of_a_snapshot() -> list[Patch]:
    """Starts a ledger over without one of the orders that its snapshot tells of."""
    adopt = Snapshots._adopt

    def blind(snapshots: Snapshots, peer_id: str, part: Snapshot) -> None:
        spared = [order for order in part.orders if not order.reserved][:1]
        adopt(snapshots, peer_id, replace(part, orders=[order for order in part.orders if order not in spared]))

    return [(Snapshots, "_adopt", blind)]
