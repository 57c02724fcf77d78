"""A bug that is planted in the peers makes a scenario fail, by the checkers that are there for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed import catalog, runner
from testbed.checkers import HOLDS, exit_code, judge
from testbed.history import History
from testbed.plant import planted_command
from testbed.planted import BUGS
from testbed.processes import ProcessCluster
from testbed.torture import Torture, torture
from tests.requirements import require_docker, require_node

FOUND_BY = {
    "fill_again": {"exactly_once", "expected"},
    "reserve_nothing": {"no_overfill"},
}


@pytest.mark.node
@pytest.mark.parametrize("bug", BUGS)
async def test_a_planted_bug_is_found(bug: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_node()
    monkeypatch.setattr("testbed.observer.BOUND_S", 15.0)
    cluster = ProcessCluster(tmp_path, planted_command(bug))
    history = History()
    evidence, _ = await runner.play(catalog.load("partial_fill"), cluster, history)
    verdicts = judge(history, evidence)
    assert {verdict.name for verdict in verdicts if verdict.kind == "violated"} >= FOUND_BY[bug]
    assert exit_code(verdicts, evidence) != 0


@pytest.mark.docker
@pytest.mark.timeout(400)
def test_torture_finds_a_bug_that_is_planted_in_containers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_docker()
    monkeypatch.setattr("testbed.observer.BOUND_S", 10.0)
    assert torture(Torture("containers", minutes=0.1, seed=3, peers=3, plant="fill_again"), tmp_path) != HOLDS
    told = json.loads((tmp_path / "latest" / "verdict.json").read_text())
    assert "exactly_once" in {verdict["name"] for verdict in told["verdicts"] if verdict["kind"] == "violated"}
