"""Peers as local processes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pygrenache import RpcClient
from testbed.cluster import CannotRun
from testbed.observer import NoQuiet, Observer
from testbed.processes import ProcessCluster
from tests.requirements import require_node


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


async def test_without_node_there_is_no_grape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRun, match=r"no `node` on the PATH"):
        await ProcessCluster(tmp_path).open(["peer-1"])
