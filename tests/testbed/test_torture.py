"""Torture, in virtual time: what it draws, and when it does not pass."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from testbed.checkers import HOLDS, UNKNOWN
from testbed.cluster import CannotRun
from testbed.rehearsal import rehearse
from testbed.script import FAULTS, Crash, Kill, Restart, Wait, Wish
from testbed.tally import Tally
from testbed.torture import ROUND_S, Torture, idle, torture


def wishes(seed: int, can_kill: bool = True) -> list[Wish]:
    wanted = Torture("processes", 1.0, seed)
    can = (Kill, Restart, Wait) if can_kill else (Wait,)
    return rehearse(wanted.scenario(lambda fault: isinstance(fault, can)).script())


def test_one_seed_draws_one_torture() -> None:
    assert wishes(1) == wishes(1)
    assert wishes(1) != wishes(2)


def test_only_faults_that_can_be_done_are_drawn_and_a_killed_peer_is_started_again() -> None:
    drawn = Counter(type(wish) for wish in wishes(1) if isinstance(wish, FAULTS) and not isinstance(wish, Wait))
    assert drawn.keys() == {Kill, Restart}
    assert drawn[Kill] == drawn[Restart] > 0
    assert not any(isinstance(wish, Kill) for wish in wishes(1, can_kill=False))


def test_real_peers_are_not_ended_at_exact_points() -> None:
    anything = Torture("processes", 3.0, 1).scenario(lambda fault: True)
    assert not any(isinstance(wish, Crash) for wish in rehearse(anything.script()))


def test_a_torture_counts_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The second round of this seed hurts peers while there is much to fill.
    assert torture(Torture("simulation", 0.1, 5, peers=3), tmp_path) == HOLDS
    told = json.loads((tmp_path / "latest" / "tally.json").read_text())
    assert told["orders accepted"] > ROUND_S * 20
    assert told["of these while something was hurt"] > 0
    out = capsys.readouterr().out
    assert "fills across peers" in out
    assert "idle" not in out


def test_an_idle_torture_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("testbed.torture.ACCEPTED_A_SECOND", 1_000.0)
    assert torture(Torture("simulation", 0.1, 5, peers=3), tmp_path) == UNKNOWN
    assert "12,000 are the least" in capsys.readouterr().out


def test_every_kind_of_idleness_is_named() -> None:
    assert len(list(idle(Tally(), 10.0))) == 3
    busy = Tally(accepted=1_000, fills=1_000, faults=Counter(kill=1))
    assert list(idle(busy, 10.0)) == ["nothing was filled while anything was hurt"]
    busy.fills_under_fault = 1
    assert list(idle(busy, 10.0)) == []


def test_a_torture_says_how_to_repeat_it() -> None:
    wanted = Torture("containers", 10.0, 7, plant="fill_again")
    again = "make torture ON=containers MINUTES=10 SEED=7 PEERS=5 PLANT=fill_again"
    assert wanted.scenario(lambda fault: True).again == again


def test_simulated_peers_get_their_bugs_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="make mutants"):
        torture(Torture("simulation", 0.1, 1, plant="fill_again"), tmp_path)
