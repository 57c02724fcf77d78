"""What every cluster must do, shown on each: peers start, die, come back, freeze and go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pygrenache import GrenacheError, RpcClient
from testbed.cluster import Cluster
from testbed.containers import ContainerCluster
from testbed.observer import Observer
from testbed.processes import ProcessCluster
from testbed.runner import CLUSTERS
from testbed.sabotage import DISK_FAULTS, LINK_FAULTS
from testbed.script import (
    GRAPE_STRIKES,
    GRAPES,
    STRIKES,
    Cut,
    Fault,
    FillDisk,
    FreeDisk,
    Mend,
    Skew,
    Wait,
    Weather,
)
from testbed.simulation.cluster import SimulationCluster
from tests.requirements import require, require_docker, require_namespaces, require_node

Test = TypeVar("Test", bound=Callable[..., Any])

# As a client asks a peer.
STATUS = {"type": "GET_STATUS"}
ORDER = {"item": "X", "type": "buy", "price": "1", "quantity": "1"}
CASES = [pytest.param("processes", marks=pytest.mark.node), pytest.param("containers", marks=pytest.mark.docker)]


@pytest.fixture(params=CASES)
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Cluster]:
    """A cluster of each kind, with two peers prepared and none started."""
    found: Cluster
    faults: Collection[type[Fault]] = getattr(request.function, "faults", ())
    if request.param == "containers":
        require_docker()
        found = ContainerCluster(tmp_path, "cluster-test")
    else:
        require_node()
        found = ProcessCluster(tmp_path)
        if faults:
            require_namespaces()
    for fault in faults:
        require(fault in found.supports, f"{fault.__name__} cannot be done here")
    try:
        await found.open(["peer-1", "peer-2"], faults)
        yield found
    finally:
        await found.close()


@pytest.fixture
async def observer(cluster: Cluster) -> AsyncIterator[Observer]:
    """An observer of both peers, which are up and know each other."""
    client = RpcClient(timeout_s=2.0)
    found = Observer(cluster, client)
    await asyncio.gather(*(cluster.start(peer) for peer in ("peer-1", "peer-2")))
    await asyncio.gather(*(found.up(peer) for peer in ("peer-1", "peer-2")))
    await found.acquainted()
    yield found
    await client.close()


def needs(*faults: type[Fault]) -> Callable[[Test], Test]:
    """Have a cluster prepared for faults."""

    def mark(test: Test) -> Test:
        test.faults = faults  # type: ignore[attr-defined]
        return test

    return mark


async def deaf(observer: Observer, peer: str) -> bool:
    """Tell whether a peer takes the other one for silent."""
    (other,) = (await observer.door(peer).status())["peers"]
    return bool(other["state"] != "reachable")


def test_every_cluster_can_be_asked_for_by_its_name() -> None:
    assert {ContainerCluster.name, ProcessCluster.name, SimulationCluster.name} == set(CLUSTERS)


async def test_a_peer_lives_through_every_fault_as_itself(cluster: Cluster, tmp_path: Path) -> None:
    assert cluster.supports >= {*STRIKES, *GRAPE_STRIKES, Wait}
    client = RpcClient(timeout_s=0.5)
    observer = Observer(cluster, client)
    await cluster.start("peer-1")
    born = await observer.up("peer-1")

    await cluster.pause("peer-1")
    with pytest.raises(GrenacheError):
        await client.request_at(cluster.door("peer-1"), "exchange", STATUS)
    await cluster.resume("peer-1")
    assert await observer.up("peer-1") == born

    await cluster.kill("peer-1")
    with pytest.raises(GrenacheError):
        await client.request_at(cluster.door("peer-1"), "exchange", STATUS)
    assert await cluster.crashed() == []
    await cluster.start("peer-1")
    assert await observer.up("peer-1") == born

    assert await cluster.stop("peer-1") == 0
    assert await cluster.crashed() == []
    await cluster.start("peer-1")
    assert await observer.up("peer-1") == born

    await client.close()
    await cluster.close()
    assert {path.stem for path in (tmp_path / "logs").iterdir()} >= {"peer-1", *GRAPES}


@needs(*LINK_FAULTS)
async def test_a_cut_parts_peers_through_a_restart_and_until_it_is_mended(cluster: Cluster, observer: Observer) -> None:
    await cluster.torment(Cut("peer-1", "peer-2"))
    await observer.until("peer-2 hears nothing of peer-1", lambda: deaf(observer, "peer-2"))
    # A client's door is no link between peers.
    await observer.door("peer-1").ask({"type": "SUBMIT_ORDER", "order": ORDER})

    await cluster.kill("peer-2")
    await cluster.start("peer-2")
    await observer.up("peer-2")
    await observer.door("peer-2").ask({"type": "SUBMIT_ORDER", "order": {**ORDER, "type": "sell"}})
    assert await observer.door("peer-2").trades("X") == []

    await cluster.torment(Mend("peer-1", "peer-2"))
    await observer.quiet()
    assert len(await observer.door("peer-2").trades("X")) == 1


@needs(*LINK_FAULTS)
async def test_links_that_take_far_too_long_part_peers_until_the_weather_clears(
    cluster: Cluster, observer: Observer
) -> None:
    await cluster.torment(Weather(soonest_s=100.0, latest_s=100.0))
    await observer.until("peer-2 hears nothing of peer-1", lambda: deaf(observer, "peer-2"))
    await cluster.torment(Weather())
    await observer.acquainted()


@needs(*DISK_FAULTS)
async def test_a_peer_without_room_ends_by_its_own_rule_and_comes_back_as_itself(
    cluster: Cluster, observer: Observer
) -> None:
    await cluster.torment(FillDisk("peer-1"))
    with pytest.raises(GrenacheError):
        await observer.door("peer-1").ask({"type": "SUBMIT_ORDER", "order": ORDER})
    assert await cluster.crashed() == []
    await cluster.torment(FreeDisk("peer-1"))
    await cluster.start("peer-1")
    assert await observer.up("peer-1") == observer.peer_ids["peer-1"]
    await observer.door("peer-1").ask({"type": "SUBMIT_ORDER", "order": ORDER})


@needs(Skew)
async def test_a_clock_is_set_while_its_peer_runs(cluster: Cluster, observer: Observer) -> None:
    async def clock(peer: str) -> float:
        answer = await observer.door(peer).ask({"type": "SUBMIT_ORDER", "order": ORDER})
        return float(answer["order"]["stamp"][0])

    before = await clock("peer-1")
    await cluster.torment(Skew("peer-1", 3600.0))
    assert await clock("peer-1") - before > 3599e6
    # Nobody else's clock has moved.
    assert await clock("peer-2") - before < 3599e6
