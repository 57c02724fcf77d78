"""What came of what only few runs have: counted for a campaign, in which it must have happened.

The rule: it looks at the end of a run, and changes nothing of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from testbed.history import History
from testbed.simulation.disk import Disk
from testbed.simulation.rarities import CROWD, SILENT_S
from testbed.simulation.steps import Down, Frozen, Parted
from testbed.simulation.swarm import Plan


def sighted(plan: Plan, history: History, disks: Iterable[Disk]) -> Counter[str]:
    """Count what was rare in a run."""
    seen = Counter[str]()
    seen["runs of a crowd"] = int(plan.peers >= CROWD[0])
    seen["long silences"] = sum(
        isinstance(step, Down | Frozen | Parted) and step.for_s >= SILENT_S[0] for step in plan.steps
    )
    if plan.max_batch is not None:
        seen["small batches that are full"] = sum(_full_batches(disk) for disk in disks)
    accepted: dict[tuple[str, str], set[str | None]] = {}
    for operation in history.operations():
        seen["changes refused by a peer that is not the owner"] += operation.error.startswith("ERR_NOT_OWNER")
        if (operation.what, operation.outcome) == ("submit", "ok"):
            order = operation.asked["order"]
            accepted.setdefault((order["clientId"], order["clientOrderId"]), set()).add(operation.peer)
    seen["orders submitted again at another peer"] = sum(len(peers) > 1 for peers in accepted.values())
    return seen


def _full_batches(disk: Disk) -> int:
    """Return how many batches of copies were as long as they may be: more was left to tell, most of the time."""
    lengths, full = Counter[str](), 0
    for record in disk.written.values():
        lengths[record.peer_id] += 1
        # The last entry of a batch of a copy carries the signature, and no entry of the peer's own does.
        if record.signature is not None:
            full += lengths[record.peer_id] >= disk.max_batch
            lengths[record.peer_id] = 0
    return full
