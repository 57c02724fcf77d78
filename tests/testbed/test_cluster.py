"""What every cluster must do, shown on each: peers start, die, come back, freeze and go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pygrenache import GrenacheError, RpcClient
from testbed.cluster import Cluster
from testbed.containers import ContainerCluster
from testbed.observer import Observer
from testbed.processes import ProcessCluster
from testbed.runner import CLUSTERS
from testbed.script import GRAPE_STRIKES, GRAPES, STRIKES
from testbed.simulation.cluster import SimulationCluster
from tests.requirements import require_docker, require_node

CASES = [pytest.param("processes", marks=pytest.mark.node), pytest.param("containers", marks=pytest.mark.docker)]


@pytest.fixture(params=CASES)
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A cluster of each kind, with two peers prepared and none started."""
    found: Cluster
    if request.param == "containers":
        require_docker()
        found = ContainerCluster(tmp_path, "cluster-test")
    else:
        require_node()
        found = ProcessCluster(tmp_path)
    try:
        await found.open(["peer-1", "peer-2"])
        yield found
    finally:
        await found.close()


def test_every_cluster_can_be_asked_for_by_its_name() -> None:
    assert {ContainerCluster.name, ProcessCluster.name, SimulationCluster.name} == set(CLUSTERS)


async def test_a_peer_lives_through_every_fault_as_itself(cluster: Cluster, tmp_path: Path) -> None:
    assert cluster.supports == {*STRIKES, *GRAPE_STRIKES}
    client = RpcClient(timeout_s=0.5)
    observer = Observer(cluster, client)
    await cluster.start("peer-1")
    born = await observer.up("peer-1")

    await cluster.pause("peer-1")
    with pytest.raises(GrenacheError):
        await client.request_at(cluster.door("peer-1"), "exchange", {"type": "GET_STATUS"})
    await cluster.resume("peer-1")
    assert await observer.up("peer-1") == born

    await cluster.kill("peer-1")
    with pytest.raises(GrenacheError):
        await client.request_at(cluster.door("peer-1"), "exchange", {"type": "GET_STATUS"})
    assert await cluster.crashed() == []
    await cluster.start("peer-1")
    assert await observer.up("peer-1") == born

    await client.close()
    await cluster.close()
    assert {path.stem for path in (tmp_path / "logs").iterdir()} >= {"peer-1", *GRAPES}
