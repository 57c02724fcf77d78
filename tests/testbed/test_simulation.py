"""The simulation: every scenario passes in it, its faults bite, a failing run is shortened and can be kept."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from testbed import catalog, runner
from testbed.catalog import Scenario
from testbed.checkers import HOLDS, exit_code, judge
from testbed.evidence import Evidence
from testbed.history import History
from testbed.script import (
    LIES,
    Again,
    Answer,
    Buy,
    Crash,
    Cut,
    Falsehood,
    FillDisk,
    FreeDisk,
    Kill,
    Lie,
    Mend,
    Pause,
    Quiet,
    Restart,
    Resume,
    Script,
    Sell,
    Skew,
    Stop,
    Wait,
    Weather,
)
from testbed.simulation import campaign, virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.mutants import MUTANTS
from testbed.simulation.shrink import as_scenario, shrunk
from testbed.simulation.steps import Joined, Order
from testbed.simulation.swarm import Plan, draw
from testbed.simulation.trial import Trial, attempt

PEERS = ("peer-1", "peer-2", "peer-3")


def play(script: Script, seed: int = 1) -> tuple[SimulationCluster, History, Evidence]:
    """Play a script on three simulated peers."""
    cluster, history = SimulationCluster(seed), History()
    scenario = Scenario("test", "A test", PEERS, (), lambda: script, seed)
    evidence, why = virtual_time.run(cluster.world.agenda, runner.play(scenario, cluster, history))
    assert why == ""
    return cluster, history, evidence


def trades(evidence: Evidence) -> int:
    return len(evidence.accounts().trades())


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", catalog.names())
def test_every_scenario_passes_in_simulation(name: str, tmp_path: Path) -> None:
    assert runner.run(catalog.load(name, seed=7), "simulation", tmp_path) == 0


def test_a_full_disk_ends_a_peer_at_each_write_until_it_is_freed() -> None:
    def script() -> Script:
        yield Buy("peer-1", "1", "X", at="100")
        yield FillDisk("peer-2")
        answers.append((yield Sell("peer-2", "1", "X", at="100")))
        yield FreeDisk("peer-2")
        yield Restart("peer-2")
        answers.append((yield Again(answers[0])))
        yield Stop("peer-2")
        yield Restart("peer-2")

    answers: list[Answer] = []
    cluster, history, evidence = play(script())
    assert [answer.outcome for answer in answers] == ["info", "ok"]
    assert (trades(evidence), cluster.world.crashed) == (1, [])
    assert [operation.outcome for operation in history.operations() if operation.what == "stop"] == ["ok"]


def test_a_simulated_grape_has_no_links() -> None:
    cluster = SimulationCluster(1)
    assert "no links" in cluster.why_not(Cut("peer-1", "grape-1"))
    assert cluster.why_not(Cut("peer-1", "peer-2")) == cluster.why_not(Weather(duplication=0.5)) == ""


def test_different_seeds_are_different_runs() -> None:
    assert len({campaign.of_seed(seed).fingerprint for seed in range(5)}) == 5


def test_a_cut_keeps_peers_apart_until_it_is_mended() -> None:
    def script() -> Script:
        for other in ("peer-2", "peer-3"):
            yield Cut("peer-1", other)
            yield Cut(other, "peer-1")
        yield Buy("peer-1", "1", "X", at="100")
        yield Sell("peer-2", "1", "X", at="100")
        yield Wait(10.0)
        seen_by[:] = [len(peer.node.exchange.market.trades) for peer in world.peers.values() if peer.node]
        for other in ("peer-2", "peer-3"):
            yield Mend("peer-1", other)
            yield Mend(other, "peer-1")

    seen_by: list[int] = []
    cluster = SimulationCluster(1)
    world = cluster.world
    scenario = Scenario("test", "A test", PEERS, (), script)
    evidence, _ = virtual_time.run(world.agenda, runner.play(scenario, cluster, History()))
    assert seen_by == [0, 0, 0]
    assert trades(evidence) == 1


@pytest.mark.parametrize("point", ["before a commit", "failed write"])
def test_what_was_not_committed_is_gone(point: str) -> None:
    def script() -> Script:
        yield Crash("peer-1", point)  # type: ignore[arg-type]
        order = yield Buy("peer-1", "1", "X", at="100")
        outcomes.append(order.outcome)
        yield Restart("peer-1")

    outcomes: list[str] = []
    _, _, evidence = play(script())
    assert outcomes == ["info"]
    assert evidence.accounts().orders == {}


def test_what_was_committed_is_there_though_nobody_was_told() -> None:
    def script() -> Script:
        yield Crash("peer-1", "after a commit")
        order = yield Buy("peer-1", "1", "X", at="100")
        outcomes.append(order.outcome)
        yield Restart("peer-1")

    outcomes: list[str] = []
    _, _, evidence = play(script())
    assert outcomes == ["info"]
    assert len(evidence.accounts().orders) == 1


def test_a_power_cut_takes_copies_and_never_a_promise() -> None:
    def script() -> Script:
        for _ in range(20):
            yield Sell("peer-2", "1", "X", at="100")
        mine = yield Buy("peer-1", "1", "X", at="50")
        for _ in range(20):
            yield Sell("peer-2", "1", "X", at="100")
        yield Quiet()
        yield Crash("peer-1", "in a power cut")
        yield Restart("peer-1")
        yield Quiet()
        assert mine.order_id is not None

    cluster, _, evidence = play(script())
    assert cluster.world.seen["entries lost in power cuts"] > 0
    assert len(evidence.accounts().orders) == 41


def test_a_frozen_peer_answers_when_it_goes_on() -> None:
    def script() -> Script:
        yield Pause("peer-1")
        yield Sell("peer-2", "1", "X", at="100")
        yield Wait(4.0)
        yield Resume("peer-1")
        yield Buy("peer-1", "1", "X", at="100")

    assert trades(play(script())[2]) == 1


def test_a_clock_far_ahead_is_waited_for() -> None:
    def script() -> Script:
        yield Skew("peer-1", 8.0)
        yield Buy("peer-1", "1", "X", at="100")
        yield Skew("peer-1", 0.0)
        yield Sell("peer-2", "1", "X", at="100")

    _, history, evidence = play(script())
    assert trades(evidence) == 1
    assert history.operations()[-1].end_s > 2.9  # type: ignore[operator]


def test_a_storm_loses_repeats_and_overtakes() -> None:
    def script() -> Script:
        yield Weather(loss=0.3, duplication=0.5, soonest_s=0.001, latest_s=0.2)
        for number in range(30):
            yield Buy(PEERS[number % 3], "1", "X", at=str(100 + number % 2))
            yield Sell(PEERS[number % 2], "1", "X", at="100")
            yield Wait(0.3)
        yield Weather()

    cluster, _, evidence = play(script())
    seen = cluster.world.seen
    assert trades(evidence) >= 30
    assert min(seen["messages lost"], seen["messages repeated"], seen["messages overtaken"]) > 10


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_counts_for_nothing(lie: Falsehood) -> None:
    def script() -> Script:
        yield Lie("peer-2", (lie,))
        for number in range(20):
            yield Sell("peer-2", "1", "X", at="100")
            yield Buy(PEERS[number % 3], "1", "X", at="100")
            yield Wait(0.1)
        yield Lie("peer-2")

    cluster, history, evidence = play(script())
    assert cluster.world.seen[f"lies: {lie}"] > 3
    assert exit_code(judge(history, evidence), evidence) == HOLDS
    assert trades(evidence) == 20


def test_a_peer_that_joins_late_learns_everything() -> None:
    join = Joined(1.0, "peer-3")
    orders = [Order(0.1 * n, f"order-{n}", PEERS[n % 3], "buy", "1", "X", str(90 + n)) for n in range(20)]
    trial = attempt(Plan(1, 3, (*orders, join)))
    assert trial.wrong == {}
    assert trial.plan.late == ("peer-3",)
    assert (trial.seen["start"], trial.seen["submit info"], trial.seen["submit ok"]) == (1, 3, 17)


def test_a_peer_that_cannot_start_is_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> Script:
        yield Buy("peer-1", "1", "X", at="100")
        yield Kill("peer-1")
        yield Restart("peer-1")

    monkeypatch.setattr("peer.ledgers.Ledgers.restore", lambda ledgers, record: 1 // 0)
    scenario = Scenario("test", "A test", PEERS, (), script)
    assert runner.run(scenario, "simulation", tmp_path) == 4


def test_a_failing_run_is_shortened_and_kept_as_a_scenario(tmp_path: Path) -> None:
    with MUTANTS["takes_a_timeout_for_a_no"].planted():
        failing = min((trial for seed in range(20) if not (trial := campaign.of_seed(seed)).holds), key=length)
        short = shrunk(failing, attempt, lambda what: None)
        assert len(short.plan.steps) < len(failing.plan.steps) / 2

        path = tmp_path / "kept.py"
        path.write_text(as_scenario(short))
        assert runner.run(scenario_in(path), "simulation", tmp_path) == 1
    assert runner.run(scenario_in(path), "simulation", tmp_path) == 0


def length(trial: Trial) -> int:
    return len(trial.plan.steps)


def scenario_in(path: Path) -> Scenario:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return catalog.scenario_of(path.stem, module)


def test_any_part_of_a_plan_is_a_plan() -> None:
    plan: Plan = draw(3)
    for start in range(0, len(plan.steps), 7):
        part = replace(plan, steps=plan.steps[start : start + 7])
        assert attempt(part).wrong == {}
