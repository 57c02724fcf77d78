"""Real peers show only what they have not forgotten: a judge who knows no more must not take that for a broken promise.

The seeds are those of drawn runs that were once misjudged.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from testbed.checkers import judge
from testbed.evidence import Evidence
from testbed.history import History
from testbed.runner import play
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.swarm import draw


def played(seed: int, snapshot_every: int) -> tuple[History, Evidence]:
    """The run of a seed, by peers that sum up every so many entries."""
    cluster, history = SimulationCluster(seed, snapshot_every=snapshot_every), History()
    scenario = draw(seed).scenario()
    evidence, _ = virtual_time.run(cluster.world.agenda, play(scenario, cluster, history))
    return history, evidence


@pytest.mark.parametrize(
    ("seed", "snapshot_every"),
    [(4, 4), (16, 3), (25, 3), (39, 3), (41, 10), (49, 3), (53, 6), (81, 20), (152, 3), (1030, 3)],
)
def test_a_run_holds_by_what_peers_show_as_by_what_their_disks_had(seed: int, snapshot_every: int) -> None:
    history, evidence = played(seed, snapshot_every)
    assert any(copy.bases for copies in evidence.ledgers.values() for copy in copies.values())
    for known in (evidence, replace(evidence, disks={})):
        assert [verdict.evidence for verdict in judge(history, known) if verdict.kind != "valid"] == []
