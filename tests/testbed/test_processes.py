"""Peers as local processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pygrenache import RpcClient
from testbed.cluster import ROOT, CannotRun
from testbed.namespaces import NAMESPACES
from testbed.observer import NoQuiet, Observer
from testbed.processes import ProcessCluster
from testbed.script import Cut, FillDisk, Kill, Stop
from tests.requirements import require_namespaces, require_node


@pytest.mark.node
async def test_a_process_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    require_node()
    cluster = ProcessCluster(tmp_path)
    client = RpcClient(timeout_s=0.1)
    try:
        await cluster.open(["peer-1"])
        # A peer whose port is taken gives up.
        with socket.create_server(cluster.door("peer-1")):
            await cluster.start("peer-1")
            with pytest.raises(NoQuiet, match="peer-1 ended by itself with exit code 1"):
                await Observer(cluster, client).up("peer-1")
    finally:
        await client.close()
        await cluster.close()


@pytest.mark.node
@pytest.mark.timeout(60)
def test_a_runner_that_is_killed_amid_its_faults_leaves_nothing_behind(tmp_path: Path) -> None:
    require_node()
    require_namespaces()
    command = [sys.executable, "-m", "testbed", "run", "lost_replies", "--on", "processes", "--runs", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        history = tmp_path / "latest" / "history.jsonl"
        while not (history.is_file() and '"cut"' in history.read_text()):
            assert run.poll() is None
        assert list(NAMESPACES.glob(f"grapevine-{run.pid}-*"))
        run.kill()
        # The leash holds the same pipe, and lets go of it when it has taken away everything.
        run.stdout.read()
    assert list(NAMESPACES.glob(f"grapevine-{run.pid}-*")) == []
    assert not Path(f"/sys/class/net/gv{run.pid}").exists()


def test_what_needs_root_is_refused_without_it_and_what_does_not_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    cluster = ProcessCluster(tmp_path)
    assert cluster.why_not(Stop("peer-1")) == ""
    assert "needs root" in cluster.why_not(Cut("peer-1", "peer-2"))
    assert "needs root" in cluster.why_not(FillDisk("peer-1"))
    assert cluster.supports >= {Kill, Stop}
    assert not cluster.supports & {Cut, FillDisk}


async def test_without_node_there_is_no_grape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match=r"no `node` on the PATH"):
        await ProcessCluster(tmp_path).open(["peer-1"])
