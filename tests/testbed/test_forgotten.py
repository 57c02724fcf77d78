"""Real peers show what they have not forgotten: a judge who knows no more must not take that for a broken promise."""

from __future__ import annotations

from dataclasses import replace

from testbed.checkers import judge
from testbed.evidence import Evidence
from testbed.history import History
from testbed.runner import play
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.swarm import draw

SEEDS = 24


def played(seed: int, snapshot_every: int) -> tuple[History, Evidence]:
    """The run of a seed, by peers that sum up every so many entries."""
    cluster, history = SimulationCluster(seed, snapshot_every=snapshot_every), History()
    scenario = draw(seed).scenario()
    evidence, _ = virtual_time.run(cluster.world.agenda, play(scenario, cluster, history))
    return history, evidence


def test_runs_hold_by_what_peers_show_as_by_what_their_disks_had() -> None:
    cut_short = 0
    for seed in range(SEEDS):
        history, evidence = played(seed, snapshot_every=3 + seed % 8)
        cut_short += any(copy.bases for copies in evidence.ledgers.values() for copy in copies.values())
        for known in (evidence, replace(evidence, disks={})):
            wrong = [verdict for verdict in judge(history, known) if verdict.kind != "valid"]
            assert wrong == [], seed
    assert cut_short > SEEDS / 2
