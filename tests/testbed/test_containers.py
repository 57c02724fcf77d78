"""Peers as containers: what is left behind, and what is missing."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker import DockerClient

from testbed import containers
from testbed.cluster import CannotRun
from testbed.containers import PROJECT_LABEL, SERVICE_LABEL, ContainerCluster, docker_works
from testbed.script import Cut, FillDisk, Kill, Skew
from tests.requirements import require_docker


@pytest.fixture
def engine() -> Iterator[DockerClient]:
    """The Docker engine."""
    require_docker()
    with closing(docker.from_env()) as client:
        yield client


@pytest.fixture
def dead() -> int:
    """The process id of nobody any more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.docker
async def test_leftovers_of_dead_runs_are_removed_and_those_of_the_living_are_not(
    engine: DockerClient, dead: int, tmp_path: Path
) -> None:
    left = {}
    for name, pid in (("dead", dead), ("living", 1)):
        labels = {PROJECT_LABEL: f"grapevine-leftover-{pid}"}
        left[name] = engine.containers.create("grapevine-grape", labels=labels)
    # Of this run, nothing but a volume is left.
    volume = engine.volumes.create(labels={PROJECT_LABEL: f"grapevine-halfway-{dead}"})
    cluster = ContainerCluster(tmp_path, "leftover-test")
    try:
        await cluster.open([])
        there = {container.id for container in engine.containers.list(all=True)}
        assert left["dead"].id not in there
        assert volume.id not in [each.id for each in engine.volumes.list()]
        assert left["living"].id in there
    finally:
        await cluster.close()
        left["living"].remove()


@pytest.mark.docker
async def test_runs_that_begin_at_once_share_the_work_of_removing_leftovers(
    engine: DockerClient, dead: int, tmp_path: Path
) -> None:
    labels = {PROJECT_LABEL: f"grapevine-leftover-{dead}"}
    network = engine.networks.create("grapevine-leftover-test", labels=labels)
    for _ in range(4):
        engine.containers.run("grapevine-grape", detach=True, network=network.name, labels=labels)
    clusters = [ContainerCluster(tmp_path, f"sharing-test-{number}") for number in range(3)]
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda cluster: cluster._remove_leftovers(), clusters))
        assert network.id not in [each.id for each in engine.networks.list()]
    finally:
        for cluster in clusters:
            await cluster.close()


@pytest.mark.docker
async def test_a_container_that_ends_by_itself_is_told_and_nothing_of_a_run_is_left(
    engine: DockerClient, tmp_path: Path
) -> None:
    cluster = ContainerCluster(tmp_path, "crash-test")
    peers = f"{SERVICE_LABEL}=peer-1"
    before = {container.id for container in engine.containers.list(all=True, filters={"label": peers})}
    try:
        await cluster.open(["peer-1"], cluster.supports)
        await cluster.start("peer-1")
        (peer,) = [each for each in engine.containers.list(filters={"label": peers}) if each.id not in before]
        peer.kill()
        peer.wait()
        assert await cluster.crashed() == ["peer-1 ended by itself with exit code 137"]
    finally:
        await cluster.close()
    label = f"{PROJECT_LABEL}={peer.labels[PROJECT_LABEL]}"
    assert (tmp_path / "logs" / "grape-1.log").is_file()
    assert engine.containers.list(all=True, filters={"label": label}) == []
    assert engine.networks.list(filters={"label": label}) == []
    assert engine.volumes.list(filters={"label": label}) == []


@pytest.mark.docker
async def test_a_run_that_is_given_up_while_its_containers_are_created_leaves_none(
    engine: DockerClient, tmp_path: Path
) -> None:
    cluster = ContainerCluster(tmp_path, "hasty-test")
    label = f"{PROJECT_LABEL}=grapevine-hasty-test-{os.getpid()}"
    opening = asyncio.create_task(cluster.open([f"peer-{number}" for number in range(1, 9)], cluster.supports))
    while not engine.containers.list(all=True, filters={"label": label}, ignore_removed=True):  # noqa: ASYNC110
        await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await cluster.close()
    assert engine.containers.list(all=True, filters={"label": label}) == []
    assert engine.networks.list(filters={"label": label}) == []
    assert engine.volumes.list(filters={"label": label}) == []


@pytest.mark.docker
async def test_more_peers_than_can_all_talk_to_each_other_are_refused_before_anything_is_started(
    engine: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = f"{PROJECT_LABEL}=grapevine-crowd-test-{os.getpid()}"
    monkeypatch.setattr(containers, "why_too_many", lambda places: f"{places} are too many")
    cluster = ContainerCluster(tmp_path, "crowd-test")
    try:
        with pytest.raises(CannotRun, match="5 are too many"):
            await cluster.open(["peer-1", "peer-2", "peer-3"])
        assert engine.containers.list(all=True, filters={"label": label}) == []
    finally:
        await cluster.close()


@pytest.mark.docker
async def test_without_the_saboteurs_image_there_are_only_faults_that_need_none(
    engine: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "SABOTEUR_IMAGE", "grapevine-nobody")
    cluster = ContainerCluster(tmp_path, "image-test")
    assert cluster.why_not(Kill("peer-1")) == ""
    for fault in (Cut("peer-1", "peer-2"), FillDisk("peer-1"), Skew("peer-1", 1.0)):
        assert cluster.why_not(fault) == "the image grapevine-nobody is missing (`make images` builds it)"
    await cluster.close()


@pytest.mark.docker
async def test_the_engine_is_asked_once_what_can_be_done(
    engine: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "SABOTEUR_IMAGE", "grapevine-nobody")
    cluster = ContainerCluster(tmp_path, "image-test")
    missing = cluster.why_not(Cut("peer-1", "peer-2"))
    monkeypatch.setattr(containers, "SABOTEUR_IMAGE", "grapevine-somebody")
    assert missing == cluster.why_not(Cut("peer-1", "peer-2")) != ""
    await cluster.close()


@pytest.mark.docker
async def test_a_missing_image_is_told_in_one_line(
    engine: DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containers, "IMAGES", ("grapevine-nobody",))
    cluster = ContainerCluster(tmp_path, "image-test")
    with pytest.raises(CannotRun, match=r"the image grapevine-nobody is missing \(`make images` builds it\)"):
        await cluster.open([])
    await cluster.close()


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_without_an_engine_there_are_no_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    assert not docker_works()
    with pytest.raises(CannotRun, match="no Docker engine answers"):
        ContainerCluster(tmp_path, "engine-test")
    # The SDK leaves a socket that could not connect to the garbage collector, which would complain in a later test.
    gc.collect()
