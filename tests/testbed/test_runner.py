"""Runs from start to verdict, on toy peers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import runner, store
from testbed.catalog import Scenario
from testbed.cluster import CannotRun
from testbed.history import History
from testbed.script import BadScript, Buy, Expect, Pause, Script, Start
from tests.testbed.little import LittleCluster

PEERS = ("peer-1", "peer-2", "peer-3")


def one_order() -> Script:
    order = yield Buy("peer-1", "1", "X", at="1")
    yield Start("peer-3")
    yield Pause("peer-2")
    yield Expect(order, filled="0")


ONE_ORDER = Scenario("one_order", "One order", PEERS, ("peer-3",), one_order)


def test_a_fault_that_a_cluster_cannot_do_skips_the_scenario() -> None:
    cluster = LittleCluster()
    runner.check(ONE_ORDER, cluster)
    cluster.supports = frozenset({Start})
    with pytest.raises(CannotRun, match="one_order is skipped: little cannot do Pause \\(toys cannot\\)"):
        runner.check(ONE_ORDER, cluster)


def test_a_script_that_nobody_can_play_is_told_before_anything_starts() -> None:
    with pytest.raises(BadScript, match="Start names 'peer-3', which is not LATE"):
        runner.check(replace(ONE_ORDER, late=()), LittleCluster())


async def test_a_run_ends_with_the_evidence_and_nothing_left_running(little: LittleCluster) -> None:
    history = History()
    evidence, why = await runner.play(ONE_ORDER, little, history)
    assert (why, evidence.quiet, evidence.living) == ("", True, PEERS)
    assert [operation.what for operation in history.operations()] == [
        "submit", "start", "pause", "quiet", "expect_order", "resume", "quiet"
    ]  # fmt: skip
    assert little.closed


async def test_a_run_without_quiet_still_ends_with_evidence(
    little: LittleCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("testbed.observer.BOUND_S", 0.2)
    little.in_doubt = ["a fill"]
    evidence, why = await runner.play(ONE_ORDER, little, History())
    assert not evidence.quiet
    assert "come to rest" in why
    assert little.closed


async def test_an_interrupted_run_tears_everything_down(little: LittleCluster) -> None:
    little.in_doubt = ["a fill"]
    reached = asyncio.Event()
    history = History(lambda line: reached.set() if '"quiet"' in line else None)
    playing = asyncio.create_task(runner.play(ONE_ORDER, little, history))
    async with asyncio.timeout(10):
        await reached.wait()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    assert little.closed


def test_containers_are_chosen_where_docker_works(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(runner, "docker_works", lambda: True)
    assert runner.choose_cluster(None, said.append) == "containers"
    assert said == []


@pytest.mark.parametrize(("node", "chosen"), [(True, "processes"), (False, "simulation")])
def test_without_docker_the_most_real_place_is_chosen_and_said(
    node: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(runner, "docker_works", lambda: False)
    monkeypatch.setattr(runner, "node_is_here", lambda: node)
    assert runner.choose_cluster(None, said.append) == chosen
    assert len(said) == 1
    assert "Docker engine" in said[0]


def test_what_was_asked_for_is_insisted_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "docker_works", lambda: False)
    assert runner.choose_cluster("containers", print) == "containers"


async def test_a_stored_run_can_be_judged_again(
    little: LittleCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "history.jsonl").open("w") as file:
        history = History(lambda line: file.write(f"{line}\n"))
        evidence, _ = await runner.play(ONE_ORDER, little, history)
    store.write_evidence(tmp_path, evidence)
    first = runner.judged(tmp_path, history, evidence)
    told = capsys.readouterr().out
    assert runner.judged(tmp_path, *store.read_run(tmp_path)) == first
    assert capsys.readouterr().out == told == (tmp_path / "account.txt").read_text()
