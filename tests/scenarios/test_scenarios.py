"""Every scenario, on every cluster: everything holds, and nothing is left running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed import catalog, runner
from tests.requirements import require_docker, require_node

# Large ones take a minute on two cores; on containers `make scenarios-run` plays them.
LARGE = ("burst", "thirty_peers")

pytestmark = pytest.mark.timeout(400)


@pytest.mark.node
@pytest.mark.parametrize("name", catalog.names())
def test_everything_holds_on_processes(name: str, tmp_path: Path) -> None:
    require_node()
    assert runner.run(catalog.load(name), "processes", tmp_path) == 0
    told = json.loads((tmp_path / "latest" / "verdict.json").read_text())
    assert {verdict["kind"] for verdict in told["verdicts"]} == {"valid"}


@pytest.mark.docker
@pytest.mark.parametrize("name", [name for name in catalog.names() if name not in LARGE])
def test_everything_holds_on_containers(name: str, tmp_path: Path) -> None:
    require_docker()
    assert runner.run(catalog.load(name), "containers", tmp_path) == 0
    assert (tmp_path / "latest" / "logs" / "peer-1.log").stat().st_size > 0


@pytest.mark.node
def test_more_peers_than_a_scenario_needs_agree_as_well(tmp_path: Path) -> None:
    require_node()
    assert runner.run(catalog.load("partial_fill", peers=5), "processes", tmp_path) == 0
    assert len(list((tmp_path / "latest" / "ledgers").iterdir())) == 5
