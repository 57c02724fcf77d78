"""The doctor: it sees what is here, and knows the command for what is not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from testbed.cluster import ROOT
from testbed.doctor import Finding, findings, main, places


def test_on_a_bare_machine_everything_missing_has_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("testbed.doctor.ROOT", tmp_path)
    missing = {finding.name for finding in findings() if not finding.is_here}
    assert missing >= {"the Python environment", "a Docker engine that answers", "Node.js and npm", "Chromium"}
    assert main() == 1
    told = capsys.readouterr().out
    assert "✗ upstream Grape" in told
    assert "for peers as processes: make grapes" in told
    assert told.endswith("Nothing can be run yet.\n")


def test_every_make_command_that_it_recommends_exists() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    recommended = {found[1] for finding in findings() if (found := re.fullmatch(r"make ([a-z]+)", finding.mend))}
    assert {"setup", "docker", "images", "grapes"} <= recommended <= set(targets)


@pytest.mark.parametrize(
    ("missing", "can"),
    [
        ("everything", []),
        ("peers as containers", ["processes", "simulation"]),
        ("peers as processes", ["containers", "simulation"]),
        ("the tests of the report", ["containers", "processes", "simulation"]),
    ],
)
def test_what_is_missing_says_where_scenarios_can_be_run(missing: str, can: list[str]) -> None:
    assert places([Finding("it", False, missing, "mend"), Finding("other", True, "everything", "mend")]) == can


def test_it_needs_nothing_but_the_standard_library() -> None:
    # -S leaves out every installed package.
    command = [sys.executable, "-S", "-m", "testbed.doctor"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr == ""
    assert "✓ Python 3.11 to 3.13" in done.stdout
