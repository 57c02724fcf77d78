"""Many scenarios, one after the other."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from testbed.catalog import Scenario
from testbed.checkers import HOLDS, UNKNOWN, VIOLATED
from testbed.cluster import CannotRun
from testbed.script import Buy, Expect, Script
from testbed.suite import run_all


def fine() -> Script:
    yield Expect((yield Buy("peer-1", "1", "X", at="1")), filled="0")


def wrong() -> Script:
    yield Expect((yield Buy("peer-1", "1", "X", at="1")), filled="1")


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two scenarios of this test's own, of which the second breaks its expectation."""
    for script in (fine, wrong):
        module = ModuleType(f"scenarios.{script.__name__}", "A scenario.")
        module.__dict__.update(script=script, PEERS=1)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("testbed.catalog.names", lambda: ["fine", "wrong"])


@pytest.mark.usefixtures("catalogue")
def test_the_table_tells_of_each_and_the_worst_code_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all(["wrong", "fine"], "simulation", tmp_path) == VIOLATED
    told = capsys.readouterr().out
    assert "VIOLATED: a promise was broken" in told
    assert [line.split()[:2] for line in told.splitlines() if line.startswith(("fine ", "wrong "))] == [
        ["wrong", "VIOLATED"], ["fine", "holds"]
    ]  # fmt: skip
    assert "expected: peer-1 shows peer-1-1 with 0 filled, expected 1" in told
    assert "1 of 2 hold on simulation" in told
    (table,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    assert [(case.get("name"), [part.tag for part in case]) for case in table] == [("wrong", ["failure"]), ("fine", [])]


@pytest.mark.usefixtures("catalogue")
def test_what_holds_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_all(["fine"], "simulation", tmp_path) == HOLDS
    assert capsys.readouterr().out.splitlines()[0].split()[:2] == ["fine", "holds"]
    (directory,) = (tmp_path / "fine").iterdir()
    (case,) = ElementTree.parse(directory / "junit.xml").getroot()[0].iterfind("*[@name='priority']")
    assert list(case) == []


def test_where_all_is_skipped_nothing_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(scenario: Scenario, on: str, runs: Path) -> int:
        raise CannotRun(f"{scenario.name} needs what is not here")

    monkeypatch.setattr("testbed.runner.run", refuse)
    assert run_all(["partial_fill"], "processes", tmp_path) is None
    told = capsys.readouterr().out
    assert "partial_fill                 skipped      0.0 s  partial_fill needs what is not here" in told


def test_a_scenario_that_nobody_can_play_does_not_pass(tmp_path: Path) -> None:
    assert run_all(["parital_fill"], "simulation", tmp_path) == UNKNOWN
